/** Temporary objects of several sessions at once: each sees its own before all others, none another's; they go with their session, however that ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { until } from './server.ts';
import { cut, refused, rows, serverOfFile } from './sessions.ts';

const options = { timeout: 60_000 };
const file = serverOfFile(() => until('temporary objects are gone', () => temporary().length === 0));
const { connect } = file;

const temporary = () => file.server.running.engine.catalog.schemas.filter((name) => name.startsWith('pg_temp_'));

/** Whether a session is at a statement that begins so. */
const isActive = (text: string) =>
  file.server.running.postgres.sessions().some(({ query, state }) => state === 'active' && query.startsWith(text));

test('a table of a session is before all others of its name, and nobody else sees it', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, `CREATE TABLE t (v text); INSERT INTO t VALUES ('public')`);
  await rows(a, `CREATE TEMP TABLE t (v text); INSERT INTO t VALUES ('a')`);
  assert.deepEqual(await rows(b, 'SELECT v FROM t'), [['public']]);
  await rows(b, `CREATE TEMPORARY TABLE t AS SELECT 'b' AS v, 7 AS n`);
  assert.deepEqual(await rows(a, 'SELECT v FROM t'), [['a']]);
  assert.deepEqual(await rows(b, 'SELECT * FROM t'), [['b', 7]]);
  assert.deepEqual(await rows(a, 'SELECT v FROM public.t'), [['public']]);
  assert.deepEqual(await rows(a, 'SELECT v FROM pg_temp.t'), [['a']]);
  const [[own]] = await rows(a, 'SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = $1::regclass', [
    't',
  ]);
  assert.match(String(own), /^pg_temp_\d+$/);
  await assert.rejects(rows(b, `SELECT * FROM ${own}.t`), refused('0A000', /other sessions/));
  await assert.rejects(rows(b, `DROP TABLE ${own}.t`), refused('0A000'));
  await assert.rejects(rows(b, `CREATE TABLE ${own}.u (a int)`), refused('42P16'));
  for (const client of [a, b]) await assert.rejects(rows(client, `DROP SCHEMA ${own} CASCADE`), refused('0A000'));
  await rows(a, 'DROP TABLE t');
  assert.deepEqual(await rows(a, 'SELECT v FROM t'), [['public']]);
  await assert.rejects(rows(a, 'SELECT * FROM pg_temp.t'), refused('42P01'));
  await rows(a, 'DROP TABLE t');
  await assert.rejects(rows(a, 'DROP TABLE t'), refused('42P01'));
  assert.deepEqual(await rows(b, 'SELECT v FROM t'), [['b']]);
});

test('plans that are kept, by text and by name, are those of the tables that the session sees', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, `CREATE TABLE kept (id int PRIMARY KEY, v text); INSERT INTO kept VALUES (1, 'public')`);
  const simple = 'SELECT v FROM kept WHERE id = 1';
  const named = (client: pg.Client) =>
    client.query({ name: 'kept', text: 'SELECT v FROM kept WHERE id = $1', values: [1], rowMode: 'array' });
  const all = async (client: pg.Client) => {
    const found = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      found.add((await rows(client, simple))[0]?.[0]);
      found.add((await rows(client, 'SELECT v FROM kept WHERE id = $1', [1]))[0]?.[0]);
      found.add((await named(client)).rows[0]?.[0]);
      found.add((await rows(client, 'EXECUTE by_name(1)'))[0]?.[0]);
    }
    return [...found];
  };
  for (const client of [a, b]) await rows(client, 'PREPARE by_name(int) AS SELECT v FROM kept WHERE id = $1');
  assert.deepEqual(await all(a), ['public']);
  assert.deepEqual(await all(b), ['public']);
  await rows(a, `CREATE TEMP TABLE kept (id int PRIMARY KEY, v text); INSERT INTO kept VALUES (1, 'a')`);
  assert.deepEqual(await all(a), ['a']);
  assert.deepEqual(await all(b), ['public']);
  await rows(b, `CREATE TEMP TABLE kept (id int PRIMARY KEY, v text); INSERT INTO kept VALUES (1, 'b')`);
  assert.deepEqual([await all(a), await all(b)], [['a'], ['b']]);
  // What writes, too.
  for (const client of [a, b]) {
    await rows(client, `UPDATE kept SET v = v || '!' WHERE id = 1`);
    await rows(client, `INSERT INTO kept VALUES (2, 'two') ON CONFLICT (id) DO NOTHING`);
  }
  assert.deepEqual([await all(a), await all(b)], [['a!'], ['b!']]);
  const c = await connect();
  assert.deepEqual(await rows(c, 'SELECT * FROM kept'), [[1, 'public']]);
  await rows(a, 'DROP TABLE kept');
  assert.deepEqual([await all(a), await all(b)], [['public'], ['b!']]);
  await rows(b, 'DISCARD TEMP');
  assert.deepEqual([await all(a), await all(b)], [['public'], ['public']]);
  await rows(a, 'CREATE TEMP TABLE kept (id int, v int)');
  await assert.rejects(named(a), refused('0A000', /must not change result type|cached plan/));
  assert.deepEqual(await all(b), ['public']);
  await rows(b, 'DROP TABLE kept');
});

test(
  'they go when the session ends: in order, by a broken socket, terminated, in the midst of a transaction',
  options,
  async () => {
    const make = async () => {
      const client = await connect();
      await rows(
        client,
        `CREATE TEMP TABLE gone (id serial PRIMARY KEY, v int UNIQUE); CREATE INDEX ON gone (v); CREATE TEMP VIEW of_gone AS SELECT v FROM gone;
       CREATE TEMP SEQUENCE counter; INSERT INTO gone (v) SELECT nextval('counter') FROM generate_series(1, 10)`,
      );
      assert.equal(temporary().length, 1);
      return client;
    };
    const ended = async () => {
      await until('temporary objects are gone', () => temporary().length === 0);
      const left = file.server.running.engine.catalog.objects().map(({ name }) => name);
      assert.deepEqual(left, []);
    };
    await (await make()).end();
    await ended();
    const broken = await make();
    await rows(broken, 'BEGIN; INSERT INTO gone (v) VALUES (100)');
    cut(broken);
    await ended();
    const other = await connect();
    const victim = await make();
    const [[pid]] = await rows(victim, 'SELECT pg_backend_pid()');
    await rows(other, 'SELECT pg_terminate_backend($1)', [pid]);
    await ended();
    const slow = await make();
    const running = rows(slow, 'SELECT count(*) FROM gone, generate_series(1, 100000000) n');
    running.catch(() => undefined);
    await until('it reads', () => isActive('SELECT count(*) FROM gone'));
    cut(slow);
    await ended();
    // While it makes one, sooner or later.
    for (const ms of [1, 5, 20, 60, 150]) {
      const making = await connect();
      rows(making, 'CREATE TEMP TABLE gone AS SELECT n, n::text AS t FROM generate_series(1, 300000) n').catch(
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, ms));
      cut(making);
      await until('the session is gone', () => file.server.running.postgres.sessions().length === 1);
      await ended();
    }
    const pooled = await make();
    await rows(pooled, 'DISCARD ALL');
    await ended();
    await assert.rejects(rows(pooled, 'SELECT * FROM gone'), refused('42P01'));
    await rows(pooled, 'CREATE TEMP TABLE gone (a int); INSERT INTO gone VALUES (1); DISCARD TEMP');
    await ended();
  },
);

test('two sessions make and drop tables of one name beside each other', options, async () => {
  const clients = await Promise.all([connect(), connect(), connect()]);
  await Promise.all(
    clients.map(async (client, who) => {
      for (let i = 0; i < 20; i++) {
        await rows(client, `CREATE TEMP TABLE step (who int, i int)`);
        await rows(client, 'INSERT INTO step VALUES ($1, $2)', [who, i]);
        assert.deepEqual(await rows(client, 'SELECT * FROM step'), [[who, i]]);
        if (i % 3 === 0) await rows(client, 'DISCARD TEMP');
        else await rows(client, 'DROP TABLE step');
      }
    }),
  );
});

test('a transaction that drops what it has written to', options, async () => {
  const client = await connect();
  await rows(client, 'CREATE TABLE lasting (a int)');
  for (const kind of ['TEMP', '']) {
    await rows(client, `BEGIN; CREATE ${kind} TABLE step (a int PRIMARY KEY)`);
    await rows(client, 'INSERT INTO step VALUES (1), (2); SAVEPOINT s');
    await rows(client, 'UPDATE step SET a = a + 10; INSERT INTO lasting SELECT a FROM step');
    await rows(client, 'DROP TABLE step');
    await rows(client, 'CREATE TEMP TABLE step (b text)');
    await rows(client, `INSERT INTO step VALUES ('new'); ROLLBACK TO s; COMMIT`);
    // DROP is taken back, with the rows of before it.
    assert.deepEqual(await rows(client, 'TABLE step'), [[1], [2]]);
    await rows(client, 'DROP TABLE step');
  }
  assert.deepEqual(await rows(client, 'TABLE lasting'), []);
  await rows(client, 'BEGIN; CREATE TEMP TABLE step (a int)');
  await rows(client, 'INSERT INTO step VALUES (1); INSERT INTO lasting TABLE step; DISCARD TEMP; COMMIT');
  assert.deepEqual(await rows(client, 'TABLE lasting'), [[1]]);
  await rows(client, 'DROP TABLE lasting');
});

test('ON COMMIT', options, async () => {
  const client = await connect();
  await rows(client, 'CREATE TEMP TABLE emptied (a int PRIMARY KEY) ON COMMIT DELETE ROWS');
  await rows(client, 'INSERT INTO emptied VALUES (1)');
  assert.deepEqual(await rows(client, 'SELECT * FROM emptied'), []);
  await rows(client, 'BEGIN');
  await rows(client, 'INSERT INTO emptied VALUES (1), (2)');
  await rows(client, 'SAVEPOINT s; DELETE FROM emptied WHERE a = 1');
  assert.deepEqual(await rows(client, 'SELECT * FROM emptied'), [[2]]);
  await rows(client, 'ROLLBACK TO s');
  assert.deepEqual(await rows(client, 'SELECT * FROM emptied ORDER BY a'), [[1], [2]]);
  await assert.rejects(rows(client, 'INSERT INTO emptied VALUES (1)'), refused('23505'));
  await rows(client, 'ROLLBACK TO s; COMMIT');
  assert.deepEqual(await rows(client, 'SELECT * FROM emptied'), []);
  await rows(client, 'BEGIN; CREATE TEMP TABLE made ON COMMIT DELETE ROWS AS SELECT 5 AS a');
  assert.deepEqual(await rows(client, 'SELECT * FROM made'), [[5]]);
  await rows(client, 'COMMIT');
  assert.deepEqual(await rows(client, 'SELECT * FROM made'), []);

  await rows(client, 'BEGIN');
  await rows(client, 'CREATE TEMP TABLE dropped ON COMMIT DROP AS SELECT 1 AS a');
  await rows(client, 'INSERT INTO dropped VALUES (2)');
  await rows(client, 'CREATE VIEW of_dropped AS SELECT sum(a) AS s FROM dropped');
  assert.deepEqual(await rows(client, 'SELECT s::int FROM of_dropped'), [[3]]);
  await rows(client, 'COMMIT');
  for (const name of ['dropped', 'of_dropped']) await assert.rejects(rows(client, `TABLE ${name}`), refused('42P01'));
  await rows(client, 'BEGIN; CREATE TEMP TABLE dropped (a int) ON COMMIT DROP; INSERT INTO dropped VALUES (1)');
  await rows(client, 'ROLLBACK');
  await assert.rejects(rows(client, 'TABLE dropped'), refused('42P01'));
  await rows(client, 'CREATE TEMP TABLE dropped (a int) ON COMMIT DROP');
  await assert.rejects(rows(client, 'TABLE dropped'), refused('42P01'));
  await rows(client, 'CREATE TEMP TABLE kept (a int) ON COMMIT PRESERVE ROWS; INSERT INTO kept VALUES (1)');
  assert.deepEqual(await rows(client, 'TABLE kept'), [[1]]);
  await assert.rejects(rows(client, 'CREATE TABLE lasting (a int) ON COMMIT DROP'), refused('42P16'));
  await assert.rejects(
    rows(client, 'CREATE TEMP TABLE r (a int REFERENCES emptied)'),
    refused('0A000', /ON COMMIT and foreign key/),
  );
});

test('what lasts does not read them; a view over one is temporary', options, async () => {
  const [client, other] = [await connect(), await connect()];
  const notices: string[] = [];
  client.on('notice', ({ message }) => notices.push(String(message)));
  await rows(client, 'CREATE TEMP TABLE base (a int PRIMARY KEY); INSERT INTO base VALUES (1)');
  await rows(client, 'CREATE VIEW over AS SELECT a + 1 AS a FROM base');
  assert.deepEqual(notices, ['view "over" will be a temporary view']);
  await rows(client, 'CREATE OR REPLACE VIEW over AS SELECT a + 2 AS a FROM base');
  assert.deepEqual(await rows(client, 'SELECT a FROM over'), [[3]]);
  await assert.rejects(rows(other, 'SELECT a FROM over'), refused('42P01'));
  await assert.rejects(rows(client, 'CREATE VIEW public.over AS SELECT a FROM base'), refused('42P16'));
  for (const from of ['base', 'over', '(SELECT * FROM over) o']) {
    await assert.rejects(
      rows(client, `CREATE MATERIALIZED VIEW m AS SELECT * FROM ${from}`),
      refused('0A000', /materialized views/),
    );
  }
  await assert.rejects(
    rows(client, `CREATE SINK s FROM base WITH (connector = 'blackhole')`),
    refused('0A000', /sinks/),
  );
  await assert.rejects(rows(client, 'CREATE SUBSCRIPTION s FOR base'), refused('0A000', /subscriptions/));
  await assert.rejects(rows(client, 'CREATE TABLE r (a int REFERENCES base)'), refused('42P16'));
  await assert.rejects(rows(client, 'CREATE TEMP TABLE public.x (a int)'), refused('42P16'));
  await assert.rejects(rows(client, 'CREATE SCHEMA pg_mine'), refused('42939'));
  await rows(client, 'CREATE TEMP TABLE child (a int REFERENCES base ON DELETE CASCADE); INSERT INTO child VALUES (1)');
  await assert.rejects(rows(client, 'INSERT INTO child VALUES (2)'), refused('23503'));
  await assert.rejects(rows(client, 'DROP TABLE base'), refused('2BP01'));
  await rows(client, 'CREATE TABLE lasting AS SELECT a FROM over');
  assert.deepEqual(await rows(other, 'SELECT a FROM lasting'), [[3]]);
  await rows(other, 'DROP TABLE lasting');
});

test('what a session has made keeps its meaning when another has its schema', options, async () => {
  const first = await connect();
  await rows(first, 'CREATE TABLE base (a int); INSERT INTO base VALUES (1); CREATE TEMP TABLE mine (a int)');
  await rows(first, 'CREATE MATERIALIZED VIEW lasting AS SELECT a FROM base; CREATE VIEW plain AS SELECT a FROM base');
  const [before] = temporary();
  await first.end();
  await until('its schema is gone', () => temporary().length === 0);
  const second = await connect();
  await rows(second, 'CREATE TEMP TABLE base (b text, c int)');
  assert.notEqual(temporary()[0], before);
  await rows(second, 'ALTER TABLE public.base RENAME COLUMN a TO z');
  await rows(second, 'ALTER TABLE public.base RENAME TO renamed');
  for (const view of ['lasting', 'plain']) {
    assert.deepEqual(await rows(second, `SELECT a FROM ${view}`), [[1]]);
    const [[text]] = await rows(second, `SELECT pg_get_viewdef('${view}'::regclass)`);
    assert.match(String(text), /FROM renamed AS base\(a\)/);
  }
  assert.deepEqual(await rows(second, 'SELECT * FROM base'), []);
  // And the session follows its own.
  await rows(second, 'BEGIN; DECLARE c CURSOR FOR SUBSCRIBE base');
  const other = await connect();
  await rows(other, 'DROP TABLE renamed CASCADE');
  assert.deepEqual((await rows(second, "FETCH ALL c WITH (timeout = '0s')")).length, 0);
  await rows(second, 'ROLLBACK');
});

test('catalogs say so, to each session what it sees', options, async () => {
  const [client, other] = [await connect(), await connect()];
  await rows(client, 'SELECT 1 AS a INTO TEMP shown; CREATE TABLE plain (a int)');
  assert.deepEqual(
    await rows(client, `SELECT relname, relpersistence FROM pg_class WHERE relname IN ('shown', 'plain') ORDER BY 1`),
    [
      ['plain', 'p'],
      ['shown', 't'],
    ],
  );
  const listed = `SELECT table_name, table_type FROM information_schema.tables WHERE table_name IN ('shown', 'plain') ORDER BY 1`;
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await rows(client, listed), [
      ['plain', 'BASE TABLE'],
      ['shown', 'LOCAL TEMPORARY'],
    ]);
    assert.deepEqual(await rows(other, listed), [['plain', 'BASE TABLE']]);
  }
  const asked = `SELECT pg_my_temp_schema() <> 0, pg_is_other_temp_schema(relnamespace), pg_table_is_visible(oid) FROM pg_class WHERE relname = 'shown'`;
  assert.deepEqual(await rows(client, asked), [[true, false, true]]);
  assert.deepEqual(await rows(other, asked), [[false, true, false]]);
  assert.deepEqual(
    await rows(client, `SELECT to_regclass('shown')::text, to_regclass('pg_temp.shown')::text, current_schema()`),
    [['shown', 'shown', 'public']],
  );
  assert.deepEqual(await rows(other, `SELECT to_regclass('shown')::text`), [[null]]);
  const [[path, said]] = await rows(client, 'SELECT current_schemas(true)::text, current_schemas(false)::text');
  assert.match(String(path), /^\{pg_temp_\d+,pg_catalog,public\}$/);
  assert.equal(said, '{public}');
  // Where pg_temp is said to be first, all that is made is temporary; where it is said to be last, tables of other schemas come before.
  await rows(other, 'SET search_path = pg_temp, public; CREATE TABLE plain (b int)');
  assert.match(String((await rows(other, 'SELECT current_schema()'))[0][0]), /^pg_temp_\d+$/);
  assert.deepEqual(await rows(other, 'SELECT * FROM public.plain'), []);
  await rows(other, 'SET search_path = public, pg_temp; INSERT INTO plain (a) VALUES (1)');
  await rows(other, 'RESET search_path; INSERT INTO plain (b) VALUES (1)');
  await rows(client, 'DROP TABLE plain');
});
