/** Values in COPY's text, written one by one; text_writer.ts writes those of batches. */
const SPECIAL = /[\\\t\n\r]/;
const EACH_SPECIAL = /[\\\t\n\r]/g;
const ESCAPED: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A value as a field of a line of COPY's text; null: NULL. */
export function escaped(text: string | null): string {
  if (text === null) return '\\N';
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (c) => ESCAPED[c]) : text;
}
