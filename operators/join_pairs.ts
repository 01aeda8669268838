/**
 * The matching pairs of two relations, as a delta: what every join is made of.
 *
 *   d(A x B) = dA x B' + A x dB                       A, B: the indexes before the tick, A', B' after it
 *            = dA x B' + A' x dB - dA x dB            what there is are A' and B': they contain this tick's deltas
 *
 * The first form holds for a delta dA without retractions: its rows stand at the ends of the runs of A', and the rest of a run is A. By
 * symmetry the sides may change places. Otherwise the second form; its pairs of both deltas come twice and are taken off once.
 *
 * A pair matches when its keys are equal (NULL only where the pair of keys is null-safe) and the residual predicate is true. The weight is the
 * product. State: none of its own, two shared indexes. O(|dA| + |dB| + matches). Without keys it is the cross product.
 * In the first tick A' = dA, so dA x B' alone is the answer.
 */
import { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder, emptyBatch, readRow } from './batch/builder.ts';
import { I32, U32 } from './batch/memory.ts';
import { allPositive } from './batch/weight.ts';
import type { Datum } from './datum.ts';
import { TooManyEqualRows } from './errors.ts';
import type { Residual } from './join_residual.ts';
import { type JoinSide, keyColumns, keyIsNull } from './join_side.ts';
import { kernels } from './kernels/index.ts';
import { type PieceRoom, type Tick, tickWith } from './operator.ts';
import { collectPairs } from './passing_pairs.ts';
import { ALL, piecesOf } from './pieces.ts';
import { haveSameBytes } from './state/entry_columns.ts';
import type { PairRows, Pairs } from './state/index_probe.ts';
import type { SlotPlace } from './state/row_layout.ts';
import { RunCursor } from './state/run_blocks.ts';
import { turn } from './turn.ts';
import { type ColType, type Phys, physOf, widthOf } from './types.ts';

/** Of more pairs, those that do not pass a residual predicate are dropped piece by piece, instead of all of them lying in memory first. */
const MANY_PAIRS = 1 << 20;
const PIECE_PAIRS = 1 << 14;
const LOOK_PAIRS = 1 << 12;

/** A delta of side `from` to be looked up in the other side's index; without the rows of `added`, the other side's delta, that stand at the ends of its runs. */
interface Probe {
  from: number;
  delta: Batch;
  added: Batch | null;
  /** Which pairs, for those who find them. */
  readonly rows: PairRows;
  /** What it has found. */
  readonly pairs: Pairs;
}

function noProbe(delta: Batch): Probe {
  return {
    from: 0,
    delta,
    added: null,
    rows: { skipNulls: false, older: false },
    pairs: { n: 0, rows: 0, others: 0, weights: 0 },
  };
}

/** Whether the side's index had all rows of the delta appended. */
function growsOnly(side: JoinSide, delta: Batch): boolean {
  if (!side.index.appends) return false;
  if (side.index.countsAdded) return true;
  if (allPositive(delta.weights, delta.n)) return true;
  const weights = delta.weights >>> 2;
  for (let row = 0; row < delta.n; row++) if (I32[weights + row] < 0) return false;
  return true;
}

/** For each joined column, the column of a delta of side `from` that has it: its own, and the other side's keys, which are equal. -1: none. */
function columnsInDelta(sides: JoinSide[], from: number): number[] {
  const side = sides[from];
  const other = sides[1 - from];
  const own = side.types.map((_, c) => c);
  const others = other.types.map((type, c) => {
    const key = other.keys.indexOf(c);
    return key >= 0 && haveSameBytes(type, side.types[side.keys[key]]) ? side.keys[key] : -1;
  });
  return from === 0 ? [...own, ...others] : [...others, ...own];
}

/** The pairs' values of a column of the delta, from row `first` of `to` on. */
function gatherOwn(from: Column, { n, rows }: Pairs, to: Column, first: number): void {
  const width = widthOf(to.phys);
  kernels.gatherColumn(rows, n, width, from.data, from.valid, to.data + first * width, to.valid + first);
}

function gatherOther(place: SlotPlace | null, { n, others }: Pairs, to: Column, first: number): void {
  if (place === null) throw new Error('a key column that is neither in the delta nor in entries');
  const { offset, width, flag } = place;
  kernels.loadColumn(others, n, offset, width, flag, to.data + first * width, to.valid + first);
}

export class JoinPairs {
  readonly sides: JoinSide[];
  readonly residual: Residual | null;
  /** Of a joined row. */
  readonly #types: ColType[];
  readonly #phys: Phys[];
  readonly #widths: number[];
  readonly #nothing: Batch;
  /** The delta of joins that go by kernels, and the probes of a tick, of which there are at most two: the same objects in each. */
  readonly #out: Batch;
  readonly #probes: Probe[];
  #count = 0;
  /** Pairs of the two deltas come twice. */
  #both = false;
  /** By the side that probes: columnsInDelta(). */
  readonly #inDelta: number[][];

  constructor(sides: JoinSide[], residual: Residual | null) {
    this.sides = sides;
    this.residual = residual;
    this.#types = sides.flatMap((side) => side.types);
    this.#phys = this.#types.map((type) => physOf(type.oid));
    this.#widths = this.#phys.map(widthOf);
    this.#nothing = emptyBatch(this.#types);
    this.#out = emptyBatch(this.#types);
    this.#probes = [noProbe(this.#nothing), noProbe(this.#nothing)];
    this.#inDelta = [columnsInDelta(sides, 0), columnsInDelta(sides, 1)];
  }

  /** The delta of the joined rows. */
  delta(inputs: Batch[], tick: Tick): Batch {
    this.#plan(inputs[0], inputs[1], tick);
    if (!this.#both && this.#allByKernels()) return this.#columnsOf(tick);
    const out = new BatchBuilder(this.#types, tick.arena, inputs[0].n + inputs[1].n);
    this.emit(inputs, out, tick);
    return out.build();
  }

  /** Adds the delta of the joined rows to `out`. */
  emit(inputs: Batch[], out: BatchBuilder, tick: Tick): void {
    this.#plan(inputs[0], inputs[1], tick);
    for (let i = 0; i < this.#count; i++) {
      const probe = this.#probes[i];
      if (this.#byKernels(probe)) this.#probeAll(probe, out, tick);
      else for (const _ of this.#probeRows(probe, out, tick, tick.arena, ALL));
    }
    if (this.#both) for (const _ of this.#subtractBoth(inputs[0], inputs[1], out, tick, tick.arena, ALL));
  }

  /** delta() in pieces, made of so many pairs; the parts of a tick that cancel may be in several of them. */
  *pieces(inputs: Batch[], tick: Tick, into: PieceRoom): Iterable<Batch> {
    const [left, right] = inputs;
    const inPiece = tickWith(tick, into.arena);
    const out = new BatchBuilder(this.#types, tick.arena, 1);
    this.#plan(left, right, tick);
    for (let i = 0; i < this.#count; i++) {
      const probe = this.#probes[i];
      if (this.#byKernels(probe)) yield* this.#probePieces(probe, tick, into);
      else {
        out.begin(into.arena, into.rows);
        yield* piecesOf(out, into, this.#probeRows(probe, out, inPiece, tick.arena, into.rows));
      }
    }
    if (!this.#both) return;
    out.begin(into.arena, into.rows);
    yield* piecesOf(out, into, this.#subtractBoth(left, right, out, inPiece, tick.arena, into.rows));
  }

  /** Says what is to be looked up. */
  #plan(left: Batch, right: Batch, tick: Tick): void {
    this.#count = 0;
    this.#both = false;
    if (tick.first || left.n === 0 || right.n === 0) {
      if (left.n > 0) this.#add(0, left, null);
      else if (!tick.first && right.n > 0) this.#add(1, right, null);
      return;
    }
    const [a, b] = this.sides;
    const leftGrows = growsOnly(a, left);
    const rightGrows = growsOnly(b, right);
    if (rightGrows && (!leftGrows || right.n < left.n)) {
      this.#add(1, right, null);
      this.#add(0, left, right);
      return;
    }
    this.#add(0, left, null);
    this.#add(1, right, leftGrows ? left : null);
    this.#both = !leftGrows;
  }

  #add(from: number, delta: Batch, added: Batch | null): void {
    const probe = this.#probes[this.#count++];
    probe.from = from;
    probe.delta = delta;
    probe.added = added;
  }

  #allByKernels(): boolean {
    for (let i = 0; i < this.#count; i++) if (!this.#byKernels(this.#probes[i])) return false;
    return true;
  }

  #byKernels({ from, added }: Probe): boolean {
    const side = this.sides[from];
    const strict = side.strictKeys.length;
    return (strict === 0 || strict === side.keys.length) && (added === null || this.sides[1 - from].index.countsAdded);
  }

  /** The rows of probes that go by kernels: all pairs first, then the columns as long as they must be. */
  #columnsOf(tick: Tick): Batch {
    let n = 0;
    /** The only probe that found any; null: both did. */
    let only: Probe | null = null;
    for (let i = 0; i < this.#count; i++) {
      const probe = this.#probes[i];
      this.#find(probe, tick);
      if (probe.pairs.n === 0) continue;
      only = n === 0 ? probe : null;
      n += probe.pairs.n;
    }
    if (n === 0) return this.#nothing;
    const { arena } = tick;
    const out = this.#out;
    out.n = n;
    if (only !== null) {
      this.#columnsOfOne(only, out, arena);
      return out;
    }
    for (let c = 0; c < this.#types.length; c++) {
      const column = out.columns[c];
      column.data = arena.alloc(n * this.#widths[c]);
      column.valid = arena.alloc(n);
    }
    out.weights = arena.alloc(n * 4);
    let first = 0;
    for (let i = 0; i < this.#count; i++) {
      const { pairs } = this.#probes[i];
      this.#gather(this.#probes[i], out.columns, first);
      kernels.copyBytes(out.weights + first * 4, pairs.weights, pairs.n * 4);
      first += pairs.n;
    }
    return out;
  }

  /** Where each row of the delta has its one pair, its columns are the result's: most joins with a table of names are so. */
  #columnsOfOne(probe: Probe, out: Batch, arena: Arena): void {
    const { from, delta, pairs } = probe;
    const { n } = pairs;
    const isWhole = n === delta.n && kernels.inOrder(pairs.rows, n) !== 0;
    for (let c = 0; c < this.#types.length; c++) {
      const column = out.columns[c];
      const at = this.#inDelta[from][c];
      const own = at < 0 ? null : delta.columns[at];
      if (isWhole && own !== null) {
        column.data = own.data;
        column.valid = own.valid;
        continue;
      }
      column.data = arena.alloc(n * this.#widths[c]);
      column.valid = own !== null && own.valid === 0 ? 0 : arena.alloc(n);
      this.#gatherColumn(probe, c, column, 0);
    }
    out.weights = pairs.weights;
  }

  /** A probe by kernels: its pairs' columns are added to `out`. */
  #probeAll(probe: Probe, out: BatchBuilder, tick: Tick): void {
    this.#find(probe, tick);
    const { pairs } = probe;
    if (pairs.n === 0) return;
    const first = out.addRows(pairs.n, 1);
    kernels.copyBytes(out.weights + first * 4, pairs.weights, pairs.n * 4);
    this.#gather(probe, out.columns, first);
  }

  #gather(probe: Probe, columns: Column[], first: number): void {
    for (let c = 0; c < columns.length; c++) this.#gatherColumn(probe, c, columns[c], first);
  }

  /** The pairs' values of the joined column c, from row `first` of `to` on. */
  #gatherColumn({ from, delta, pairs }: Probe, c: number, to: Column, first: number): void {
    const own = this.#inDelta[from][c];
    const other = this.sides[1 - from];
    if (own >= 0) gatherOwn(delta.columns[own], pairs, to, first);
    else gatherOther(other.index.places[c - other.at], pairs, to, first);
  }

  /** The slots of the keys of a probe's rows in the other side's index: their byte address. */
  #slotsOf({ from, delta }: Probe, arena: Arena): number {
    const side = this.sides[from];
    const { index } = this.sides[1 - from];
    const { n, weights } = delta;
    index.bindKeys(keyColumns(side, delta), arena);
    return index.seekAll({ n, weights, skipNulls: side.strictKeys.length > 0 }) * 4;
  }

  /** A probe by kernels, in pieces of so many pairs, of which those that pass are given. */
  *#probePieces(probe: Probe, tick: Tick, room: PieceRoom): Iterable<Batch> {
    const { pairs } = probe;
    for (const _ of this.#nextPairs(probe, this.#slotsOf(probe, tick.arena), tick, room)) {
      this.#out.n = pairs.n;
      if (pairs.n > 0) this.#columnsOfOne(probe, this.#out, room.arena);
      yield this.#out;
    }
  }

  /** Finds a probe's next pairs that pass, of so many each time; they lie in the room's arena. */
  *#nextPairs(probe: Probe, slots: number, tick: Tick, { arena, rows: most }: PieceRoom): Iterable<void> {
    const { from, delta, added, pairs } = probe;
    const { payloadOffset, entryStride, weightOffset } = this.sides[1 - from].index;
    const { n, weights } = delta;
    const place = tick.arena.allocZeroed(8);
    const inPiece = tickWith(tick, arena);
    while (U32[place >>> 2] < n) {
      pairs.rows = arena.alloc(most * 4);
      pairs.others = arena.alloc(most * 4);
      pairs.weights = arena.alloc(most * 4);
      pairs.n = kernels.nextPairs(
        slots,
        weights,
        n,
        payloadOffset,
        entryStride,
        weightOffset,
        added !== null,
        place,
        most,
        pairs.rows,
        pairs.others,
        pairs.weights,
      );
      if (pairs.n < 0) throw new TooManyEqualRows();
      if (this.residual !== null && pairs.n > 0) this.#keepPassing(this.residual, probe, inPiece);
      yield;
    }
  }

  /** The pairs of a probe that pass. */
  #find(probe: Probe, tick: Tick): void {
    const { from, delta, added, pairs, rows } = probe;
    const side = this.sides[from];
    rows.skipNulls = side.strictKeys.length > 0;
    rows.older = added !== null;
    const { index } = this.sides[1 - from];
    const isFit = index.pairsOfFew(delta, side.keys, rows, pairs, tick.arena);
    if (isFit === null) {
      this.#findMany(probe, tick);
      return;
    }
    if (!isFit) throw new TooManyEqualRows();
    if (this.residual !== null && pairs.n > 0) this.#keepPassing(this.residual, probe, tick);
  }

  /** Slots of all rows, then what is in them. */
  #findMany(probe: Probe, tick: Tick): void {
    const { from, delta, added, pairs } = probe;
    const { arena } = tick;
    const { payloadOffset, entryStride, weightOffset } = this.sides[1 - from].index;
    const { n, weights } = delta;
    const older = added !== null;
    const slots = this.#slotsOf(probe, arena);
    const total = kernels.countPairs(slots, n, payloadOffset, older);
    pairs.n = total;
    if (total === 0) return;
    if (this.residual !== null && total > MANY_PAIRS) {
      this.#findPassing(probe, slots, tick);
      return;
    }
    pairs.rows = arena.alloc(total * 4);
    pairs.others = arena.alloc(total * 4);
    pairs.weights = arena.alloc(total * 4);
    const fits = kernels.expandPairs(
      slots,
      weights,
      n,
      payloadOffset,
      entryStride,
      weightOffset,
      older,
      pairs.rows,
      pairs.others,
      pairs.weights,
    );
    if (fits === 0) throw new TooManyEqualRows();
    if (this.residual !== null) this.#keepPassing(this.residual, probe, tick);
  }

  #findPassing(probe: Probe, slots: number, tick: Tick): void {
    const scratch = new Arena();
    try {
      const pieces = this.#nextPairs(probe, slots, tick, { arena: scratch, rows: PIECE_PAIRS });
      collectPairs(probe.pairs, pieces, scratch, tick.arena);
    } finally {
      scratch.release();
    }
  }

  /** Drops the pairs for which the residual predicate is not true. Only the columns that it reads are looked up. */
  #keepPassing(residual: Residual, probe: Probe, tick: Tick): void {
    const { arena } = tick;
    const { pairs } = probe;
    const phys = this.#phys;
    const valid = arena.allocZeroed(pairs.n);
    const columns = this.#types.map((type, c): Column => ({ type, phys: phys[c], data: 0, valid }));
    for (const c of residual.columns) {
      const column = columns[c];
      column.data = arena.alloc(pairs.n * widthOf(column.phys));
      column.valid = arena.alloc(pairs.n);
      this.#gatherColumn(probe, c, column, 0);
    }
    residual.keepPassing(columns, pairs, tick, (row, address) => this.#whole(probe, row, address, arena));
  }

  /** The joined row of a row of the delta and a row of the other side's index. */
  #whole(probe: Probe, row: number, address: number, arena: Arena): Datum[] {
    const one = new BatchBuilder(this.#types, arena, 1);
    one.addRow(1);
    const at: Pairs = { n: 1, rows: arena.alloc(4), others: arena.alloc(4), weights: 0 };
    I32[at.rows >>> 2] = row;
    I32[at.others >>> 2] = address;
    this.#gather({ ...probe, pairs: at }, one.columns, 0);
    return readRow(one.build(), 0);
  }

  /** A probe row by row; stops when `out` has `most` rows, for the caller to take them out. What it needs of the delta lies in `arena`. */
  *#probeRows(
    { from, delta, added: news }: Probe,
    out: BatchBuilder,
    tick: Tick,
    arena: Arena,
    most: number,
  ): Iterable<void> {
    const side = this.sides[from];
    const other = this.sides[1 - from];
    const added = news === null ? null : other.grouped;
    if (news !== null) other.grouped.build(news, arena);
    const { index } = other;
    const { weightOffset } = index;
    const cursor = new RunCursor();
    const own = out.columns.slice(side.at, side.at + side.types.length);
    const others = out.columns.slice(other.at, other.at + other.types.length);
    const keys = keyColumns(side, delta);
    index.bindKeys(keys, arena);
    added?.bindKeys(keys);
    side.copy.bind(delta.columns);
    const weights = delta.weights >>> 2;
    let made = 0;
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || keyIsNull(side, delta, row)) continue;
      const slot = index.seek(row);
      if (slot === 0) continue;
      const group = added === null ? -1 : added.find(row);
      const newer = added !== null && group >= 0 ? added.count[group] : 0;
      for (let at = cursor.begin(index, slot, newer); at !== 0; at = cursor.next()) {
        const product = weight * I32[(at + weightOffset) >>> 2];
        const to = out.addRow(product);
        side.copy.copy(row, own, to);
        index.loadRow(slot, at, others, to);
        if (this.residual !== null && !this.residual.passes(out.columns, to, product, tick)) out.n = to;
        made++;
        if (made % LOOK_PAIRS === 0) turn.look();
        if (made % most !== 0) continue;
        yield;
        // Another reader of the index may have bound its own meanwhile.
        index.bindKeys(keys, arena);
      }
    }
  }

  /** Pairs of the two deltas were counted twice. In pieces as #probeRows(). */
  *#subtractBoth(left: Batch, right: Batch, out: BatchBuilder, tick: Tick, arena: Arena, most: number): Iterable<void> {
    let made = 0;
    const [a, b] = this.sides;
    const own = out.columns.slice(0, b.at);
    const others = out.columns.slice(b.at);
    b.grouped.build(right, arena);
    b.grouped.bindKeys(keyColumns(a, left));
    a.copy.bind(left.columns);
    b.copy.bind(right.columns);
    const weights = left.weights >>> 2;
    const otherWeights = right.weights >>> 2;
    for (let row = 0; row < left.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || keyIsNull(a, left, row)) continue;
      const group = b.grouped.find(row);
      if (group < 0) continue;
      for (let other = b.grouped.first[group]; other >= 0; other = b.grouped.next(other)) {
        const product = -weight * I32[otherWeights + other];
        if (product === 0) continue;
        const to = out.addRow(product);
        a.copy.copy(row, own, to);
        b.copy.copy(other, others, to);
        if (this.residual !== null && !this.residual.passes(out.columns, to, product, tick)) out.n = to;
        made++;
        if (made % LOOK_PAIRS === 0) turn.look();
        if (made % most === 0) yield;
      }
    }
  }
}
