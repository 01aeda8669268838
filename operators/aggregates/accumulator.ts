/**
 * How one aggregate call keeps its state in a group's slot. Three classes (after Materialize's and DBSP's analyses):
 *
 *   inline      counts, sums and moments of numbers, truth values, bits: fixed bytes in the slot, O(1) a row
 *   decoded     sums that need more than words (of intervals): a value of its own, decoded once per group and tick,
 *               updated for all rows of the tick, encoded back: O(1) a row
 *   multiset    everything else: the group's values in order, O(log n) a row, the result is read from them
 *
 * All are exact under retraction: state after (+r, -r) is the state before.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import type { EvalContext } from '../expr/ir.ts';
import type { Saved } from '../state/saved.ts';

export interface Accumulator {
  /** Bytes in the group's slot, a multiple of 8; all zero is the empty state. */
  readonly bytes: number;
  /** False when equal arguments count once anyway or are dealt with inside: DISTINCT then needs no filter before it. */
  readonly countsDuplicates?: boolean;
  /** True while the slots' bytes are all of the state: free() has nothing to do. */
  readonly inSlot?: boolean;
  /** Names what the slot has where all of the state is found by it: accumulators of one name that take the same rows in keep the same. */
  readonly state?: string;
  /** Fixes the delta whose rows add() takes. */
  begin(delta: Batch): void;
  /** Takes row `row` of the delta in with a weight; the caller has dealt with FILTER. NULL arguments are the accumulator's business. */
  add(state: number, row: number, weight: number): void;
  /** add() for the rows 0 .. n-1 whose weight is not 0; addEach, or a loop of its own. */
  addAll(rows: Rows, n: number): void;
  /** How the kernel takes in the n rows of the delta of begin(), in place of addAll(); without it, or null: it does not. */
  kernelCall?(arena: Arena, n: number): KernelCall | null;
  /** After the kernel: takes in what it left. */
  takeRest?(rows: Rows): void;
  /** Writes the present value into out[column][row]. Throws SqlError when there is none (overflow). `context`: JSON of a time has the session's zone. */
  result(state: number, out: BatchBuilder, column: number, row: number, context: EvalContext): void;
  /** result() of several groups in turn, from row `row` on; resultOfEach, or a loop of its own. */
  resultAll(groups: Groups, out: BatchBuilder, column: number, row: number, context: EvalContext): void;
  /** Gives back what the slot's state owns elsewhere. */
  free(state: number): void;
  endTick(): void;
  /** Rows and bytes outside the slot. */
  size(): { rows: number; bytes: number };
  /** What lies neither in the slot nor in the heap. */
  save(): Saved;
  load(saved: Saved): void;
  release(): void;
}

/** A call as the kernel knows it: its kind (kernels/aggregate_layout.ts), byte addresses of its (first) argument's data and validity, and of the list of rows that it leaves. */
export interface KernelCall {
  kind: number;
  data: number;
  valid: number;
  rest?: number;
  /** The second argument. */
  second?: { data: number; valid: number };
}

/** Rows of a delta: where the state of each row's group lies, and its weight. */
export interface Rows {
  /** Word address of the addresses of the groups' bytes. */
  groups: number;
  /** Byte offset of the accumulator's state in them. */
  offset: number;
  /** Word address of the weights. */
  weights: number;
  /** The tick's. */
  arena: Arena;
}

/** Some groups: the word address of n addresses, and the byte offset of the accumulator's state from each. */
export interface Groups {
  addresses: number;
  n: number;
  offset: number;
}

export function addEach(accumulator: Accumulator, { groups, offset, weights }: Rows, n: number): void {
  for (let row = 0; row < n; row++) {
    const weight = I32[weights + row];
    if (weight !== 0) accumulator.add(U32[groups + row] + offset, row, weight);
  }
}

/** For results that look at no settings. */
export function resultOfEach(
  accumulator: { result(state: number, out: BatchBuilder, column: number, row: number): void },
  { addresses, n, offset }: Groups,
  out: BatchBuilder,
  column: number,
  row: number,
): void {
  for (let i = 0; i < n; i++) accumulator.result(U32[addresses + i] + offset, out, column, row + i);
}
