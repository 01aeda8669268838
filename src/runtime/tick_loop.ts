/**
 * One tick: the deltas of tables and streams go through the dataflow graph of all views; then the tick is published.
 *
 *   input deltas -> graph (a view's delta is input to the views on it) -> stores -> tick + 1 -> observers -> memory of the tick reused
 *
 * A tick is all or nothing: when memory ends anywhere in it, what it did is taken back (undo.ts) and nothing was seen of it.
 *
 * Everything here is synchronous: between two ticks all relations show the same tick. Reads of an older tick (a transaction that
 * read at tick t) are answered from the live rows minus the deltas since t, which are kept only while such a reader lives.
 */
import { Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { Deltas } from '../../operators/deltas.ts';
import { OutOfMemory, type SqlError } from '../../operators/errors.ts';
import type { GraphTick } from '../../operators/flow.ts';
import { canFill, Filling, type KnownRelations } from '../../operators/graph_fill.ts';
import { ListedMap } from '../../operators/lists.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { Undo } from '../../operators/state/undo.ts';
import { turn } from '../../operators/turn.ts';
import type { IndexShape } from '../../planner/catalog_reader.ts';
import type { ComputedIndex } from './computed_index.ts';
import { type Pin, Pins } from './pins.ts';
import type { StoredRelation } from './stored_relation.ts';
import { TickNeed } from './tick_need.ts';
import { newGraph, rowsKey, type ViewRuntime } from './view.ts';

/** Sees the consolidated delta of one relation after each tick that changed it. Valid during the call only. */
export interface Observer {
  /** The relation's delta; null when only the tick moved (progress). */
  onTick(tick: bigint, delta: Batch | null): void;
  /** The relation is not what was observed any more: nothing will come. */
  onEnd?(error: SqlError): void;
}

/** Keeps the changes of relations. */
interface ChangeLogs {
  /** Batches are valid during the call only. */
  publish(deltas: Deltas, tick: bigint, clock: bigint): void;
}

export class TickLoop {
  tick = 0n;
  /** A tick, and the number of the one that follows. */
  #before = 0n;
  #next = 1n;
  /** Microseconds since 2000-01-01 UTC, never going back. */
  now = 0n;
  readonly relations = new Map<number, StoredRelation>();
  readonly #changes: ChangeLogs;
  /** The operators of all live views, sinks and subscriptions to queries. */
  readonly graph = newGraph((relation, columns, keys) => this.relations.get(relation)?.lend(columns, keys) ?? null);
  readonly #views = new Map<number, ViewRuntime>();
  /** Lists are never changed: those who are told of a tick may come and go meanwhile. */
  readonly #observers = new ListedMap<number, { readonly relation: number; readonly all: readonly Observer[] }>();
  readonly #pins = new Pins();
  readonly #arena = new Arena();
  /** For a read that is over before anything else happens; who uses it resets it. */
  readonly scratch = new Arena();
  readonly #clock: () => bigint;
  readonly #watermark: (relation: number) => bigint | null;
  readonly #need = new TickNeed();
  /** Counts what rows had to fit anew: no tick tells who wrote before it from who writes after it. */
  constraints = 0;
  #publishing = false;
  /** Views whose end was asked for while a tick was being published. */
  #ending: number[] = [];

  constructor(clock: () => bigint, watermark: (relation: number) => bigint | null, changes: ChangeLogs) {
    this.#changes = changes;
    this.#clock = clock;
    this.#watermark = watermark;
    this.advanceClock();
  }

  /** Sets the clock of the next tick: what its input, its views and its readers see as now. */
  advanceClock(): void {
    this.now = this.present();
  }

  /** What the clock of a tick would be now: that of the machine, unless it was set back. */
  present(): bigint {
    const now = this.#clock();
    return now > this.now ? now : this.now;
  }

  /** The arena that input batches of the next tick may be built in. */
  get arena(): Arena {
    return this.#arena;
  }

  get hasClockedViews(): boolean {
    return this.graph.clocked;
  }

  /** True when watermarks have moved since the views that wait for them were stepped. */
  get watermarksMoved(): boolean {
    return this.graph.isBehind(this.#watermark);
  }

  /** What makes views that read this one the same as those that read its equal. */
  readonly rowsOf = (relation: number): string | null => {
    const view = this.#views.get(relation);
    return view === undefined ? null : rowsKey(view.physical, view.plan);
  };

  view(oid: number): ViewRuntime | undefined {
    return this.#views.get(oid);
  }

  views(): Iterable<ViewRuntime> {
    return this.#views.values();
  }

  #frame(arena: Arena): GraphTick {
    return { number: this.#following(), now: this.now, arena, watermark: this.#watermark };
  }

  /** The number of the tick that comes next: made once, as to add to a BigInt is a call out of compiled code. */
  #following(): bigint {
    if (this.#before !== this.tick) {
      this.#before = this.tick;
      this.#next = this.tick + 1n;
    }
    return this.#next;
  }

  /** Runs one tick over these deltas (by relation OID) at the clock that advanceClock() set. */
  run(input: Map<number, Batch>): void {
    this.runKept(() => Deltas.of(input));
  }

  /** The same over what `enter` gives, to which the deltas of views are added; when the tick fails, what `enter` kept in `undo` is as before too. */
  runKept(enter: (undo: Undo) => Deltas): void {
    this.#publish(this.#allOrNothing((undo) => this.#step(enter(undo), undo)));
  }

  /**
   * The same for so many rows of sources. Without `undo` there is memory in plenty: then it does not fail for want of it.
   */
  runSources(rows: number, enter: (undo: Undo | null) => Deltas): void {
    const before = pages.usedBytes + budget.outsideBytes;
    budget.peak = before;
    const deltas = this.#need.isSafe(rows)
      ? this.#once(enter)
      : this.#allOrNothing((undo) => this.#step(enter(undo), undo));
    this.#need.note(rows, budget.peak - before);
    this.#publish(deltas);
  }

  #step(deltas: Deltas, undo: Undo | null): Deltas {
    for (let i = 0; i < deltas.size; i++) {
      const relation = this.relations.get(deltas.relations[i]);
      if (relation === undefined) continue;
      if (undo !== null) relation.keepIn(undo);
      relation.apply(deltas.batches[i]);
      relation.changedAt = this.#following();
    }
    this.graph.step(deltas, this.#frame(this.#arena), undo);
    return deltas;
  }

  #once(enter: (undo: null) => Deltas): Deltas {
    budget.goBeyond();
    try {
      const deltas = this.#step(enter(null), null);
      this.#savePinnedTick(deltas);
      return deltas;
    } finally {
      budget.comeBack();
    }
  }

  /** Does the part of a tick that may fail. The copies for older readers belong to it: they may be as large as the tick. */
  #allOrNothing(step: (undo: Undo) => Deltas): Deltas {
    const before = this.#stateBytes();
    const undo = new Undo();
    undo.start();
    let deltas: Deltas;
    try {
      deltas = step(undo);
      budget.checkRoom(before, this.#stateBytes());
      turn.check();
      this.#savePinnedTick(deltas);
    } catch (error) {
      undo.takeBack();
      this.#arena.reset();
      throw error;
    }
    undo.commit();
    return deltas;
  }

  /** Bytes in use, without the tick's own. */
  #stateBytes(): number {
    return pages.usedBytes - this.#arena.bytes;
  }

  /** What is left of a tick has happened: it goes beyond the limit rather than fail. */
  #publish(deltas: Deltas): void {
    budget.goBeyond();
    try {
      this.#show(deltas);
    } finally {
      budget.comeBack();
    }
  }

  #show(deltas: Deltas): void {
    this.tick = this.#following();
    this.#publishing = true;
    this.#changes.publish(deltas, this.tick, this.now);
    const told = this.#observers.list;
    for (const listed of told) {
      const { relation } = listed;
      const observers = told === this.#observers.list ? listed : this.#observers.get(relation);
      if (observers === undefined) continue;
      const batch = deltas.get(relation);
      const delta = batch !== undefined && batch.n > 0 ? batch : null;
      for (const observer of observers.all) observer.onTick(this.tick, delta);
    }
    for (let i = 0; i < deltas.size; i++) this.relations.get(deltas.relations[i])?.endTick();
    this.graph.endTick();
    this.#arena.reset();
    this.#publishing = false;
    if (this.#ending.length > 0) for (const oid of this.#ending.splice(0)) this.detachView(oid);
  }

  /**
   * Makes a view live at once, filled from what the graph and the stored relations hold at the next tick. False when that cannot be done:
   * some stream's history has to be replayed. `isEmpty`: streams that have had no rows.
   */
  attachNow(view: ViewRuntime, isEmpty: (relation: number) => boolean): boolean {
    const relations = this.#knownRelations(isEmpty);
    if (!canFill(this.graph, view.plan, relations)) return false;
    this.#attach(view, (frame) => {
      const filling = new Filling(this.graph, frame, relations);
      return { rows: () => view.fill(this.graph, filling, frame), end: () => filling.release() };
    });
    return true;
  }

  /**
   * Makes a view live. Its stored inputs are read whole at the current tick; stream inputs have been fed by the caller (backfill)
   * through `feed`. The view is visible from the next tick number on.
   */
  attach(view: ViewRuntime, isStored: (relation: number) => boolean): void {
    this.#attach(view, (frame) => ({
      rows: () => view.step(Deltas.of(this.#snapshots(view, isStored)), frame),
      end: () => this.#join(view),
    }));
  }

  /**
   * The same for a view that was fed all that it reads up to the current tick: what time alone moves in this one is left. `isNew`: nobody has seen
   * any of its rows, and those who read older ticks will not.
   */
  attachFed(view: ViewRuntime, isNew: boolean): void {
    this.#attach(view, (frame, moved) => ({
      rows: () => {
        const read = view.sources.flatMap(({ relation }): [number, Batch][] => {
          const delta = moved.get(relation);
          return delta === undefined ? [] : [[relation, delta]];
        });
        const change = view.step(Deltas.of(read), frame);
        return isNew && view.stored !== null && this.#pins.any ? view.stored.snapshot(frame.arena) : change;
      },
      end: () => this.#join(view),
    }));
  }

  /** Filled apart, a view becomes part of the graph. */
  #join(view: ViewRuntime): void {
    // An observer may have ended it at its first tick.
    if (this.#views.get(view.oid) !== view) return;
    view.endStep();
    view.join(this.graph);
    if (view.stored !== null) this.relations.set(view.oid, view.stored);
  }

  /** The graph steps first, so that the clock is the same for its nodes and the view's when they become one. */
  #attach(view: ViewRuntime, fill: (frame: GraphTick, moved: Deltas) => { rows(): Batch | null; end(): void }): void {
    this.advanceClock();
    this.#need.changed();
    const frame = this.#frame(this.#arena);
    const before = this.#stateBytes();
    const deltas = this.#allOrNothing((undo) => {
      const moved = new Deltas();
      this.graph.step(moved, frame, undo);
      return moved;
    });
    const filled = fill(frame, deltas);
    try {
      const rows = filled.rows();
      budget.checkRoom(before, this.#stateBytes());
      turn.check();
      if (rows !== null && view.stored !== null) this.#savePinned([[view.oid, rows]]);
      if (rows !== null) deltas.set(view.oid, rows);
      this.#views.set(view.oid, view);
      if (view.stored !== null) this.relations.set(view.oid, view.stored);
    } finally {
      turn.shield(1);
      try {
        this.#publish(deltas);
        filled.end();
      } finally {
        turn.shield(-1);
      }
    }
  }

  #knownRelations(isEmpty: (relation: number) => boolean): KnownRelations {
    const snapshots = new Map<number, Batch>();
    return {
      has: (relation) => this.relations.has(relation) || isEmpty(relation),
      rows: (relation) => {
        const stored = this.relations.get(relation);
        if (stored === undefined) return null;
        const rows = snapshots.get(relation) ?? stored.snapshot(this.#arena);
        snapshots.set(relation, rows);
        return rows;
      },
    };
  }

  /** A view as a checkpoint has it becomes live; its rows and its nodes' state are loaded by the caller. */
  restore(view: ViewRuntime): void {
    view.restore(this.graph);
    this.#views.set(view.oid, view);
    if (view.stored !== null) this.relations.set(view.oid, view.stored);
  }

  #snapshots(view: ViewRuntime, isStored: (relation: number) => boolean): Map<number, Batch> {
    const snapshots = new Map<number, Batch>();
    for (const { relation } of view.sources) {
      if (!isStored(relation) || snapshots.has(relation)) continue;
      const stored = this.relations.get(relation);
      if (stored === undefined) throw new Error(`relation ${relation} has no rows to read`);
      snapshots.set(relation, stored.snapshot(this.#arena));
    }
    return snapshots;
  }

  /** Steps a view that is not live yet with rows of its history, as of the watermarks that they were accepted by. */
  feed(view: ViewRuntime, relation: number, batch: Batch, arena: Arena, watermark: GraphTick['watermark']): void {
    this.#feed(view, new Map([[relation, batch]]), { ...this.#frame(arena), watermark }, this.tick);
  }

  /** The same with what an earlier tick changed, or with the rows that there were at it. */
  feedPast(view: ViewRuntime, tick: bigint, deltas: Map<number, Batch>, arena: Arena): void {
    this.#feed(view, deltas, { ...this.#frame(arena), number: tick, watermark: () => null }, tick);
  }

  /** `seen`: the tick that its observers are told. */
  #feed(view: ViewRuntime, deltas: Map<number, Batch>, frame: GraphTick, seen: bigint): void {
    const before = pages.usedBytes - frame.arena.bytes;
    const out = view.step(Deltas.of(deltas), frame);
    budget.checkRoom(before, pages.usedBytes - frame.arena.bytes);
    if (out !== null) for (const observer of this.#observers.get(view.oid)?.all ?? []) observer.onTick(seen, out);
    view.endStep();
  }

  detachView(oid: number): void {
    const view = this.#views.get(oid);
    if (view === undefined) return;
    if (this.#publishing) {
      this.#ending.push(oid);
      return;
    }
    this.#views.delete(oid);
    this.relations.delete(oid);
    this.#observers.delete(oid);
    view.release();
  }

  addRelation(oid: number, relation: StoredRelation): void {
    this.relations.set(oid, relation);
  }

  /** Relations whose rows are one with those of `oid`: views that are the same query. */
  sharing(oid: number): number[] {
    const stored = this.relations.get(oid);
    return [...this.relations].filter(([, other]) => other === stored).map(([other]) => other);
  }

  /** Gives a relation other rows in place of its own, and gives those, for the caller to release. */
  replaceRelation(oid: number, stored: StoredRelation): StoredRelation | undefined {
    const old = this.relations.get(oid);
    this.relations.set(oid, stored);
    budget.beyond(() => this.#indexesChanged(oid));
    return old;
  }

  /** Tells those who follow a relation as it was. */
  endObservers(oid: number, error: SqlError): void {
    for (const observer of this.#observers.get(oid)?.all ?? []) observer.onEnd?.(error);
  }

  addIndex(oid: number, columns: number[], filled?: KeyedIndex): void {
    const relation = this.relations.get(oid);
    relation?.addIndex(columns, filled);
    this.constrained(oid);
    this.#indexesChanged(oid);
  }

  addComputed(oid: number, shape: IndexShape, filled?: ComputedIndex): void {
    this.relations.get(oid)?.addComputed(shape, filled);
    this.constrained(oid);
  }

  /** Rows of the relation have to fit something new: who has written and not committed yet looks at it. */
  constrained(oid: number): void {
    const relation = this.relations.get(oid);
    if (relation !== undefined) relation.constrainedAt = ++this.constraints;
  }

  /** Operators that read the index make one of their own. Where there is no room for that, they go on with it, and it stays. */
  dropIndex(oid: number, columns: number[]): void {
    const relation = this.relations.get(oid);
    const index = relation?.removeIndex(columns);
    try {
      this.#indexesChanged(oid);
    } catch (error) {
      if (!(error instanceof OutOfMemory) || index === undefined) throw error;
      relation?.addIndex(columns, index);
      this.#indexesChanged(oid);
      return;
    }
    index?.release();
  }

  #indexesChanged(oid: number): void {
    const stored = this.relations.get(oid);
    if (stored === undefined) return;
    withScratch((arena) => {
      for (const relation of this.sharing(oid)) this.graph.indexesChanged(relation, () => stored.snapshot(arena));
    });
  }

  dropRelation(oid: number): void {
    this.relations.get(oid)?.release();
    this.relations.delete(oid);
    this.#observers.delete(oid);
  }

  observe(oid: number, observer: Observer): () => void {
    this.#observers.set(oid, { relation: oid, all: [...(this.#observers.get(oid)?.all ?? []), observer] });
    return () => {
      const others = this.#observers.get(oid)?.all.filter((other) => other !== observer) ?? [];
      if (others.length > 0) this.#observers.set(oid, { relation: oid, all: others });
      else this.#observers.delete(oid);
    };
  }

  isObserved(oid: number): boolean {
    return this.#observers.get(oid) !== undefined;
  }

  /** Keeps the present tick readable until unpin(). */
  pin(): Pin {
    return this.#pins.pin(this.tick);
  }

  unpin(pin: Pin): void {
    this.#pins.unpin(pin);
  }

  #savePinnedTick({ relations, batches }: Deltas): void {
    if (!this.#pins.any) return;
    const changed = relations.map((oid, i): [number, Batch] => [oid, batches[i]]);
    this.#savePinned(changed.filter(([oid]) => this.relations.has(oid)));
  }

  #savePinned(deltas: [relation: number, delta: Batch][]): void {
    this.#pins.save(this.tick + 1n, deltas);
  }

  close(): void {
    for (const view of this.#views.values()) view.release();
    for (const [oid, relation] of this.relations) if (!this.#views.has(oid)) relation.release();
    this.#pins.release();
    this.#views.clear();
    this.relations.clear();
    this.#observers.clear();
    this.#arena.release();
    this.scratch.release();
  }
}
