/** What depends on the clock is not kept: a row that came and went leaves nothing, whatever the time was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

async function opened(): Promise<{ engine: TidemarkEngine; time: { now: bigint } }> {
  const time = { now: 0n };
  const engine = await openEngine({ clock: () => time.now });
  await sql(engine, 'CREATE TABLE t (id int, x text, at time)');
  return { engine, time };
}

test("'now' and 'today' of a row are errors in a view, and leave it with the row", async () => {
  const { engine, time } = await opened();
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id, x::timestamptz AS moment FROM t');
  await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT x::date AS day, count(*) FROM t GROUP BY x::date');
  await sql(
    engine,
    "INSERT INTO t VALUES (1, 'now'), (2, 'today'), (3, '2026-01-01'), (4, 'infinity'), (5, 'tomorrow')",
  );
  const wanted = [
    ['3', '2026-01-01 00:00:00+00'],
    ['4', 'infinity'],
  ];
  assert.deepEqual(await sql(engine, 'SELECT id, moment FROM v ORDER BY id'), wanted);
  const errors = "SELECT count(*), min(sqlstate) FROM tidemark.errors('v')";
  assert.deepEqual(await sql(engine, errors), [['3', '0A000']]);
  time.now += 86_400_000_000n;
  await sql(engine, "DELETE FROM t WHERE x !~ '^2'");
  assert.deepEqual(await sql(engine, 'SELECT id, moment FROM v'), [wanted[0]]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM n'), [['2026-01-01', '1']]);
  assert.deepEqual(await sql(engine, errors), [['0', null]]);
  // A query that runs once has a clock.
  assert.deepEqual(await sql(engine, "SELECT 'now'::timestamptz = now(), x::date < 'today'::date FROM t"), [
    ['t', 'f'],
  ]);
});

test('a time of day gets a zone where that does not depend on the day', async () => {
  const { engine, time } = await opened();
  await sql(engine, 'CREATE MATERIALIZED VIEW utc AS SELECT at::timetz AS zoned, (at || $$$$)::timetz AS read FROM t');
  await sql(engine, "CREATE MATERIALIZED VIEW moved AS SELECT timezone('+02', at::timetz) AS at FROM t");
  const berlin = new Session(engine, { TimeZone: 'Europe/Berlin' });
  await berlin.run('CREATE MATERIALIZED VIEW local AS SELECT at::timetz AS zoned FROM t');
  await sql(engine, "INSERT INTO t VALUES (1, NULL, '10:00')");
  assert.deepEqual(await sql(engine, 'SELECT * FROM utc, moved'), [['10:00:00+00', '10:00:00+00', '08:00:00-02']]);
  assert.deepEqual(await sql(engine, "SELECT count(*), (SELECT count(*) FROM tidemark.errors('local')) FROM local"), [
    ['0', '1'],
  ]);
  time.now += 182n * 86_400_000_000n;
  await sql(engine, 'DELETE FROM t');
  for (const view of ['utc', 'moved', 'local']) assert.deepEqual(await sql(engine, `SELECT * FROM ${view}`), []);
});

test("'today' in a view's query is refused", async () => {
  const { engine } = await opened();
  for (const where of ["x::date >= 'today'", "x::timestamptz < timestamptz 'now'", "x::date = 'yesterday'::date"])
    await assert.rejects(sql(engine, `CREATE MATERIALIZED VIEW a AS SELECT * FROM t WHERE ${where}`), {
      sqlstate: '0A000',
    });
  await sql(engine, "CREATE MATERIALIZED VIEW a AS SELECT * FROM t WHERE x::date >= '2026-01-01' AND x < 'today'");
});

test('a conversion of SQL/JSON that asks for the clock is an error of the row, whatever its ON ERROR says', async () => {
  const time = { now: 0n };
  const engine = await openEngine({ clock: () => time.now });
  await sql(engine, 'CREATE TABLE d (id int, b jsonb)');
  const berlin = new Session(engine, { TimeZone: 'Europe/Berlin' });
  const views: Record<string, string> = {
    value: "SELECT id, json_value(b, '$.x' RETURNING timestamptz DEFAULT '2000-01-01' ON ERROR) AS x FROM d",
    quoted: "SELECT id, json_query(b, '$.x' RETURNING date OMIT QUOTES NULL ON ERROR) AS x FROM d",
    columns: "SELECT id, t.x FROM d, json_table(b, '$' COLUMNS (x timestamptz PATH '$.x')) t",
    zoned: "SELECT id, json_value(b, '$.x.time()' RETURNING timetz) AS x FROM d",
    empty: "SELECT id, json_value(b, '$.y' RETURNING timestamptz DEFAULT b->>'x' ON EMPTY) AS x FROM d",
  };
  for (const [name, query] of Object.entries(views)) {
    const create = berlin.run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    if (name === 'empty') await assert.rejects(create, { sqlstate: '42804' });
    else await create;
  }
  await sql(engine, `INSERT INTO d VALUES (1, '{"x": "now"}'), (2, '{"x": "10:00:00"}'), (3, '{"x": "2026-01-01"}')`);
  const told = (name: string) =>
    `SELECT id, x IS NULL, (SELECT count(*) FROM tidemark.errors('${name}')) FROM ${name} ORDER BY id`;
  assert.deepEqual(await sql(engine, told('value')), [
    ['2', 'f', '1'],
    ['3', 'f', '1'],
  ]);
  assert.deepEqual(await sql(engine, told('quoted')), [
    ['2', 't', '1'],
    ['3', 'f', '1'],
  ]);
  assert.deepEqual(await sql(engine, told('columns')), [
    ['2', 't', '1'],
    ['3', 'f', '1'],
  ]);
  assert.deepEqual(await sql(engine, told('zoned')), [
    ['1', 't', '1'],
    ['3', 't', '1'],
  ]);
  time.now += 182n * 86_400_000_000n;
  await sql(engine, 'DELETE FROM d');
  for (const name of ['value', 'quoted', 'columns', 'zoned']) {
    assert.deepEqual(await sql(engine, `SELECT * FROM ${name}`), []);
    assert.deepEqual(await sql(engine, `SELECT * FROM tidemark.errors('${name}')`), []);
  }
});

test('age() of one time is refused in a view', async () => {
  const { engine } = await opened();
  for (const age of ["age(timestamp '2020-01-01')", 'age(x::timestamptz)']) {
    await assert.rejects(sql(engine, `CREATE MATERIALIZED VIEW a AS SELECT ${age} FROM t`), { sqlstate: '0A000' });
    await sql(engine, `SELECT ${age} FROM t`);
  }
  await sql(engine, "CREATE MATERIALIZED VIEW a AS SELECT age(x::timestamp, '2020-01-01') FROM t");
});
