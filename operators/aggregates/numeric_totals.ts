/**
 * sum, avg, variance and stddev of numeric (and the latter two of integers): totals that kernels add up in the groups' slots, and what they refuse as records.
 *
 * State: that of kernels/aggregate_layout.ts, where a record's slot stands for a total that has NaN or an infinity in it, a seventh scale, or more than 125 bits:
 *
 *   kernel takes the rows in -> rows that it left, one by one: the group's total as an object -> back to bytes, as a record only if it must be
 *
 * Both forms hold the same, so which one it is shows nowhere. O(1) a row. Between add() and endTick() objects are open; their slots say `record`.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, readDatum } from '../batch/builder.ts';
import { I32, I64, U8, U32 } from '../batch/memory.ts';
import {
  CALL_SQUARES_INT4,
  CALL_SQUARES_INT8,
  CALL_SQUARES_NUMERIC,
  CALL_TOTAL_NUMERIC,
  FORM_RECORD,
  SQUARES_BYTES,
  TOTAL_BITS,
  TOTAL_BYTES,
  TOTAL_COUNTS,
  TOTAL_FORM,
  TOTAL_KINDS,
  TOTAL_MOST_SCALE,
  TOTAL_SCALE,
  TOTAL_SCALES,
  TOTAL_SQUARES,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import type { Saved } from '../state/saved.ts';
import type { Phys } from '../types.ts';
import { type Accumulator, addEach, type Groups, type KernelCall, type Rows, resultOfEach } from './accumulator.ts';
import { freeRecord, readRecord, type Summary, writeRecord } from './decoded.ts';
import { type NumericTotal, numericSum, reduced } from './numeric_sum.ts';
import type { Squares } from './numeric_variance.ts';

const MOST = 1n << BigInt(TOTAL_BITS);
const MOST_COUNT = 2 ** 31;
/** Bytes of a wide result outside of its slot. */
const OUTSIDE = 16;

/** How a summary lies in a slot. */
interface Form<S> {
  bytes: number;
  read(state: number): S;
  /** Into bytes that are zero; false, and nothing is written, when it does not fit. */
  write(state: number, summary: S): boolean;
}

function readWords(at: number): bigint {
  return (I64[at / 8 + 1] << 64n) | BigInt.asUintN(64, I64[at / 8]);
}

function writeWords(at: number, value: bigint): void {
  I64[at / 8] = BigInt.asIntN(64, value);
  I64[at / 8 + 1] = BigInt.asIntN(64, value >> 64n);
}

const fits = (value: bigint) => value < MOST && value > -MOST;

const TOTAL: Form<NumericTotal> = {
  bytes: TOTAL_BYTES,
  read(state) {
    const scales = new Map<number, number>();
    let count = 0;
    for (let i = 0; i < TOTAL_KINDS; i++) {
      const values = I32[((state + TOTAL_COUNTS) >>> 2) + i];
      if (values !== 0) scales.set(U8[state + TOTAL_SCALES + i], values);
      count += values;
    }
    return { m: readWords(state), s: U8[state + TOTAL_SCALE], scales, count, nan: 0, inf: 0, negInf: 0 };
  },
  write(state, total) {
    const { m, s, scales, nan, inf, negInf } = total;
    if (nan !== 0 || inf !== 0 || negInf !== 0 || !fits(m) || s > TOTAL_MOST_SCALE || scales.size > TOTAL_KINDS)
      return false;
    for (const values of scales.values()) if (values >= MOST_COUNT || values < -MOST_COUNT) return false;
    let i = 0;
    for (const [scale, values] of scales) {
      I32[((state + TOTAL_COUNTS) >>> 2) + i] = values;
      U8[state + TOTAL_SCALES + i++] = scale;
    }
    writeWords(state, m);
    U8[state + TOTAL_SCALE] = s;
    return true;
  },
};

const SQUARES: Form<Squares> = {
  bytes: SQUARES_BYTES,
  read(state) {
    const x = TOTAL.read(state);
    const scales = new Map([...x.scales].map(([scale, values]) => [scale * 2, values]));
    return { x, xx: { ...x, m: readWords(state + TOTAL_SQUARES), s: x.s * 2, scales } };
  },
  write(state, { x, xx }) {
    if (xx.s !== x.s * 2 || !fits(xx.m) || !TOTAL.write(state, x)) return false;
    writeWords(state + TOTAL_SQUARES, xx.m);
    return true;
  },
};

interface Reading<S> {
  form: Form<S>;
  summary: Summary<S>;
  /** Results of groups by a kernel, which gives how many it did before one that is not for it. */
  results?: typeof kernels.writeTotals;
}

export class NumericTotals<S> implements Accumulator {
  readonly bytes: number;
  readonly state: string;
  readonly #arg: number;
  readonly #kind: number;
  readonly #reading: Reading<S>;
  readonly #reduce: (summary: S) => void;
  readonly #heap: Heap;
  readonly #open = new Map<number, S>();
  /** Groups whose total is a record. */
  #records = 0;
  #column: Column | null = null;
  /** Where the kernel lists the rows that it leaves. */
  #rest = 0;

  constructor(arg: number, kind: number, reading: Reading<S>, reduce: (summary: S) => void, heap: Heap) {
    this.#arg = arg;
    this.#kind = kind;
    this.#reading = reading;
    this.#reduce = reduce;
    this.#heap = heap;
    this.bytes = reading.form.bytes;
    this.state = `${kind === CALL_TOTAL_NUMERIC ? 'total' : 'squares'}(${arg})`;
  }

  get inSlot(): boolean {
    return this.#records === 0;
  }

  begin(delta: Batch): void {
    this.#column = delta.columns[this.#arg];
  }

  add(state: number, row: number, weight: number): void {
    const column = this.#column as Column;
    if (column.valid !== 0 && U8[column.valid + row] === 0) return;
    if (kernels.addToTotal(this.#kind, state, column.data, row, weight) !== 0) return;
    this.#reading.summary.add(this.#opened(state), [readDatum(column, row)], weight);
  }

  /** The group's total as an object, which its slot then no longer says. */
  #opened(state: number): S {
    const open = this.#open.get(state);
    if (open !== undefined) return open;
    const summary = this.#stored(state);
    this.#open.set(state, summary);
    this.#clear(state);
    U8[state + TOTAL_FORM] = FORM_RECORD;
    this.#records++;
    return summary;
  }

  #stored(state: number): S {
    const { form, summary } = this.#reading;
    return U8[state + TOTAL_FORM] === FORM_RECORD ? summary.decode(readRecord(state)) : form.read(state);
  }

  /** All zero, after what the slot owns has been given back. */
  #clear(state: number): void {
    if (U8[state + TOTAL_FORM] === FORM_RECORD) {
      freeRecord(state, this.#heap);
      this.#records--;
    }
    kernels.fillBytes(state, 0, this.bytes);
  }

  addAll(rows: Rows, n: number): void {
    addEach(this, rows, n);
  }

  kernelCall(arena: Arena, n: number): KernelCall {
    const { data, valid } = this.#column as Column;
    this.#rest = arena.alloc((n + 1) * 4) >>> 2;
    U32[this.#rest] = 0;
    return { kind: this.#kind, data, valid, rest: this.#rest * 4 };
  }

  takeRest({ groups, offset, weights }: Rows): void {
    const left = U32[this.#rest];
    if (left === 0) return;
    for (let i = 1; i <= left; i++) {
      const row = U32[this.#rest + i];
      this.add(U32[groups + row] + offset, row, I32[weights + row]);
    }
    // Others may read these slots (Accumulator.state).
    this.endTick();
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const summary = this.#open.get(state) ?? this.#stored(state);
    out.setDatum(column, row, this.#reading.summary.result(summary));
  }

  resultAll(groups: Groups, out: BatchBuilder, column: number, row: number): void {
    const { results } = this.#reading;
    if (results === undefined) {
      resultOfEach(this, groups, out, column, row);
      return;
    }
    const { addresses, n, offset } = groups;
    const { data, valid } = out.columns[column];
    const outside = out.arena.alloc(n * OUTSIDE);
    for (let i = 0; i < n; i++) {
      const to = row + i;
      i += results((addresses + i) * 4, n - i, offset, data + to * 16, valid + to, outside + i * OUTSIDE);
      if (i < n) this.result(U32[addresses + i] + offset, out, column, row + i);
    }
  }

  free(state: number): void {
    this.#open.delete(state);
    this.#clear(state);
  }

  /** Writes the open objects back into their slots. Slots must not have moved since add(). */
  endTick(): void {
    const { form, summary } = this.#reading;
    for (const [state, total] of this.#open) {
      this.#clear(state);
      this.#reduce(total);
      if (form.write(state, total)) continue;
      writeRecord(state, summary.encode(total), this.#heap);
      U8[state + TOTAL_FORM] = FORM_RECORD;
      this.#records++;
    }
    this.#open.clear();
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save(): Saved {
    return { records: this.#records };
  }

  load(saved: Saved): void {
    this.#records = (saved as { records: number }).records;
  }

  release(): void {
    this.#open.clear();
  }
}

/** sum(numeric), or avg(numeric). */
export function numericTotals(arg: number, average: boolean, heap: Heap): Accumulator {
  const results = average ? kernels.writeTotalAverages : kernels.writeTotals;
  return new NumericTotals(
    arg,
    CALL_TOTAL_NUMERIC,
    { form: TOTAL, summary: numericSum(average), results },
    reduced,
    heap,
  );
}

/** variance and stddev over a column of numeric (phys `numeric`), int4 and int2 (`i32`) or int8. */
export function squareTotals(arg: number, phys: Phys, summary: Summary<Squares>, heap: Heap): Accumulator {
  const kind = phys === 'numeric' ? CALL_SQUARES_NUMERIC : phys === 'i32' ? CALL_SQUARES_INT4 : CALL_SQUARES_INT8;
  const reduce = ({ x, xx }: Squares) => {
    reduced(x);
    reduced(xx);
  };
  return new NumericTotals(arg, kind, { form: SQUARES, summary }, reduce, heap);
}
