/**
 * How a row lies in state memory: fixed stride, widest slots first, then one validity byte a column.
 *
 *   | 16-byte slots | 8-byte slots | 4-byte slots | 1-byte slots | validity bytes | pad to 8 |
 */
import { type ColType, PHYS_WIDTH, type Phys, physOf } from '../types.ts';

export interface RowLayout {
  types: ColType[];
  phys: Phys[];
  /** Byte offset of each column's slot within the row. */
  offsets: number[];
  /** Byte offset of the first validity byte; column i's is at valid + i. */
  valid: number;
  /** Bytes of a row, a multiple of 8. */
  stride: number;
  /** Of each column's slot. */
  widths: number[];
  /** How many slots of 16 bytes there are, which come first; bit i of these is set when the i-th of them is a varlen, or a numeric. */
  wide: number;
  texts: number;
  numerics: number;
}

export function rowLayout(types: ColType[]): RowLayout {
  const phys = types.map((type) => physOf(type.oid));
  const offsets = new Array<number>(types.length);
  let at = 0;
  for (const width of [16, 8, 4, 1]) {
    for (let i = 0; i < types.length; i++) {
      if (PHYS_WIDTH[phys[i]] !== width) continue;
      offsets[i] = at;
      at += width;
    }
  }
  const widths = phys.map((p) => PHYS_WIDTH[p]);
  const bits = (kind: Phys) =>
    offsets.reduce((sum, offset, i) => (phys[i] === kind ? sum | (1 << (offset / 16)) : sum), 0);
  return {
    types,
    phys,
    offsets,
    valid: at,
    stride: (at + types.length + 7) & ~7,
    widths,
    wide: widths.filter((width) => width === 16).length,
    texts: bits('varlen'),
    numerics: bits('numeric'),
  };
}

/** Where a column lies in a row: its slot's bytes, and its validity byte. */
export interface SlotPlace {
  offset: number;
  width: number;
  flag: number;
}

export function placesOf({ widths, offsets, valid }: RowLayout): SlotPlace[] {
  return widths.map((width, i) => ({ offset: offsets[i], width, flag: valid + i }));
}
