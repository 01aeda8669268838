/** pg_size_pretty and pg_size_bytes: byte counts for people. */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { absolute, divideTruncated, multiply } from '../decimal/arithmetic.ts';
import { compareDecimal } from '../decimal/compare.ts';
import { decimalToInteger, decimalToText, parseDecimal } from '../decimal/text.ts';
import { register } from './registry.ts';

/** `limit`: the count below which the unit is used; `round`: halves are rounded when coming to this unit; `bits`: its size. */
const UNITS = [
  { name: 'bytes', limit: 10240n, round: false, bits: 0n },
  { name: 'kB', limit: 20479n, round: true, bits: 10n },
  { name: 'MB', limit: 20479n, round: true, bits: 20n },
  { name: 'GB', limit: 20479n, round: true, bits: 30n },
  { name: 'TB', limit: 20479n, round: true, bits: 40n },
  { name: 'PB', limit: 20479n, round: true, bits: 50n },
];

const halfRounded = (n: bigint) => (n + (n < 0n ? -1n : 1n)) / 2n;
const magnitude = (n: bigint) => (n < 0n ? -n : n);

register('pg_size_pretty(int8)', (bytes: bigint) => {
  let size = bytes;
  for (let i = 0; ; i++) {
    const unit = UNITS[i];
    const next = UNITS[i + 1];
    if (!next || magnitude(size) < unit.limit) return `${unit.round ? halfRounded(size) : size} ${unit.name}`;
    // One bit more is kept for the rounding of the unit that comes.
    const bits = next.bits - unit.bits - (next.round ? 1n : 0n) + (unit.round ? 1n : 0n);
    size /= 1n << bits;
  }
});

register('pg_size_pretty(numeric)', (bytes: Decimal) => {
  let size = bytes;
  for (let i = 0; ; i++) {
    const unit = UNITS[i];
    const next = UNITS[i + 1];
    if (!next || compareDecimal(absolute(size), decimal(unit.limit)) < 0) {
      if (!unit.round) return `${decimalToText(size)} ${unit.name}`;
      const one = decimal(size.m < 0n ? -1n : 1n);
      const half = divideTruncated({ ...size, m: size.m + one.m * 10n ** BigInt(size.s) }, decimal(2n));
      return `${decimalToText(half)} ${unit.name}`;
    }
    const bits = next.bits - unit.bits - (next.round ? 1n : 0n) + (unit.round ? 1n : 0n);
    size = divideTruncated(size, decimal(1n << bits));
  }
});

const SIZE = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s]*)\s*$/;
const MULTIPLIERS: Record<string, bigint> = { b: 0n, bytes: 0n, kb: 10n, mb: 20n, gb: 30n, tb: 40n, pb: 50n };

register('pg_size_bytes(text)', (text: string) => {
  const m = SIZE.exec(text);
  const number = m && parseDecimal(m[1]);
  if (!m || !number) throw new SqlError('22023', `invalid size: "${text}"`);
  const bits = m[2] === '' ? 0n : MULTIPLIERS[m[2].toLowerCase()];
  if (bits === undefined) {
    throw new SqlError('22023', `invalid size: "${text}"`, {
      detail: `Invalid size unit: "${m[2]}".`,
      hint: 'Valid units are "bytes", "B", "kB", "MB", "GB", "TB", and "PB".',
    });
  }
  return decimalToInteger(multiply(number, decimal(1n << bits)), 'bigint');
});
