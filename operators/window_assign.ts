/**
 * HOP and CUMULATE with constant sizes over a time column: input columns ++ window_start, window_end.
 *
 *   out = { r ++ w : r x weight in delta, w a window of time_windows.ts that holds r.time }
 *
 * Sliced, for queries that look at the windows and not at the time: the time becomes the start of its slice, where a slice is the greatest
 * common step of slide and size, so that all windows hold either all of a slice or nothing of it. Rows of the tick that are equal then are
 * added up before they are multiplied by their windows:
 *
 *      time  |--a--b-a-|-a-----b-|     slices  a x 2, b x 1 | a x 1, b x 1     -> size / slide rows for each, not for each input row
 *
 * Linear and stateless. O(input + distinct rows per slice x windows). Kernels do both (kernels/assembly/time_windows.ts). flatmap.ts, row by row in BigInt, is their
 * reference; it does the whole batch where a time is nearly at the end of 64 bits. A time beyond 2^51 keeps its own value when sliced, which only merges less.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { readDatum } from './batch/builder.ts';
import { gatherColumn, gatherWords } from './batch/gather.ts';
import { I32, I64 } from './batch/memory.ts';
import type { Datum } from './datum.ts';
import { defaultContext } from './expr/context.ts';
import type { BoundSetFunction } from './expr/functions/registry.ts';
import type { Expr } from './expr/ir.ts';
import { kernels } from './kernels/index.ts';
import type { Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import { StatelessOperator } from './stateless.ts';
import { timeWindowFunction } from './time_windows.ts';
import type { ColType } from './types.ts';

export interface WindowAssignment {
  cumulate: boolean;
  /** Column of the time. */
  time: number;
  slide: number;
  size: number;
  offset: number;
}

/** 1970-01-01 in microseconds since 2000-01-01. */
const UNIX_EPOCH = -946684800000000;
/** Sizes up to here leave room for the sums that kernels make of them and a time. */
const FAR = 2 ** 51;

/** The assignment that a flatmap node asks for; null when this operator does not do it. */
export function windowAssignment(node: PlanNode & { op: 'flatmap' }): WindowAssignment | null {
  if (timeWindowFunction(node.fn) === null || node.ordinality || node.left) return null;
  const [time, slide, size, offset] = node.args;
  const micros = (e: Expr): number => (e.k === 'const' && typeof e.v === 'bigint' ? Number(e.v) : Number.NaN);
  const sizes = [slide, size, offset].map(micros);
  if (time.k !== 'col' || !sizes.every((n) => Math.abs(n) < FAR)) return null;
  return {
    cumulate: node.fn.startsWith('cumulate('),
    time: time.id,
    slide: sizes[0],
    size: sizes[1],
    offset: sizes[2],
  };
}

function greatestCommonStep(a: number, b: number): number {
  return b === 0 ? a : greatestCommonStep(b, a % b);
}

export class WindowAssignOperator extends StatelessOperator {
  readonly #windows: WindowAssignment;
  readonly #sliced: boolean;
  readonly #types: ColType[];
  readonly #reference: BoundSetFunction;
  readonly #consolidate: (delta: Batch, arena: Arena) => Batch;
  readonly #step: number;
  readonly #origin: bigint;
  readonly #slide: bigint;
  readonly #size: bigint;
  readonly #offset: bigint;

  constructor(windows: WindowAssignment, sliced: boolean, types: ColType[]) {
    super();
    const { cumulate, slide, size, offset } = windows;
    this.#windows = windows;
    this.#origin = BigInt(UNIX_EPOCH + offset);
    this.#slide = BigInt(slide);
    this.#size = BigInt(size);
    this.#offset = BigInt(offset);
    this.#sliced = sliced;
    this.#types = types;
    this.#reference = timeWindowFunction(cumulate ? 'cumulate' : 'hop') as BoundSetFunction;
    this.#consolidate = consolidator(types.slice(0, -2));
    this.#step = cumulate ? slide : greatestCommonStep(slide, size);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const delta = this.#sliced ? this.#slices(inputs[0], tick.arena) : inputs[0];
    const times = delta.columns[this.#windows.time];
    const { cumulate } = this.#windows;
    const args = [times.data, times.valid, delta.n, this.#origin, this.#slide, this.#size, cumulate] as const;
    const near = kernels.countWindows(...args);
    const far = near < 0 ? this.#farWindows(delta, times) : [];
    const total = near < 0 ? far.length : near;
    const rows = tick.arena.alloc(total * 4) >>> 2;
    const starts = tick.arena.alloc(total * 8);
    const ends = tick.arena.alloc(total * 8);
    if (near >= 0) kernels.fillWindows(...args, rows * 4, starts, ends);
    far.forEach(({ row, window: [start, end] }, i) => {
      I32[rows + i] = row;
      I64[starts / 8 + i] = start as bigint;
      I64[ends / 8 + i] = end as bigint;
    });
    const weights = tick.arena.alloc(total * 4);
    gatherWords(delta.weights >>> 2, weights >>> 2, 1, rows, total);
    const [startType, endType] = this.#types.slice(-2);
    return {
      n: total,
      columns: [
        ...delta.columns.map((column) => gatherColumn(column, rows, total, tick.arena)),
        { type: startType, phys: 'i64', data: starts, valid: 0 },
        { type: endType, phys: 'i64', data: ends, valid: 0 },
      ],
      weights,
    };
  }

  /** The delta with slice starts for times, equal rows added up. */
  #slices(input: Batch, arena: Arena): Batch {
    const times = input.columns[this.#windows.time];
    const data = arena.alloc(input.n * 8);
    kernels.sliceTimes(times.data, times.valid, input.n, this.#origin, BigInt(this.#step), data);
    const columns = input.columns.map((c, i): Column => (i === this.#windows.time ? { ...times, data } : c));
    return this.#consolidate({ n: input.n, columns, weights: input.weights }, arena);
  }

  /** The windows of a batch with a time too far out for the kernels. */
  #farWindows(delta: Batch, times: Column): { row: number; window: Datum[] }[] {
    return Array.from({ length: delta.n }, (_, row) => {
      const t = readDatum(times, row);
      if (t === null) return [];
      const windows = this.#reference([t, this.#slide, this.#size, this.#offset], defaultContext());
      return [...windows].map((window) => ({ row, window }));
    }).flat();
  }
}
