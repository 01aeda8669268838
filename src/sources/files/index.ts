/** connector = 'files'. */
import { SqlError } from '../../../operators/errors.ts';
import type { Source } from '../source.ts';
import { filesOf } from './glob.ts';
import { parseFileSourceOptions } from './options.ts';
import { type FileColumns, FilesSource, openFile } from './source.ts';
import { checkPacked } from './text_file.ts';

type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Fails when there is no file (and nobody waits for one), or the first one cannot be read. */
export async function checkFiles(given: Record<string, string>, columns: FileColumns): Promise<void> {
  const options = parseFileSourceOptions(given);
  const { path, format, watch } = options;
  let looked: string | null = null;
  try {
    const files = await filesOf(path);
    if (files.length === 0 && !watch) {
      throw new SqlError('58P01', `no file matches "${path}"`, {
        hint: `Files of a folder are named by "${path.replace(/\/+$/, '')}/*". watch = 'true' waits for files that come later.`,
      });
    }
    const [first] = files;
    if (first === undefined) return;
    looked = first.path;
    if (format !== 'parquet') checkPacked(first.path);
    const reader = await openFile(first.path, first.size, options, columns);
    try {
      for await (const _piece of reader.pieces(0)) break;
    } finally {
      reader.close();
    }
  } catch (error) {
    if (error instanceof SqlError && looked === null) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const sqlstate = error instanceof SqlError ? error.sqlstate : code === 'EACCES' ? '42501' : '58030';
    throw new SqlError(sqlstate, `could not read file "${looked ?? path}": ${message}`);
  }
}

export async function openFilesSource(given: Record<string, string>, columns: FileColumns, log: Log): Promise<Source> {
  return new FilesSource(parseFileSourceOptions(given), columns, log);
}
