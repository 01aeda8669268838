/**
 * Sets of characters in a regular expression: single characters, ranges, named classes ([:alpha:], \w, ...), negation.
 *
 * Class membership follows Unicode as PostgreSQL's C.UTF-8 does: letters by the Alphabetic property, but digits only 0-9.
 * Ignoring case, a character is in the set when it or one of its case variants is.
 */
import { toLower, toUpper } from '../text/letter_case.ts';

export interface CharSet {
  negated: boolean;
  /** Pairs lo, hi (both included). */
  ranges: [number, number][];
  classes: { name: ClassName; negated: boolean }[];
  icase: boolean;
  /** A negated set or `.` that must not match newline. */
  excludesNewline: boolean;
}

const CLASSES = {
  alpha: /^\p{Alphabetic}$/u,
  digit: /^[0-9]$/,
  alnum: /^[\p{Alphabetic}0-9]$/u,
  word: /^[\p{Alphabetic}0-9_]$/u,
  space: /^\p{White_Space}$/u,
  blank: /^[\t\p{Zs}]$/u,
  upper: /^\p{Uppercase}$/u,
  lower: /^\p{Lowercase}$/u,
  punct: /^[\p{P}\p{S}]$/u,
  cntrl: /^\p{Cc}$/u,
  graph: /^[^\p{White_Space}\p{Cc}\p{Cs}\p{Cn}]$/u,
  print: /^(?:\p{Zs}|[^\p{White_Space}\p{Cc}\p{Cs}\p{Cn}])$/u,
  xdigit: /^[0-9A-Fa-f]$/,
  ascii: /^[\0-\x7f]$/,
} as const;

export type ClassName = keyof typeof CLASSES;

export function isClassName(name: string): name is ClassName {
  return Object.hasOwn(CLASSES, name);
}

const NEWLINE = 10;

function holds(set: CharSet, c: number): boolean {
  for (const [lo, hi] of set.ranges) if (c >= lo && c <= hi) return true;
  if (set.classes.length === 0) return false;
  const text = String.fromCodePoint(c);
  return set.classes.some((k) => CLASSES[k.name].test(text) !== k.negated);
}

/** Is the code point in the set? */
export function setMatches(set: CharSet, c: number): boolean {
  if (set.excludesNewline && c === NEWLINE) return false;
  let found = holds(set, c);
  if (!found && set.icase) {
    const text = String.fromCodePoint(c);
    found = holds(set, toLower(text).codePointAt(0)!) || holds(set, toUpper(text).codePointAt(0)!);
  }
  return found !== set.negated;
}

export function isWordChar(c: number): boolean {
  if (c < 128) return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || c === 95 || (c >= 97 && c <= 122);
  return CLASSES.word.test(String.fromCodePoint(c));
}

/** The set of one character. */
export function singleChar(c: number, icase: boolean): CharSet {
  return { negated: false, ranges: [[c, c]], classes: [], icase, excludesNewline: false };
}

/** `.` */
export function anyChar(excludesNewline: boolean): CharSet {
  return { negated: true, ranges: [], classes: [], icase: false, excludesNewline };
}
