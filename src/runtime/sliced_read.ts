/**
 * A long ad hoc read in slices: the plan's operators are fed piece by piece, and between two pieces ticks and other clients go on.
 *
 *   small inputs (catalogs, index lookups)  ->  streams' histories  ->  scans of stored relations  ->  sort, result
 *
 * Everything is read as of one tick (relation_scan.ts). What a part of the rows comes to is not seen (operators/piecewise.ts); inputs that outer, semi and anti joins look
 * up come first, so that little is put out and taken back.
 *
 * The source of a statement that changes rows is read the same way, so it needs memory for what it finds, not for the whole table; without leaving the present tick only where it was overtaken before (source_rows.ts).
 *
 * A piece that a join or generate_series() makes many rows of lets others have their turn in the middle too: what it reads is copied out first.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { detach } from '../../operators/batch/detach.ts';
import { ownPayloads } from '../../operators/batch/payloads.ts';
import { RowPieces } from '../../operators/batch/row_pieces.ts';
import { slices } from '../../operators/batch/slice.ts';
import { repeatRows, sortedPieces } from '../../operators/batch/sort.ts';
import { callsOut } from '../../operators/calls_out.ts';
import type { RelationRows } from '../../operators/dataflow.ts';
import { Piecewise } from '../../operators/piecewise.ts';
import type { DataflowPlan, Lookup, SortKey } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import { mostRows, stepsInPieces } from './most_rows.ts';
import { PieceSize } from './piece_size.ts';
import { ReadTurns } from './read_turns.ts';
import { isServed, lookupRows, type Reader, type ReadPieces, systemRows, tickOf } from './reads.ts';
import { RecordCounts } from './record_counts.ts';
import type { RelationScan } from './relation_scan.ts';
import type { StoredRelation } from './stored_relation.ts';
import type { StreamRuntime } from './stream.ts';
import type { HistoryPiece } from './stream_history.ts';
import { replay } from './stream_replay.ts';

/** Reads of fewer rows are done at once, if they make no more of them than FEW_MADE. */
const FEW_ROWS = 4096;
const FEW_MADE = 1 << 16;
const LEAST_PIECE = 16;
const GREATEST_PIECE = 16384;
/** Of pieces whose long values are copied out: they take memory beside that of the rows. */
const GREATEST_COPIED = 2048;
/** Most rows of the result that are gone through between two pauses. */
const RESULT_ROWS = 8192;

/** True when the plan reads a stream: its history is read again from the source. */
export function readsStream(plan: DataflowPlan, { loop, sources }: Reader): boolean {
  return plan.nodes.some(
    (node) => node.op === 'source' && !loop.relations.has(node.relation) && sources.stream(node.relation) !== undefined,
  );
}

/** True when the read may take long and can be cut into pieces. Streams are always read in pieces. */
export function isLongRead(plan: DataflowPlan, reader: Reader): boolean {
  return (
    readsStream(plan, reader) ||
    scannedRows(plan, reader) > FEW_ROWS ||
    scansDisk(plan, reader) ||
    mostRows(plan, (relation) => reader.loop.relations.get(relation)?.rows) > FEW_MADE ||
    plan.nodes.some(callsOut)
  );
}

/** How many rows of stored relations the plan reads without an index. */
export function scannedRows(plan: DataflowPlan, reader: Reader): number {
  return scanned(plan, reader).reduce((rows, stored) => rows + stored.rows, 0);
}

/** Whether some of these rows are on disk: few of them may be more than memory has room for. */
function scansDisk(plan: DataflowPlan, reader: Reader): boolean {
  return scanned(plan, reader).some((stored) => stored.hasRowsOnDisk);
}

function scanned(plan: DataflowPlan, reader: Reader): StoredRelation[] {
  return plan.nodes.flatMap((node) => {
    if (node.op !== 'source') return [];
    if (node.lookup !== undefined && isServed(node.relation, node.lookup, reader)) return [];
    return reader.loop.relations.get(node.relation) ?? [];
  });
}

export async function readInSlices(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  reader: Reader,
  signal: AbortSignal | null,
): Promise<ReadPieces> {
  const read = new SlicedRead(plan, reader, signal);
  try {
    await read.feed();
    return await read.result(width, order);
  } catch (error) {
    read.kept.release();
    throw error;
  } finally {
    read.close();
  }
}

/** The same of a long read without streams, at once. */
export function readInPieces(plan: DataflowPlan, width: number, reader: Reader): ReadPieces {
  const read = new SlicedRead(plan, reader, null);
  try {
    read.feedNow();
    return read.resultNow(width);
  } catch (error) {
    read.kept.release();
    throw error;
  } finally {
    read.close();
  }
}

class SlicedRead {
  /** Holds the result. */
  readonly kept = new Arena();
  readonly #reader: Reader;
  readonly #turns: ReadTurns;
  readonly #dataflow: Piecewise;
  readonly #scratch = new Arena();
  /** Others may have their turn in the middle of a step. */
  readonly #pauses: boolean;
  readonly #out: RowPieces;
  readonly #scans = new Map<number, RelationScan>();
  /** Lookups that an index served when the read began: relation and key columns. */
  readonly #served = new Set<Lookup>();
  /** What was accepted of each stream when the read began. */
  readonly #streams: {
    stream: StreamRuntime;
    columns: number[];
    history: HistoryPiece[];
    counts: Map<number, number | null>;
  }[];

  constructor(plan: DataflowPlan, reader: Reader, signal: AbortSignal | null) {
    this.#reader = reader;
    this.#turns = new ReadTurns(signal);
    this.#dataflow = new Piecewise(plan);
    this.#pauses = plan.nodes.some(stepsInPieces);
    this.#out = new RowPieces(plan.nodes[plan.root].types, this.kept);
    this.#openScans(plan, reader);
    for (const node of plan.nodes) {
      if (node.op !== 'source' || node.lookup === undefined) continue;
      if (isServed(node.relation, node.lookup, reader)) this.#served.add(node.lookup);
    }
    this.#streams = streamSources(plan, reader);
  }

  /** All or none: who has no read cannot close what it has opened. */
  #openScans(plan: DataflowPlan, { loop, transaction }: Reader): void {
    try {
      for (const relation of feedOrder(plan, (oid) => loop.relations.get(oid)?.rows ?? 0)) {
        const stored = loop.relations.get(relation);
        if (stored !== undefined) this.#scans.set(relation, stored.scan(transaction.corrections(relation)));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async feed(): Promise<void> {
    await this.#turns.through(this.#stepSmall());
    for (const { stream, columns, history, counts } of this.#streams) {
      const found = new RecordCounts();
      for (const entry of history) await this.#feedStream(stream, columns, entry, found);
      found.check(`stream "${stream.relation.name}"`, counts);
    }
    await this.#turns.through(this.#scanned());
    await this.#turns.through(this.#rest());
  }

  feedNow(): void {
    for (const steps of [this.#stepSmall(), this.#scanned(), this.#rest()]) for (const _ of steps) turn.look();
  }

  /** Feeds the scans, a piece before each turn of the caller's. */
  *#scanned(): Iterable<void> {
    const rest = new Set(this.#scans.keys());
    for (const [relation, scan] of this.#scans) {
      this.#dataflow.expect(rest);
      rest.delete(relation);
      const size = new PieceSize(LEAST_PIECE, this.#pauses ? GREATEST_COPIED : GREATEST_PIECE);
      while (this.#dataflow.needs(relation)) {
        size.begin();
        const piece = scan.next(size.rows, this.#scratch);
        if (piece === null) break;
        if (this.#pauses) ownLongValues(piece, this.#scratch);
        const rows: RelationRows = (r, lookup) => (r === relation && !this.#isServed(lookup) ? piece : null);
        for (const _ of this.#step(rows, this.#scratch)) {
          size.pause();
          yield;
          size.goOn();
        }
        this.#scratch.reset();
        size.end();
      }
    }
  }

  /** What the input comes to, when all of it is there. */
  *#rest(): Iterable<void> {
    for (const out of this.#dataflow.rest(tickOf(this.#reader, this.#scratch))) {
      this.#out.append(out);
      yield;
    }
  }

  /** Inputs that are there at once: all are taken before the step, in which others may have their turn. */
  *#stepSmall(): Iterable<void> {
    const { loop, sources, context } = this.#reader;
    const cache = new Map<number, Batch>();
    const arena = new Arena();
    try {
      const rows = new Map<unknown, Batch | null>();
      for (const node of this.#dataflow.plan.nodes) {
        if (node.op !== 'source' || rows.has(node.lookup ?? node.relation)) continue;
        const { relation, lookup } = node;
        let found: Batch | null = null;
        if (loop.relations.has(relation)) found = this.#lookedUp(relation, lookup, arena);
        else if (sources.stream(relation) === undefined) found = systemRows(relation, sources, context, arena, cache);
        rows.set(lookup ?? relation, this.#owned(found, arena));
      }
      yield* this.#step((relation, lookup) => rows.get(lookup ?? relation) ?? null, arena);
    } finally {
      arena.release();
    }
  }

  #lookedUp(relation: number, lookup: Parameters<RelationRows>[1], arena: Arena): Batch | null {
    return lookup !== undefined && this.#isServed(lookup) ? lookupRows(relation, lookup, this.#reader, arena) : null;
  }

  /** Ticks to come may give the memory of long values back: a step that lets others have their turn needs its own. */
  #owned(rows: Batch | null, arena: Arena): Batch | null {
    return rows === null || !this.#pauses ? rows : detach(rows, arena);
  }

  /** True for a source that an index serves: #stepSmall has fed it. */
  #isServed(lookup: Lookup | undefined): boolean {
    return lookup !== undefined && this.#served.has(lookup);
  }

  async #feedStream(
    stream: StreamRuntime,
    columns: number[],
    entry: HistoryPiece,
    counts: RecordCounts,
  ): Promise<void> {
    let arena = new Arena();
    try {
      for await (const batch of replay(stream, entry, columns, () => arena, counts)) {
        await this.#turns.through(this.#step((r) => (r === stream.oid ? batch : null), arena));
        arena.release();
        arena = new Arena();
      }
    } finally {
      arena.release();
    }
  }

  /** A step, with the caller's turns in it; until it has ended, all that it reads has to stay. */
  *#step(rows: RelationRows, arena: Arena): Iterable<void> {
    for (const out of this.#dataflow.steps(rows, tickOf(this.#reader, arena))) {
      this.#out.append(out);
      yield;
    }
  }

  /** The rows in order, each as often as its weight says. */
  async result(width: number, order: SortKey[]): Promise<ReadPieces> {
    const { kept } = this;
    const pause = () => this.#turns.pause();
    const pieces = this.#net();
    await pause();
    if (order.length > 0) {
      const arenas = { scratch: this.#scratch, kept };
      return { pieces: await sortedPieces(pieces, order, width, arenas, pause), arena: kept };
    }
    const repeated: Batch[] = [];
    for (const piece of pieces) {
      repeated.push(repeatRows(piece, width, kept));
      await pause();
    }
    return { pieces: repeated, arena: kept };
  }

  resultNow(width: number): ReadPieces {
    return { pieces: this.#net().map((piece) => repeatRows(piece, width, this.kept)), arena: this.kept };
  }

  /** What was put out and taken back again cancels; a result without retractions needs no such pass. */
  #net(): Batch[] {
    return this.#out.netPieces(this.kept).flatMap((piece) => [...slices(piece, RESULT_ROWS)]);
  }

  close(): void {
    for (const scan of this.#scans.values()) scan.close();
    this.#dataflow.release();
    this.#scratch.release();
  }
}

/** Long values of a scan's piece, whose columns lie in the arena, are brought there too. */
export function ownLongValues({ columns, n }: Batch, arena: Arena): void {
  for (const { phys, data, valid } of columns) ownPayloads(phys, data, valid, n, arena);
}

/** Relations of the plan's sources, those first that joins look up for the rows of their other side; of inner joins, whose rows are looked up either way, the smaller side. */
export function feedOrder(plan: DataflowPlan, rowsOf: (relation: number) => number = () => 0): number[] {
  const found = new Set<number>();
  const seen = new Set<number>();
  const rows: number[] = [];
  for (const node of plan.nodes) {
    const own = node.op === 'source' ? rowsOf(node.relation) : 0;
    rows.push(node.inputs.reduce((sum, input) => sum + rows[input], own));
  }
  const visit = (at: number): void => {
    if (seen.has(at)) return;
    seen.add(at);
    const node = plan.nodes[at];
    if (node.op === 'source') {
      found.add(node.relation);
      return;
    }
    const rightFirst = (node.op === 'join' && node.kind !== 'right') || node.op === 'asof';
    const inOrder = rightFirst ? [...node.inputs].reverse() : [...node.inputs];
    if (node.op === 'join' && node.kind === 'inner') inOrder.sort((a, b) => rows[a] - rows[b]);
    for (const input of inOrder) visit(input);
  };
  visit(plan.root);
  for (const node of plan.nodes) if (node.op === 'source') found.add(node.relation);
  return [...found];
}

function streamSources(plan: DataflowPlan, { loop, sources }: Reader) {
  const needed = new Map<StreamRuntime, Set<number>>();
  for (const node of plan.nodes) {
    if (node.op !== 'source' || loop.relations.has(node.relation)) continue;
    const stream = sources.stream(node.relation);
    if (stream === undefined) continue;
    const columns = needed.get(stream) ?? new Set<number>();
    for (const c of node.columns) columns.add(c);
    needed.set(stream, columns);
  }
  return [...needed].map(([stream, columns]) => ({
    stream,
    columns: [...columns],
    history: stream.history.pieces(),
    counts: stream.history.counts(),
  }));
}
