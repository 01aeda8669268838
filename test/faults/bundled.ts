/** A program of the tests as one file of plain JavaScript: one that is started hundreds of times would spend most of its life compiling. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { oneFile, root } from '../one_file.ts';

/** Gives the path of the bundle, which is gone after the tests. Packages are found from it, so it lies among them. */
export function bundled(entry: string): string {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'tidemark-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return oneFile(entry, folder);
}
