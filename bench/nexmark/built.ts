/**
 * child.ts as one built file, as the `tidemark` command is (scripts/bundle.mjs): what translates TypeScript while it is loaded keeps the names of functions, at nearly a microsecond for each closure that is
 * made, which no server pays (docs/decisions/0456). Programs written by hand and other libraries' queries are in the same file.
 */
import { join } from 'node:path';
import { oneFile, root } from '../../test/one_file.ts';

let file: string | null = null;

/** The file, made once in this process. */
export function builtChild(): string {
  file ??= oneFile('bench/nexmark/child.ts', join(root, 'dist', 'bench'));
  return file;
}
