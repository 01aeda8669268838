/**
 * LIKE over strings of any kind: % is any run, _ any one character, the escape is a backslash (like_escape rewrites others).
 *
 * The match is greedy-free backtracking over the segments between %, as PostgreSQL does it: a pattern that ends with a lone
 * escape is an error (22025) only when the match gets there. Plain prefixes, suffixes and infixes are recognised once per pattern.
 */
import { SqlError } from '../../errors.ts';
import { unitsAt } from './code_points.ts';

const ESCAPE = 92;
const PERCENT = 37;
const UNDERSCORE = 95;

type Outcome = 'match' | 'fail' | 'abort';

function loneEscape(): SqlError {
  return new SqlError('22025', 'LIKE pattern must not end with escape character');
}

/** One string kind: how to read it, and how far one character reaches. */
interface Units<T> {
  at(s: T, i: number): number;
  width(s: T, i: number): number;
}

const stringUnits: Units<string> = { at: (s, i) => s.charCodeAt(i), width: unitsAt };
const byteUnits: Units<Uint8Array> = { at: (s, i) => s[i], width: () => 1 };

function matchFrom<T extends { length: number }>(u: Units<T>, text: T, t: number, pattern: T, p: number): Outcome {
  while (t < text.length && p < pattern.length) {
    const c = u.at(pattern, p);
    if (c === ESCAPE) {
      if (++p >= pattern.length) throw loneEscape();
      if (u.at(pattern, p) !== u.at(text, t)) return 'fail';
    } else if (c === PERCENT) {
      return matchRest(u, text, t, pattern, p);
    } else if (c === UNDERSCORE) {
      t += u.width(text, t) - 1;
    } else if (c !== u.at(text, t)) return 'fail';
    t++;
    p++;
  }
  if (t < text.length) return 'fail';
  while (p < pattern.length && u.at(pattern, p) === PERCENT) p++;
  return p >= pattern.length ? 'match' : 'abort';
}

/** From a % at `p`: skips wildcards, then tries every place where the next literal stands. */
function matchRest<T extends { length: number }>(u: Units<T>, text: T, t: number, pattern: T, p: number): Outcome {
  for (p++; p < pattern.length; p++) {
    const c = u.at(pattern, p);
    if (c === UNDERSCORE) {
      if (t >= text.length) return 'abort';
      t += u.width(text, t);
    } else if (c !== PERCENT) break;
  }
  if (p >= pattern.length) return 'match';
  let first = u.at(pattern, p);
  if (first === ESCAPE) {
    if (p + 1 >= pattern.length) throw loneEscape();
    first = u.at(pattern, p + 1);
  }
  for (; t < text.length; t++) {
    if (u.at(text, t) !== first) continue;
    const outcome = matchFrom(u, text, t, pattern, p);
    if (outcome !== 'fail') return outcome;
  }
  return 'abort';
}

const MAX_CACHED = 1000;
const compiled = new Map<string, (text: string) => boolean>();

/** A predicate for a pattern; kept in a bounded cache. */
function compileLike(pattern: string): (text: string) => boolean {
  let test = compiled.get(pattern);
  if (!test) {
    test = specialise(pattern);
    if (compiled.size >= MAX_CACHED) compiled.delete(compiled.keys().next().value!);
    compiled.set(pattern, test);
  }
  return test;
}

function specialise(pattern: string): (text: string) => boolean {
  const simple = /^(%*)([^%_\\]*)(%*)$/.exec(pattern);
  if (simple) {
    const [, before, literal, after] = simple;
    if (before && after) return (text) => text.includes(literal);
    if (before) return (text) => text.endsWith(literal);
    if (after) return (text) => text.startsWith(literal);
    return (text) => text === literal;
  }
  return (text) => matchFrom(stringUnits, text, 0, pattern, 0) === 'match';
}

/** text LIKE pattern */
export function like(text: string, pattern: string): boolean {
  return compileLike(pattern)(text);
}

/** bytea LIKE bytea */
export function likeBytes(text: Uint8Array, pattern: Uint8Array): boolean {
  return matchFrom(byteUnits, text, 0, pattern, 0) === 'match';
}

/** Rewrites a pattern with another escape character (or '' for none) to the backslash form. */
export function likeEscape(pattern: string, escapeText: string): string {
  const [e, ...more] = [...escapeText];
  if (more.length > 0) {
    throw new SqlError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
  }
  if (e === '\\') return pattern;
  let out = '';
  let escaped = false;
  for (const c of pattern) {
    if (c === e && !escaped) {
      out += '\\';
      escaped = true;
      continue;
    }
    out += c === '\\' && !escaped ? '\\\\' : c;
    escaped = false;
  }
  return out;
}
