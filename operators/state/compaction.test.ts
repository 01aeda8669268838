import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import { OutOfMemory } from '../errors.ts';
import '../expr/functions/index.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { Heap } from './heap.ts';
import { RelationStore } from './relation_store.ts';
import { Undo } from './undo.ts';

const types = [colType(OID.int4), colType(OID.text), colType(OID.numeric)];

function rowOf(i: number, length: number): Datum[] {
  return [i, `${i}`.padEnd(length, 'x'), i % 7 === 0 ? decimal(BigInt(i) * 10n ** 30n, 2) : null];
}

class World {
  readonly store = new RelationStore(types);
  readonly compaction = this.store.compaction;
  readonly bag = new Bag();
  readonly #arena = new Arena();

  apply(rows: Datum[][], weight: number): void {
    this.store.apply(
      batchFromRows(
        types,
        rows,
        this.#arena,
        rows.map(() => weight),
      ),
    );
    for (const row of rows) this.bag.add(row, weight);
  }

  endTick(): void {
    this.store.endTick();
    this.#arena.reset();
  }

  check(label: string): void {
    const out = new BatchBuilder(types, this.#arena);
    this.store.forEach((address, weight) => {
      this.store.table.ops.load(address, out.columns, out.addRow(weight));
    });
    const found = new Bag();
    found.addBatch(out.build());
    assert.deepEqual(found.texts(), this.bag.texts(), label);
  }

  release(): void {
    this.store.release();
    this.#arena.release();
  }
}

test('after most rows of a table were deleted, others have their room', () => {
  const before = pages.usedPages;
  const world = new World();
  for (let from = 0; from < 10_000; from += 2000) {
    world.apply(
      Array.from({ length: 2000 }, (_, i) => rowOf(from + i, 500)),
      1,
    );
    world.endTick();
  }
  const full = pages.usedPages - before;
  // Every tenth row stays: there is one in every page.
  const rows = [...world.bag.rows.values()].map(({ row }) => row).filter((row) => (row[0] as number) % 10 !== 0);
  for (let from = 0; from < rows.length; from += 500) {
    world.apply(rows.slice(from, from + 500), -1);
    world.endTick();
  }
  assert.equal(world.compaction.due, 'begin');
  while (world.compaction.due !== null) world.compaction.slice(300);
  const left = pages.usedPages - before;
  assert.ok(left < full / 4, `${left} of ${full} pages are still held`);
  world.check('after the pass');
  const other = new Heap();
  for (let i = 0; i < 9000; i++) other.alloc(400);
  assert.ok(pages.usedPages - before <= full, 'what others take is not more than what was let go');
  other.release();
  world.release();
  assert.equal(pages.usedPages, before);
});

test('a table that goes on changing, and whose ticks fail, loses nothing while it is compacted', () => {
  const seed = testSeed();
  const random = new Random(seed);
  const before = pages.usedPages;
  const world = new World();
  let next = 0;
  let begun = 0;
  // As many rounds more as it takes for some passes to have lain over a tick.
  for (let tick = 0; tick < times(40) || (begun <= 3 && tick < 400); tick++) {
    const label = `tick ${tick}, seed ${seed}`;
    const present = [...world.bag.rows.values()].map(({ row }) => row);
    const gone = present.filter(() => random.below(tick % 10 === 9 ? 10 : 40) > 8 === (tick % 10 === 9));
    const come = Array.from({ length: random.below(400) }, () => rowOf(next++, random.below(300)));
    const undo = new Undo();
    undo.start(random.below(3) === 0 ? random.below(2000) : undefined);
    undo.keep(world.store);
    const rows = new Map(world.bag.rows);
    try {
      world.apply(gone, -1);
      world.apply(come, 1);
      undo.commit();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      undo.takeBack();
      world.bag.rows.clear();
      for (const [text, entry] of rows) world.bag.rows.set(text, entry);
    }
    world.endTick();
    for (let i = random.below(3); i > 0; i--) world.compaction.slice(1 + random.below(200));
    if (world.compaction.due === 'go on') begun++;
    if (tick % 5 === 0) world.check(label);
  }
  world.check('at the end');
  assert.ok(begun > 3, `${begun} passes lay over a tick`);
  world.release();
  assert.equal(pages.usedPages, before);
});
