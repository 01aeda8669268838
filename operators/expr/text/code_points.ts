/**
 * Characters as SQL counts them: code points. A JavaScript string is UTF-16, so every position has to be moved past surrogate
 * pairs; text without any (nearly all) takes the direct way.
 */

import { SqlError } from '../../errors.ts';

/** An array of more than 2^27 of them ends the process. */
const MAX_CHARACTERS = 1 << 22;

const SURROGATE = /[\ud800-\udfff]/;

/** True when some character takes two UTF-16 units. */
export function hasSurrogates(text: string): boolean {
  return SURROGATE.test(text);
}

export function codePointLength(text: string): number {
  if (!hasSurrogates(text)) return text.length;
  let n = 0;
  for (let i = 0; i < text.length; i += unitsAt(text, i)) n++;
  return n;
}

/** One by one; 54000 where these are too many for an array. */
export function charactersOf(text: string): string[] {
  if (text.length > MAX_CHARACTERS)
    throw new SqlError('54000', `a text that is looked at by characters has more than ${MAX_CHARACTERS}`);
  return [...text];
}

/** UTF-16 units of the character that starts at unit `i`. */
export function unitsAt(text: string, i: number): 1 | 2 {
  const c = text.charCodeAt(i);
  return c >= 0xd800 && c < 0xdc00 && i + 1 < text.length ? 2 : 1;
}

/** UTF-16 units of the character that ends before unit `end`. */
export function unitsBefore(text: string, end: number): 1 | 2 {
  const c = text.charCodeAt(end - 1);
  return c >= 0xdc00 && c < 0xe000 && end > 1 ? 2 : 1;
}

/** UTF-16 index of character `n` (0-based); the end of the text when there are fewer. */
export function unitIndex(text: string, n: number): number {
  if (n >= text.length) return text.length;
  if (!hasSurrogates(text)) return n;
  let i = 0;
  for (; n > 0 && i < text.length; n--) i += unitsAt(text, i);
  return i;
}

/** Number of characters before UTF-16 index `index`. */
export function codePointIndex(text: string, index: number): number {
  return codePointLength(text.slice(0, index));
}

/** The first `n` characters. */
export function firstCodePoints(text: string, n: number): string {
  return n <= 0 ? '' : text.slice(0, unitIndex(text, n));
}

/** Characters `from` (0-based, included) to `to` (excluded). */
export function sliceCodePoints(text: string, from: number, to: number): string {
  if (to <= from) return '';
  const start = unitIndex(text, from);
  return text.slice(start, start + unitIndex(text.slice(start), to - from));
}

/**
 * Order by code point, which is UTF-8 byte order (collation "C"): negative, 0 or positive.
 * UTF-16 order differs where a surrogate pair meets U+E000..U+FFFF.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? codePointRank(x) - codePointRank(y) : x - y;
  }
  return a.length - b.length;
}

/** Moves surrogates above the rest of the basic plane. */
function codePointRank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
