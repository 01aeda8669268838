/**
 * A long ad hoc read whose rows leave as they are found: nothing above the scans of its relations keeps, numbers or orders rows, so what the plan gives
 * for a piece is a piece of the result. The client takes the first rows while the last are still to be read, and the result is never whole in
 * memory.
 *
 *   scan -> piece of rows -> map, union, flatmap -> copied into one of AHEAD arenas -> chunk
 *   constants, after the last piece --^
 *
 * A flatmap may make many rows of few (generate_series), so what it makes comes in pieces, too. So does a recursion, after the last piece: one without an end gives a cursor its rows as they are fetched.
 *
 * A LIMIT or OFFSET without an order counts them on their way out: which rows it takes is not said.
 *
 * All pieces are of one tick (relation_scan.ts). A failing row fails the statement when it is reached, after the rows before it, as in PostgreSQL.
 * While a client is slow the scan costs what ticks change of the rows that it has not reached.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { emptyBatch } from '../../operators/batch/builder.ts';
import { detach } from '../../operators/batch/detach.ts';
import { repeatRows } from '../../operators/batch/sort.ts';
import type { RelationRows } from '../../operators/dataflow.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { Piecewise } from '../../operators/piecewise.ts';
import type { DataflowPlan, PlanOp } from '../../operators/plan.ts';
import { Interrupted, turn } from '../../operators/turn.ts';
import type { PhysicalQuery } from '../../planner/physical/index.ts';
import type { RowChunk, RowStream } from '../engine.ts';
import { stepsInPieces } from './most_rows.ts';
import { ReadTurns } from './read_turns.ts';
import { type Reader, tickOf } from './reads.ts';
import type { RelationScan } from './relation_scan.ts';
import { takesValues } from './sequence_calls.ts';
import { ownLongValues } from './sliced_read.ts';

/** A recursion runs when all of its input is there, and takes nothing back of what it has put out. */
const PIECEWISE = new Set<PlanOp>(['constant', 'source', 'map', 'union', 'flatmap', 'recursive']);

/** A piece is some 1.5 ms of work: a tick waits for it (docs/decisions/0281). */
const ROWS_A_PIECE = 4096;
/** The first piece of a read of which few rows are wanted; each one after it is twice as long. */
const FEWEST_ROWS_A_PIECE = 256;
/** Chunks that are valid at a time. */
const AHEAD = 3;

/** Of a long read; null when what it gives for pieces is not its result in pieces. */
export function streamedRead(
  { plan, columns, order }: PhysicalQuery,
  reader: Reader,
  signal: AbortSignal,
): RowStream | null {
  // Values of sequences must be on the disk before the client has them: all are there before the first is sent.
  if (order.length > 0 || takesValues(plan)) return null;
  const { below, offset, limit } = withoutLimit(plan);
  if (!isPiecewise(below, reader)) return null;
  return new StreamedRead(below, { width: columns.length, offset, limit }, reader, signal);
}

/** The plan below a LIMIT that asks for no order. */
function withoutLimit(plan: DataflowPlan): { below: DataflowPlan; offset: number; limit: number } {
  const { nodes, root } = plan;
  const node = nodes[root];
  const counts =
    node.op === 'topn' &&
    root === nodes.length - 1 &&
    node.order.length + node.partition.length === 0 &&
    node.rank === 'none' &&
    !node.withTies;
  if (!counts) return { below: plan, offset: 0, limit: Number.POSITIVE_INFINITY };
  const below = { ...plan, nodes: nodes.slice(0, root), root: node.inputs[0] };
  return { below, offset: node.offset, limit: node.limit ?? Number.POSITIVE_INFINITY };
}

/** Rows that are there a negative number of times would have to be brought together with their equals. */
function isPiecewise({ nodes }: DataflowPlan, { loop, transaction }: Reader): boolean {
  return nodes.every((node) => {
    if (node.op !== 'source') return PIECEWISE.has(node.op);
    const stored = loop.relations.get(node.relation);
    if (stored === undefined || node.lookup !== undefined) return false;
    return stored.store.negative === 0 && !transaction.corrects(node.relation);
  });
}

class StreamedRead implements RowStream {
  readonly ahead = AHEAD - 1;
  readonly #reader: Reader;
  readonly #width: number;
  readonly #signal: AbortSignal;
  readonly #turns: ReadTurns;
  readonly #dataflow: Piecewise;
  readonly #scans: { relation: number; scan: RelationScan }[];
  /** What constants come to has begun: the end. */
  #isLast = false;
  /** For what a step reads, and for what is shown of it. */
  readonly #scratch = new Arena();
  readonly #shown = new Arena();
  /** What a step gives, in pieces. */
  #step: Iterator<Batch> | null = null;
  /** A step may give many rows of few: others have their turn while it still reads its piece. */
  readonly #pauses: boolean;
  readonly #arenas = Array.from({ length: AHEAD }, () => new Arena());
  /** Pieces that had rows. */
  #given = 0;
  /** Rows to be left out, and rows to be given after them. */
  #offset: number;
  #limit: number;
  #pieceRows: number;
  /** What is left of the last piece. */
  #rest: RowChunk | null = null;
  #over = false;
  readonly #nothing: Batch;

  constructor(
    plan: DataflowPlan,
    { width, offset, limit }: { width: number; offset: number; limit: number },
    reader: Reader,
    signal: AbortSignal,
  ) {
    this.#reader = reader;
    this.#width = width;
    this.#offset = offset;
    this.#limit = limit;
    this.#pieceRows = Math.min(ROWS_A_PIECE, Math.max(FEWEST_ROWS_A_PIECE, offset + limit));
    this.#signal = signal;
    this.#turns = new ReadTurns(signal);
    this.#nothing = emptyBatch(plan.nodes[plan.root].types.slice(0, width));
    this.#dataflow = new Piecewise(plan);
    this.#pauses = plan.nodes.some(stepsInPieces);
    const relations = new Set(plan.nodes.flatMap((node) => (node.op === 'source' ? [node.relation] : [])));
    this.#scans = [...relations].flatMap((relation) => {
      const stored = reader.loop.relations.get(relation);
      return stored === undefined ? [] : [{ relation, scan: stored.scan([]) }];
    });
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    while (this.#rest === null) {
      await this.#turns.pause();
      const isRead = this.#step === null && this.#isLast;
      if (this.#over || isRead || this.#limit === 0) {
        this.#end();
        return null;
      }
      const batch = this.#nextPiece(maxRows);
      const from = Math.min(this.#offset, batch.n);
      const count = Math.min(batch.n - from, this.#limit);
      this.#offset -= from;
      this.#limit -= count;
      if (count === 0) continue;
      // Only what was given away holds its arena: pieces without rows take none of those that are under way.
      this.#given++;
      this.#rest = { batch, from, count };
    }
    const { batch, from, count } = this.#rest;
    const n = Math.min(maxRows, count);
    this.#rest = n === count ? null : { batch, from: from + n, count: count - n };
    return { batch, from, count: n };
  }

  #nextPiece(most: number): Batch {
    try {
      return turn.of(this.#signal, () => this.#read(most));
    } catch (error) {
      this.#end();
      if (error instanceof Interrupted) throw error.reason;
      throw error instanceof OutOfMemory ? error.toSqlError() : error;
    }
  }

  #read(most: number): Batch {
    const arena = this.#arenas[this.#given % AHEAD];
    arena.reset();
    this.#step ??= this.#begin(most)[Symbol.iterator]();
    const { value, done } = this.#step.next();
    if (done) {
      this.#step = null;
      this.#scratch.reset();
      return this.#nothing;
    }
    // The step is not over, and what its tick shows is gone with it.
    const rows = detach(repeatRows(value, this.#width, this.#shown), arena);
    this.#shown.reset();
    return rows;
  }

  /** A step for what is read next. */
  #begin(most: number): Iterable<Batch> {
    if (this.#scans.length === 0) {
      this.#isLast = true;
      return this.#ofConstants();
    }
    const rows = this.#scanned(most);
    return this.#dataflow.steps(rows, tickOf(this.#reader, this.#scratch));
  }

  /** The next piece of the first scan that is left. */
  #scanned(most: number): RelationRows {
    const [{ relation, scan }] = this.#scans;
    const piece = scan.next(Math.min(most, this.#pieceRows), this.#scratch);
    this.#pieceRows = Math.min(ROWS_A_PIECE, this.#pieceRows * 2);
    if (piece === null) {
      this.#scans.shift();
      scan.close();
    }
    // Ticks to come may give the memory of long values back.
    else if (this.#pauses) ownLongValues(piece, this.#scratch);
    return (r) => (r === relation ? piece : null);
  }

  *#ofConstants(): Iterable<Batch> {
    const tick = tickOf(this.#reader, this.#scratch);
    yield* this.#dataflow.steps(() => null, tick);
    yield* this.#dataflow.rest(tick);
  }

  /** Nothing more is read. What was given last may be in use still, so its memory stays until close(). */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#step?.return?.();
    for (const { scan } of this.#scans) scan.close();
    this.#scans.length = 0;
    this.#dataflow.release();
    this.#scratch.release();
    this.#shown.release();
  }

  close(): void {
    this.#end();
    this.#rest = null;
    for (const arena of this.#arenas) arena.release();
  }
}
