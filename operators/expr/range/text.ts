/**
 * Text of ranges, `[1,5)`, `("a b",]`, `empty`, and of multiranges, `{[1,5),[7,9)}`. Malformed text is 22P02 with a DETAIL that says how.
 *
 * A bound ends at a comma, bracket or parenthesis that is not in quotes and has no backslash before it; one without a character is none. Blanks around a bound are its own.
 */
import type { Datum, PgMultirange, PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { TextBuilder } from '../text/text_builder.ts';
import { makeMultirange } from './multirange.ts';
import { emptyRange, makeRange } from './value.ts';

const isSpace = (c: string) => c === ' ' || (c >= '\t' && c <= '\r');
const EMPTY = 'empty';

class RangeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #malformed(detail: string): SqlError {
    return new SqlError('22P02', `malformed range literal: "${this.#text}"`, { detail });
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(): string {
    if (this.#at === this.#text.length) throw this.#malformed('Unexpected end of input.');
    return this.#text[this.#at++];
  }

  #end(after: string): void {
    while (isSpace(this.#peek())) this.#at++;
    if (this.#at < this.#text.length) throw this.#malformed(`Junk after ${after}.`);
  }

  /** `sub`: the type of the bounds, which `readBound` reads. */
  read(sub: number, readBound: (text: string) => Datum): PgRange {
    while (isSpace(this.#peek())) this.#at++;
    if (this.#text.slice(this.#at, this.#at + EMPTY.length).toLowerCase() === EMPTY) {
      this.#at += EMPTY.length;
      this.#end('"empty" key word');
      return emptyRange(sub);
    }
    const open = this.#peek();
    if (open !== '[' && open !== '(') throw this.#malformed('Missing left parenthesis or bracket.');
    this.#at++;
    const lower = this.#bound();
    if (this.#peek() !== ',') throw this.#malformed('Missing comma after lower bound.');
    this.#at++;
    const upper = this.#bound();
    const close = this.#peek();
    if (close === ',') throw this.#malformed('Too many commas.');
    this.#at++;
    this.#end('right parenthesis or bracket');
    const boundOf = (text: string | null) => (text === null ? null : readBound(text));
    return makeRange(
      sub,
      { value: boundOf(lower), inclusive: open === '[', lower: true },
      { value: boundOf(upper), inclusive: close === ']', lower: false },
    );
  }

  /** The text of a bound, null for none; what ends it is next. */
  #bound(): string | null {
    const ends = (c: string) => c === ',' || c === ')' || c === ']';
    if (ends(this.#peek())) return null;
    const text = new TextBuilder();
    for (let quoted = false; quoted || !ends(this.#peek()); ) {
      const c = this.#take();
      if (c === '\\') text.add(this.#take());
      else if (c !== '"') text.add(c);
      else if (quoted && this.#peek() === '"') text.add(this.#take());
      else quoted = !quoted;
    }
    return text.take();
  }
}

export function parseRange(text: string, sub: number, readBound: (text: string) => Datum): PgRange {
  return new RangeReader(text).read(sub, readBound);
}

/** A bound needs quotes when it is empty or has blanks, quotes, backslashes, parentheses, brackets or commas. */
function quoteBound(text: string): string {
  if (text !== '' && !/["\\()[\], \t\n\v\f\r]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}

export function rangeText(r: PgRange, textOf: (bound: Datum) => string): string {
  if (r.empty) return EMPTY;
  const bound = (value: Datum) => (value === null ? '' : quoteBound(textOf(value)));
  return `${r.lowerInc ? '[' : '('}${bound(r.lower)},${bound(r.upper)}${r.upperInc ? ']' : ')'}`;
}

/** Behind the range that begins at `start`; `end` says that the text is over. A blank is passed over wherever it is, so a backslash escapes what comes after it. */
function endOfRange(text: string, start: number, end: () => SqlError): number {
  let [quoted, escaped] = [false, false];
  for (let at = start; at < text.length; at++) {
    const c = text[at];
    if (isSpace(c)) continue;
    if (escaped) escaped = false;
    else if (c === '\\') escaped = true;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === ')' || c === ']')) return at + 1;
  }
  throw end();
}

export function parseMultirange(text: string, sub: number, readBound: (text: string) => Datum): PgMultirange {
  const malformed = (detail: string) => new SqlError('22P02', `malformed multirange literal: "${text}"`, { detail });
  const ended = () => malformed('Unexpected end of input.');
  const skip = (from: number) => {
    let at = from;
    while (at < text.length && isSpace(text[at])) at++;
    return at;
  };
  const next = (from: number) => {
    const at = skip(from);
    if (at === text.length) throw ended();
    return at;
  };
  let at = skip(0);
  if (text[at] !== '{') throw malformed('Missing left brace.');
  const ranges: PgRange[] = [];
  at = next(at + 1);
  for (let first = true; text[at] !== '}' || !first; first = false) {
    if (text[at] === '[' || text[at] === '(') {
      const end = endOfRange(text, at, ended);
      ranges.push(parseRange(text.slice(at, end), sub, readBound));
      at = next(end);
    } else if (text.slice(at, at + EMPTY.length).toLowerCase() === EMPTY) {
      at = next(at + EMPTY.length);
    } else throw malformed('Expected range start.');
    if (text[at] === '}') break;
    if (text[at] !== ',') throw malformed('Expected comma or end of multirange.');
    at = next(at + 1);
  }
  if (skip(at + 1) < text.length) throw malformed('Junk after closing right brace.');
  return makeMultirange(sub, ranges);
}

export function multirangeText(m: PgMultirange, textOf: (bound: Datum) => string): string {
  return `{${m.ranges.map((range) => rangeText(range, textOf)).join(',')}}`;
}
