/** What COPY's options must be to one another, checked before the first byte moves. */
import { SqlError } from '../../../operators/errors.ts';
import type { CopyOptions } from '../../engine.ts';

const oneByte = (text: string): boolean => text.length === 1 && text.charCodeAt(0) < 128;

function needOneByte(what: string, text: string): void {
  if (!oneByte(text)) throw new SqlError('0A000', `COPY ${what} must be a single one-byte character`);
}

function refuse(message: string): never {
  throw new SqlError('22023', message);
}

/** Throws 22023 and 0A000, as PostgreSQL does. */
export function checkCopyOptions(options: CopyOptions): void {
  const { format, delimiter, quote } = options;
  if (format === 'binary' || format === 'parquet') return;
  needOneByte('delimiter', delimiter);
  if (/[\r\n]/.test(delimiter)) refuse('COPY delimiter cannot be newline or carriage return');
  if (/[\r\n]/.test(options.null)) refuse('COPY null representation cannot use newline or carriage return');
  if (format === 'csv') {
    needOneByte('quote', quote);
    if (delimiter === quote) refuse('COPY delimiter and quote must be different');
    needOneByte('escape', options.escape);
    if (options.null.includes(quote)) refuse('CSV quote character must not appear in the NULL specification');
  } else {
    // These would be taken for escapes or for the end marker.
    if (/[\\.a-z0-9]/.test(delimiter)) refuse(`COPY delimiter cannot be "${delimiter}"`);
  }
  if (options.null.includes(delimiter)) {
    refuse('COPY delimiter character must not appear in the NULL specification');
  }
}
