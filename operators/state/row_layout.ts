/**
 * How a row lies in state memory: fixed stride, widest slots first, then one validity byte a column.
 *
 *   | 16-byte slots | 8-byte slots | 4-byte slots | words | 1-byte slots | validity bytes | pad to 8 |
 *
 * The words are for who keeps the row: an entry of an index has its weight there (runs.ts), which in front of the row would take 8 bytes, and there is most often padding.
 */
import { type ColType, OID, PHYS_WIDTH, type Phys, physOf } from '../types.ts';

/** So many validity bytes have room in a slot's header. */
const HEADER_FLAGS = 3;

export interface RowLayout {
  types: ColType[];
  phys: Phys[];
  /** Byte offset of each column's slot within the row. */
  offsets: number[];
  /** Byte offset of the first validity byte, which may be in front of the row; column i's is at valid + i. */
  valid: number;
  /** Byte offset of the words that are no columns'. */
  words: number;
  /** Bytes of a row, a multiple of 8. */
  stride: number;
  /** Of each column's slot. */
  widths: number[];
  /** How many slots of 16 bytes there are, which come first; bit i of these is set when the i-th of them is a varlen, or a numeric. */
  wide: number;
  texts: number;
  numerics: number;
  /** The column whose neighbours get neighbouring hashes (row_ops.ts): the first whole number, for that is most often an id, or else the first date or time; their number when there is none. */
  number: number;
}

const WHOLE_NUMBERS = new Set<number>([OID.int2, OID.int4, OID.int8]);
const IN_WORDS = new Set<Phys>(['i32', 'u32', 'i64']);

function numberOf(types: ColType[]): number {
  for (const is of [({ oid }: ColType) => WHOLE_NUMBERS.has(oid), ({ oid }: ColType) => IN_WORDS.has(physOf(oid))]) {
    const column = types.findIndex(is);
    if (column >= 0) return column;
  }
  return types.length;
}

export function rowLayout(types: ColType[], words = 0): RowLayout {
  const phys = types.map((type) => physOf(type.oid));
  const offsets = new Array<number>(types.length);
  let at = 0;
  let wordsAt = 0;
  for (const width of [16, 8, 4, 1]) {
    if (width === 1) {
      wordsAt = at;
      at += words * 4;
    }
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
    words: wordsAt,
    stride: (at + types.length + 7) & ~7,
    widths,
    wide: widths.filter((width) => width === 16).length,
    texts: bits('varlen'),
    numerics: bits('numeric'),
    number: numberOf(types),
  };
}

/** Where a column lies in a row: its slot's bytes, and its validity byte. */
export interface SlotPlace {
  offset: number;
  width: number;
  flag: number;
}

/**
 * How a row lies in a slot of a table (row_table.ts): with up to three columns their validity bytes are the last of the slot's header, in front of the row, for behind it
 * they would most often take 8 bytes.
 */
export function slotLayout(types: ColType[]): RowLayout {
  const layout = rowLayout(types);
  if (types.length === 0 || types.length > HEADER_FLAGS) return layout;
  return { ...layout, valid: -HEADER_FLAGS, stride: (layout.valid + 7) & ~7 };
}

export function placesOf({ widths, offsets, valid }: RowLayout): SlotPlace[] {
  return widths.map((width, i) => ({ offset: offsets[i], width, flag: valid + i }));
}
