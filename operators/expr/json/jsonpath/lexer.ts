/**
 * Tokens of a path: symbols, names, "strings", $variables, numbers.
 *
 * Names are whatever holds no symbol and no blank (also `é` and `a;b`), with the escapes of strings. What starts with a digit is a
 * number unless a longer name starts there. Errors (42601) tell the text they stand at, as PostgreSQL's: a name is only known at
 * the character that ends it, so an error at a name tells that blank, or the end.
 */
import type { Decimal } from '../../../datum.ts';
import { SqlError } from '../../../errors.ts';
import { parseDecimal } from '../../decimal/text.ts';

/** `symbol`: the text itself. `name`: any case of a keyword may be meant. */
export type TokenKind = 'symbol' | 'name' | 'string' | 'variable' | 'integer' | 'number' | 'end';

export interface Token {
  kind: TokenKind;
  /** The symbol, the name or the string without quotes and escapes, the number as written. */
  text: string;
  /** What an error at the token shows; empty for the end of the path. */
  near: string;
}

const BLANKS = ' \t\n\r\f';
const SPECIAL = '?%$.[]{}()|&!=<>@#,*:-+/';
const SYMBOLS = ['&&', '||', '**', '<=', '>=', '==', '<>', '!='];

function isOther(c: string): boolean {
  return c !== '' && c !== '"' && c !== '\\' && !BLANKS.includes(c) && !SPECIAL.includes(c);
}

const DIGITS = '[0-9](?:_?[0-9])*';
const DECIMAL_INTEGER = '(?:0|[1-9](?:_?[0-9])*)';
/** The longest first: with an exponent, with a point, plain; hexadecimal, octal and binary numbers are integers. */
const REAL = new RegExp(
  `(?:${DECIMAL_INTEGER}\\.(?:${DIGITS})?|\\.${DIGITS}|${DECIMAL_INTEGER})[Ee][-+]?${DIGITS}`,
  'y',
);
const REAL_CUT = new RegExp(`(?:${DECIMAL_INTEGER}\\.(?:${DIGITS})?|\\.${DIGITS}|${DECIMAL_INTEGER})[Ee][-+]`, 'y');
const POINT = new RegExp(`${DECIMAL_INTEGER}\\.(?:${DIGITS})?|\\.${DIGITS}`, 'y');
const INTEGER = new RegExp(
  `0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|0[oO][0-7](?:_?[0-7])*|0[bB][01](?:_?[01])*|${DECIMAL_INTEGER}`,
  'y',
);

export function pathError(message: string, near: string): SqlError {
  const at = near === '' ? 'at end' : `at or near "${near}"`;
  return new SqlError('42601', `${message} ${at} of jsonpath input`);
}

export class Lexer {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): Token {
    this.skipBlanks();
    const { text, at } = this;
    const c = text.charAt(at);
    if (c === '') return { kind: 'end', text: '', near: '' };
    if (c === '"') return { kind: 'string', text: this.quoted(), near: '"' };
    const number = this.number();
    if (number) return number;
    if (isOther(c) || c === '\\') return this.name();
    if (c === '$') {
      if (text[at + 1] === '"') {
        this.at++;
        return { kind: 'variable', text: this.quoted(), near: '"' };
      }
      const end = this.endOfOther(at + 1);
      if (end > at + 1) {
        this.at = end;
        return { kind: 'variable', text: text.slice(at + 1, end), near: text.slice(at, end) };
      }
    }
    const symbol = SYMBOLS.find((s) => text.startsWith(s, at)) ?? c;
    this.at += symbol.length;
    return { kind: 'symbol', text: symbol === '<>' ? '!=' : symbol, near: symbol };
  }

  private skipBlanks(): void {
    const { text } = this;
    for (;;) {
      while (this.at < text.length && BLANKS.includes(text[this.at])) this.at++;
      if (!text.startsWith('/*', this.at)) return;
      const end = text.indexOf('*/', this.at + 2);
      if (end < 0) throw pathError('unexpected end of comment', '');
      this.at = end + 2;
    }
  }

  private endOfOther(from: number): number {
    let end = from;
    while (isOther(this.text.charAt(end))) end++;
    return end;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? '';
  }

  private number(): Token | null {
    const { text, at } = this;
    const real = this.match(REAL);
    const found = real || this.match(POINT) || this.match(INTEGER);
    if (found === '') return null;
    const cut = real === '' ? this.match(REAL_CUT) : '';
    const name = Buffer.byteLength(text.slice(at, this.endOfOther(at)), 'utf8');
    const next = text.charAt(at + found.length);
    const junk = isOther(next) && !/^0[xob]/i.test(found) ? found.length + 1 : 0;
    if (name > Math.max(found.length, junk, cut.length)) return null;
    if (cut.length > found.length) throw pathError('invalid numeric literal', cut);
    if (junk > 0) throw pathError('trailing junk after numeric literal', text.slice(at, at + junk));
    this.at += found.length;
    return { kind: /^[0-9a-zA-Z_]+$/.test(found) && real === '' ? 'integer' : 'number', text: found, near: found };
  }

  private name(): Token {
    let value = '';
    const { text } = this;
    for (;;) {
      const end = this.endOfOther(this.at);
      value += text.slice(this.at, end);
      this.at = end;
      if (text[end] !== '\\') break;
      value += this.escape();
    }
    let blanks = this.at;
    while (blanks < text.length && BLANKS.includes(text[blanks])) blanks++;
    return { kind: 'name', text: value, near: text.slice(this.at, blanks) };
  }

  private quoted(): string {
    const { text } = this;
    let value = '';
    let from = ++this.at;
    for (;;) {
      const c = text.charAt(this.at);
      if (c === '') throw pathError('unterminated quoted string', '');
      if (c !== '"' && c !== '\\') {
        this.at++;
        continue;
      }
      value += text.slice(from, this.at);
      if (c === '"') break;
      value += this.escape();
      from = this.at;
    }
    this.at++;
    return value;
  }

  /** What the escape sequence here stands for. */
  private escape(): string {
    const { text, at } = this;
    const c = text.charAt(at + 1);
    if (c === '') throw pathError('unexpected end after backslash', '\\');
    if (c === 'u') return this.unicode();
    if (c === 'x') {
      const hex = /[0-9a-fA-F]{0,2}/y;
      hex.lastIndex = at + 2;
      const digits = hex.exec(text)![0];
      if (digits.length < 2) throw pathError('invalid hexadecimal character sequence', `\\x${digits}`);
      this.at += 4;
      return character(Number.parseInt(digits, 16));
    }
    const plain = String.fromCodePoint(text.codePointAt(at + 1)!);
    this.at += 1 + plain.length;
    return SHORT[plain] ?? plain;
  }

  /** Adjacent \u escapes: a pair of surrogates is one character. */
  private unicode(): string {
    let value = '';
    let high = -1;
    while (this.text.startsWith('\\u', this.at)) {
      const code = this.codePoint();
      const isHigh = code >= 0xd800 && code < 0xdc00;
      const isLow = code >= 0xdc00 && code < 0xe000;
      if (high >= 0 && isHigh) throw surrogate('Unicode high surrogate must not follow a high surrogate.');
      if (high >= 0 !== isLow) throw surrogate();
      if (isHigh) high = code;
      else {
        value += character(isLow ? 0x10000 + (high - 0xd800) * 0x400 + (code - 0xdc00) : code);
        high = -1;
      }
    }
    if (high >= 0) throw surrogate();
    return value;
  }

  private codePoint(): number {
    const four = /\\u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/y;
    const m = this.matchOf(four);
    if (!m) {
      const bad = this.matchOf(/\\u(?:\{[0-9a-fA-F]{0,6}|[0-9a-fA-F]{0,3})/y)!;
      throw pathError('invalid Unicode escape sequence', bad[0]);
    }
    this.at += m[0].length;
    return Number.parseInt(m[1] ?? m[2], 16);
  }

  private matchOf(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }
}

const SHORT: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function surrogate(detail = 'Unicode low surrogate must follow a high surrogate.'): SqlError {
  return new SqlError('22P02', 'invalid input syntax for type jsonpath', { detail });
}

function character(code: number): string {
  if (code === 0) {
    throw new SqlError('22P05', 'unsupported Unicode escape sequence', {
      detail: '\\u0000 cannot be converted to text.',
    });
  }
  if (code > 0x10ffff) throw new SqlError('42601', 'invalid Unicode code point');
  return String.fromCodePoint(code);
}

/** The value of a number token. */
export function numberValue(text: string): Decimal {
  const plain = text.replaceAll('_', '');
  if (/^0[xXoObB]/.test(plain)) return { k: 'dec', m: BigInt(plain.toLowerCase()), s: 0 };
  return parseDecimal(plain)!;
}
