/** The functions of bit and bit varying; a datum is a string of 0 and 1, so most of them are string functions. */
import { SqlError } from '../../errors.ts';
import { applyBitTypmod, applyVarbitTypmod } from '../io/bit.ts';
import { compareText } from '../text/code_points.ts';
import { negativeSubstring, substringBounds } from '../text/strings.ts';
import { integerOutOfRange } from './integer.ts';
import { register } from './registry.ts';

for (const type of ['bit', 'varbit']) {
  const args = `(${type},${type})`;
  register(`${type}eq${args}`, (a: string, b: string) => a === b);
  register(`${type}ne${args}`, (a: string, b: string) => a !== b);
  register(`${type}lt${args}`, (a: string, b: string) => compareText(a, b) < 0);
  register(`${type}le${args}`, (a: string, b: string) => compareText(a, b) <= 0);
  register(`${type}gt${args}`, (a: string, b: string) => compareText(a, b) > 0);
  register(`${type}ge${args}`, (a: string, b: string) => compareText(a, b) >= 0);
  register(`${type}cmp${args}`, (a: string, b: string) => Math.sign(compareText(a, b)));
}

for (const [name, word, both] of [
  ['bitand', 'AND', (x: string, y: string) => x === '1' && y === '1'],
  ['bitor', 'OR', (x: string, y: string) => x === '1' || y === '1'],
  ['bitxor', 'XOR', (x: string, y: string) => x !== y],
] as const) {
  register(`${name}(bit,bit)`, (a: string, b: string) => {
    if (a.length !== b.length) throw new SqlError('22026', `cannot ${word} bit strings of different sizes`);
    let out = '';
    for (let i = 0; i < a.length; i++) out += both(a[i], b[i]) ? '1' : '0';
    return out;
  });
}
register('bitnot(bit)', (a: string) => a.replace(/./g, (c) => (c === '1' ? '0' : '1')));

/** Shifts towards the left, or the right when n is negative, filling with zeros. */
function shift(bits: string, n: number): string {
  if (n >= 0) return bits.slice(n).padEnd(bits.length, '0');
  return bits.slice(0, Math.max(bits.length + n, 0)).padStart(bits.length, '0');
}
register('bitshiftleft(bit,int4)', shift);
register('bitshiftright(bit,int4)', (a: string, n: number) => shift(a, -n));
register('bitcat(varbit,varbit)', (a: string, b: string) => a + b);

for (const name of ['length', 'bit_length']) register(`${name}(bit)`, (a: string) => a.length);
register('octet_length(bit)', (a: string) => Math.ceil(a.length / 8));
register('bit_count(bit)', (a: string) => BigInt(a.replaceAll('0', '').length));
register('position(bit,bit)', (a: string, part: string) => (a === '' ? 0 : a.indexOf(part) + 1));

function substring(bits: string, start: number, length?: number): string {
  const { from, to } = substringBounds(start, length);
  return bits.slice(from, Math.min(to, bits.length));
}
register('substring(bit,int4)', (a: string, start: number) => substring(a, start));
register('substring(bit,int4,int4)', (a: string, start: number, n: number) => substring(a, start, n));

function overlay(bits: string, part: string, start: number, length = part.length): string {
  if (start <= 0) throw negativeSubstring();
  if (start + length > 2147483647) throw integerOutOfRange('int4');
  return substring(bits, 1, start - 1) + part + substring(bits, start + length);
}
register('overlay(bit,bit,int4)', (a: string, part: string, start: number) => overlay(a, part, start));
register('overlay(bit,bit,int4,int4)', overlay);

function requireIndex(bits: string, i: number): void {
  if (i < 0 || i >= bits.length) {
    throw new SqlError('2202E', `bit index ${i} out of valid range (0..${bits.length - 1})`);
  }
}
register('get_bit(bit,int4)', (a: string, i: number) => {
  requireIndex(a, i);
  return a[i] === '1' ? 1 : 0;
});
register('set_bit(bit,int4,int4)', (a: string, i: number, value: number) => {
  requireIndex(a, i);
  if (value !== 0 && value !== 1) throw new SqlError('22023', 'new bit must be 0 or 1');
  return a.slice(0, i) + value + a.slice(i + 1);
});

register('bit(bit,int4,bool)', applyBitTypmod);
register('varbit(varbit,int4,bool)', applyVarbitTypmod);

/** The low n bits of an integer of `width` bits, its sign repeated on the left. */
function bitsOf(value: bigint, n: number): string {
  const count = n <= 0 ? 1 : n;
  return BigInt.asUintN(count, value).toString(2).padStart(count, '0');
}
register('bit(int4,int4)', (v: number, n: number) => bitsOf(BigInt(v), n));
register('bit(int8,int4)', bitsOf);
register('int4(bit)', (a: string) => {
  if (a.length > 32) throw integerOutOfRange('int4');
  return a === '' ? 0 : Number.parseInt(a, 2) | 0;
});
register('int8(bit)', (a: string) => {
  if (a.length > 64) throw integerOutOfRange('int8');
  return a === '' ? 0n : BigInt.asIntN(64, BigInt(`0b${a}`));
});
