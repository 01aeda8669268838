/** Unqualified names follow the session's search path; a view means what it meant to its creator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRow } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, sql } from './harness.ts';

/** Runs one statement under a search path; gives its rows. */
async function under(engine: TidemarkEngine, searchPath: string[], text: string) {
  const session = { ...localSession(engine), searchPath };
  const prepared = engine.prepare(parse(text)[0], [], session);
  const result = await engine.execute(prepared, [], session, new AbortController().signal);
  const rows = [];
  if (result.kind === 'rows') {
    for (let chunk = await result.rows.next(100); chunk !== null; chunk = await result.rows.next(100)) {
      for (let i = 0; i < chunk.count; i++) rows.push(readRow(chunk.batch, chunk.from + i));
    }
  }
  await session.transaction.commit();
  return rows;
}

const code = (expected: string) => (error: unknown) => error instanceof SqlError && error.sqlstate === expected;

test('names are found by the search path', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE SCHEMA s; CREATE TABLE t (a int); CREATE TABLE s.t (a int); CREATE TABLE s.lone (b int);
       INSERT INTO t VALUES (1); INSERT INTO s.t VALUES (2)`,
    );
    assert.deepEqual(await under(engine, ['public'], 'SELECT a FROM t'), [[1]]);
    assert.deepEqual(await under(engine, ['s', 'public'], 'SELECT a FROM t'), [[2]]);
    assert.deepEqual(await under(engine, ['nobody', 's'], 'SELECT a FROM t'), [[2]]);
    await under(engine, ['s'], 'INSERT INTO t VALUES (3)');
    await under(engine, ['s'], 'CREATE INDEX ON lone (b)');
    assert.deepEqual(await under(engine, ['public'], 'SELECT a FROM s.t ORDER BY a'), [[2], [3]]);
    await assert.rejects(under(engine, ['public'], 'SELECT * FROM lone'), code('42P01'));
    await assert.rejects(under(engine, [], 'SELECT * FROM t'), code('42P01'));
    await under(engine, ['s'], 'TRUNCATE t');
    assert.deepEqual(await under(engine, ['s'], 'SELECT a FROM t'), []);
    assert.deepEqual(await under(engine, ['public', 's'], 'SELECT a FROM t'), [[1]]);
    assert.deepEqual(await under(engine, ['nobody', 's', 'public'], 'SELECT current_schema()'), [['s']]);
  } finally {
    await engine.close();
  }
});

test('a plain view keeps its relations under any path', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE SCHEMA s; CREATE TABLE t (a int); CREATE TABLE s.t (a int); INSERT INTO t VALUES (1); INSERT INTO s.t VALUES (2)`,
    );
    await under(engine, ['s'], 'CREATE VIEW public.v AS WITH w AS (SELECT a FROM t) SELECT w.a, t.a AS b FROM w, t');
    assert.deepEqual(await under(engine, ['public'], 'SELECT * FROM v'), [[2, 2]]);
    await under(engine, ['public'], 'CREATE MATERIALIZED VIEW m AS SELECT a FROM v');
    assert.deepEqual(await under(engine, ['public'], 'SELECT a FROM m'), [[2]]);
  } finally {
    await engine.close();
  }
});

test('CREATE OR REPLACE VIEW keeps the OID and what reads the view', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      'CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, $$x$$); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a + 1 AS a FROM v',
    );
    const oid = engine.catalog.find('public', 'v')?.oid;
    await sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT a * 10 AS a, b FROM t');
    assert.equal(engine.catalog.find('public', 'v')?.oid, oid);
    assert.deepEqual(await sql(engine, 'SELECT * FROM w'), [['11']]);
    await assert.rejects(sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT b FROM t'), code('42P16'));
    await assert.rejects(sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT b, a FROM t'), code('42P16'));
    await assert.rejects(sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT b AS a, b FROM t'), code('42P16'));
    await assert.rejects(sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT nothing FROM t'), code('42703'));
    await assert.rejects(sql(engine, 'CREATE OR REPLACE VIEW v AS SELECT a, b FROM v'), code('42P17'));
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['10', 'x']]);
    await assert.rejects(sql(engine, 'DROP VIEW v'), code('2BP01'));
    await assert.rejects(sql(engine, 'DROP TABLE t'), code('2BP01'));
    await sql(engine, 'DROP TABLE t CASCADE');
    assert.equal(engine.catalog.objects().length, 0);
  } finally {
    await engine.close();
  }
});

test('CREATE OR REPLACE VIEW gives nothing else while rows are kept that were computed with the view', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'); CREATE VIEW v AS SELECT a FROM t WHERE a > 0; CREATE VIEW w AS SELECT a + 1 AS a FROM v;
       CREATE FUNCTION most() RETURNS int LANGUAGE sql STABLE AS 'SELECT max(a) FROM w'; CREATE MATERIALIZED VIEW m AS SELECT a, most() AS n FROM w;
       CREATE SINK s FROM v WITH (connector = 'blackhole'); CREATE SUBSCRIPTION f FOR (SELECT count(*) FROM w)`,
    );
    const other = 'CREATE OR REPLACE VIEW v AS SELECT a * 10 AS a FROM t';
    await assert.rejects(new Session(engine).run(other), (e: SqlError) => {
      assert.equal(e.message, 'cannot change what view v gives while rows are kept that were computed with it');
      const users = ['materialized view m', 'sink s', 'subscription f'].map((user) => `${user} depends on view v`);
      assert.deepEqual(e.fields.detail?.split('\n').sort(), users);
      return e.sqlstate === '0A000';
    });
    await sql(engine, 'CREATE OR REPLACE VIEW v AS\n  SELECT a\n  FROM t WHERE a > 0; INSERT INTO t VALUES (2)');
    assert.deepEqual(await sql(engine, 'SELECT * FROM m ORDER BY a'), [
      ['2', '3'],
      ['3', '3'],
    ]);
    await sql(engine, `DROP SINK s; DROP SUBSCRIPTION f; DROP MATERIALIZED VIEW m; ${other}`);
    assert.deepEqual(await sql(engine, 'SELECT * FROM w ORDER BY a'), [['11'], ['21']]);
    // Where the same transaction has dropped what keeps rows, all have the new ones in one tick.
    await sql(engine, 'CREATE MATERIALIZED VIEW m AS SELECT a FROM v');
    const session = new Session(engine, {}, true);
    for (const text of [
      'DROP MATERIALIZED VIEW m',
      'DROP VIEW w CASCADE',
      'CREATE OR REPLACE VIEW v AS SELECT -a AS a FROM t',
    ])
      await session.run(text);
    await session.run('CREATE MATERIALIZED VIEW m AS SELECT a FROM v');
    await session.transaction.commit();
    assert.deepEqual(await sql(engine, 'SELECT * FROM m ORDER BY a'), [['-2'], ['-1']]);
  } finally {
    await engine.close();
  }
});

test('CREATE OR REPLACE VIEW with a text that means something else now is another query, and one that means the same is none', async () => {
  const engine = await openEngine();
  const refused = code('0A000');
  const texts = {
    stars: 'SELECT * FROM t',
    several: 'SELECT count(*) AS n FROM (SELECT DISTINCT * FROM t) AS x',
    joined: 'SELECT count(*) AS n FROM t NATURAL JOIN u',
    named: 'SELECT a FROM t WHERE a > 0',
  };
  try {
    await sql(
      engine,
      'CREATE TABLE t (a int); CREATE TABLE u (a int, b int); INSERT INTO t VALUES (1), (1); INSERT INTO u VALUES (1, 2)',
    );
    for (const [name, text] of Object.entries(texts)) {
      await sql(engine, `CREATE VIEW ${name} AS ${text}; CREATE MATERIALIZED VIEW m_${name} AS SELECT * FROM ${name}`);
      await sql(engine, `CREATE OR REPLACE VIEW ${name} AS ${text}`);
    }
    await sql(engine, 'ALTER TABLE t ADD COLUMN b int DEFAULT 5; INSERT INTO t VALUES (1, 7)');
    for (const name of ['stars', 'several', 'joined'] as const)
      await assert.rejects(sql(engine, `CREATE OR REPLACE VIEW ${name} AS ${texts[name]}`), refused, name);
    await sql(engine, 'CREATE OR REPLACE VIEW named AS SELECT x.a /* its */ FROM public.t AS x WHERE (x.a > 0)');
    await sql(engine, 'CREATE OR REPLACE VIEW stars AS SELECT a FROM t');
    for (const name of Object.keys(texts))
      assert.deepEqual(await sql(engine, `SELECT * FROM m_${name}`), await sql(engine, `SELECT * FROM ${name}`), name);
    assert.deepEqual(await sql(engine, 'SELECT * FROM m_several'), [['1']]);
    const session = new Session(engine, {}, true);
    for (const text of [
      'CREATE TABLE own (a int)',
      'CREATE VIEW over AS SELECT a FROM own',
      'CREATE MATERIALIZED VIEW kept AS SELECT a FROM over',
      'CREATE OR REPLACE VIEW over AS SELECT a FROM own',
    ])
      await session.run(text);
    await session.transaction.commit();
  } finally {
    await engine.close();
  }
});

test('what reads a view or a function and was dropped by the transaction does not keep it from being replaced, and is gone with that', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v;
       CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'; CREATE VIEW g AS SELECT f(a) AS a FROM t`,
    );
    for (const [over, replace] of [
      ['SELECT a FROM v', 'CREATE OR REPLACE VIEW v AS SELECT -a AS a FROM t'],
      [
        'SELECT f(a) AS a FROM t',
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT -a'",
      ],
      ['SELECT f(a) AS a FROM t', 'ALTER FUNCTION f STRICT'],
    ]) {
      const make = `CREATE MATERIALIZED VIEW m AS ${over}`;
      await sql(engine, make);
      await assert.rejects(sql(engine, replace), code('0A000'));
      const session = new Session(engine, {}, true);
      await session.run('DROP MATERIALIZED VIEW m');
      await session.run(replace);
      session.transaction.rollback();
      assert.equal(engine.catalog.find('public', 'm'), undefined);
      await sql(engine, make);
      assert.deepEqual(await sql(engine, 'SELECT a FROM m'), [['-1']]);
      await sql(engine, 'DROP MATERIALIZED VIEW m');
    }
    assert.deepEqual(await sql(engine, 'SELECT w.a, g.a FROM w, g'), [['-1', '-1']]);
  } finally {
    await engine.close();
  }
});
