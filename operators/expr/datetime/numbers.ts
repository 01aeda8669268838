/** Leading integers and fractions of field text, with the width limits of PostgreSQL's own parser. */
import { rint } from './calendar.ts';
import { badFormat, overflow } from './parse_error.ts';

const INT_MAX = 2147483647;

/** The integer (with sign) that starts `text` at `at`, and where it ends; `end === at` when there is none. */
export function leadingInt(text: string, at = 0): { value: number; end: number } {
  const m = /^[+-]?\d+/.exec(text.slice(at));
  if (!m) return { value: 0, end: at };
  const value = Number(m[0]);
  if (value > INT_MAX || value < -INT_MAX - 1) throw overflow();
  return { value: value + 0, end: at + m[0].length };
}

/** As `leadingInt` for 64-bit integers. */
export function leadingBigint(text: string, at = 0): { value: bigint; end: number } {
  const m = /^[+-]?\d+/.exec(text.slice(at));
  if (!m) return { value: 0n, end: at };
  const value = BigInt(m[0].replace('+', ''));
  if (BigInt.asIntN(64, value) !== value) throw overflow();
  return { value, end: at + m[0].length };
}

/** `.123` to 0.123; a lone point is 0. Anything after the digits is a bad format. */
export function fraction(text: string): number {
  if (text === '.') return 0;
  if (!/^\.\d*(e[+-]?\d+)?$/i.test(text)) throw badFormat();
  return Number(text);
}

/** `.123` to microseconds, rounded. */
export function fractionMicros(text: string): number {
  return rint(fraction(text) * 1_000_000);
}
