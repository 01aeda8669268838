/** The library: changes tick by tick. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Changes, type Database, open, type Subscription } from 'tidemark';
import { failureOf } from './failure.ts';

let db: Database;

before(async () => {
  db = await open({ clock: 'manual' });
  await db.execute(`
    CREATE TABLE sales (id int PRIMARY KEY, shop text, amount int);
    CREATE MATERIALIZED VIEW totals AS SELECT shop, sum(amount) AS total FROM sales GROUP BY shop;
  `);
});
after(() => db.close());

async function next<R>(subscription: Subscription<R>): Promise<Changes<R>> {
  const { done, value } = await subscription.next();
  assert.equal(done, false);
  return value as Changes<R>;
}

test('begins with the rows, then each tick whole', async () => {
  const changes = db.subscribe<{ shop: string; total: bigint }>('totals');
  const { tick } = await db.insert('sales', [
    { id: 1, shop: 'a', amount: 1 },
    { id: 2, shop: 'b', amount: 2 },
  ]);
  await db.query('UPDATE sales SET amount = 5 WHERE id = 1');
  await db.query('UPDATE sales SET amount = 5 WHERE id = 1');
  await db.delete('sales', [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(await next(changes), { tick: tick - 1n, added: [], removed: [] });
  const first = await next(changes);
  first.added.sort((x, y) => (x.shop < y.shop ? -1 : 1));
  assert.deepEqual(first, {
    tick,
    added: [
      { shop: 'a', total: 1n },
      { shop: 'b', total: 2n },
    ],
    removed: [],
  });
  assert.deepEqual(await next(changes), {
    tick: tick + 1n,
    added: [{ shop: 'a', total: 5n }],
    removed: [{ shop: 'a', total: 1n }],
  });
  const last = await next(changes);
  assert.equal(last.removed.length, 2);
  assert.deepEqual(last.added, []);
  assert.deepEqual(await changes.return(), { done: true, value: undefined });
  assert.deepEqual(await changes.next(), { done: true, value: undefined });
});

test('for await ends with break', async () => {
  await db.query('CREATE TABLE counted (n int)');
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { added } of db.subscribe<{ n: number }>('counted', { snapshot: false })) {
      seen.push(...added.map(({ n }) => n));
      if (seen.length === 4) break;
    }
  })();
  await db.insert('counted', [{ n: 1 }, { n: 1 }]);
  await db.insert('counted', [{ n: 2 }]);
  await db.insert('counted', [{ n: 3 }]);
  await reading;
  assert.deepEqual(seen, [1, 1, 2, 3]);
});

test('of a query with parameters', async () => {
  const sql = "SELECT id, shop || '$1' AS shop FROM sales WHERE shop = $1 AND amount > $2 -- $3 is none\n;";
  const changes = db.subscribe(sql, { params: ["o'x\\", 3] });
  await db.insert('sales', [
    { id: 10, shop: "o'x\\", amount: 3 },
    { id: 11, shop: "o'x\\", amount: 4 },
  ]);
  await next(changes);
  assert.deepEqual((await next(changes)).added, [{ id: 11, shop: "o'x\\$1" }]);
  await changes.return();
  // An array is JSON where JSON is wanted, as in query().
  const typed = db.subscribe('SELECT $1::jsonb AS doc, $2::int[] AS list', { params: [[1], [1]] });
  assert.deepEqual((await next(typed)).added, [{ doc: [1], list: [1] }]);
  await typed.return();
  const missing = db.subscribe('SELECT $2::int', { params: [1] });
  assert.equal((await failureOf(missing.next())).code, '42P02');
  assert.deepEqual(await missing.next(), { done: true, value: undefined });
});

test('from an earlier tick', async () => {
  await db.query('CREATE TABLE past (n int)');
  const one = await db.insert('past', [{ n: 1 }]);
  const two = await db.insert('past', [{ n: 2 }]);
  const after = db.subscribe('past', { asOf: one.tick, snapshot: false });
  assert.deepEqual(await next(after), { tick: two.tick, added: [{ n: 2 }], removed: [] });
  await after.return();
  const whole = db.subscribe('past', { asOf: Number(one.tick) });
  assert.deepEqual(await next(whole), { tick: one.tick, added: [{ n: 1 }], removed: [] });
  assert.deepEqual(await next(whole), { tick: two.tick, added: [{ n: 2 }], removed: [] });
  await whole.return();
  assert.equal((await failureOf(db.subscribe('past', { asOf: 1000000n }).next())).code, '22023');
  assert.equal((await failureOf(db.subscribe('past', { asOf: 0.5 }).next())).code, '22023');
});

test('with progress every tick is given', async () => {
  const changes = db.subscribe('totals', { snapshot: false, progress: true });
  const { tick } = await db.insert('past', [{ n: 3 }]);
  let seen = await next(changes);
  while (seen.tick < tick) seen = await next(changes);
  assert.deepEqual(seen, { tick, added: [], removed: [] });
  await changes.return();
});

test('who does not read holds up only the subscription', async () => {
  await db.query('CREATE TABLE wide (id int PRIMARY KEY, text text)');
  await db.insert(
    'wide',
    Array.from({ length: 20_000 }, (_, id) => ({ id, text: 'x'.repeat(100) })),
  );
  // Its rows are some megabytes, of which nobody takes any at first.
  const changes = db.subscribe<{ id: number }>('wide');
  for (let id = 20_000; id < 20_010; id++) await db.insert('wide', [{ id, text: 'y' }]);
  assert.equal((await next(changes)).added.length, 20_000);
  for (let id = 20_000; id < 20_010; id++) assert.deepEqual((await next(changes)).added, [{ id, text: 'y' }]);
  await changes.return();
});

test('ends with an error when what it follows goes', async () => {
  await db.query('CREATE TABLE dropped (n int)');
  const changes = db.subscribe('dropped');
  await next(changes);
  const waiting = failureOf(changes.next());
  await db.query('ALTER TABLE dropped ADD COLUMN m int');
  assert.equal((await waiting).code, '55000');
  assert.deepEqual(await changes.next(), { done: true, value: undefined });
  assert.equal((await failureOf(db.subscribe('nowhere').next())).code, '42P01');
  assert.equal((await failureOf(db.subscribe('totals', { asOf: -1 }).next())).code, '22023');
  const { code, position } = await failureOf(db.subscribe('SELECT 1 1').next());
  assert.deepEqual([code, position], ['42601', 10]);
  assert.equal((await failureOf(db.subscribe('SELECT $1 1', { params: [1] }).next())).position, undefined);
  assert.equal((await failureOf(db.subscribe('SELECT 1; DROP TABLE sales').next())).code, '42601');
});

test('return() ends who waits, and what nobody reads is no unhandled rejection', async () => {
  const changes = db.subscribe('totals', { snapshot: false });
  const waiting = changes.next();
  await changes.return();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  db.subscribe('nowhere');
  await db.query('SELECT 1');
  const { rows } = await db.query("SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active'");
  assert.deepEqual(rows, [{ n: 1n }]);
});
