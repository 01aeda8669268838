/**
 * Builds dist/ from the sources: main.js and worker.js (the I/O thread) with everything of ours in a few files, and the files beside them that
 * are read at run time. Node finds, reads and links some hundred modules one by one; as one file they start in a tenth of the time
 * (docs/decisions/0180). Packages stay outside; what is loaded on demand (`import()`) stays in files of its own.
 */
import { copyFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/io/worker.ts'],
  entryNames: '[name]',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
copyFileSync(join(root, 'operators', 'kernels', 'kernels.wasm'), join(dist, 'kernels.wasm'));
cpSync(join(root, 'planner', 'types', 'generated'), join(dist, 'generated'), { recursive: true });
