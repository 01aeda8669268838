/**
 * Array text: `{1,NULL,"a b",{...}}` with an optional `[l:u][l:u]=` in front when a lower bound is not 1.
 * Malformed text is 22P02 with a DETAIL that says how.
 */
import type { Datum, PgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { turn } from '../../turn.ts';
import { TextBuilder } from '../text/text_builder.ts';
import { checkedArray, checkItems, MAX_DIMS } from './value.ts';

const LOOK_ITEMS = 4096;

const isSpace = (c: string) => c === ' ' || (c >= '\t' && c <= '\r');

function tooDeep(): SqlError {
  return new SqlError('54000', `number of array dimensions exceeds the maximum allowed (${MAX_DIMS})`);
}

class ArrayParser {
  private readonly text: string;
  private readonly readElement: (text: string) => Datum;
  private readonly element = new TextBuilder();
  private at = 0;

  constructor(text: string, readElement: (text: string) => Datum) {
    this.text = text;
    this.readElement = readElement;
  }

  private malformed(detail: string): SqlError {
    return new SqlError('22P02', `malformed array literal: "${this.text}"`, { detail });
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private skipSpace(): void {
    while (this.at < this.text.length && isSpace(this.peek())) this.at++;
  }

  parse(elem: number): PgArray {
    const bounds = this.bounds();
    if (bounds.length === 0) {
      if (this.peek() !== '{') throw this.malformed('Array value must start with "{" or dimension information.');
    } else {
      if (this.peek() !== '=') throw this.malformed('Missing "=" after array dimensions.');
      this.at++;
      this.skipSpace();
      if (this.peek() !== '{') throw this.malformed('Array contents must start with "{".');
    }
    const { dims, items } = this.contents(bounds.map((b) => b.size));
    this.skipSpace();
    if (this.at < this.text.length) throw this.malformed('Junk after closing right brace.');
    const lower = bounds.length > 0 ? bounds.map((b) => b.lower) : dims.map(() => 1);
    return checkedArray(elem, dims, lower, items);
  }

  private bounds(): { lower: number; size: number }[] {
    const bounds: { lower: number; size: number }[] = [];
    for (;;) {
      this.skipSpace();
      if (this.peek() !== '[') return bounds;
      this.at++;
      if (bounds.length >= MAX_DIMS) throw tooDeep();
      const first = this.dimension();
      if (first === null) throw this.malformed('"[" must introduce explicitly-specified array dimensions.');
      let [lower, upper] = [1, first];
      if (this.peek() === ':') {
        this.at++;
        const second = this.dimension();
        if (second === null) throw this.malformed('Missing array dimension value.');
        [lower, upper] = [first, second];
      }
      if (this.peek() !== ']') throw this.malformed('Missing "]" after array dimensions.');
      this.at++;
      if (upper < lower) throw new SqlError('2202E', 'upper bound cannot be less than lower bound');
      if (upper === 2147483647) throw new SqlError('54000', `array upper bound is too large: ${upper}`);
      bounds.push({ lower, size: upper - lower + 1 });
    }
  }

  private dimension(): number | null {
    const m = /^[+-]?\d+/.exec(this.text.slice(this.at));
    if (!m) return null;
    this.at += m[0].length;
    const n = Number(m[0]);
    if (n > 2147483647 || n < -2147483648) throw new SqlError('54000', 'array bound is out of integer range');
    return n;
  }

  private contents(declared: number[]): { dims: number[]; items: Datum[] } {
    const items: Datum[] = [];
    const dims = [...declared];
    const counts: number[] = [];
    let depth = 0;
    let ndim = declared.length;
    let fixed = declared.length > 0;
    let expectDelimiter = false;
    const mismatch = () =>
      this.malformed(
        declared.length > 0
          ? 'Specified array dimensions do not match array contents.'
          : 'Multidimensional arrays must have sub-arrays with matching dimensions.',
      );
    do {
      this.skipSpace();
      const c = this.peek();
      if (c === '') throw this.malformed('Unexpected end of input.');
      if (c === '{') {
        this.at++;
        if (expectDelimiter) throw this.malformed('Unexpected "{" character.');
        if (depth >= MAX_DIMS) throw tooDeep();
        counts[depth] = 0;
        depth++;
        if (depth > ndim) {
          if (fixed) throw mismatch();
          ndim = depth;
        }
      } else if (c === '}') {
        this.at++;
        if (counts[depth - 1] > 0 && !expectDelimiter) throw this.malformed('Unexpected "}" character.');
        depth--;
        if (depth > 0) counts[depth - 1]++;
        if (dims[depth] === undefined) dims[depth] = counts[depth];
        else if (counts[depth] !== dims[depth]) throw mismatch();
        expectDelimiter = true;
      } else if (c === ',') {
        this.at++;
        if (!expectDelimiter) throw this.malformed('Unexpected "," character.');
        expectDelimiter = false;
      } else {
        const element = c === '"' ? this.quoted() : this.bare();
        if (expectDelimiter) throw this.malformed('Unexpected array element.');
        if (depth !== ndim) throw mismatch();
        fixed = true;
        if (items.length % LOOK_ITEMS === 0) turn.look();
        checkItems(items.length + 1);
        items.push(element === null ? null : this.readElement(element));
        counts[depth - 1]++;
        expectDelimiter = true;
      }
    } while (depth > 0);
    return { dims: items.length === 0 ? [] : dims, items };
  }

  private quoted(): string {
    this.at++;
    for (let from = this.at; ; ) {
      const c = this.peek();
      if (c === '') throw this.malformed('Unexpected end of input.');
      if (c !== '"' && c !== '\\') {
        this.at++;
        continue;
      }
      this.element.add(this.text.slice(from, this.at++));
      if (c === '"') break;
      if (this.peek() === '') throw this.malformed('Unexpected end of input.');
      from = this.at++;
    }
    this.skipSpace();
    const next = this.peek();
    if (next !== ',' && next !== '}' && next !== '{') throw this.malformed('Incorrectly quoted array element.');
    return this.element.take();
  }

  /** An element without quotes; null for NULL. */
  private bare(): string | null {
    let from = this.at;
    /** Behind the last character that is no blank at its end. */
    let end = from;
    let escaped = false;
    for (;;) {
      const c = this.peek();
      if (c === '') throw this.malformed('Unexpected end of input.');
      if (c === '{') throw this.malformed('Unexpected "{" character.');
      if (c === '"') throw this.malformed('Incorrectly quoted array element.');
      if (c === ',' || c === '}') break;
      if (c === '\\') {
        escaped = true;
        this.element.add(this.text.slice(from, this.at++));
        if (this.peek() === '') throw this.malformed('Unexpected end of input.');
        from = this.at;
      }
      this.at++;
      if (c === '\\' || !isSpace(c)) end = this.at;
    }
    this.element.add(this.text.slice(from, end));
    const text = this.element.take();
    return !escaped && text.toUpperCase() === 'NULL' ? null : text;
  }
}

/** Array text to array; `readElement` is the element type's input. */
export function parseArray(text: string, elem: number, readElement: (text: string) => Datum): PgArray {
  return new ArrayParser(text, readElement).parse(elem);
}

function quoteElement(text: string): string {
  if (text !== '' && text.toUpperCase() !== 'NULL' && !/["\\{},\s]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Array to text; `writeElement` is the element type's output. */
export function arrayText(a: PgArray, writeElement: (d: Datum) => string): string {
  if (a.dims.length === 0) return '{}';
  let at = 0;
  const level = (depth: number): string => {
    const parts: string[] = [];
    for (let i = 0; i < a.dims[depth]; i++) {
      if (depth < a.dims.length - 1) parts.push(level(depth + 1));
      else {
        const item = a.items[at++];
        parts.push(item === null ? 'NULL' : quoteElement(writeElement(item)));
      }
    }
    return `{${parts.join(',')}}`;
  };
  const prefix = a.lower.some((l) => l !== 1) ? `${dimensionsText(a)}=` : '';
  return prefix + level(0);
}

/** `[1:2][1:3]` */
export function dimensionsText(a: PgArray): string {
  return a.dims.map((n, i) => `[${a.lower[i]}:${a.lower[i] + n - 1}]`).join('');
}
