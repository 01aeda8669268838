/**
 * child.ts as one built file, as the `tidemark` command is (scripts/bundle.mjs): what translates TypeScript while it is loaded keeps the names of functions, at nearly a microsecond for each closure that is
 * made, which no server pays (docs/decisions/0456). Programs written by hand and other libraries' queries are in the same file.
 */
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'dist', 'bench');
let isBuilt = false;

/** The file, made once in this process. */
export function builtChild(): string {
  if (!isBuilt) {
    buildSync({
      absWorkingDir: root,
      entryPoints: ['bench/nexmark/child.ts'],
      outdir: folder,
      bundle: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
    });
    copyFileSync(join(root, 'operators', 'kernels', 'kernels.wasm'), join(folder, 'kernels.wasm'));
    cpSync(join(root, 'planner', 'types', 'generated'), join(folder, 'generated'), { recursive: true });
    isBuilt = true;
  }
  return join(folder, 'child.js');
}
