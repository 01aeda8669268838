/** bool_and, bool_or, every; bit_and, bit_or, bit_xor of integers: counts per truth value or per bit, exact under retraction. */
import type { Datum } from '../datum.ts';
import type { Summary } from './decoded.ts';

interface TruthCounts {
  trues: number;
  falses: number;
}

export function truth(any: boolean): Summary<TruthCounts> {
  return {
    empty: () => ({ trues: 0, falses: 0 }),
    add(s, [value], weight) {
      if (value === true) s.trues += weight;
      else s.falses += weight;
    },
    result: (s) => (s.trues + s.falses === 0 ? null : any ? s.trues > 0 : s.falses === 0),
    encode: (s) => [s.trues, s.falses],
    decode: ([trues, falses]) => ({ trues: trues as number, falses: falses as number }),
  };
}

interface BitCounts {
  n: number;
  /** How many values have bit i set. */
  set: number[];
}

/** `bits`: width of the type; `wide`: values are bigints. */
export function bitwise(kind: 'and' | 'or' | 'xor', bits: number, wide: boolean): Summary<BitCounts> {
  return {
    empty: () => ({ n: 0, set: new Array(bits).fill(0) }),
    add(s, [value], weight) {
      s.n += weight;
      const word = BigInt.asUintN(bits, BigInt(value as number | bigint));
      for (let i = 0; i < bits; i++) if ((word >> BigInt(i)) & 1n) s.set[i] += weight;
    },
    result(s): Datum {
      if (s.n === 0) return null;
      let word = 0n;
      for (let i = 0; i < bits; i++) {
        const on = kind === 'and' ? s.set[i] === s.n : kind === 'or' ? s.set[i] > 0 : s.set[i] % 2 === 1;
        if (on) word |= 1n << BigInt(i);
      }
      const signed = BigInt.asIntN(bits, word);
      return wide ? signed : Number(signed);
    },
    encode: (s) => [s.n, ...s.set],
    decode: ([n, ...set]) => ({ n: n as number, set: set as number[] }),
  };
}
