/**
 * ORDER BY .. LIMIT of a plan that is run once: all rows come before anybody asks which are the first, so none has to be put in its place before.
 *
 *   a piece of the input -> sort keys of 24 bytes -> those up to `last` -> of many the first -> chunk, which is sorted when it is full
 *   twice as many as wanted: `last` becomes less, the rows behind it go                           at the end: the chunks are merged
 *
 *   last: a key up to which there are as many rows as are wanted
 *
 * Cost: that of a row's key, and for those that are kept of a copy and a sort. State: twice the rows that are wanted, and some more.
 * Where keys say little (texts that begin alike) too many rows would be kept: then all goes to the operator of the maintained plan.
 * Rows only come. One that is there less than never (a view that is wrong) is a fault of the server, and said so; nobody can make one by what he writes (docs/decisions/0482).
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch, weightOf } from './batch/builder.ts';
import { U32 } from './batch/memory.ts';
import { slices } from './batch/slice.ts';
import { mergedRuns, sortTie, ties } from './batch/sort_records.ts';
import { kernels } from './kernels/index.ts';
import { RECORD_BYTES, RECORD_PIECE, RECORD_ROW, RECORD_SLACK } from './kernels/sort_layout.ts';
import type { Operator, Tick } from './operator.ts';
import { piecesOf } from './pieces.ts';
import type { PlanNode } from './plan.ts';
import { rowCompare, rowOps } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import { SortKeys } from './state/sort_keys.ts';
import { recordedRows, SortedChunk } from './state/sorted_chunk.ts';

type TopNSpec = PlanNode & { op: 'topn' };

const LEAST_CHUNK = 256;
const GREATEST_CHUNK = 8192;
/** Rows that are kept beyond twice the wanted ones before some go. */
const MORE = 64;
/** Of each chunk, the record after every so many at most is looked at for the new `last`. */
const GREATEST_STEP = 512;
/** Sparse chunks that are made anew with a piece of the input. */
const RENEWED = 4;
/** Rows that go to the other operator at once. */
const HANDED = 1024;

export function isSelection(node: PlanNode): node is TopNSpec {
  if (node.op !== 'topn' || node.limit === null || node.limit === 0) return false;
  return (
    node.order.length > 0 && node.partition.length === 0 && node.rank === 'none' && !node.withTies && !node.keepsBest
  );
}

export class TopSelection implements Operator {
  readonly #spec: TopNSpec;
  readonly #wanted: number;
  readonly #keys: SortKeys;
  readonly #make: () => Operator;
  /** The operator of the maintained plan, where it is needed, and what it has not got yet. */
  #other: Operator | null = null;
  #handed: Iterator<Batch> | null = null;
  #closed: SortedChunk[] = [];
  #open: SortedChunk | null = null;
  readonly #arena = new Arena(1);
  /** Address of the record; 0: none yet. */
  #last = 0;

  /** `make`: of the operator of the maintained plan. */
  constructor(spec: TopNSpec, make: () => Operator) {
    this.#spec = spec;
    this.#wanted = spec.offset + (spec.limit as number);
    this.#keys = new SortKeys(spec.types, spec.order);
    this.#make = make;
  }

  /** For who wants to know at once what changes. */
  step(inputs: Batch[], tick: Tick): Batch {
    this.#other ??= this.#make();
    return this.#other.step(inputs, tick);
  }

  absorb(inputs: Batch[], tick: Tick): void {
    if (this.#other !== null) {
      this.#hand(this.#other, tick);
      this.#give(this.#other, inputs[0], tick);
      return;
    }
    const { arena } = tick;
    const delta = presentRows(inputs[0], arena);
    if (delta.n === 0) return;
    const room = delta.n * RECORD_BYTES + RECORD_SLACK;
    const records = arena.alloc(room);
    let n = delta.n;
    if (this.#last === 0) this.#keys.write(delta, 0, records, arena);
    else n = this.#keys.writeUpTo(delta, this.#last, records, arena);
    if (n > this.#wanted) {
      kernels.sortRun(records, n, arena.alloc(room));
      const last = records + (this.#wanted - 1) * RECORD_BYTES;
      n = kernels.recordsUpTo(records, n, last);
      this.#setLast(last);
    }
    if (n > 0)
      this.#keep(n === delta.n ? recordedAll(delta, records, arena) : recordedRows(delta, records, n, arena), records);
    this.#renew(arena);
    if (this.#kept >= this.#wanted * 2 + MORE) this.#narrow(arena);
  }

  #setLast(record: number): void {
    if (this.#last === 0) this.#last = this.#arena.alloc(RECORD_BYTES);
    kernels.copyBytes(this.#last, record, RECORD_BYTES);
  }

  get #kept(): number {
    return this.#closed.reduce((sum, chunk) => sum + chunk.live, this.#open?.live ?? 0);
  }

  #keep(rows: Batch, records: number): void {
    if (this.#open !== null && this.#open.live + rows.n > this.#open.room) this.#close();
    if (this.#open === null) {
      const room = Math.min(Math.max(this.#wanted * 2, LEAST_CHUNK), GREATEST_CHUNK);
      this.#open = new SortedChunk(this.#spec.types, Math.max(room, rows.n));
    }
    this.#open.append(rows, records);
  }

  #close(): void {
    if (this.#open === null) return;
    this.#open.close();
    this.#closed.push(this.#open);
    this.#open = null;
  }

  /** Finds a lesser `last`, and lets the rows behind it go. */
  #narrow(arena: Arena): void {
    this.#close();
    const step = Math.max(1, Math.min(this.#wanted >>> 4, GREATEST_STEP));
    const marks = this.#closed.reduce((sum, { live }) => sum + Math.floor(live / step), 0);
    const needed = Math.ceil(this.#wanted / step);
    if (marks >= needed) {
      const records = arena.alloc(marks * RECORD_BYTES);
      let to = records;
      for (const chunk of this.#closed) {
        for (let i = step; i <= chunk.live; i += step, to += RECORD_BYTES)
          kernels.copyBytes(to, chunk.records + (i - 1) * RECORD_BYTES, RECORD_BYTES);
      }
      kernels.sortRun(records, marks, arena.alloc(marks * RECORD_BYTES));
      // Each mark has `step` rows of its chunk up to it that are nobody else's.
      this.#setLast(records + (needed - 1) * RECORD_BYTES);
      for (const chunk of this.#closed) chunk.keepUpTo(this.#last);
    }
    if (this.#kept > this.#wanted * 1.5 + MORE) {
      this.#other = this.#make();
      this.#handed = this.#chunksRows();
    } else this.#renew(arena);
  }

  /** Copies what is left of some sparse chunks to where there is room. */
  #renew(arena: Arena): void {
    for (const chunk of this.#closed.filter(({ isSparse }) => isSparse).slice(0, RENEWED)) {
      this.#closed = this.#closed.filter((other) => other !== chunk);
      if (chunk.live > 0) this.#keep(recordedRows(chunk.rows, chunk.records, chunk.live, arena), chunk.records);
      chunk.arena.release();
    }
  }

  /** Lets the other operator have some of the rows that were kept. */
  #hand(other: Operator, tick: Tick): void {
    const next = this.#handed?.next();
    if (next === undefined) return;
    if (next.done === true) this.#handed = null;
    else this.#give(other, next.value, tick);
  }

  #give(other: Operator, rows: Batch, tick: Tick): void {
    if (other.absorb !== undefined) other.absorb([rows], tick);
    else other.step([rows], tick);
  }

  /** All rows that are kept, in pieces, each until the next is asked for. */
  *#chunksRows(): Generator<Batch> {
    const arena = new Arena();
    try {
      for (let chunk = this.#closed.pop(); chunk !== undefined; chunk = this.#closed.pop()) {
        const { rows, records, live } = chunk;
        try {
          const all = recordedRows(rows, records, live, arena);
          yield* slices(all, HANDED);
        } finally {
          chunk.arena.release();
          arena.reset();
        }
      }
    } finally {
      arena.release();
    }
  }

  *integralPieces(tick: Tick, most: number): Iterable<Batch> {
    const other = this.#other;
    if (other === null) {
      const room = { arena: tick.arena, rows: Math.min(this.#wanted, GREATEST_CHUNK) };
      const out = new BatchBuilder(this.#spec.types, room.arena, room.rows);
      yield* piecesOf(out, room, this.#select(out));
      return;
    }
    while (this.#handed !== null) {
      this.#hand(other, tick);
      yield emptyBatch(this.#spec.types);
    }
    if (other.integralPieces !== undefined) yield* other.integralPieces(tick, most);
    else if (other.integral !== undefined) yield other.integral(tick);
  }

  /** Adds the rows that are shown; stops between two steps of the work, for the caller to take them out. */
  *#select(out: BatchBuilder): Iterable<void> {
    this.#close();
    const chunks = this.#closed;
    const n = this.#kept;
    const arena = this.#arena;
    const [made, other] = [arena.alloc(n * RECORD_BYTES), arena.alloc(n * RECORD_BYTES)];
    let at = made;
    for (const [i, chunk] of chunks.entries()) {
      chunk.copyRecords(at, i);
      at += chunk.live * RECORD_BYTES;
      yield;
    }
    const runs = chunks.map(({ live }) => live);
    const records = yield* mergedRuns(made, runs, other, arena);
    const rows = chunks.map((chunk) => chunk.rows);
    yield* this.#breakTies(records, Math.min(n, this.#wanted), n, rows);
    yield* this.#show(records, n, rows, out);
  }

  /** Puts records with equal keys in order, where that makes a difference: of the first `shown` of n. */
  *#breakTies(records: number, shown: number, n: number, rows: Batch[]): Iterable<void> {
    const ops = rowOps(this.#spec.types, 'identity');
    const { stride } = ops.layout;
    const compare = rowCompare(ops.layout, this.#spec.order, true);
    const arena = new Arena();
    let work = 0;
    try {
      for (const tie of ties(records, 0, n)) {
        if (tie !== null) {
          const [from, to] = tie;
          if (from >= shown) return;
          const first = (records + from * RECORD_BYTES) >>> 2;
          const stored = arena.alloc((to - from) * stride);
          for (let i = 0; i < to - from; i++) {
            const record = first + (i * RECORD_BYTES) / 4;
            ops.bind(rows[U32[record + RECORD_PIECE / 4]].columns);
            ops.storeShallow(U32[record + RECORD_ROW / 4], stored + i * stride);
          }
          yield* sortTie(records, tie, (a, b) => compare(stored + a * stride, stored + b * stride));
          arena.reset();
          work += to - from;
          if (work < HANDED) continue;
        }
        work = 0;
        yield;
      }
    } finally {
      arena.release();
    }
  }

  /** Of n records in order the rows that LIMIT and OFFSET leave. */
  *#show(records: number, n: number, rows: Batch[], out: BatchBuilder): Iterable<void> {
    const { offset } = this.#spec;
    let before = 0;
    for (let i = 0; i < n && before < this.#wanted; i++) {
      const record = (records + i * RECORD_BYTES) >>> 2;
      const from = rows[U32[record + RECORD_PIECE / 4]];
      const row = U32[record + RECORD_ROW / 4];
      const end = Math.min(before + weightOf(from, row), this.#wanted);
      if (end > offset) out.copyRow(from, row, end - Math.max(before, offset));
      before = end;
      if (i % GREATEST_CHUNK === GREATEST_CHUNK - 1) yield;
    }
  }

  endTick(): void {
    this.#other?.endTick();
  }

  state() {
    if (this.#other !== null) return this.#other.state();
    const chunks = [...this.#closed, ...(this.#open === null ? [] : [this.#open])];
    return { rows: this.#kept, bytes: chunks.reduce((sum, { arena }) => sum + arena.bytes, 0) };
  }

  save(): Saved {
    throw new Error('a plan that is run once is not saved');
  }

  load(): void {
    throw new Error('a plan that is run once is not saved');
  }

  release(): void {
    this.#close();
    for (const chunk of this.#closed) chunk.arena.release();
    this.#arena.release();
    this.#handed?.return?.();
    this.#other?.release();
  }
}

/** Without rows of weight 0. */
function presentRows(delta: Batch, arena: Arena): Batch {
  if (kernels.allPositive(delta.weights, delta.n) !== 0) return delta;
  const out = new BatchBuilder(
    delta.columns.map((column) => column.type),
    arena,
    delta.n,
  );
  for (let row = 0; row < delta.n; row++) {
    const weight = weightOf(delta, row);
    if (weight < 0) throw new Error('a retraction reached a Top-N that reads once');
    if (weight > 0) out.copyRow(delta, row, weight);
  }
  return out.build();
}

/** The rows of a batch with their records, which may be in another order by now. */
function recordedAll(delta: Batch, records: number, arena: Arena): Batch {
  for (let i = 0; i < delta.n; i++)
    if (U32[(records + i * RECORD_BYTES + RECORD_ROW) >>> 2] !== i) return recordedRows(delta, records, delta.n, arena);
  return delta;
}
