/**
 * String functions in code points, with PostgreSQL's edge rules: positions start at 1, negative lengths are errors, left / right /
 * split_part count from the end when negative, an empty separator or fill means what the manual says.
 */
import { SqlError } from '../../errors.ts';
import { turn } from '../../turn.ts';
import {
  charactersOf,
  codePointIndex,
  codePointLength,
  firstCodePoints,
  hasSurrogates,
  sliceCodePoints,
  unitsAt,
  unitsBefore,
} from './code_points.ts';
import { mapCharacters, TextBuilder } from './text_builder.ts';

const INT4_MAX = 2147483647;
/** Largest string PostgreSQL can make, in bytes. */
const MAX_BYTES = 1073741823;
/** Longest string of JavaScript. */
const MAX_CHARACTERS = 2 ** 29 - 24;

function requestedTooLarge(): SqlError {
  return new SqlError('54000', 'requested length too large');
}

export function negativeSubstring(): SqlError {
  return new SqlError('22011', 'negative substring length not allowed');
}

/** 0-based bounds [from, to) of substring(s from start for length); Infinity for no length. */
export function substringBounds(start: number, length?: number): { from: number; to: number } {
  if (length === undefined) return { from: Math.max(start, 1) - 1, to: Number.POSITIVE_INFINITY };
  const end = start + length;
  // The end past int4 means: to the end, unless the length is negative.
  if (length < 0) throw negativeSubstring();
  return { from: Math.max(start, 1) - 1, to: end > INT4_MAX ? Number.POSITIVE_INFINITY : Math.max(end, 1) - 1 };
}

export function substring(text: string, start: number, length?: number): string {
  const { from, to } = substringBounds(start, length);
  return sliceCodePoints(text, from, Math.min(to, text.length));
}

export function left(text: string, n: number): string {
  if (n >= 0) return firstCodePoints(text, n);
  return firstCodePoints(text, codePointLength(text) + n);
}

export function right(text: string, n: number): string {
  // The negation of the least int4 is itself, so PostgreSQL skips nothing.
  if (n < -INT4_MAX) return text;
  const length = codePointLength(text);
  return sliceCodePoints(text, n >= 0 ? Math.max(length - n, 0) : -n, length);
}

/** 1-based position of `part`; 0 when it is not there, 1 when it is empty. */
export function strpos(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? 0 : codePointIndex(text, at) + 1;
}

/** `count` characters of fill, repeated and cut. */
function fillTo(fill: string, count: number): string {
  if (!hasSurrogates(fill)) return fill.repeat(Math.ceil(count / fill.length)).slice(0, count);
  const chars = charactersOf(fill);
  return fill.repeat(Math.floor(count / chars.length)) + chars.slice(0, count % chars.length).join('');
}

/** What lpad / rpad keep of the text, and what they add. */
export function padding(text: string, length: number, fill: string): { kept: string; pad: string } {
  const wanted = Math.max(length, 0);
  const present = codePointLength(text);
  if (present >= wanted) return { kept: firstCodePoints(text, wanted), pad: '' };
  if (fill === '') return { kept: text, pad: '' };
  if (wanted * 4 > MAX_BYTES) throw requestedTooLarge();
  return { kept: text, pad: fillTo(fill, wanted - present) };
}

export function repeat(text: string, count: number): string {
  if (count <= 0 || text === '') return '';
  if (Buffer.byteLength(text) * count > MAX_BYTES - 4 || text.length * count > MAX_CHARACTERS)
    throw requestedTooLarge();
  return text.repeat(count);
}

export function replace(text: string, from: string, to: string): string {
  if (from === '' || text === '') return text;
  return text.replaceAll(from, () => to);
}

/** Characters of `from` become those of `to` at the same place; the rest of `from` is deleted. The first mention counts. */
export function translate(text: string, from: string, to: string): string {
  const targets = charactersOf(to);
  const map = new Map<string, string>();
  let i = 0;
  for (const c of from) {
    if (!map.has(c)) map.set(c, targets[i] ?? '');
    i++;
  }
  return mapCharacters(text, (c) => map.get(c) ?? c);
}

/** Removes characters of the set `chars` from the chosen ends. */
export function trim(text: string, chars: string, atStart: boolean, atEnd: boolean): string {
  const set = new Set(chars);
  let from = 0;
  let to = text.length;
  if (atStart)
    for (let units = 0; from < to; from += units) {
      units = unitsAt(text, from);
      if (!set.has(text.slice(from, from + units))) break;
    }
  if (atEnd)
    for (let units = 0; to > from; to -= units) {
      units = unitsBefore(text, to);
      if (!set.has(text.slice(to - units, to))) break;
    }
  return text.slice(from, to);
}

/** At a time. */
const REVERSED_UNITS = 4096;

export function reverse(text: string): string {
  const reversed = new TextBuilder();
  for (let to = text.length; to > 0; ) {
    let from = Math.max(0, to - REVERSED_UNITS);
    // Not in the midst of a character.
    if (from > 0) from += 1 - unitsBefore(text, from + 1);
    reversed.add([...text.slice(from, to)].reverse().join(''));
    to = from;
    turn.look();
  }
  return reversed.take();
}

/** Field n (1-based, or from the end when negative) between separators; '' when there is none. */
export function splitPart(text: string, separator: string, n: number): string {
  if (n === 0) throw new SqlError('22023', 'field position must not be zero');
  if (text === '') return '';
  if (separator === '') return n === 1 || n === -1 ? text : '';
  const parts = text.split(separator);
  return parts[n > 0 ? n - 1 : parts.length + n] ?? '';
}

/** Parts of string_to_array: null separator splits into characters, an empty one does not split. */
export function splitString(text: string, separator: string | null, nullText: string | null): Iterable<string | null> {
  if (text === '') return [];
  const parts = partsOf(text, separator);
  return nullText === null ? parts : nulled(parts, nullText);
}

function* nulled(parts: Iterable<string>, nullText: string): Iterable<string | null> {
  for (const part of parts) yield part === nullText ? null : part;
}

/** Longer texts are split part by part, with looks at who waits. */
const LONG_TEXT = 1 << 20;
const LOOK_PARTS = 4096;

function partsOf(text: string, separator: string | null): Iterable<string> {
  if (separator === '') return [text];
  if (text.length < LONG_TEXT) return separator === null ? text : text.split(separator);
  return looking(separator === null ? text : partsBy(text, separator));
}

function* looking(parts: Iterable<string>): Iterable<string> {
  let n = 0;
  for (const part of parts) {
    yield part;
    if (++n % LOOK_PARTS === 0) turn.look();
  }
}

function* partsBy(text: string, separator: string): Iterable<string> {
  let from = 0;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
    yield text.slice(from, at);
    from = at + separator.length;
  }
  yield text.slice(from);
}

/** overlay(text placing part from start for length) */
export function overlay(text: string, part: string, start: number, length?: number): string {
  const count = length ?? codePointLength(part);
  if (start <= 0) throw negativeSubstring();
  if (start + count > INT4_MAX || start + count < -INT4_MAX - 1) {
    throw new SqlError('22003', 'integer out of range');
  }
  return substring(text, 1, start - 1) + part + substring(text, start + count);
}

/** chr(n): the character of a code point. */
export function chr(n: number): string {
  if (n < 0) throw new SqlError('22023', 'character number must be positive');
  if (n === 0) throw new SqlError('54000', 'null character not permitted');
  if (n > 0x10ffff) throw new SqlError('54000', `requested character too large for encoding: ${n}`);
  if (n >= 0xd800 && n <= 0xdfff) throw new SqlError('54000', `requested character not valid for encoding: ${n}`);
  return String.fromCodePoint(n);
}
