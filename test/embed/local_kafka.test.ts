/** The library: SQL that reads and writes Kafka, without Kafka, by a clock that the test turns. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Database, open } from 'tidemark';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { failureOf } from './failure.ts';

let db: Database;

beforeEach(async () => {
  db = await open({ clock: 'manual', kafka: 'local' });
});
afterEach(() => db.close());

const KAFKA = "connector = 'kafka', brokers = 'kafka.example:9092'";

async function rows(sql: string): Promise<unknown[][]> {
  return (await db.query<unknown[]>(sql, [], { rowMode: 'array' })).rows;
}

test('a stream: watermark, late rows, DEFAULT, bad values', async () => {
  await db.clock.set('2024-01-01 00:00:00+00');
  await db.execute(`
    CREATE STREAM bids (id int8, price numeric, note text DEFAULT 'none', came timestamptz DEFAULT now(), at timestamptz NOT NULL,
                        tags text[], doc jsonb, WATERMARK FOR at AS at - INTERVAL '5 seconds')
      WITH (${KAFKA}, topic = 'bids', format = 'avro', schema_registry = 'http://registry.example');
    CREATE MATERIALIZED VIEW minutes AS
      SELECT window_start, count(*) AS n, sum(price) AS s FROM TUMBLE(bids, at, INTERVAL '1 minute') GROUP BY window_start
      EMIT ON WINDOW CLOSE;
    CREATE MATERIALIZED VIEW whole AS SELECT id, price, note, came, tags, doc FROM bids;
  `);
  const at = new Date('2024-01-01T00:00:10Z');
  const first = await db.insert('bids', [
    { id: 2n ** 60n, price: '1234567890123456789.01', at, tags: ['a', null], doc: { n: 2n ** 60n } },
    { id: 2, price: { toJSON: () => '1.5' }, note: null, at: '2024-01-01 00:00:20+00' },
  ]);
  assert.equal(first.rowCount, 2);
  const came = '2024-01-01 00:00:00+00';
  assert.deepEqual(await rows('SELECT * FROM whole ORDER BY id DESC'), [
    [2n ** 60n, '1234567890123456789.01', 'none', came, ['a', null], { n: 2 ** 60 }],
    [2n, '1.5', null, came, null, null],
  ]);
  // Each insert is one tick, however many rows it has, and one that shows the watermark to `minutes`.
  await db.clock.advance('90 seconds');
  const second = await db.insert('bids', [
    { id: 3, price: 1, at: '2024-01-01 00:01:10+00' },
    { id: 4, price: 1, at: '2024-01-01 00:00:14+00' },
  ]);
  assert.equal(second.tick, first.tick + 2n);
  assert.deepEqual(await rows('SELECT came FROM whole WHERE id = 3'), [['2024-01-01 00:01:30+00']]);
  assert.deepEqual(await rows("SELECT id FROM tidemark.late('bids')"), [[4n]]);
  // The watermark moves behind the tick; a tick without rows shows it to the view.
  await db.insert('bids', [
    { id: 5, price: 1, at: '2024-01-01 00:01:20+00' },
    { id: 'x', at },
  ]);
  assert.deepEqual(await rows('SELECT * FROM minutes'), [['2024-01-01 00:00:00+00', 2n, '1234567890123456790.51']]);
  assert.deepEqual(await rows("SELECT column_name, sqlstate FROM tidemark.errors('bids')"), [['id', '22P02']]);
  assert.equal((await failureOf(db.insert('bids', [{ nothing: 1 }]))).code, '42703');
  assert.equal((await failureOf(db.delete('bids', [{ id: 1 }]))).code, '42809');
  assert.equal((await failureOf(db.query('INSERT INTO bids (id) VALUES (1)'))).code, '42809');
});

test('a view made later sees what came before', async () => {
  await db.execute(`CREATE STREAM s (n int) WITH (${KAFKA}, topic = 's')`);
  await db.insert('s', [{ n: 1 }]);
  await db.insert('s', [{ n: 2 }], { partition: 3 });
  await db.query('CREATE MATERIALIZED VIEW v AS SELECT sum(n) AS s FROM s');
  assert.deepEqual(await rows('SELECT * FROM v'), [[3n]]);
  await db.insert('s', [{ n: 3 }], { partition: 7 });
  assert.deepEqual(await rows('SELECT * FROM v'), [[6n]]);
});

test('each partition has its own time, and idle ones hold nothing up', async () => {
  await db.execute(`
    CREATE STREAM s (at timestamptz, WATERMARK FOR at AS at) WITH (${KAFKA}, topic = 's', idle_timeout = '30 seconds');
    CREATE MATERIALIZED VIEW v AS SELECT at FROM s;
  `);
  const put = (at: string, partition: number) => db.insert('s', [{ at: `2024-01-01 ${at}+00` }], { partition });
  const late = async () => (await rows("SELECT count(*) FROM tidemark.late('s')"))[0][0];
  await put('00:00:10', 0);
  await put('00:01:00', 1);
  // The other partition is behind.
  await put('00:00:20', 1);
  assert.equal(await late(), 0n);
  await db.clock.advance('29 seconds');
  await put('00:01:00', 1);
  await put('00:00:30', 1);
  assert.equal(await late(), 0n);
  await db.clock.advance('2 seconds');
  await put('00:01:00', 1);
  await put('00:00:40', 1);
  assert.equal(await late(), 1n);
});

test('a window is shown when its end has come, without more rows', async () => {
  await db.execute(`
    CREATE STREAM s (at timestamptz, WATERMARK FOR at AS at) WITH (${KAFKA}, topic = 's', idle_timeout = '30 seconds');
    CREATE STREAM own (at timestamptz, WATERMARK FOR at AS at);
    CREATE MATERIALIZED VIEW v AS SELECT window_start FROM TUMBLE(s, at, INTERVAL '1 minute') GROUP BY 1 EMIT ON WINDOW CLOSE;
    CREATE MATERIALIZED VIEW w AS SELECT window_start FROM TUMBLE(own, at, INTERVAL '1 minute') GROUP BY 1 EMIT ON WINDOW CLOSE;
  `);
  const put = async (name: string, time: string, partition = 0) =>
    (await db.insert(name, [{ at: `2024-01-01 ${time}+00` }], { partition })).tick;
  const minutes = async (view: string) =>
    (await rows(`SELECT window_start FROM ${view} ORDER BY 1`)).map(([at]) => String(at).slice(11, 16));
  await put('s', '00:00:10');
  await put('s', '00:00:10', 1);
  const changes = db.subscribe('v', { snapshot: false });
  const ahead = await put('s', '00:01:10');
  assert.deepEqual(await minutes('v'), []);
  // The other partition becomes idle in one tick, and the next one shows what that has moved.
  assert.equal(await db.clock.advance('31 seconds'), ahead + 2n);
  assert.deepEqual(await minutes('v'), ['00:00']);
  const { value } = await changes.next();
  assert.deepEqual([value.tick, value.added], [ahead + 2n, [{ window_start: '2024-01-01 00:00:00+00' }]]);
  await put('s', '00:02:00');
  assert.deepEqual(await minutes('v'), ['00:00', '00:01']);
  await put('own', '00:00:10');
  await put('own', '00:01:10');
  assert.deepEqual(await minutes('w'), ['00:00']);
  await changes.return();
});

test('a keyed table: rows by key, and deletes', async () => {
  for (const format of ["envelope = 'upsert'", "format = 'debezium_json'"]) {
    const name = format.includes('debezium') ? 'changed' : 'kept';
    await db.execute(`
      CREATE TABLE ${name} (id int, region text, name text DEFAULT 'none', PRIMARY KEY (id, region)) WITH (${KAFKA}, topic = '${name}', ${format});
      CREATE MATERIALIZED VIEW by_${name} AS SELECT name, count(*) AS n FROM ${name} GROUP BY name;
    `);
    await db.insert(name, [
      { id: 1, region: 'eu', name: 'a' },
      { id: 2, region: 'eu' },
      { id: 1, region: 'eu', name: 'b' },
    ]);
    assert.deepEqual(await rows(`SELECT * FROM by_${name} ORDER BY name`), [
      ['b', 1n],
      ['none', 1n],
    ]);
    const { tick } = await db.delete(name, [
      { id: 1, region: 'eu' },
      { id: 9, region: 'eu' },
    ]);
    assert.equal((await db.query('SELECT 1')).tick, tick);
    assert.deepEqual(await rows(`SELECT * FROM by_${name}`), [['none', 1n]]);
    assert.equal((await failureOf(db.insert(name, [{ id: 1 }]))).code, '23502');
    assert.equal((await failureOf(db.insert(name, [{ id: 1, region: () => 1 }]))).code, '22023');
  }
});

test('columns of INCLUDE are what lies around a message', async () => {
  await db.execute(`
    CREATE STREAM s (n int) INCLUDE KEY AS k, PARTITION AS p, OFFSET AS o, TIMESTAMP AS t, HEADERS AS h
      WITH (${KAFKA}, topic = 's', format = 'json');
    CREATE MATERIALIZED VIEW v AS SELECT * FROM s;
  `);
  await db.clock.set('2024-01-01');
  await db.insert('s', [{ n: 1 }, { n: 2, k: 'key', t: new Date('2020-01-01'), h: { a: 'x' } }], { partition: 2 });
  const read = await rows('SELECT n, k, p, o, t, h FROM v ORDER BY n');
  assert.deepEqual(read, [
    [1, null, 2, 0n, '2024-01-01 00:00:00+00', {}],
    [2, 'key', 2, 1n, '2020-01-01 00:00:00+00', { a: 'x' }],
  ]);
  for (const row of [{ p: 1 }, { o: 1 }]) assert.equal((await failureOf(db.insert('s', [row]))).code, '428C9');
});

test('sinks are looked at, and deliver nothing', async () => {
  await db.execute('CREATE TABLE t (n int PRIMARY KEY); CREATE MATERIALIZED VIEW v AS SELECT n FROM t');
  await db.execute(`CREATE SINK out FROM v WITH (${KAFKA}, topic = 'out')`);
  await db.insert('t', [{ n: 1 }]);
  assert.equal((await failureOf(db.execute(`CREATE SINK other FROM v WITH (${KAFKA}, topik = 'out')`))).code, '22023');
  assert.equal((await failureOf(db.execute(`CREATE STREAM x (n int) WITH (${KAFKA}, topik = 'x')`))).code, '22023');
  await db.query('DROP SINK out');
});

test('partitions, and transactions, are refused where they mean nothing', async () => {
  await db.execute(`CREATE STREAM s (n int) WITH (${KAFKA}, topic = 's'); CREATE TABLE t (n int)`);
  const round: Record<string, unknown> = {};
  round.n = round;
  assert.equal((await failureOf(db.insert('s', [round]))).code, '22023');
  for (const partition of [-1, 0.5, 2 ** 40])
    assert.equal((await failureOf(db.insert('s', [{ n: 1 }], { partition }))).code, '22023');
  await db.transaction(async (tx) => {
    await tx.insert('t', [{ n: 1 }]);
    assert.equal((await failureOf(tx.insert('s', [{ n: 1 }]))).code, '25001');
    await tx.insert('t', [{ n: 2 }]);
  });
  assert.deepEqual(await rows('SELECT count(*) FROM t'), [[2n]]);
});

test('the clock moves by the test alone', async () => {
  assert.equal((await db.clock.now()).toISOString(), '2000-01-01T00:00:00.000Z');
  await db.execute(`
    CREATE TABLE t (n int, at timestamptz DEFAULT now());
    CREATE MATERIALIZED VIEW recent AS SELECT n FROM t WHERE at > now() - INTERVAL '1 minute';
  `);
  await db.clock.set(new Date('2024-02-28T12:00:00Z'));
  await db.insert('t', [{ n: 1 }]);
  await db.clock.advance('59 seconds');
  assert.deepEqual(await rows('SELECT * FROM recent'), [[1]]);
  const changes = db.subscribe<{ n: number }>('recent', { snapshot: false });
  const tick = await db.clock.advance('1 second');
  assert.deepEqual(await changes.next(), { done: false, value: { tick, added: [], removed: [{ n: 1 }] } });
  await changes.return();
  assert.deepEqual(await rows('SELECT * FROM recent'), []);
  await db.clock.advance('1 month');
  assert.equal((await db.clock.now()).toISOString(), '2024-03-28T12:01:00.000Z');
  assert.deepEqual(await rows('SELECT now()'), [['2024-03-28 12:01:00+00']]);
  assert.equal((await failureOf(db.clock.set('2024-01-01'))).code, '22023');
  assert.equal((await failureOf(db.clock.advance('-1 second'))).code, '22023');
  assert.equal((await failureOf(db.clock.advance('soon'))).code, '22007');
  for (const by of [undefined, 5])
    assert.equal((await failureOf(db.clock.advance(by as unknown as string))).code, '22023');
  assert.equal((await failureOf(db.clock.set(new Date(Number.NaN)))).code, '22007');
  for (const move of [db.clock.set('infinity'), db.clock.advance('infinity')])
    assert.equal((await failureOf(move)).code, '22008');
  assert.deepEqual(await rows('SELECT now()'), [['2024-03-28 12:01:00+00']]);
  const real = await open();
  assert.ok(Math.abs((await real.clock.now()).getTime() - Date.now()) < 60_000);
  assert.equal((await failureOf(real.clock.advance('1 s'))).code, '55000');
  await real.close();
});

test('the same inserts and steps give the same ticks', async () => {
  const seed = testSeed();
  const told = async (database: Database): Promise<unknown[]> => {
    const all: unknown[] = [];
    const note = async (work: Promise<{ tick: bigint } | bigint>) => {
      const done = await work;
      all.push(typeof done === 'bigint' ? done : done.tick);
    };
    await database.execute(`
      CREATE STREAM bids (id int, price int, at timestamptz, WATERMARK FOR at AS at - INTERVAL '3 seconds') WITH (${KAFKA}, topic = 'bids');
      CREATE TABLE people (id int PRIMARY KEY, name text, since timestamptz DEFAULT now());
      CREATE MATERIALIZED VIEW named AS SELECT name, sum(price) AS total, max(since) AS since FROM bids JOIN people USING (id) GROUP BY name;
      CREATE MATERIALIZED VIEW recent AS SELECT id, count(*) AS n FROM bids WHERE at > now() - INTERVAL '20 seconds' GROUP BY id;
      CREATE MATERIALIZED VIEW windows AS SELECT window_start, id, count(*) AS n FROM TUMBLE(bids, at, INTERVAL '10 seconds')
        GROUP BY window_start, id EMIT ON WINDOW CLOSE;
    `);
    const following = ['named', 'recent', 'windows'].map((view) => database.subscribe(view));
    const reading = following.map(async (changes) => {
      const seen: unknown[] = [];
      for await (const change of changes) seen.push(change);
      return seen;
    });
    const random = new Random(seed);
    await note(database.clock.set('2024-01-01 00:00:00+00'));
    for (let step = 0; step < 60; step++) {
      const at = (await database.clock.now()).getTime();
      const bids = Array.from({ length: random.below(5) }, () => ({
        id: random.below(4),
        price: random.below(100),
        at: new Date(at - random.below(8000)),
      }));
      if (bids.length > 0) await note(database.insert('bids', bids, { partition: random.below(2) }));
      if (random.below(3) === 0)
        await note(
          database.query('INSERT INTO people VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name', [
            random.below(4),
            `n${random.below(3)}`,
          ]),
        );
      if (random.below(5) === 0)
        await note(database.transaction(async (tx) => tx.delete('people', [{ id: random.below(4) }])));
      await note(database.clock.advance(`${random.below(4)} seconds`));
    }
    for (const sql of ['named', 'recent', 'windows', "tidemark.late('bids')", 'people']) {
      const { tick, rows } = await database.query(`SELECT * FROM ${sql} x ORDER BY x`);
      all.push([sql, tick, rows]);
    }
    await database.close();
    return [...all, ...(await Promise.all(reading))];
  };
  const others = [await open({ clock: 'manual', kafka: 'local' }), await open({ clock: 'manual', kafka: 'local' })];
  // One of them has company.
  const [first, second] = [await told(others[0]), (await Promise.all([told(others[1]), told(db)]))[0]];
  assert.deepEqual(second, first);
  assert.ok(first.length > 100);
});
