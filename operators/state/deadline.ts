/**
 * From which watermark on a stored row is dead, by the conditions that the planner proved (PlanNode.frees).
 *
 *   condition (column c, lag, strict):   every change to come has  c >= watermark - lag     (> when strict)
 *   a row is dead by it                  when  c + lag < watermark                          (<= when strict)
 *   by several                           when it is dead by each: the latest counts
 *
 * Times are read as numbers: exact within 2^53 microseconds, that is from 1714 to 2285. A row with a time outside of that, an infinite one, or
 * NULL, is never dead, for no watermark bounds what else has such a value; but where NULL matches nothing it is dead from the start.
 */
import type { Arena } from '../batch/arena.ts';
import { F64, I32, U8, U32 } from '../batch/memory.ts';
import { varlenAddress } from '../batch/slots.ts';
import { readTimeText } from '../expr/datetime/time_text.ts';
import { kernels } from '../kernels/index.ts';
import type { Retention } from '../plan.ts';
import { OID } from '../types.ts';
import type { RowLayout } from './row_layout.ts';

/** The watermark of a source relation, null while it has none. */
export type Watermarks = (relation: number) => bigint | null;

/** Where a slot has the time by which it is dead, as assembly/row_table.ts reads it. */
export interface SlotTime {
  at: number;
  flag: number;
  lag: number;
}

const EXACT = 2 ** 53;
/** A text of so many bytes lies in its slot. */
const INLINE = 12;
const DAY = 86400000000;
/** As assembly/deadline.ts has them. */
const CONDITION_BYTES = 24;

export class Deadline {
  readonly retentions: Retention[];
  readonly #sources: number[];
  readonly #times: ((row: number) => number)[];
  readonly #lags: number[];
  readonly #layout: RowLayout;
  readonly #columns: number[];
  readonly #hasTexts: boolean;
  /** Where the time and its validity lie when there is one condition, over a timestamp; else -1. */
  readonly #plain: number = -1;
  readonly #flag: number = 0;

  /** `position`: where a retention's column stands in the layout. */
  constructor(layout: RowLayout, retentions: Retention[], position: (column: number) => number = (c) => c) {
    this.retentions = retentions;
    this.#sources = [...new Set(retentions.flatMap((r) => r.sources))];
    this.#layout = layout;
    this.#hasTexts = retentions.some((r) => r.text !== undefined);
    this.#columns = retentions.map((r) => position(r.column));
    this.#times = retentions.map((r) => timeReader(layout, position(r.column), r));
    this.#lags = retentions.map((r) => Number(r.lag) - (r.strict ? 1 : 0));
    const [column] = this.#columns;
    if (retentions.length === 1 && retentions[0].text === undefined && layout.types[column].oid !== OID.date) {
      this.#plain = layout.offsets[column];
      this.#flag = layout.valid + column;
    }
  }

  /** The row at this address is dead when the watermark is above this; NaN: never. */
  of(row: number): number {
    if (this.#plain >= 0 && U8[row + this.#flag] !== 0) {
      const word = (row + this.#plain) >>> 2;
      return exact(I32[word + 1] * 4294967296 + U32[word]) + this.#lags[0];
    }
    let latest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.#times.length; i++) {
      const time = this.#times[i](row) + this.#lags[i];
      if (!(time <= latest)) latest = time;
      if (Number.isNaN(latest)) return latest;
    }
    return latest;
  }

  /** Where kernels find the one condition's time, a timestamp, in a slot whose row lies at `offset`; null where there are others. */
  inSlot(offset: number): SlotTime | null {
    if (this.#plain < 0 || this.retentions[0].nullsDead) return null;
    return { at: offset + this.#plain, flag: offset + this.#flag, lag: this.#lags[0] };
  }

  /** What the first condition adds to its time. */
  get lag(): number {
    return this.#lags[0];
  }

  /** of() for n rows, whose addresses are at a word address, 0 for none: a number each, at an address of 8 bytes a step. */
  ofAll(rows: number, n: number, arena: Arena): number {
    const result = arena.alloc(n * 8);
    const conditions = this.conditions(arena);
    if (conditions === 0)
      for (let i = 0; i < n; i++) F64[result / 8 + i] = U32[rows + i] === 0 ? Number.NaN : this.of(U32[rows + i]);
    else kernels.deadlines(rows * 4, n, conditions, this.retentions.length, result);
    return result / 8;
  }

  /** The conditions as kernels read them, one for each retention; 0 where one of them is for of() alone. */
  conditions(arena: Arena): number {
    if (this.#hasTexts) return 0;
    const { offsets, valid, types } = this.#layout;
    const { retentions } = this;
    const conditions = arena.alloc(retentions.length * CONDITION_BYTES);
    for (let i = 0; i < retentions.length; i++) {
      const at = (conditions + i * CONDITION_BYTES) >>> 2;
      const column = this.#columns[i];
      U32[at] = offsets[column];
      U32[at + 1] = valid + column;
      U32[at + 2] = types[column].oid === OID.date ? 1 : 0;
      U32[at + 3] = retentions[i].nullsDead ? 1 : 0;
      F64[at / 2 + 2] = this.#lags[i];
    }
    return conditions;
  }

  /** The least watermark of the sources; -Infinity while one of them has none. */
  watermark(watermarks: Watermarks): number {
    let least = EXACT - 1;
    for (const source of this.#sources) {
      const watermark = watermarks(source);
      if (watermark === null) return Number.NEGATIVE_INFINITY;
      least = Math.min(least, Number(watermark));
    }
    return least > -EXACT ? least : Number.NEGATIVE_INFINITY;
  }
}

/** Reads a column of a stored row as microseconds since 2000; NaN when it bounds nothing. */
function timeReader(layout: RowLayout, column: number, { text, nullsDead }: Retention): (row: number) => number {
  const none = nullsDead ? -EXACT : Number.NaN;
  const valid = layout.valid + column;
  const offset = layout.offsets[column];
  const { oid } = layout.types[column];
  if (text !== undefined) {
    // Rows that come together mostly have one text, of a day or an hour.
    let [length, first, second, third] = [0, 0, 0, 0];
    let time = Number.NaN;
    return (row) => {
      if (U8[row + valid] === 0) return none;
      const word = (row + offset) >>> 2;
      if (U32[word] > INLINE) return readTimeText(text, varlenAddress(row + offset), U32[word]);
      if (U32[word] !== length || U32[word + 1] !== first || U32[word + 2] !== second || U32[word + 3] !== third) {
        [length, first, second, third] = U32.subarray(word, word + 4);
        time = readTimeText(text, varlenAddress(row + offset), length);
      }
      return time;
    };
  }
  if (oid === OID.date) return (row) => (U8[row + valid] === 0 ? none : exact(I32[(row + offset) >>> 2] * DAY));
  return (row) => {
    if (U8[row + valid] === 0) return none;
    const word = (row + offset) >>> 2;
    return exact(I32[word + 1] * 4294967296 + U32[word]);
  };
}

function exact(time: number): number {
  return time > -EXACT && time < EXACT ? time : Number.NaN;
}
