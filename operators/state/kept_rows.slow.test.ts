/** Rows of partitions that go to the cold store, slice by slice or all at once, come back when their partition is touched, and are let go unread. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { OutOfMemory } from '../errors.ts';
import { defaultContext } from '../expr/context.ts';
import '../expr/functions/index.ts';
import type { Operator } from '../operator.ts';
import type { PlanNode } from '../plan.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Image } from '../testing/image.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { TopFewOperator } from '../top_few.ts';
import { TopOneOperator } from '../top_one.ts';
import { colType, OID } from '../types.ts';
import { cold } from './cold_store.ts';
import { abandon } from './heap_pages.ts';
import { pagesOf, type Saved } from './saved.ts';
import { Undo } from './undo.ts';

const seed = testSeed();
const types = [colType(OID.timestamp), colType(OID.int8), colType(OID.text), colType(OID.text)];
const HOUR = 3600_000_000n;

type TopN = PlanNode & { op: 'topn' };

/** By partition (a time) the rows with the greatest numbers; rows are unique, so their order is. */
function spec(limit: number, frees: boolean): TopN {
  return {
    op: 'topn',
    inputs: [],
    types,
    names: ['at', 'n', 't', 'u'],
    partition: [0],
    order: [{ col: 1, desc: true, nullsFirst: false }],
    limit,
    offset: 0,
    withTies: false,
    rank: 'none',
    frees: frees ? [{ input: 0, column: 0, lag: 0n, strict: false, sources: [1] }] : undefined,
  };
}

const make = (node: TopN): Operator =>
  node.limit === 1 ? new TopOneOperator(node, types) : new TopFewOperator(node, types);

let store: MemoryColdStore;
let used = 0;

class World {
  operator: Operator;
  shown = new Bag();
  /** All rows, by partition. */
  rows = new Map<bigint, Datum[][]>();
  watermark: bigint | null = null;
  readonly #spec: TopN;
  readonly #arena = new Arena();
  readonly #image = new Image();
  #next = 0n;

  constructor(node: TopN) {
    this.#spec = node;
    this.operator = make(node);
  }

  row(random: Random, partition: number): Datum[] {
    // Some have pages of their own.
    const words = random.below(400) === 0 ? 15_000 : random.below(40);
    const n = BigInt(random.below(1000)) * 1_000_000n + this.#next++;
    return [BigInt(partition) * HOUR, n, 'long '.repeat(words) + random.below(50), random.below(2) === 0 ? null : 'u'];
  }

  #tick() {
    return {
      number: 1n,
      first: false,
      arena: this.#arena,
      now: 0n,
      evalContext: defaultContext(),
      errors: { report: () => assert.fail('no row fails') },
      watermark: () => this.watermark,
    };
  }

  #step(rows: Datum[][]): Batch {
    const ones = rows.map(() => 1);
    return this.operator.step([batchFromRows(types, rows, this.#arena, ones)], this.#tick());
  }

  #end(rows: Datum[][], out: Batch): void {
    for (const row of rows) {
      const partition = row[0] as bigint;
      this.rows.set(partition, [...(this.rows.get(partition) ?? []), row]);
    }
    this.shown.addBatch(out);
    this.operator.free?.(() => this.watermark);
    this.operator.endTick();
    this.#arena.reset();
  }

  tick(rows: Datum[][]): void {
    this.#end(rows, this.#step(rows));
  }

  /** The tick runs while the state before it is saved; then that state is loaded, and the tick runs again. */
  restart(rows: Datum[][]): void {
    const saved = deserialize(serialize(this.operator.save())) as Saved;
    const stored = store.save();
    this.#image.start(pagesOf(saved));
    this.#step(rows);
    this.operator.endTick();
    this.#arena.reset();
    this.chill(20_000);
    this.#image.finish();
    this.operator.release();
    this.#image.load();
    this.operator = make(this.#spec);
    this.operator.load(saved);
    store.load(stored);
    this.tick(rows);
  }

  /** The tick fails after so many changes of state, is taken back, and runs again. */
  fail(rows: Datum[][], lines: number): void {
    const saved = this.operator.save();
    const undo = new Undo();
    const failing = this.operator;
    undo.restore(() => {
      abandon(pagesOf(saved), () => failing.release());
      this.operator = make(this.#spec);
      this.operator.load(saved);
    });
    undo.start(lines);
    try {
      const out = this.#step(rows);
      undo.commit();
      this.#end(rows, out);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      undo.takeBack();
      this.#arena.reset();
      this.tick(rows);
    }
  }

  get #states() {
    return [...(this.operator.coldStates?.() ?? [])];
  }

  chill(bytes: number): number {
    return this.#states[0].chill(bytes);
  }

  compact(slots: number): void {
    for (const state of this.#states) state.compact(slots);
  }

  get pageBytes(): number {
    return this.#states[0].runBytes;
  }

  /** What was shown, and what the state says is shown of partitions that are there, are the first rows. */
  check(label: string): void {
    const wanted = new Bag();
    for (const rows of this.rows.values()) {
      const inOrder = rows.toSorted((a, b) => ((a[1] as bigint) < (b[1] as bigint) ? 1 : -1));
      for (const row of inOrder.slice(0, this.#spec.limit ?? 0)) wanted.add(row, 1);
    }
    assert.deepEqual(this.shown.texts(), wanted.texts(), label);
    assert.equal(this.#states[0].coldBytes, store.bytes, `${label}, bytes that are cold`);
    if (this.#spec.frees !== undefined) return;
    const integral = new Bag();
    integral.addBatch(this.operator.integral?.(this.#tick()) as Batch);
    assert.deepEqual(integral.texts(), wanted.texts(), `${label}, integral`);
    this.#arena.reset();
  }

  release(): void {
    this.operator.release();
    this.#arena.release();
  }
}

describe('rows of partitions that go cold', () => {
  beforeEach(() => {
    store = new MemoryColdStore();
    cold.store = store;
    used = pages.usedPages;
  });

  afterEach(() => {
    cold.store = null;
    assert.equal(pages.usedPages, used);
    assert.equal(store.places, 0);
  });

  for (const limit of [1, 2, 10])
    for (const frees of [false, true])
      test(`the first ${limit}${frees ? ', freed by a watermark' : ''}`, () => {
        const random = new Random(seed + limit);
        const world = new World(spec(limit, frees));
        let first = 0;
        for (let tick = 0; tick < times(40); tick++) {
          const label = `tick ${tick}, seed ${seed}`;
          const rows = Array.from({ length: random.below(200) }, () => world.row(random, first + random.below(60)));
          const how = random.below(5);
          if (how === 0) world.restart(rows);
          else if (how === 1) world.fail(rows, random.below(400));
          else world.tick(rows);
          const sent = random.below(6);
          if (sent === 0) world.chill(Number.POSITIVE_INFINITY);
          else if (sent < 4) for (let i = random.below(4); i > 0; i--) world.chill(1 + random.below(30_000));
          if (random.below(3) === 0) world.compact(1 + random.below(100));
          if (frees && random.below(4) === 0) {
            first += random.below(20);
            world.watermark = BigInt(first) * HOUR;
          }
          if (tick % 4 === 0) world.check(label);
        }
        const partitions = Array.from({ length: 60 }, (_, i) => first + i);
        for (let i = 0; i < 2; i++) {
          world.tick(partitions.map((partition) => world.row(random, partition)));
          world.chill(Number.POSITIVE_INFINITY);
        }
        world.check(`at the end, seed ${seed}`);
        assert.ok(store.writes > 0, 'rows went');
        assert.ok(store.reads > 0, 'rows came back');
        world.release();
      });

  test('the memory of the oldest partitions comes back, and only what is touched is read', () => {
    const random = new Random(seed);
    const world = new World(spec(3, false));
    for (let tick = 0; tick < 60; tick++)
      world.tick(Array.from({ length: 1000 }, (_, i) => world.row(random, tick * 300 + (i % 300))));
    const full = world.pageBytes;
    while (world.pageBytes > full / 4) assert.ok(world.chill(100_000) > 0);
    assert.equal(store.reads, 0);
    // The very first rows may lie in the table's chunk, which stays.
    world.tick([world.row(random, 150), world.row(random, 150), world.row(random, 151)]);
    assert.equal(store.reads, 2);
    world.check('after two partitions came back');
    world.release();
  });

  test('partitions that a watermark lets go are not read again', () => {
    const random = new Random(seed);
    const world = new World(spec(3, true));
    world.tick(Array.from({ length: 500 }, () => world.row(random, random.below(50))));
    world.chill(Number.POSITIVE_INFINITY);
    assert.ok(store.places > 40);
    world.watermark = 1000n * HOUR;
    for (let i = 0; i < 10; i++) world.tick([]);
    assert.equal(store.places, 0);
    assert.equal(store.reads, 0);
    assert.equal(world.operator.state().rows, 0);
    world.release();
  });

  test('a store without room leaves everything where it is, and takes more when it has room', () => {
    const random = new Random(seed);
    const world = new World(spec(2, false));
    let failed = 0;
    for (let tick = 0; tick < 20; tick++) {
      world.tick(Array.from({ length: 60 }, () => world.row(random, random.below(60))));
      store.room = random.pick([0, 5, 100]);
      try {
        world.chill(tick % 2 === 0 ? Number.POSITIVE_INFINITY : 5000);
      } catch (error) {
        assert.match(String(error), /no room/);
        failed++;
      }
      world.check(`tick ${tick}, seed ${seed}`);
    }
    assert.ok(failed > 0, `${failed} failed`);
    store.room = Number.POSITIVE_INFINITY;
    while (world.chill(20_000) > 0);
    assert.equal(world.pageBytes, 0);
    world.check('all that could go');
    world.release();
  });
});
