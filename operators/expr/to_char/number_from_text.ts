/**
 * to_number: reading a number by a template. Digits, one decimal point and a sign are taken where the template has places for
 * them; a literal character of the template passes one character of the text, whatever it is.
 */
import type { Decimal } from '../../datum.ts';
import { decimal } from '../../datum.ts';
import { SqlError, unsupported } from '../../errors.ts';
import { multiply } from '../decimal/arithmetic.ts';
import { parseDecimal } from '../decimal/text.ts';
import { power } from '../decimal/transcendental.ts';
import { applyNumericTypmod, makeNumericTypmod } from '../decimal/typmod.ts';
import { type NumberFormat, numberFormat } from './number_template.ts';

const isDigit = (c: string) => c >= '0' && c <= '9';

class Reader {
  private readonly f: NumberFormat;
  /** One character a byte of the UTF-8 text: a digit place passes one byte, as in PostgreSQL. */
  private readonly text: string;
  private at = 0;
  private sign = ' ';
  private digits = '';
  private beforePoint = 0;
  private sawPoint = false;
  afterPoint = 0;

  constructor(f: NumberFormat, text: string) {
    this.f = f;
    this.text = Buffer.from(text, 'utf8').toString('latin1');
  }

  /** The number as text that numeric input takes. */
  run(): string {
    for (const node of this.f.nodes) {
      if (this.at >= this.text.length) break;
      if (node.kind === 'pattern') this.pattern(node.text.toUpperCase());
      else this.skipCharacter();
    }
    return this.sign + (this.digits.endsWith('.') ? this.digits.slice(0, -1) : this.digits);
  }

  private skipCharacter(): void {
    const lead = this.text.charCodeAt(this.at);
    this.at += lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  }

  private pattern(pattern: string): void {
    switch (pattern) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.numberPart(pattern === '9' || pattern === '0');
        this.at++;
        break;
      case ',':
      case 'G':
        // Before any digit was read nothing counts as inside the number, but a comma is passed all the same.
        if (!this.f.fill && this.text[this.at] === ',') this.at++;
        break;
      case 'L':
        this.skipNonData(1);
        break;
      case 'MI':
        this.signPattern('-');
        break;
      case 'PL':
        this.signPattern('+');
        break;
      case 'SG':
        this.signPattern('+-');
        break;
      case 'TH':
        if (this.sign !== '-' && !this.f.decimal) this.skipNonData(2);
        break;
    }
  }

  private signPattern(signs: string): void {
    const c = this.text[this.at];
    if (signs.includes(c)) this.setSign(c as '-' | '+');
    else this.skipNonData(1);
  }

  private skipNonData(n: number): void {
    for (let i = 0; i < n && this.at < this.text.length; i++) {
      if ('0123456789.,+-'.includes(this.text[this.at])) return;
      this.skipCharacter();
    }
  }

  private numberPart(isDigitPlace: boolean): void {
    const { f, text } = this;
    const end = () => this.at >= text.length;
    if (text[this.at] === ' ') this.at++;
    if (end()) return;
    const nothingRead = this.beforePoint + this.afterPoint === 0;
    if (this.sign === ' ' && isDigitPlace && nothingRead) {
      const c = text[this.at];
      if (f.sign === 'before') this.takeSign(c);
      else if (c === '-' || (f.bracket && c === '<')) this.setSign('-');
      else if (c === '+') this.setSign('+');
    }
    if (end()) return;
    let read = false;
    const c = text[this.at];
    if (isDigit(c)) {
      if (this.sawPoint && this.afterPoint === f.post) return;
      this.digits += c;
      if (this.sawPoint) this.afterPoint++;
      else this.beforePoint++;
      read = true;
    } else if (f.decimal && !this.sawPoint && c === '.') {
      this.digits += '.';
      this.sawPoint = true;
      read = true;
    }
    if (this.sign === ' ' && this.beforePoint + this.afterPoint > 0) this.signBehind(read);
  }

  private takeSign(c: string): void {
    if (c === '-' || c === '+') this.setSign(c);
  }

  private setSign(sign: '-' | '+'): void {
    this.sign = sign;
    this.at++;
  }

  /** A sign behind the digits: right behind the last one for S, wherever the template still expects digits for MI and SG. */
  private signBehind(read: boolean): void {
    const { f, text } = this;
    if (f.sign !== 'none') {
      const next = text[this.at + 1];
      if (!read || next === undefined || isDigit(next)) return;
      if (next === '-' || next === '+') {
        this.sign = next;
        this.at++;
      }
    } else if (!read && (f.plus || f.minus)) {
      const c = text[this.at];
      if (c === '-' || c === '+') this.sign = c;
    }
  }
}

/** The number, or null for an empty template. */
export function readNumber(text: string, template: string): Decimal | null {
  if (template === '') return null;
  const f = numberFormat(template);
  if (f.exponent) throw unsupported('"EEEE" for input');
  if (f.roman) throw unsupported('"RN" for input');
  const reader = new Reader(f, text);
  const digits = reader.run();
  const value = parseDecimal(digits);
  if (!value) throw new SqlError('22P02', `invalid input syntax for type numeric: "${digits}"`);
  const precision = f.pre + f.multi + reader.afterPoint;
  const number = applyNumericTypmod(value, makeNumericTypmod(precision, reader.afterPoint));
  return f.power ? multiply(number, power(decimal(10n), decimal(BigInt(-f.multi)))) : number;
}
