/**
 * to_char of numbers. A value is first rounded to its digits by its own type (digits `12.50`, sign apart), then laid out by
 * the template from left to right: blanks or zeros for the places the number does not reach, its digits, its sign.
 *
 * A number with more digits than places before the point is shown as `#`.
 */
import type { Decimal } from '../../datum.ts';
import { decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { divideAt, multiply, round } from '../decimal/arithmetic.ts';
import { pow10 } from '../decimal/normal.ts';
import { decimalToText } from '../decimal/text.ts';
import { type NumberFormat, numberFormat } from './number_template.ts';
import { formatExponent, formatFixed } from './printf.ts';
import { ordinalEnding } from './template.ts';

/** Digits of the absolute value with as many after the point as the format has, and the sign. */
interface Digits {
  text: string;
  negative: boolean;
}

const ROMAN: [number, string][] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

function roman(n: number): string {
  if (!(n >= 1 && n <= 3999)) return '#'.repeat(15);
  let rest = n;
  let out = '';
  for (const [value, letters] of ROMAN) {
    while (rest >= value) {
      out += letters;
      rest -= value;
    }
  }
  return out;
}

function romanText(f: NumberFormat, n: number): string {
  const text = roman(n);
  const node = f.nodes.find((x) => x.kind === 'pattern' && x.text.toUpperCase() === 'RN')!;
  const cased = node.text === 'RN' ? text : text.toLowerCase();
  // Literal characters around the pattern are kept.
  return layoutRoman(f, f.fill ? cased : cased.padStart(15));
}

function layoutRoman(f: NumberFormat, text: string): string {
  const part = (pattern: string) => {
    if (pattern === 'RN') return text;
    if (pattern === 'L') return ' ';
    return (pattern === ',' || pattern === 'G') && !f.fill ? ' ' : '';
  };
  return f.nodes.map((x) => (x.kind === 'pattern' ? part(x.text.toUpperCase()) : x.text)).join('');
}

/** What EEEE shows for NaN and infinity. */
function hashes(f: NumberFormat): string {
  return ` ${'#'.repeat(f.pre)}.${'#'.repeat(f.post + 4)}`;
}

const spaced = (text: string) => (text[0] === '-' ? text : ` ${text}`);

/** to_char of int4 (32 bits) and int8 (64). */
export function formatInteger(value: bigint, template: string, bits: 32 | 64): string {
  const f = numberFormat(template);
  if (f.roman) return romanText(f, value >= -4000n && value <= 4000n ? Number(value) : 0);
  if (f.exponent) {
    return spaced(bits === 32 ? formatExponent(Number(value), f.post) : scientific(decimal(value), f.post));
  }
  const scaled = f.power ? scaleInteger(value, f.multi, bits) : value;
  const text = (scaled < 0n ? -scaled : scaled).toString();
  return place(f, { text: f.post > 0 ? `${text}.${'0'.repeat(f.post)}` : text, negative: scaled < 0n });
}

/** value * 10^places for V: int4 wraps around as in PostgreSQL, int8 is checked. */
function scaleInteger(value: bigint, places: number, bits: 32 | 64): bigint {
  if (bits === 32) return BigInt.asIntN(32, value * BigInt.asIntN(32, 10n ** BigInt(places)));
  const scaled = value * 10n ** BigInt(places);
  if (BigInt.asIntN(64, scaled) !== scaled) throw new SqlError('22003', 'bigint out of range');
  return scaled;
}

/** to_char(numeric, text) */
export function formatNumeric(value: Decimal, template: string): string {
  const f = numberFormat(template);
  if (f.roman) {
    const n = value.special ? Number.NaN : Number(round(value, 0).m);
    return romanText(f, n);
  }
  if (f.exponent) return value.special ? hashes(f) : spaced(scientific(value, f.post));
  const scaled = f.power && !value.special ? multiply(value, decimal(pow10(f.multi))) : value;
  const text = decimalToText(value.special ? value : round(scaled, f.post));
  const negative = text[0] === '-';
  return place(f, { text: negative ? text.slice(1) : text, negative });
}

/** to_char(float8, text) with 15 significant digits, to_char(float4, text) with 6. */
export function formatFloat(value: number, template: string, significant: 15 | 6): string {
  const f = numberFormat(template);
  if (f.roman) return romanText(f, Number.isFinite(value) ? Number(formatFixed(value, 0)) : 0);
  if (f.exponent) return Number.isFinite(value) ? spaced(formatExponent(value, f.post)) : hashes(f);
  let scaled = f.power ? value * 10 ** f.multi : value;
  if (significant === 6) scaled = Math.fround(scaled);
  if (!Number.isFinite(scaled)) {
    const text = Number.isNaN(scaled) ? 'NaN' : 'Infinity';
    return place(f, { text, negative: scaled < 0 }, f.post);
  }
  const whole = formatFixed(Math.abs(scaled), 0).length;
  let { post } = f;
  if (whole >= significant) post = 0;
  else if (whole + post > significant) post = significant - whole;
  const text = formatFixed(scaled, post);
  const negative = text[0] === '-';
  return place(f, { text: negative ? text.slice(1) : text, negative }, post);
}

/** One digit, a point, `scale` digits, and the exponent; rounding up to 10 keeps the exponent, as PostgreSQL does. */
function scientific(d: Decimal, scale: number): string {
  if (d.m === 0n) return `0${scale > 0 ? `.${'0'.repeat(scale)}` : ''}e+00`;
  const digits = (d.m < 0n ? -d.m : d.m).toString().length;
  const exponent = digits - 1 - d.s;
  const power = exponent >= 0 ? decimal(pow10(exponent)) : decimal(1n, -exponent);
  const significand = decimalToText(divideAt(d, power, scale));
  return `${significand}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Fits digits to the places before the point, then lays them out; `post` is the number of places after it, if not f.post. */
function place(f: NumberFormat, digits: Digits, post = f.post): string {
  const pre = f.pre + f.multi;
  const point = digits.text.indexOf('.');
  const whole = point < 0 ? digits.text.length : point;
  if (whole <= pre) return new Layout(f, digits, pre, post, pre - whole).run();
  const overflow = `${'#'.repeat(pre)}.${'#'.repeat(post)}`;
  return new Layout(f, { text: overflow, negative: digits.negative }, pre, post, 0).run();
}

/** The last digit after the point that is not 0 (or the point itself); -1 without a point. */
function lastRelevant(text: string): number {
  const point = text.indexOf('.');
  if (point < 0) return -1;
  let last = point;
  for (let i = point + 1; i < text.length; i++) if (text[i] !== '0') last = i;
  return last;
}

class Layout {
  private readonly f: NumberFormat;
  private readonly number: string;
  private readonly negative: boolean;
  /** Places in front that the number does not reach. */
  private readonly spaces: number;
  private readonly zeroStart: number;
  private readonly post: number;
  private readonly bracket: boolean;
  private readonly sign: NumberFormat['sign'];
  private readonly count: number;
  private readonly last: number;
  private signWritten: boolean;
  private at = 0;
  private current = 0;
  private inNumber = false;
  private out = '';

  constructor(f: NumberFormat, digits: Digits, pre: number, post: number, spaces: number) {
    this.f = f;
    this.number = digits.text;
    this.negative = digits.negative;
    this.spaces = spaces;
    this.post = post;
    this.zeroStart = f.zeroStart > 0 ? f.zeroStart - 1 : 0;
    this.bracket = f.bracket && !(f.fill && !digits.negative && !f.plus && !f.minus);
    this.sign = f.sign === 'before' && pre === f.signAfterDigits ? 'after' : f.sign;
    if (f.plus || f.minus) this.signWritten = !(f.plus && !f.minus);
    else this.signWritten = !digits.negative && f.fill && f.sign === 'none';
    let last = f.fill && f.decimal ? lastRelevant(digits.text) : -1;
    if (last >= 0 && f.zeroEnd > spaces) last = Math.max(last, Math.min(digits.text.length - 1, f.zeroEnd - spaces));
    this.last = last;
    this.count = post + pre - 1 + (!this.signWritten && spaces === 0 ? 1 : 0);
  }

  run(): string {
    for (const node of this.f.nodes) {
      if (node.kind === 'pattern') this.pattern(node.text);
      else this.out += node.text;
    }
    // Where a rounded float has fewer digits than the template, C's string ends.
    const end = this.out.indexOf('\0');
    return end < 0 ? this.out : this.out.slice(0, end);
  }

  private pattern(text: string): void {
    const { f } = this;
    switch (text.toUpperCase()) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.digit(text === '0');
        break;
      case ',':
      case 'G':
        if (this.inNumber) this.out += ',';
        else if (!f.fill) this.out += ' ';
        break;
      case 'L':
      case 'C':
        if (text.toUpperCase() === 'L') this.out += ' ';
        break;
      case 'TH':
        if (this.number[0] !== '#' && !this.negative && !f.decimal) {
          this.out += ordinalEnding(this.number, text === 'TH' ? 'TH' : 'th');
        }
        break;
      case 'MI':
        this.out += this.negative ? '-' : f.fill ? '' : ' ';
        break;
      case 'PL':
        this.out += !this.negative ? '+' : f.fill ? '' : ' ';
        break;
      case 'SG':
        this.out += this.negative ? '-' : '+';
        break;
    }
  }

  private startsWithBareZero(): boolean {
    return !this.f.zero && this.at === 0 && this.number[0] === '0' && this.post !== 0;
  }

  private digit(isZero: boolean): void {
    const { f, spaces, number, last } = this;
    this.inNumber = false;
    const lastIsPoint = last >= 0 && number[last] === '.';
    const reached = this.current >= spaces || (f.zero && this.zeroStart === this.current);
    if (!this.signWritten && reached && (!this.startsWithBareZero() || lastIsPoint)) this.writeSign();
    if (this.current < spaces && (this.zeroStart > this.current || !f.zero)) {
      if (!f.fill) this.out += ' ';
    } else if (f.zero && this.current < spaces) {
      this.out += '0';
      this.inNumber = true;
    } else {
      this.numberPart(isZero, lastIsPoint);
      if (this.at < number.length) this.at++;
    }
    this.closeSign();
    this.current++;
  }

  private numberPart(isZero: boolean, lastIsPoint: boolean): void {
    const { f, number, last, at } = this;
    if (number[at] === '.') {
      if (!lastIsPoint || f.fill) this.out += '.';
      return;
    }
    if (last >= 0 && at > last && !isZero) return;
    if (this.startsWithBareZero()) {
      if (!f.fill) this.out += ' ';
      else if (lastIsPoint) this.out += '0';
      return;
    }
    this.out += at < number.length ? number[at] : '\0';
    this.inNumber = true;
  }

  private writeSign(): void {
    const { f, negative } = this;
    if (f.sign !== 'none') {
      if (this.sign !== 'before') return;
      this.out += negative ? '-' : '+';
    } else if (this.bracket) this.out += negative ? '<' : ' ';
    else if (negative) this.out += '-';
    else if (!f.fill) this.out += ' ';
    this.signWritten = true;
  }

  /** What stands behind the last digit: the end of angle brackets or a trailing sign. */
  private closeSign(): void {
    const { f } = this;
    let end = this.count + (this.spaces > 0 ? 1 : 0) + (f.decimal ? 1 : 0);
    if (this.last >= 0 && this.last === this.at) end = this.current;
    if (this.current + 1 !== end) return;
    if (this.signWritten && this.bracket) this.out += this.negative ? '>' : ' ';
    else if (f.sign !== 'none' && this.sign === 'after') this.out += this.negative ? '-' : '+';
  }
}
