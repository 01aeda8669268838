/** A program of the tests as one file of plain JavaScript: one that is started hundreds of times would spend most of its life compiling. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Gives the path of the bundle, which is gone after the tests. Packages are found from it, so it lies among them. */
export async function bundled(entry: string): Promise<string> {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'tidemark-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, basename(entry).replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
  copyFileSync(join(root, 'operators', 'kernels', 'kernels.wasm'), join(folder, 'kernels.wasm'));
  cpSync(join(root, 'planner', 'types', 'generated'), join(folder, 'generated'), { recursive: true });
  return outfile;
}
