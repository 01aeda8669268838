/** The order of an index's keys has all of them after a read was cancelled that brought new ones into it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { batchFromRows, readDatum } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { KeyOrder } from '../../operators/state/key_order.ts';
import { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { Interrupted, turn } from '../../operators/turn.ts';
import { colType, OID } from '../../operators/types.ts';
import { KeyOrders } from './key_orders.ts';

const TYPES = [colType(OID.int4)];

test('a read that is cancelled while it brings keys into their order loses none', () => {
  const random = new Random(testSeed());
  const { limit } = budget;
  const { lookMs, hear } = turn;
  const before = pages.usedPages;
  // Pages are taken a few at a time, and memory is not short.
  budget.limit = 2 * (pages.usedBytes + budget.outsideBytes) + (32 << 20);
  const index = new KeyedIndex(TYPES, [0], true);
  const orders = new KeyOrders();
  const arena = new Arena();
  const cancel = new AbortController();
  cancel.abort(new Error('cancelled'));
  turn.lookMs = 0;
  turn.hear = () => undefined;
  const known = new Set<number>();
  try {
    orders.ask(index);
    const order = orders.ask(index) as KeyOrder;
    while (orders.build(index, order));
    for (let round = 0; round < 60; round++) {
      const fresh = new Set(Array.from({ length: 1500 }, () => random.below(1 << 30)).filter((k) => !known.has(k)));
      const delta = batchFromRows(
        TYPES,
        [...fresh].map((k) => [k]),
        arena,
      );
      orders.note(delta);
      index.apply(delta);
      index.endTick();
      arena.reset();
      for (const k of fresh) known.add(k);
      try {
        turn.of(cancel.signal, () => orders.ready(index));
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
      assert.ok(orders.ready(index) === order);
      orders.used(index);
      const { columns, n } = order.keys(0, order.count, arena);
      const found = Array.from({ length: n }, (_, i) => readDatum(columns[0], i));
      arena.reset();
      assert.deepEqual(
        found,
        [...known].sort((a, b) => a - b),
        `round ${round}`,
      );
    }
  } finally {
    budget.limit = limit;
    Object.assign(turn, { lookMs, hear });
    orders.letGo();
    index.release();
    arena.release();
  }
  assert.equal(pages.usedPages, before);
});
