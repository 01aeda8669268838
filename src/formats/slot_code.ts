/**
 * Pieces of generated code that write a value into the slot `s` of a column. What they find odd they leave to the exact reader: LEAVE.
 *
 * Around them the code has D, S, V and W of each column (heads()), the numbers lo, hi, n, b and s, and `row`, `i` and `at`.
 */
import { EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import { type ColType, PHYS_WIDTH, physOf } from '../../operators/types.ts';

/** hi of numbers whose double is exact. */
export const EXACT = 'hi < -0x200000 || hi >= 0x200000';
export const NUMBER = '(hi * 4294967296 + (lo >>> 0))';
export const LEAVE = 'return i;';
export const STORE_LONG = 'I32[s >>> 2] = lo; I32[(s >>> 2) + 1] = hi;';
export const STORE_NUMBER = 'I32[s >>> 2] = n >>> 0; I32[(s >>> 2) + 1] = Math.floor(n / 4294967296);';

/** Where the columns' slots and validity bytes are. */
export function heads(columns: Iterable<number>): string {
  return Array.from(
    columns,
    (c) =>
      `const D${c} = slots.data[${c}], S${c} = slots.stride[${c}], V${c} = slots.valid[${c}], W${c} = slots.validStride[${c}];`,
  ).join('\n');
}

/** `value` writes into the slot s. */
export function setCode(column: number, value: string): string {
  return `s = D${column} + row * S${column}; ${value} U8[V${column} + row * W${column}] = 1;`;
}

export function nullCode(column: number, to: ColType, notNull: boolean): string {
  if (notNull) return LEAVE;
  return `s = D${column} + row * S${column}; ${zeroCode(to)} U8[V${column} + row * W${column}] = 0; if (W${column} === 1) slots.anyNull = true;`;
}

/** All bits of the slot are 0. */
export function zeroCode(to: ColType): string {
  const width = PHYS_WIDTH[physOf(to.oid)];
  if (width < 4) return 'U8[s] = 0;';
  return Array.from({ length: width / 4 }, (_, k) => `I32[(s >>> 2) + ${k}] = 0;`).join(' ');
}

/** One NaN for all. */
export function floatCode(value: string): string {
  return `n = ${value}; F64[s / 8] = n === n ? n : NaN;`;
}

/** Of microseconds since 1970 that a double holds exactly, which are all but distant times. */
export function timestampCode(micros: string): string {
  return `n = ${micros} - ${EPOCH_DIFF_MICROS}; if (!(n >= -9e15 && n <= 9e15)) ${LEAVE} ${STORE_NUMBER}`;
}
