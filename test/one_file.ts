/** A program with all of ours that it needs as one file of plain JavaScript. Packages are found from where it lies. */
import { copyFileSync, cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds `entry` into the folder, with what it reads beside itself; gives the file's path. */
export function oneFile(entry: string, folder: string): string {
  const outfile = join(folder, basename(entry).replace(/\.ts$/, '.mjs'));
  buildSync({
    absWorkingDir: root,
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
