/**
 * lower, upper and initcap by Unicode's one-to-one case mappings, as PostgreSQL's builtin C.UTF-8 does: a character never becomes
 * two, so upper('ß') is 'ß'. JavaScript's mappings are the full ones; the few that expand are put back or looked up here.
 */
import { mapCharacters } from './text_builder.ts';

/** Characters whose full uppercase is several characters but that have a one-to-one uppercase. */
function expandedUpper(c: string): string {
  const n = c.codePointAt(0)!;
  const greekWithIota = (n >= 0x1f80 && n <= 0x1faf && (n & 8) === 0) || n === 0x1fb3 || n === 0x1fc3 || n === 0x1ff3;
  if (!greekWithIota) return c;
  return String.fromCodePoint(n === 0x1fb3 || n === 0x1fc3 || n === 0x1ff3 ? n + 9 : n + 8);
}

function upperChar(c: string): string {
  const u = c.toUpperCase();
  return u.length === c.length ? u : expandedUpper(c);
}

function lowerChar(c: string): string {
  return c === 'İ' ? 'i' : c.toLowerCase();
}

const ASCII = /^[\0-\x7f]*$/;

export function toUpper(text: string): string {
  if (ASCII.test(text)) return text.toUpperCase();
  return mapCharacters(text, upperChar);
}

export function toLower(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  // One by one: the mapping of a word-final sigma must not depend on its neighbours.
  return mapCharacters(text, lowerChar);
}

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/** First letter of every run of letters and digits upper, the rest lower. */
export function initcap(text: string): string {
  let inWord = false;
  return mapCharacters(text, (c) => {
    const changed = inWord ? lowerChar(c) : upperChar(c);
    inWord = LETTER_OR_DIGIT.test(c);
    return changed;
  });
}
