/** The options of CREATE STREAM ... WITH (connector = 'files', ...). */
import { isAbsolute } from 'node:path';
import { SqlError } from '../../../operators/errors.ts';
import { badOption, choice, integer, missingOption, refuseUnknown } from '../../connector_options.ts';
import type { CsvOptions } from '../../formats/csv/fields.ts';
import { CSV_OPTIONS, csvOptions } from '../../formats/options.ts';

const FILE_FORMATS = ['json', 'csv', 'parquet'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export interface FileSourceOptions {
  /** Absolute; `*`, `?`, `[...]` and `**` stand for what they do in a shell. */
  path: string;
  format: FileFormat;
  csv: CsvOptions;
  /** Of csv: the first record of a file has names; match: they must be those of the columns. */
  header: boolean | 'match';
  /** Files that appear later are read, too. */
  watch: boolean;
  /** How often the folders are looked at, in milliseconds. */
  watchMs: number;
  bufferBytes: number;
}

const FILE_SOURCE_OPTIONS: Record<string, string> = {
  path: 'absolute, and may have *, ?, [...] and **',
  format: FILE_FORMATS.map((name) => `'${name}'`).join(', '),
  ...CSV_OPTIONS,
  header: "'true', 'false' (default) or 'match', of format = 'csv'",
  envelope: "'append' or 'upsert'",
  watch: "'true' or 'false' (default)",
  watch_interval: 'milliseconds between two looks at the folders (default 1000)',
  idle_timeout: 'how long a stream at its end holds the watermark back',
  buffer_bytes: 'bytes read ahead (default 33554432)',
};

/** Set by the catalog beside the user's options. */
const OURS = ['connector', 'idle_timeout_ms'];

export function fileFormat(given: Record<string, string>): FileFormat {
  return choice(given, 'format', 'json', FILE_FORMATS);
}

/** Throws SqlError 22023 for an unknown option or a bad value. */
export function parseFileSourceOptions(given: Record<string, string>): FileSourceOptions {
  refuseUnknown('files', given, FILE_SOURCE_OPTIONS, OURS);
  const format = fileFormat(given);
  const stray = format === 'csv' ? undefined : ['header', ...Object.keys(CSV_OPTIONS)].find((name) => name in given);
  if (stray !== undefined) throw new SqlError('22023', `option "${stray}" is for format = 'csv'`);
  choice(given, 'envelope', 'append', ['append', 'upsert']);
  const { path } = given;
  if (path === undefined) throw missingOption('files', 'path', FILE_SOURCE_OPTIONS.path);
  if (!isAbsolute(path) || path.includes('\0')) throw badOption('path', path, FILE_SOURCE_OPTIONS.path);
  const header = choice(given, 'header', 'false', ['true', 'false', 'match']);
  return {
    path,
    format,
    csv: csvOptions(format === 'csv' ? given : {}),
    header: header === 'match' ? header : header === 'true',
    watch: choice(given, 'watch', 'false', ['true', 'false']) === 'true',
    watchMs: integer(given, 'watch_interval', 1000, 10, 86_400_000),
    bufferBytes: integer(given, 'buffer_bytes', 32 << 20, 1024, 2 ** 32),
  };
}
