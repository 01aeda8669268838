/**
 * Property test of one operator: after every tick, the sum of its outputs is the naive evaluation of the sum of its inputs.
 *
 *   random inserts, retractions and updates -> Dataflow of [sources..., operator] -> integral   ==   naive(integrals of the inputs)
 *
 * Run with ticks of 1 row, 7 rows and everything at once; at the end all input is deleted, after which the operator and its indexes must
 * hold no rows, and release() must give every page back. What goes has to look like what came (-0 is not 0); where an operator shows one of several equal rows, what is left is compared by value.
 * A tick may fail at any write for want of memory: it is taken back and runs again.
 * A restart may come at any tick: the state is saved while the tick goes on, released, loaded at the same pages, and the tick runs again.
 * All that may go to a cold store may do so after every tick, or after some, and a part of it after others.
 */
import assert from 'node:assert/strict';
import { deserialize, serialize } from 'node:v8';
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import { Dataflow } from '../dataflow.ts';
import type { Datum } from '../datum.ts';
import { OutOfMemory, type SqlError } from '../errors.ts';
import { defaultContext } from '../expr/context.ts';
import '../expr/functions/index.ts';
import type { DataflowPlan, PlanNode, Retention } from '../plan.ts';
import { bringBack } from '../state/cold_reads.ts';
import { cold } from '../state/cold_store.ts';
import { abandon } from '../state/heap_pages.ts';
import { pagesOf, type Saved } from '../state/saved.ts';
import { Undo } from '../state/undo.ts';
import type { ColType } from '../types.ts';
import { MemoryColdStore } from './cold_memory.ts';
import { Image } from './image.ts';

/** The random numbers of tests (mulberry32): the same seed gives the same test. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to but not including 1, of 32 random bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in 0 .. n-1; n up to 2^32. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

/** The seed of this run, printed so that it can be replayed with SEED=... `of`: what it is the seed of, where a file has several. */
export function testSeed(of?: string): number {
  const seed = Number(process.env.SEED ?? Date.now() % 1000000);
  console.log(`# ${of === undefined ? '' : `${of}: `}seed ${seed} (set SEED to replay)`);
  return seed;
}

/** How often a test tries something that it tries `full` times in a whole run: `npm run check` asks for quick ones. */
export function times(full: number): number {
  return process.env.TIDEMARK_QUICK === '1' ? Math.ceil(full / 4) : full;
}

/** A row as text: rows that look the same, and only they, have equal texts. */
export function rowText(row: Datum[]): string {
  return JSON.stringify(row, (_, v: unknown) => {
    if (typeof v === 'bigint') return `${v}n`;
    if (Object.is(v, -0)) return '-0';
    return typeof v === 'number' && !Number.isFinite(v) ? String(v) : v;
  });
}

/** The same by value: -0 is 0. */
export function valueText(row: Datum[]): string {
  return rowText(row.map((v) => (v === 0 ? 0 : v)));
}

function distinctRows(batch: Batch): number {
  return new Set(Array.from({ length: batch.n }, (_, i) => rowText(readRow(batch, i)))).size;
}

/** A bag of rows. */
export class Bag {
  readonly rows: Map<string, { row: Datum[]; weight: number }>;

  constructor(rows?: Bag['rows']) {
    this.rows = new Map(rows);
  }

  add(row: Datum[], weight: number): void {
    const text = rowText(row);
    const sum = (this.rows.get(text)?.weight ?? 0) + weight;
    if (sum === 0) this.rows.delete(text);
    else this.rows.set(text, { row, weight: sum });
  }

  addBatch(batch: Batch): void {
    if (batch.net === true) assert.equal(distinctRows(batch), batch.n, 'no two rows of a net batch are equal');
    for (let i = 0; i < batch.n; i++) this.add(readRow(batch, i), weightOf(batch, i));
  }

  /** Every row as often as its weight says. */
  expanded(): Datum[][] {
    return [...this.rows.values()].flatMap(({ row, weight }) => Array<Datum[]>(Math.max(0, weight)).fill(row));
  }

  texts(textOf = rowText): string[] {
    const weights = new Map<string, number>();
    for (const { row, weight } of this.rows.values())
      weights.set(textOf(row), (weights.get(textOf(row)) ?? 0) + weight);
    return [...weights].map(([text, weight]) => `${text} x ${weight}`).sort();
  }
}

export interface TickFacts {
  now: bigint;
  watermark: bigint | null;
}

export interface OperatorCase {
  /** The operator's node; `inputs` is filled in here. */
  node: PlanNode;
  inputTypes: ColType[][];
  /** A random row of an input. Few distinct values make keys meet. */
  row(input: number, random: Random): Datum[];
  /** Output rows for whole inputs. `errors` takes the texts of the errors expected. */
  naive(inputs: Datum[][][], facts: TickFacts, errors: string[]): Datum[][];
  /** Of rows that are equal by value it shows one. */
  anyLook?: boolean;
  /** All inputs are the same relation (self join). */
  same?: boolean;
  /** Each input goes through a DISTINCT first, from whose state this frees rows; for `appendOnly`. */
  distinct?: Retention[][];
  appendOnly?: boolean;
  /** The clock or the watermark moves by up to this much a tick. */
  clock?: bigint;
  rows?: number;
  /** State rows that stay when all input is deleted: the one of an aggregate without GROUP BY. */
  keepsRows?: number;
}

interface Change {
  input: number;
  row: Datum[];
  weight: number;
}

/** Drives one operator and compares it with the naive evaluation after every tick. */
class Run {
  flow: Dataflow;
  inputs: Bag[];
  output = new Bag();
  errors = new Bag();
  readonly plan: DataflowPlan;
  readonly image = new Image();
  readonly arena = new Arena();
  readonly spec: OperatorCase;
  now = 0n;
  ticks = 0n;
  readonly store: MemoryColdStore | null;
  readonly #goesCold: () => boolean;

  /** `goesCold`: whether the runs of an index do after a tick; null: there is no store for them. */
  constructor(spec: OperatorCase, goesCold: (() => boolean) | null) {
    this.spec = spec;
    this.#goesCold = goesCold ?? (() => false);
    this.store = goesCold === null ? null : new MemoryColdStore();
    cold.store = this.store;
    const sources = spec.same ? spec.inputTypes.slice(0, 1) : spec.inputTypes;
    this.inputs = sources.map(() => new Bag());
    const nodes: PlanNode[] = sources.map((types, i) => ({
      op: 'source',
      relation: i,
      columns: types.map((_, c) => c),
      inputs: [],
      types,
      names: types.map((_, c) => `c${c}`),
      appendOnly: spec.appendOnly,
    }));
    const first = spec.distinct === undefined ? 0 : nodes.length;
    for (const [i, frees] of (spec.distinct ?? []).entries()) {
      const { types, names } = nodes[i];
      nodes.push({ op: 'distinct', inputs: [i], types, names, frees, appendOnly: true });
    }
    nodes.push({ ...spec.node, inputs: spec.inputTypes.map((_, i) => first + (spec.same ? 0 : i)) });
    this.plan = { nodes, root: nodes.length - 1 };
    this.flow = new Dataflow(this.plan);
  }

  /** Runs a tick while the state before it is being saved; then goes back to that state and runs the tick again. */
  tickTwice(changes: Change[], label: string): void {
    const saved = deserialize(serialize(this.flow.save())) as Saved;
    const stored = this.store?.save();
    const { inputs, output, errors, ticks } = this;
    this.inputs = inputs.map((bag) => new Bag(bag.rows));
    this.output = new Bag(output.rows);
    this.errors = new Bag(errors.rows);
    this.image.start(pagesOf(saved));
    this.tick(changes, `${label}, being saved`);
    this.image.finish();
    this.flow.release();
    this.image.load();
    this.flow = new Dataflow(this.plan);
    this.flow.load(saved);
    if (stored !== undefined) this.store?.load(stored);
    Object.assign(this, { inputs, output, errors, ticks });
    this.tick(changes, `${label}, loaded`);
  }

  /** Runs a tick that fails after so many changes of state, takes it back, and runs it again. False when it did not fail. */
  tickFailing(changes: Change[], mostLines: number, label: string): boolean {
    const saved = this.flow.save() as Saved;
    const { inputs, output, errors, ticks } = this;
    this.inputs = inputs.map((bag) => new Bag(bag.rows));
    this.output = new Bag(output.rows);
    this.errors = new Bag(errors.rows);
    const undo = new Undo();
    const failing = this.flow;
    undo.restore(() => {
      abandon(pagesOf(saved), () => failing.release());
      this.flow = new Dataflow(this.plan);
      this.flow.load(saved);
    });
    undo.start(mostLines);
    try {
      this.step(changes);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      undo.takeBack();
      this.arena.reset();
      Object.assign(this, { inputs, output, errors, ticks });
      this.tick(changes, `${label}, again after it failed`);
      return true;
    }
    undo.commit();
    this.end(label);
    return false;
  }

  tick(changes: Change[], label: string): void {
    this.step(changes);
    this.end(label);
  }

  step(changes: Change[]): void {
    const batches = this.inputs.map((bag, input) => {
      const mine = changes.filter((c) => c.input === input);
      for (const { row, weight } of mine) bag.add(row, weight);
      const types = this.spec.inputTypes[input];
      return batchFromRows(
        types,
        mine.map((c) => c.row),
        this.arena,
        mine.map((c) => c.weight),
      );
    });
    const watermark = this.spec.clock === undefined ? null : this.now;
    const out = this.flow.step((relation) => batches[relation], {
      number: this.ticks++,
      arena: this.arena,
      evalContext: defaultContext({ now: this.now }),
      errors: { report: (error: SqlError, _row, weight) => this.errors.add([error.sqlstate], weight) },
      now: this.now,
      watermark: () => watermark,
    });
    this.output.addBatch(out);
  }

  /** The tick has come to its end: what there is must be right. */
  end(label: string): void {
    this.flow.endTick();
    this.arena.reset();
    this.#chill();
    const all = this.inputs.map((bag) => bag.expanded());
    const errors: string[] = [];
    const inputs = this.spec.same ? this.spec.inputTypes.map(() => all[0]) : all;
    const watermark = this.spec.clock === undefined ? null : this.now;
    const wanted = new Bag();
    for (const row of this.spec.naive(inputs, { now: this.now, watermark }, errors)) wanted.add(row, 1);
    const textOf = this.spec.anyLook ? valueText : rowText;
    assert.deepEqual(this.output.texts(textOf), wanted.texts(textOf), label);
    const wantedErrors = new Bag();
    for (const sqlstate of errors) wantedErrors.add([sqlstate], 1);
    assert.deepEqual(this.errors.texts(), wantedErrors.texts(), `errors, ${label}`);
  }

  #chill(): void {
    bringBack(1000);
    for (const index of this.flow.coldStates()) {
      if (this.ticks % 3n === 0n) index.compact(Number.POSITIVE_INFINITY);
      if (this.#goesCold()) index.chill(Number.POSITIVE_INFINITY);
      else if (this.ticks % 4n === 1n) index.chill(1);
    }
  }

  stateRows(): number {
    return this.flow.figures().reduce((sum, figures) => sum + figures.stateRows, 0);
  }

  release(): void {
    this.flow.release();
    this.arena.release();
    assert.equal(this.store?.places ?? 0, 0, 'places in the cold store after release');
    cold.store = null;
  }
}

function randomChanges(spec: OperatorCase, random: Random, live: Change[], n: number): Change[] {
  const inputs = spec.same ? 1 : spec.inputTypes.length;
  const changes: Change[] = [];
  for (let i = 0; i < n; i++) {
    if (!spec.appendOnly && live.length > 0 && random.below(5) < 2) {
      const [gone] = live.splice(random.below(live.length), 1);
      changes.push({ ...gone, weight: -gone.weight });
      continue;
    }
    const input = random.below(inputs);
    const change = { input, row: spec.row(input, random), weight: 1 };
    if (random.below(6) === 0) change.weight = 2;
    changes.push(change);
    live.push(change);
    // A row that comes and goes within the tick must leave no trace.
    if (!spec.appendOnly && random.below(8) === 0) {
      changes.push({ ...change, weight: -change.weight });
      live.pop();
    }
  }
  return changes;
}

/** Runs the case with small, middle and whole ticks. */
export function checkOperator(spec: OperatorCase, seed: number): void {
  for (const size of [1, 7, 1000]) {
    const random = new Random(seed + size);
    const used = pages.usedPages;
    const run = new Run(spec, random.pick([null, () => true, () => random.below(2) === 0]));
    const live: Change[] = [];
    const rounds = size === 1 ? times(spec.rows ?? 60) : size === 7 ? times(20) : 3;
    const batch = Math.min(size, spec.rows ?? 60);
    run.tick([], `first tick, size ${size}, seed ${seed}`);
    for (let t = 0; t < rounds; t++) {
      if (spec.clock !== undefined && random.below(3) > 0) run.now += BigInt(random.below(Number(spec.clock) + 1));
      const changes = randomChanges(spec, random, live, batch);
      const label = `tick ${t}, size ${size}, seed ${seed}`;
      const how = random.below(4);
      if (how === 0) run.tickTwice(changes, label);
      else if (how === 1) run.tickFailing(changes, random.below(random.pick([3, 30, 300])), label);
      else run.tick(changes, label);
    }
    if (!spec.appendOnly) {
      const rest = live.map((c) => ({ ...c, weight: -c.weight }));
      run.tick(rest, `everything deleted, size ${size}, seed ${seed}`);
      assert.equal(
        run.stateRows(),
        spec.keepsRows ?? 0,
        `state after everything was deleted, size ${size}, seed ${seed}`,
      );
    }
    run.release();
    assert.equal(pages.usedPages, used, `pages after release, size ${size}, seed ${seed}`);
  }
  firstTickLoaded(spec, seed);
}

/** A dataflow whose first tick already has rows: what a view created over filled relations sees. */
function firstTickLoaded(spec: OperatorCase, seed: number): void {
  const random = new Random(seed + 5);
  const run = new Run(spec, () => true);
  const live: Change[] = [];
  run.tick(randomChanges(spec, random, live, 30), `filled first tick, seed ${seed}`);
  run.tick(randomChanges(spec, random, live, 10), `second tick after a filled one, seed ${seed}`);
  run.release();
}
