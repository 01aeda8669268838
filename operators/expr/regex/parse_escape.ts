/** Character escapes of regular expressions: \n, \x41, \u00e9, \101, \. and the like. */
import { regexError } from './syntax.ts';

export interface CharEscape {
  code: number;
  /** Index behind the escape. */
  next: number;
}

const SIMPLE: Record<string, number> = { a: 7, b: 8, B: 92, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 };

function invalid(): Error {
  return regexError('invalid escape \\ sequence');
}

/** Exactly `count` digits (or up to it, at least one, when `exact` is false). */
function digits(text: string[], at: number, radix: 8 | 16, count: number, exact: boolean): CharEscape {
  const allowed = radix === 8 ? /[0-7]/ : /[0-9a-fA-F]/;
  let n = 0;
  while (n < count && allowed.test(text[at + n] ?? '')) n++;
  if (n === 0 || (exact && n < count)) throw invalid();
  const code = Number.parseInt(text.slice(at, at + n).join(''), radix);
  if (code > 0x10ffff) throw invalid();
  return { code, next: at + n };
}

/** Parses the escape whose letter stands at `at` (behind the backslash). */
export function parseCharEscape(text: string[], at: number): CharEscape {
  const c = text[at];
  if (c === undefined) throw invalid();
  if (!/[a-zA-Z0-9]/.test(c)) return { code: c.codePointAt(0)!, next: at + 1 };
  if (SIMPLE[c] !== undefined) return { code: SIMPLE[c], next: at + 1 };
  switch (c) {
    case 'c':
      if (text[at + 1] === undefined) throw invalid();
      return { code: text[at + 1].codePointAt(0)! & 31, next: at + 2 };
    case 'u':
      return digits(text, at + 1, 16, 4, true);
    case 'U':
      return digits(text, at + 1, 16, 8, true);
    case 'x':
      return digits(text, at + 1, 16, 255, false);
    case '0':
      return digits(text, at, 8, 3, false);
    default:
      if (/[1-7]/.test(c)) return digits(text, at, 8, 3, false);
      throw invalid();
  }
}
