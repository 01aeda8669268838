/**
 * Builds dist/ from the sources: main.cjs and worker.cjs (the I/O thread) with everything of ours, start.js, which runs them, log_worker.js (the thread of the
 * tick log, which is small), http_worker.js (the HTTP thread), parquet_worker.js (the thread that decodes Parquet files), tidemark.js (the library: what is in the thread of its user; the database's own thread runs main.cjs), and the files beside them that
 * are read at run time. Node finds, reads and links some hundred modules one by one; as one file they start in a tenth of the time
 * (docs/decisions/0180), and with V8's code for them, made at last, in half of that (docs/decisions/0260). Packages stay outside; what is loaded on
 * demand (`import()`) is initialised on demand.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const dist = join(root, 'dist');

const common = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
};

rmSync(dist, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: {
    start: 'src/run_built.ts',
    log_worker: 'src/durable/log_worker.ts',
    tidemark: 'src/embed/index.ts',
    http_worker: 'src/http/worker.ts',
    parquet_worker: 'src/parquet/worker.ts',
  },
  format: 'esm',
});
const { outputFiles } = await build({
  ...common,
  write: false,
  entryPoints: { main: 'src/main.ts', worker: 'src/io/worker.ts' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  charset: 'ascii',
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: '(function (exports, require, module, __filename, __dirname, __moduleUrl, __import) {' },
  footer: { js: '})' },
  sourcemap: true,
});
// A script may not import packages by itself, so start.js does it.
for (const { path, text } of outputFiles)
  writeFileSync(path, path.endsWith('.cjs') ? text.replaceAll('import("', '__import("') : text);
copyFileSync(join(root, 'src', 'embed', 'tidemark.d.ts'), join(dist, 'tidemark.d.ts'));
copyFileSync(join(root, 'operators', 'kernels', 'kernels.wasm'), join(dist, 'kernels.wasm'));
cpSync(join(root, 'src', 'http', 'console'), join(dist, 'console'), {
  recursive: true,
  filter: (path) => !path.endsWith('.test.ts'),
});
cpSync(join(root, 'planner', 'types', 'generated'), join(dist, 'generated'), { recursive: true });

// A process of its own: only one that has started has the code that a start uses, and the code is for plain flags.
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'code_cache.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
