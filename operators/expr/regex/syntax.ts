/**
 * Syntax tree of PostgreSQL's advanced regular expressions, and the errors of compiling one.
 *
 * Preference is what decides between longer and shorter matches: a quantifier carries one, {m} carries none.
 */
import { SqlError } from '../../errors.ts';
import type { CharSet } from './char_set.ts';

export type Preference = 'longer' | 'shorter' | null;

export const UNBOUNDED = Number.POSITIVE_INFINITY;

export type Assertion =
  | 'textStart'
  | 'textEnd'
  | 'lineStart'
  | 'lineEnd'
  | 'wordStart'
  | 'wordEnd'
  | 'wordBoundary'
  | 'notWordBoundary';

export type Regex =
  | { k: 'set'; set: CharSet }
  | { k: 'assert'; what: Assertion }
  | { k: 'look'; ahead: boolean; negated: boolean; body: Regex }
  /** capture 0: a group that does not capture. */
  | { k: 'group'; capture: number; body: Regex }
  | { k: 'backref'; group: number }
  | { k: 'repeat'; body: Regex; min: number; max: number; prefer: Preference }
  | { k: 'concat'; items: Regex[] }
  | { k: 'alt'; branches: Regex[] };

export interface ParsedRegex {
  root: Regex;
  /** Number of capturing groups. */
  groups: number;
  /** Bodies of capturing groups, by number. */
  bodies: Map<number, Regex>;
  icase: boolean;
  hasBackrefs: boolean;
}

/** What flags and embedded options select. */
export interface RegexOptions {
  icase: boolean;
  /** `.` and negated sets do not match newline. */
  newlineStops: boolean;
  /** ^ and $ match at lines. */
  newlineAnchors: boolean;
  /** Blanks and comments in the pattern are ignored. */
  expanded: boolean;
  /** The pattern is a plain string. */
  literal: boolean;
}

export function regexError(what: string): SqlError {
  return new SqlError('2201B', `invalid regular expression: ${what}`);
}
