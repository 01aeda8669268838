/** ALTER TABLE ... ALTER COLUMN ... TYPE, over restarts; and power cuts in the middle of any ALTER of columns: all of it is there, or nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { openOn, overRestarts } from '../durable/over_restarts.ts';
import { drain, openEngine, Session, seeded, sql } from './harness.ts';

test('values become those of another type, and are so after restarts', async () => {
  const script = `
     CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL UNIQUE, b text DEFAULT '7', n numeric);
     INSERT INTO t VALUES (1, 20, '5', 1.5), (2, 30, '6', NULL);
     CREATE MATERIALIZED VIEW sums AS SELECT sum(n) AS s FROM t;
     CREATE VIEW plain AS SELECT id, n FROM t;
     ALTER TABLE t ALTER a TYPE text, ALTER COLUMN b DROP DEFAULT, ALTER b TYPE int USING b::int + id, ADD c timestamptz DEFAULT now();
     DROP VIEW plain;
     ALTER TABLE t ALTER b SET DEFAULT 3, ALTER id TYPE bigint USING id * 10000000000::bigint;
     INSERT INTO t (id, a, n) VALUES (3, 'x', 2)`;
  let rows: unknown = null;
  const last = await overRestarts(script, async (engine, how) => {
    assert.deepEqual(await sql(engine, 'SELECT id, a, b, n FROM t ORDER BY 1'), [
      ['3', 'x', '3', '2'],
      ['10000000000', '20', '6', '1.5'],
      ['20000000000', '30', '8', null],
    ]);
    const now = await sql(engine, 'SELECT * FROM t ORDER BY 1');
    rows ??= now;
    assert.deepEqual(now, rows, how);
    assert.deepEqual(await sql(engine, 'SELECT * FROM sums'), [['3.5']]);
    assert.deepEqual(await sql(engine, 'SELECT b FROM t WHERE id = 10000000000'), [['6']]);
    await assert.rejects(sql(engine, "INSERT INTO t VALUES (4, '20')"), /t_a_key/);
  });
  await last.close();
});

test('a column that a view reads keeps its type, and the table all that it was', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int, b text); INSERT INTO t VALUES (1, 5), (2, 6); CREATE VIEW plain AS SELECT id FROM t',
  );
  const alter = 'ALTER TABLE t ALTER b SET DEFAULT 3, ALTER id TYPE bigint USING id * 10000000000::bigint';
  await assert.rejects(sql(engine, alter), { sqlstate: '0A000' });
  assert.deepEqual(await sql(engine, 'INSERT INTO t (id) VALUES (3) RETURNING *'), [['3', null]]);
  assert.deepEqual(await sql(engine, 'SELECT id FROM t ORDER BY 1'), [['1'], ['2'], ['3']]);
  await sql(engine, 'DROP VIEW plain');
  await sql(engine, alter);
  assert.deepEqual(await sql(engine, 'SELECT * FROM t WHERE id > 20000000000'), [['30000000000', null]]);
});

test('queries that sessions follow end when a column of theirs is another', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2)');
  const follow = async (text: string) => (await new Session(engine).open(text)) ?? assert.fail();
  const ended = await follow('SUBSCRIBE (SELECT max(b) FROM t)');
  const other = await follow('SUBSCRIBE (SELECT a FROM t)');
  for (const stream of [ended, other]) await drain(stream);
  await sql(engine, "ALTER TABLE t ALTER b TYPE text; INSERT INTO t VALUES (5, 'five')");
  await assert.rejects(drain(ended), /the columns of "t" were altered/);
  assert.deepEqual(
    (await drain(other)).map((row) => row.slice(1)),
    [['1', '5']],
  );
  for (const stream of [ended, other]) stream.rows.close();
  await assert.rejects(sql(engine, 'ALTER TABLE t ALTER a TYPE int USING random()'), { sqlstate: '0A000' });
});

test('a power cut in the middle of an ALTER leaves all of it or nothing', { timeout: 120_000 }, async () => {
  const { random } = seeded('power cuts in ALTER');
  let disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i % 7 FROM generate_series(1, 3000) i;
     CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a`,
  );
  const columns = async () => {
    const stream = await new Session(engine).open('SELECT * FROM t LIMIT 1');
    stream?.rows.close();
    return stream?.columns.map(({ name }) => name).join();
  };
  for (let round = 0; round < 16; round++) {
    const before = await columns();
    const name = `c${round}`;
    const statement = [
      `ALTER TABLE t ADD COLUMN ${name} int DEFAULT ${round} NOT NULL, ADD UNIQUE (id, ${name})`,
      `ALTER TABLE t ADD COLUMN ${name} float8 DEFAULT random() NOT NULL, ADD ${name}_2 int`,
      `ALTER TABLE t ALTER id TYPE ${round % 2 === 0 ? 'int' : 'bigint'}, ADD ${name} timestamptz DEFAULT now()`,
      `ALTER TABLE t ADD ${name} int; CREATE VIEW w AS SELECT ${name} FROM t; ALTER TABLE t DROP ${name} CASCADE, ADD ${name} text`,
    ][round % 4];
    let over = false;
    const altered = sql(engine, statement).then(() => {
      over = true;
    });
    let known = 0;
    for (let turn = random(30); turn > 0 && !over; turn--) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 3 === 0)
        await sql(engine, `INSERT INTO t (id, a) VALUES (${-round * 100 - turn}, 1)`).then(
          () => known++,
          // NOT NULL without a default, or the columns were altered meanwhile.
          (error) => assert.match(error.sqlstate, /23502|40001/),
        );
    }
    const cut = disk.crash((_, unsynced) => random(unsynced + 1));
    const wasOver = over;
    await altered;
    const made = await columns();
    await engine.close();
    disk = cut;
    engine = await openOn(disk);
    const now = await columns();
    if (wasOver) assert.equal(now, made);
    else assert.ok([before, made].includes(now) || round % 4 === 3, `${statement}: ${before}, then ${now}`);
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM v ORDER BY 1'),
      await sql(engine, 'SELECT a, count(*) FROM t GROUP BY a ORDER BY 1'),
    );
    assert.ok(Number((await sql(engine, 'SELECT count(*) FROM t'))[0][0]) >= 3000 + known);
    await sql(engine, 'DROP VIEW IF EXISTS w');
    await sql(engine, 'DELETE FROM t WHERE id < 0');
  }
  await engine.close();
});
