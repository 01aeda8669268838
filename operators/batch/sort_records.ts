/**
 * Sorts records (kernels/sort_layout.ts) in steps of a millisecond or two: generators, which yield between two steps.
 *
 *   sorted runs side by side -> merged two by two, by their keys -> those with equal keys by comparing the rows
 */
import { kernels } from '../kernels/index.ts';
import {
  MERGE_A,
  MERGE_A_END,
  MERGE_B,
  MERGE_B_END,
  MERGE_BYTES,
  MERGE_TO,
  RECORD_BYTES,
  RECORD_PIECE,
  RECORD_ROW,
} from '../kernels/sort_layout.ts';
import type { Arena } from './arena.ts';
import { U32 } from './memory.ts';

type Compare = (a: number, b: number) => number;

/** Records that are merged in a step, or looked at for ties. */
const MERGED = 16384;
/** Rows with equal keys that are sorted in a step, and merged. */
const RUN_ROWS = 2048;
const STEP_ROWS = 4096;

/** Merges runs of so many records, which lie side by side at `records`. Gives where the records then are: there, or at `other`, which has room for as many. */
export function* mergedRuns(records: number, runs: number[], other: number, arena: Arena): Generator<void, number> {
  const merge = arena.alloc(MERGE_BYTES);
  const field = (name: number, value: number) => {
    U32[(merge + name) >>> 2] = value;
  };
  let [from, to] = [records, other];
  let lengths = runs;
  let done = 0;
  while (lengths.length > 1) {
    const merged: number[] = [];
    let at = 0;
    for (let run = 0; run < lengths.length; run += 2) {
      const a = lengths[run];
      const b = lengths[run + 1] ?? 0;
      field(MERGE_A, from + at * RECORD_BYTES);
      field(MERGE_A_END, from + (at + a) * RECORD_BYTES);
      field(MERGE_B, from + (at + a) * RECORD_BYTES);
      field(MERGE_B_END, from + (at + a + b) * RECORD_BYTES);
      field(MERGE_TO, to + at * RECORD_BYTES);
      while (kernels.mergeRecords(merge, MERGED) !== 0) yield;
      at += a + b;
      merged.push(a + b);
      done += a + b;
      if (done < MERGED) continue;
      done = 0;
      yield;
    }
    [from, to] = [to, from];
    lengths = merged;
  }
  return from;
}

/** Stretches [i, j) of records with equal keys among sorted records from .. to - 1. Null: nothing, after a step. */
export function* ties(records: number, from: number, to: number): Generator<[number, number] | null> {
  for (let i = from; i < to - 1; ) {
    const stop = Math.min(i + MERGED, to);
    const start = kernels.nextTie(records, i, stop);
    if (start >= stop - 1) {
      i = Math.max(stop - 1, i + 1);
      if (i < to - 1) yield null;
      continue;
    }
    let end = start + 1;
    while (end < to && kernels.nextTie(records, end - 1, end + 1) === end - 1) {
      end++;
      if ((end - start) % MERGED === 0) yield null;
    }
    yield [start, end];
    i = end;
  }
}

/** Puts the rows of records from .. to - 1, whose keys are equal, in order; `compare` knows them by their numbers from 0 on. */
export function* sortTie(records: number, [from, to]: [number, number], compare: Compare): Generator<void> {
  const order = yield* sortedInSteps(to - from, compare);
  const first = (records + from * RECORD_BYTES) >>> 2;
  const rows = new Uint32Array(order.length * 2);
  for (let i = 0; i < order.length; i++) {
    const old = first + (order[i] * RECORD_BYTES) / 4;
    rows[i * 2] = U32[old + RECORD_ROW / 4];
    rows[i * 2 + 1] = U32[old + RECORD_PIECE / 4];
  }
  for (let i = 0; i < order.length; i++) {
    const record = first + (i * RECORD_BYTES) / 4;
    U32[record + RECORD_ROW / 4] = rows[i * 2];
    U32[record + RECORD_PIECE / 4] = rows[i * 2 + 1];
  }
}

/** The numbers 0 .. n - 1 in this order, in steps. */
function* sortedInSteps(n: number, compare: Compare): Generator<void, Uint32Array> {
  let order: Uint32Array = new Uint32Array(n);
  for (let from = 0; from < n; from += RUN_ROWS) {
    const to = Math.min(from + RUN_ROWS, n);
    for (let i = from; i < to; i++) order[i] = i;
    order.subarray(from, to).sort(compare);
    if (to < n) yield;
  }
  let other: Uint32Array = new Uint32Array(n);
  for (let run = RUN_ROWS; run < n; run *= 2) {
    for (let from = 0; from < n; from += run * 2) {
      const middle = Math.min(from + run, n);
      yield* mergeRuns(order, from, middle, Math.min(middle + run, n), other, compare);
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Merges the sorted runs [from, middle) and [middle, to) of `order` into the same stretch of `out`. */
function* mergeRuns(
  order: Uint32Array,
  from: number,
  middle: number,
  to: number,
  out: Uint32Array,
  compare: Compare,
): Generator<void> {
  let a = from;
  let b = middle;
  for (let at = from; at < to; ) {
    const stop = Math.min(at + STEP_ROWS, to);
    for (; at < stop; at++) {
      if (b >= to || (a < middle && compare(order[a], order[b]) <= 0)) out[at] = order[a++];
      else out[at] = order[b++];
    }
    yield;
  }
}
