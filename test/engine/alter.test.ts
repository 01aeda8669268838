/** ALTER TABLE, VIEW and the like: other names, keys and NOT NULL, while views read the relation; and all of it over a restart. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-alter-'));
after(() => rmSync(path, { recursive: true, force: true }));

const textOf = (engine: TidemarkEngine, view: string) => engine.catalog.find('public', view)?.sql;

/** What holds before and after a restart. */
async function holds(engine: TidemarkEngine): Promise<void> {
  assert.deepEqual(await sql(engine, 'SELECT * FROM plain ORDER BY 1'), [['1'], ['2']]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM kept ORDER BY 1'), [['2']]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM minutes'), [['1']]);
  assert.equal(
    textOf(engine, 'plain'),
    'CREATE VIEW plain AS SELECT items.id::bigint FROM goods AS items JOIN public.goods AS b USING (id)',
  );
  assert.equal(
    textOf(engine, 'minutes'),
    `CREATE VIEW minutes AS SELECT count(*) FROM TUMBLE("Seen", at, INTERVAL '1 minute') AS ev WHERE ev.k = 'ä' GROUP BY window_start`,
  );
  await assert.rejects(sql(engine, 'SELECT * FROM items'), { sqlstate: '42P01' });
  await assert.rejects(sql(engine, "INSERT INTO goods VALUES (1, 'c', 0)"), { sqlstate: '23505' });
  await assert.rejects(sql(engine, "INSERT INTO goods VALUES (3, 'a', 0)"), /goods_name_key|items_name_key/);
  await assert.rejects(sql(engine, 'INSERT INTO goods VALUES (3, NULL, 0)'), { sqlstate: '23502' });
}

test('names and keys change under views, and stay changed over restarts', async () => {
  let engine = await openEngine();
  await openData(engine, { path });
  await sql(engine, 'CREATE TABLE items (id int, name text, n int DEFAULT 7)');
  await sql(engine, 'CREATE STREAM ev (k text, at timestamp)');
  await sql(engine, "INSERT INTO ev VALUES ('ä', '2026-01-01 00:00:01')");
  await sql(engine, 'CREATE VIEW plain AS SELECT items.id::bigint FROM items JOIN public.items AS b USING (id)');
  await sql(engine, 'CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM items');
  await sql(
    engine,
    `CREATE VIEW minutes AS SELECT count(*) FROM TUMBLE(ev, at, INTERVAL '1 minute') WHERE ev.k = 'ä' GROUP BY window_start`,
  );
  await sql(engine, "INSERT INTO items VALUES (1, 'a'), (2, 'b')");
  await sql(engine, 'ALTER TABLE ONLY items ADD CONSTRAINT items_pkey PRIMARY KEY (id), ADD UNIQUE (name)');
  await sql(engine, 'ALTER TABLE items RENAME TO goods');
  await sql(engine, 'ALTER TABLE goods ALTER COLUMN name SET NOT NULL, ALTER n DROP DEFAULT');
  await sql(engine, 'ALTER STREAM ev RENAME TO "Seen"');
  // The name is free again.
  await sql(engine, 'CREATE TABLE items2 (id int)');
  await sql(engine, 'ALTER TABLE items2 RENAME TO items3');
  await holds(engine);
  for (let restart = 0; restart < 3; restart++) {
    // The last one begins with a checkpoint of what the second had done again.
    if (restart === 1) await engine.checkpoints?.take();
    await engine.close();
    engine = await openEngine();
    await openData(engine, { path });
    await holds(engine);
    assert.deepEqual(await sql(engine, "INSERT INTO goods VALUES (9, 'z') RETURNING n"), [[null]]);
    await sql(engine, 'DELETE FROM goods WHERE id = 9');
  }
  await sql(engine, 'DROP TABLE goods CASCADE');
  await engine.close();
  engine = await openEngine();
  await openData(engine, { path });
  await sql(engine, 'CREATE TABLE goods (id int PRIMARY KEY)');
  assert.deepEqual(await sql(engine, 'SELECT * FROM goods'), []);
  await engine.close();
});

test('two views change places', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (x int)');
  await sql(engine, 'INSERT INTO t VALUES (3)');
  await sql(engine, 'CREATE MATERIALIZED VIEW best AS SELECT max(x) AS x FROM t');
  await sql(engine, 'CREATE MATERIALIZED VIEW best_new AS SELECT -max(x) AS x FROM t');
  await sql(engine, 'CREATE VIEW shown AS SELECT x FROM best');
  for (const [from, to] of ['best best_old', 'best_new best'].map((pair) => pair.split(' ')))
    await sql(engine, `ALTER MATERIALIZED VIEW ${from} RENAME TO ${to}`);
  await sql(engine, 'INSERT INTO t VALUES (5)');
  assert.deepEqual(await sql(engine, 'SELECT x FROM best'), [['-5']]);
  // As in PostgreSQL the view goes on reading what it read.
  assert.deepEqual(await sql(engine, 'SELECT x FROM shown'), [['5']]);
  assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.views ORDER BY 1'), [['best'], ['best_old']]);
});

test('what cannot be done is refused, and nothing has changed', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int, b int NOT NULL, UNIQUE (a, b))');
  await sql(engine, 'CREATE TABLE u (a int CONSTRAINT only_one UNIQUE)');
  await sql(engine, 'INSERT INTO t VALUES (NULL, 1), (1, 1), (1, 2)');
  await sql(engine, 'CREATE VIEW qualified AS SELECT public.t.a FROM public.t');
  const refused: [statement: string, sqlstate: string][] = [
    ['ALTER TABLE t RENAME TO u', '42P07'],
    ['ALTER TABLE t RENAME TO s', '0A000'],
    ['ALTER VIEW t RENAME TO s', '42809'],
    ['ALTER TABLE nope RENAME TO s', '42P01'],
    ['ALTER TABLE t ADD PRIMARY KEY (a)', '23502'],
    ['ALTER TABLE t ADD PRIMARY KEY (b)', '23505'],
    ['ALTER TABLE t ADD PRIMARY KEY (c)', '42703'],
    ['ALTER TABLE t ADD UNIQUE (a)', '23505'],
    ['ALTER TABLE t ADD UNIQUE (a, a)', '42701'],
    ['ALTER TABLE t ALTER a SET NOT NULL', '23502'],
    ['ALTER TABLE t ALTER b DROP NOT NULL', '0A000'],
    ['ALTER TABLE t ALTER b DROP DEFAULT, ADD UNIQUE (a)', '23505'],
    ["ALTER TABLE t ALTER a SET DEFAULT 'x'", '22P02'],
    ['ALTER TABLE qualified ADD UNIQUE (a)', '42809'],
    ['DROP INDEX only_one', '2BP01'],
    ['ALTER TABLE u ADD UNIQUE (a), ADD CONSTRAINT u_a_key1 UNIQUE (a), ADD CONSTRAINT u_a_key1 UNIQUE (a)', '42P07'],
    ['ALTER TABLE u ADD PRIMARY KEY (a), ADD PRIMARY KEY (a)', '42P16'],
    ['ALTER TABLE u ADD UNIQUE (a) DEFERRABLE', '0A000'],
    ['CREATE TABLE s (a int UNIQUE DEFERRABLE)', '0A000'],
    ['ALTER TABLE u ALTER a SET DEFAULT $1', '42P02'],
    ['ALTER TABLE u SET SCHEMA nothing', '3F000'],
    ['CREATE STREAM s (a int UNIQUE)', '42P16'],
    ['CREATE TABLE s (a json PRIMARY KEY)', '42704'],
    ['CREATE TABLE s (a jsonpath UNIQUE)', '42704'],
    ['CREATE TABLE s (a int, CONSTRAINT u UNIQUE (a))', '42P07'],
  ];
  for (const [statement, sqlstate] of refused) await assert.rejects(sql(engine, statement), { sqlstate }, statement);
  await sql(engine, 'ALTER TABLE IF EXISTS nope RENAME TO s');
  await sql(engine, 'CREATE ROLE somebody; ALTER TABLE t OWNER TO somebody');
  await assert.rejects(sql(engine, 'INSERT INTO t VALUES (1, 2)'), /t_a_b_key/);
  await sql(engine, 'INSERT INTO u VALUES (1) ON CONFLICT (a) DO NOTHING');
  await assert.rejects(sql(engine, 'INSERT INTO u VALUES (1)'), /only_one/);
  assert.deepEqual(await sql(engine, 'SELECT a FROM qualified ORDER BY 1'), [['1'], ['1'], [null]]);
  await sql(engine, 'DROP TABLE u');
  await sql(engine, 'CREATE TABLE u (a int CONSTRAINT only_one UNIQUE)');
});

test('a transaction that wrote before a column was NOT NULL fails at COMMIT', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int)');
  const session = new Session(engine);
  await session.run('INSERT INTO t VALUES (NULL)');
  await sql(engine, 'ALTER TABLE t ALTER a SET NOT NULL');
  await assert.rejects(session.transaction.commit(), { sqlstate: '23502' });
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), []);
});

test('a view of another search path goes on reading the relation inside of TUMBLE', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE SCHEMA s');
  const session = new Session(engine, { search_path: 's' });
  await session.run('CREATE STREAM ev (at timestamp)');
  await session.run(
    "CREATE VIEW minutes AS SELECT count(*) FROM TUMBLE(ev, at, INTERVAL '1 minute') GROUP BY window_start",
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM s.minutes'), []);
});

test('a statement that reads a relation while it is renamed or dropped is not written down', async () => {
  const own = mkdtempSync(join(path, 'meanwhile-'));
  let engine = await openEngine();
  await openData(engine, { path: own });
  await sql(engine, 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE TABLE w (a int)');
  await sql(engine, 'INSERT INTO t SELECT generate_series(1, 300000); INSERT INTO u SELECT * FROM t');
  const creating = [
    sql(engine, 'CREATE TABLE copied AS SELECT * FROM t'),
    sql(engine, 'CREATE TABLE joined AS SELECT u.a FROM u JOIN w USING (a)'),
  ];
  const refused = Promise.all(creating.map((made) => assert.rejects(made, { sqlstate: '40001' })));
  await sql(engine, 'ALTER TABLE t RENAME TO s');
  await sql(engine, 'DROP TABLE u');
  await refused;
  await engine.close();
  engine = await openEngine();
  await openData(engine, { path: own });
  assert.equal((await sql(engine, 'SELECT count(*) FROM s'))[0][0], '300000');
  await engine.close();
});

test('a statement that is under way does not rest on NOT NULL that is dropped meanwhile', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (k int, a int NOT NULL); INSERT INTO t SELECT i, i FROM generate_series(1, 300000) i',
  );
  const made = sql(engine, 'CREATE TABLE copied AS SELECT * FROM t WHERE a IS NOT NULL');
  const refused = assert.rejects(made, { sqlstate: '40001' });
  await sql(engine, 'ALTER TABLE t ALTER a DROP NOT NULL');
  await refused;
});

test('an index that is dropped leaves that of a constraint', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int UNIQUE); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1)');
  await sql(engine, 'DROP INDEX i');
  const session = new Session(engine);
  await session.run('INSERT INTO t VALUES (2)');
  await sql(engine, 'INSERT INTO t VALUES (2)');
  await assert.rejects(session.transaction.commit(), { sqlstate: '23505' });
  const relation = engine.catalog.find('public', 't');
  assert.deepEqual(relation !== undefined && 'relation' in relation && relation.relation.indexes, [[0]]);
});

test('a view is found by the search path of its CREATE after it was renamed by another', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE SCHEMA s; CREATE TABLE t (other int)');
  const session = new Session(engine, { search_path: 's' });
  await session.run('CREATE TABLE t (a int)');
  await session.run('CREATE MATERIALIZED VIEW v AS SELECT a FROM t');
  await sql(engine, 'ALTER MATERIALIZED VIEW s.v RENAME TO w');
  await sql(engine, 'ALTER TABLE s.t RENAME TO u');
  assert.equal(engine.catalog.find('s', 'w')?.sql, 'CREATE MATERIALIZED VIEW v AS SELECT a FROM u AS t');
});

test('what an ALTER names is looked for before the rows are looked through', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE named (id int, a int); INSERT INTO named VALUES (1, NULL), (1, 2)');
  const refused = async (actions: string, sqlstate: string) =>
    assert.rejects(sql(engine, `ALTER TABLE named ${actions}`), { sqlstate }, actions);
  await refused('ALTER a SET NOT NULL, ADD UNIQUE (e)', '42703');
  await refused('ADD CHECK (a > 5), ADD CHECK (e > 5)', '42703');
  await refused('ALTER a SET NOT NULL, ADD FOREIGN KEY (a) REFERENCES nowhere', '42P01');
  await refused('ALTER a SET NOT NULL, ADD UNIQUE (id)', '23505');
  await refused('ADD CHECK (a > 5), ALTER a SET NOT NULL', '23502');
  await refused('ADD CHECK (a > 5), ALTER id SET NOT NULL', '23514');
  await sql(
    engine,
    'UPDATE named SET id = 2, a = 9 WHERE a IS NULL; ALTER TABLE named ADD UNIQUE (id), ALTER a SET NOT NULL',
  );
  await refused('ADD CHECK (a > 5)', '23514');
  await engine.close();
});
