/**
 * A running plan node: its operator, the indexes that others keep of its output, and this tick's output.
 *
 *   inputs' outputs -> operator.step() -> output -> indexes of the output -> (then) the nodes that read output and indexes
 *
 * An index belongs to the node whose rows it holds and is kept as long as somebody reads it. It takes in the output before any reader
 * steps. Readers share an index when they agree on what a watermark frees of it; the one that frees less is an index of its own, so no reader
 * ever waits for another, and what a reader can rely on never changes while it lives. Who runs nodes, and in which order, is up to Dataflow (one plan) and Graph (all plans of the engine).
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { emptyBatch } from './batch/builder.ts';
import { allPositive } from './batch/weight.ts';
import { ListedMap } from './lists.ts';
import type { IndexSpec, IndexUse, Operator, PieceRoom, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import type { ColdState } from './state/cold_state.ts';
import { consolidator } from './state/consolidate.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import type { RowIndex } from './state/row_index.ts';
import type { Saved } from './state/saved.ts';

/** Figures of one node for EXPLAIN. */
export interface NodeFigures {
  rowsIn: number;
  rowsOut: number;
  nanoseconds: bigint;
  stateRows: number;
  /** In memory. */
  stateBytes: number;
  /** In the cold store. */
  coldBytes: number;
}

/** One place that reads an index; `use` hands it the index, again whenever another with the same rows takes its place. */
export interface IndexReader {
  reader: FlowNode;
  use: IndexUse;
}

/** An index of a node's output, with all its readers. */
export interface NodeIndex extends IndexSpec {
  /** What the readers read: `own`, or one that the source's relation keeps. */
  index: RowIndex;
  own: KeyedIndex | null;
  readers: IndexReader[];
  /** The operator has its rows in it, and takes them in itself (Operator.holdIn). */
  holds: boolean;
}

export class FlowNode {
  readonly spec: PlanNode;
  /** The spec, of a source: specs have as many shapes as there are operators, and a tick asks of every node whether it is one. */
  readonly source: Extract<PlanNode, { op: 'source' }> | null;
  /** Null for sources. */
  operator: Operator | null = null;
  /** By indexName(). */
  readonly indexes = new ListedMap<string, NodeIndex>();
  output: Batch;
  rowsIn = 0;
  rowsOut = 0;
  nanoseconds = 0n;
  /** Measure time (EXPLAIN ANALYZE). */
  timed = false;
  /** Its rows only pass: nobody looks for them in an index. */
  passes = false;
  /**
   * The parts of a tick may cancel (a join counts dA x dB twice and takes it off again), and who relies on append-only sees the net. A map makes no retraction
   * of rows that are none.
   */
  readonly #mayCancel: boolean;
  #consolidate: ReturnType<typeof consolidator> | null = null;
  readonly #nothing: Batch;
  /** What a source puts out: the same objects in each tick. */
  #taken: Batch | null = null;

  constructor(spec: PlanNode) {
    this.spec = spec;
    this.source = spec.op === 'source' ? spec : null;
    this.#mayCancel = spec.appendOnly === true && spec.op !== 'map';
    this.#nothing = emptyBatch(spec.types);
    this.output = this.#nothing;
  }

  /** No row is put out. */
  putNothing(): void {
    this.output = this.#nothing;
  }

  /** A source's step: the columns that the plan asks for of its relation's changed rows. */
  take(batch: Batch | null, arena: Arena): void {
    if (batch === null || batch.n === 0) {
      this.putNothing();
      return;
    }
    this.#taken ??= { n: 0, columns: emptyBatch(this.spec.types).columns, weights: 0 };
    this.#show(batch, this.#taken);
    this.put(this.#taken, arena);
  }

  /** The columns that a source asks for of rows of its relation. */
  columnsOf(batch: Batch): Batch {
    const shown = { n: 0, columns: emptyBatch(this.spec.types).columns, weights: 0 };
    this.#show(batch, shown);
    return shown;
  }

  #show({ n, columns, weights }: Batch, to: Batch): void {
    const { source } = this;
    if (source === null) throw new Error(`${this.spec.op} has inputs`);
    for (let i = 0; i < source.columns.length; i++) {
      const { data, valid } = columns[source.columns[i]];
      const column = to.columns[i];
      column.data = data;
      column.valid = valid;
    }
    to.n = n;
    to.weights = weights;
  }

  /** Steps the operator. */
  run(inputs: Batch[], tick: Tick): void {
    const start = this.timed ? process.hrtime.bigint() : 0n;
    let output = (this.operator as Operator).step(inputs, tick);
    if (this.#mayCancel && !allPositive(output.weights, output.n)) {
      this.#consolidate ??= consolidator(this.spec.types);
      output = this.#consolidate(output, tick.arena);
    }
    if (this.timed) this.nanoseconds += process.hrtime.bigint() - start;
    for (const input of inputs) this.rowsIn += input.n;
    this.put(output, tick.arena);
  }

  /** Has the operator take rows in; what comes of them is asked for later. */
  absorb(inputs: Batch[], tick: Tick): void {
    const operator = this.operator as Operator;
    for (const input of inputs) this.rowsIn += input.n;
    if (operator.absorb !== undefined) operator.absorb(inputs, tick);
    else operator.step(inputs, tick);
  }

  /** Steps the operator; what it puts out is for the caller alone. */
  runApart(inputs: Batch[], tick: Tick): Batch {
    for (const input of inputs) this.rowsIn += input.n;
    return (this.operator as Operator).step(inputs, tick);
  }

  /** runApart() in pieces, each good until the next is asked for; null: the operator makes no pieces. */
  pieces(inputs: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> | null {
    const pieces = this.operator?.stepPieces?.(inputs, tick, room) ?? null;
    if (pieces !== null) for (const input of inputs) this.rowsIn += input.n;
    return pieces;
  }

  /** Puts rows out, which the indexes of the output take in. */
  put(output: Batch, arena: Arena): void {
    this.output = output;
    this.rowsOut += output.n;
    if (output.n === 0 || this.passes) return;
    for (const { own, holds } of this.indexes.list) if (!holds) own?.apply(output, arena);
  }

  /** Hands `use` the index of this node's output that the reader wants. Gives the index when it is new and therefore empty, else null. */
  readIndex(spec: IndexSpec, reader: FlowNode, use: IndexUse): KeyedIndex | null {
    const name = indexName(spec);
    const known = this.indexes.get(name);
    if (known !== undefined) {
      known.readers.push({ reader, use });
      use(known.index);
      return null;
    }
    const { types, appendOnly } = this.spec;
    const own = new KeyedIndex(types, spec.keyColumns, spec.nullKeys, spec.frees, appendOnly === true);
    // One that had no rows yet: those that it put out before the index came would be missing in there.
    const holds = this.rowsIn === 0 && this.#holding === null && this.operator?.canHoldIn?.(spec) === true;
    this.indexes.set(name, { ...spec, index: own, own, readers: [{ reader, use }], holds });
    this.hold();
    use(own);
    return own;
  }

  get #holding(): NodeIndex | null {
    for (const entry of this.indexes.list) if (entry.holds) return entry;
    return null;
  }

  /** Tells the operator which index has its rows. */
  hold(): void {
    const entry = this.#holding;
    if (entry !== null) this.operator?.holdIn?.(entry.own);
  }

  /** The operator has its rows in state of its own again. */
  holdApart(): void {
    const entry = this.#holding;
    if (entry === null) return;
    // If it fails for want of memory, the index holds as before.
    this.operator?.holdIn?.(null);
    entry.holds = false;
    entry.own?.endTakingNew();
  }

  /** Whether such a node reads the index in which the operator has its rows; true where there is none. */
  isHeldFor(isOne: (reader: FlowNode) => boolean): boolean {
    const entry = this.#holding;
    return entry === null || entry.readers.some(({ reader }) => isOne(reader));
  }

  /** From now on the readers of an index read another one with the same rows; `own`: this node keeps it. */
  exchangeIndex(entry: NodeIndex, index: RowIndex, own: KeyedIndex | null): void {
    entry.own?.release();
    entry.index = index;
    entry.own = own;
    for (const { use } of entry.readers) use(index);
  }

  /** A reader reads indexes no more, but will again at once. */
  forgetUses(reader: FlowNode): void {
    for (const entry of this.indexes.values()) entry.readers = entry.readers.filter((r) => r.reader !== reader);
  }

  /** Whether anybody still needs the node. */
  get stays(): boolean {
    return true;
  }

  /** A reader is gone: indexes that nobody else reads go with it. */
  forgetReader(reader: FlowNode): void {
    for (const [name, entry] of this.indexes) {
      entry.readers = entry.readers.filter((r) => r.reader !== reader);
      if (entry.readers.length > 0) continue;
      if (entry.holds && this.stays) this.holdApart();
      entry.own?.release();
      this.indexes.delete(name);
    }
  }

  /** The tick's results were delivered: state may reuse what it let go. */
  endTick(): void {
    this.operator?.endTick();
    this.endOutput();
  }

  /** endTick() of what the node has put out alone: its operator has more to put out. */
  endOutput(): void {
    this.putNothing();
    for (const { own, holds } of this.indexes.list) {
      own?.endTick();
      // What is cold would have to come back: it stays there, until a later tick.
      if (holds && own?.isCrowded === true && own.coldBytes === 0) this.holdApart();
    }
  }

  /** Those of its output that it keeps, and those that its operator has. */
  *coldStates(): Iterable<ColdState> {
    for (const { own } of this.indexes.values()) if (own !== null) yield own;
    yield* this.operator?.coldStates?.() ?? [];
  }

  figures(): NodeFigures {
    let { rows, bytes } = this.operator?.state() ?? { rows: 0, bytes: 0 };
    for (const { own } of this.indexes.values()) {
      rows += own?.size ?? 0;
      bytes += own?.bytes ?? 0;
    }
    let coldBytes = 0;
    for (const index of this.coldStates()) coldBytes += index.coldBytes;
    const { rowsIn, rowsOut, nanoseconds } = this;
    return { rowsIn, rowsOut, nanoseconds, stateRows: rows, stateBytes: bytes, coldBytes };
  }

  save() {
    return {
      operator: this.operator === null ? null : this.operator.save(),
      indexes: [...this.indexes].flatMap(([name, { own, holds }]) =>
        own === null ? [] : [{ name, holds, index: own.save() }],
      ),
      rowsIn: this.rowsIn,
      rowsOut: this.rowsOut,
    };
  }

  /** Takes over what an equal node saved; both have indexes by the same names. */
  load(saved: Saved): void {
    const { operator, indexes, rowsIn, rowsOut } = saved as ReturnType<typeof this.save>;
    this.holdApart();
    this.operator?.load(operator);
    for (const [name, entry] of this.indexes) {
      const known = indexes.find((i) => i.name === name);
      if ((entry.own === null) !== (known === undefined))
        throw new Error(`the indexes of ${this.spec.op} are others now`);
      if (known === undefined) continue;
      entry.own?.load(known.index);
      entry.holds = known.holds;
    }
    this.hold();
    this.rowsIn = rowsIn;
    this.rowsOut = rowsOut;
  }

  release(): void {
    this.operator?.release();
    for (const { own } of this.indexes.values()) own?.release();
    this.indexes.clear();
  }
}

/** Equal for indexes with the same rows by the same key, for as long. */
export function indexName({ keyColumns, nullKeys, frees }: IndexSpec): string {
  const dead = frees.map((f) => {
    const bound = [f.column, f.text, f.lag, f.strict, f.nullsDead, f.sources.join(',')];
    return ` frees ${bound.join(' ')}`;
  });
  return `${keyColumns.join(',')}${nullKeys ? ' nulls' : ''}${dead.join('')}`;
}
