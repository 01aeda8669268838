/** Compiles operators/kernels/assembly to operators/kernels/kernels.wasm; memory, threads and SIMD as operators/batch/memory.ts has them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const folder = join(root, 'operators', 'kernels');

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js'),
    join(folder, 'assembly', 'index.ts'),
    ...['--outFile', join(folder, 'kernels.wasm')],
    ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--sharedMemory'],
    ...['--initialMemory', '1', '--maximumMemory', '65536', '--enable', 'threads', '--enable', 'simd'],
    ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert', '--uncheckedBehavior', 'always'],
    // Names for profilers.
    '--debug',
    // Pointers are of 32 bits here: what a memory of 64 would want said is no news to who builds this.
    ...['--disableWarning', '201'],
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
process.exit(status ?? 1);
