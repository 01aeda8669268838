/**
 * Positions in SQL text.
 *
 *   libpg-query: 0-based byte offsets of the UTF-8 form      PostgreSQL's error field P: 1-based characters (code points)
 *
 * A statement is cut out of what the client sent, so a position inside it becomes the client's by adding the statement's offset.
 */
import { SqlError } from '../../operators/errors.ts';

/** Code points in the first `units` UTF-16 units of a text. */
export function codePoints(text: string, units = text.length): number {
  let count = 0;
  for (let i = 0; i < units; i++) {
    // The second half of a surrogate pair belongs to the code point already counted.
    if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  }
  return count;
}

/**
 * 1-based character position of a byte offset in the UTF-8 form of `text`; undefined when the offset is negative or absent, which is
 * how the parser says "unknown". An offset past the end gives the position just after the last character.
 */
export function characterPosition(text: string, byteOffset: number | undefined): number | undefined {
  if (byteOffset === undefined || byteOffset < 0) return undefined;
  let bytes = 0;
  let characters = 0;
  for (let i = 0; i < text.length && bytes < byteOffset; i++) {
    const c = text.charCodeAt(i);
    if ((c & 0xfc00) === 0xdc00) continue;
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : (c & 0xfc00) === 0xd800 ? 4 : 3;
    characters++;
  }
  return characters + 1;
}

/** An error of a statement as an error of the whole string that the statement was cut from. */
export function withOffset(error: SqlError, offset: number): SqlError {
  if (offset === 0 || error.fields.position === undefined) return error;
  return new SqlError(error.sqlstate, error.message, { ...error.fields, position: error.fields.position + offset });
}

/** The text of one statement and where it starts in what the client sent (characters). */
export interface Source {
  text: string;
  offset: number;
}

/** An error at a byte offset of a statement, positioned in what the client sent. */
export function errorAt(
  source: Source,
  sqlstate: string,
  message: string,
  byteOffset?: number,
  hint?: string,
): SqlError {
  const position = characterPosition(source.text, byteOffset);
  return new SqlError(sqlstate, message, {
    ...(position === undefined ? {} : { position: position + source.offset }),
    ...(hint === undefined ? {} : { hint }),
  });
}
