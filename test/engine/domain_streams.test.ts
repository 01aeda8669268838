/** Domains in streams, views, COPY and transactions: what does not fit is an error row, or an error of who writes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { openEngine, Session, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const WITH = "connector = 'kafka', brokers = 'memory', topic = 't'";
const DOMAINS = `CREATE DOMAIN posint AS int DEFAULT 4 CHECK (VALUE > 0);
  CREATE DOMAIN required AS posint NOT NULL CONSTRAINT low CHECK (VALUE < 100)`;
const ERRORS = 'SELECT "offset", sqlstate, column_name, reason FROM tidemark.errors(\'s\') ORDER BY 1';

async function opened() {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  await sql(engine, DOMAINS);
  const send = (...messages: { key?: string; value: string | null }[]) => {
    source.send(...messages);
    while (engine.sourceTicks.pump());
  };
  return { engine, send };
}

for (const format of ['json', 'csv', 'raw']) {
  test(`a message whose value does not fit is an error row: ${format}`, async () => {
    const { engine, send } = await opened();
    await sql(
      engine,
      `CREATE STREAM s (${format === 'raw' ? 'r required' : 'p posint, r required'}) WITH (${WITH}, format = '${format}')`,
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT r, count(*) AS n FROM s GROUP BY r');
    const messages = {
      json: [
        '{"p":1,"r":2}',
        '{"p":-1,"r":2}',
        '{"p":null,"r":500}',
        '{"r":null}',
        '{}',
        '{"p":1,"r":-2}',
        '{"r":"x"}',
      ],
      csv: ['1,2', '-1,2', ',500', '1,', '4,4', '1,-2', '1,x'],
      raw: ['2', null, '500', null, '4', '-2', 'x'],
    }[format] as (string | null)[];
    send(...messages.map((value) => ({ value })));
    assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY r'), [
      ['2', '1'],
      ['4', '1'],
    ]);
    const errors = await sql(engine, ERRORS);
    assert.deepEqual(
      errors.map(([at, code]) => [at, code]),
      [
        ['1', format === 'raw' ? '23502' : '23514'],
        ['2', '23514'],
        ['3', '23502'],
        ['5', '23514'],
        ['6', '22P02'],
      ],
    );
    assert.equal(errors[1][3], 'value for domain required violates check constraint "low"');
    await assert.rejects(sql(engine, 'ALTER DOMAIN posint ADD CHECK (VALUE <> 9)'), { sqlstate: '0A000' });
    await sql(engine, 'ALTER DOMAIN required DROP CONSTRAINT low');
    const [more, bad] = { json: ['{"r":500}', '{"r":0}'], csv: ['1,500', '1,0'], raw: ['500', '0'] }[
      format
    ] as string[];
    send({ value: more }, { value: bad });
    // What was bad is so for a view that is made later, too.
    await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT r, count(*) AS n FROM s GROUP BY r');
    assert.deepEqual(await sql(engine, 'SELECT * FROM later ORDER BY r'), [
      ['2', '1'],
      ['4', '1'],
      ['500', '1'],
    ]);
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM v ORDER BY r'),
      await sql(engine, 'SELECT * FROM later ORDER BY r'),
    );
    await engine.close();
  });
}

test('a keyed table over a topic', async () => {
  const { engine, send } = await opened();
  await sql(engine, `CREATE TABLE t (k posint PRIMARY KEY, r required) WITH (${WITH}, envelope = 'upsert')`);
  send({ key: '1', value: '{"r":1}' }, { key: '{"k":2}', value: '{"r":2}' }, { key: '1', value: '{"r":-1}' });
  send({ key: '-1', value: '{"r":1}' }, { key: '2', value: null }, { key: '3', value: '{"r":3}' });
  assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY k'), [
    ['1', '1'],
    ['3', '3'],
  ]);
  await engine.close();
});

test('a domain over a connector says the same whenever its records are read', async () => {
  const { engine } = await opened();
  await sql(engine, 'CREATE DOMAIN recent AS timestamptz CHECK (VALUE < now())');
  await assert.rejects(sql(engine, `CREATE STREAM s (a recent) WITH (${WITH})`), { sqlstate: '0A000' });
  await sql(engine, 'CREATE TABLE t (a timestamptz)');
  await assert.rejects(sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT a::recent FROM t'), { sqlstate: '0A000' });
  await engine.close();
});

test('a value of a view that does not fit is an error row until its row goes', async () => {
  const { engine } = await opened();
  await sql(
    engine,
    `CREATE TABLE t (id int, a int);
     CREATE MATERIALIZED VIEW v AS SELECT id, a::posint AS p, sum(a::posint) OVER () AS s FROM t;
     CREATE MATERIALIZED VIEW plain AS SELECT id, a::required AS r FROM t;
     INSERT INTO t VALUES (1, 5), (2, -5), (3, NULL)`,
  );
  assert.deepEqual(await sql(engine, 'SELECT id, r FROM plain ORDER BY id'), [['1', '5']]);
  assert.deepEqual(await sql(engine, "SELECT sqlstate FROM tidemark.errors('plain') ORDER BY 1"), [
    ['23502'],
    ['23514'],
  ]);
  await assert.rejects(sql(engine, 'SELECT a::posint FROM t'), { sqlstate: '23514' });
  await sql(engine, 'DELETE FROM t WHERE a < 0; UPDATE t SET a = 6 WHERE a IS NULL');
  assert.deepEqual(await sql(engine, 'SELECT id, r FROM plain ORDER BY id'), [
    ['1', '5'],
    ['3', '6'],
  ]);
  assert.deepEqual(await sql(engine, "SELECT * FROM tidemark.errors('plain')"), []);
  assert.deepEqual(await sql(engine, 'SELECT id, p, s FROM v ORDER BY id'), [
    ['1', '5', '11'],
    ['3', '6', '11'],
  ]);
  engine.system.catalogs = new PgCatalog(engine);
  const types = await sql(
    engine,
    "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 0 ORDER BY attnum",
  );
  assert.deepEqual(types, [
    ['id', 'integer'],
    ['r', 'required'],
  ]);
  await engine.close();
});

test('rows that wait for COMMIT are looked at when a domain has got more to say', async () => {
  const { engine } = await opened();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, p posint, ps posint[])');
  const insert = (id: number, p: number) => `INSERT INTO t VALUES (${id}, ${p}, '{${p}}')`;
  for (const [statement, p] of [
    ['ADD CONSTRAINT big CHECK (VALUE > 6)', 3],
    ['SET NOT NULL', 8],
  ] as const) {
    const one = new Session(engine);
    await one.run(insert(p, p));
    if (statement === 'SET NOT NULL') await one.run('INSERT INTO t VALUES (50, NULL, NULL)');
    await sql(engine, `ALTER DOMAIN posint ${statement}`);
    await assert.rejects(one.transaction.commit(), (error: { sqlstate: string }) => /^23/.test(error.sqlstate));
  }
  await sql(engine, insert(9, 9));
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['9', '9', '{9}']]);
  await engine.close();
});

test('changes of a database, and Avro', async () => {
  const { engine, send } = await opened();
  await sql(engine, `CREATE TABLE s (k posint PRIMARY KEY, rs required[]) WITH (${WITH}, format = 'debezium_json')`);
  const change = (after: unknown) => ({ value: JSON.stringify({ op: 'c', after }) });
  send(
    change({ k: 1, rs: [1, 2] }),
    change({ k: -1, rs: [] }),
    change({ k: 2, rs: [1, 100] }),
    change({ k: 3, rs: [null] }),
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM s'), [['1', '{1,2}']]);
  const codes = (await sql(engine, ERRORS)).map(([at, code]) => [at, code]);
  assert.deepEqual(codes, [
    ['1', '23514'],
    ['2', '23514'],
    ['3', '23502'],
  ]);
  await engine.close();
  const avro = await opened();
  const schema = '{"type":"record","name":"r","fields":[{"name":"p","type":["null","int"]}]}';
  await sql(avro.engine, `CREATE STREAM s (p posint) WITH (${WITH}, format = 'avro', schema = '${schema}')`);
  await sql(avro.engine, 'CREATE MATERIALIZED VIEW v AS SELECT p FROM s');
  // The branch of the union, and the number, as zigzag.
  avro.send({ value: '\x02\x04' }, { value: '\x02\x03' }, { value: '\x00' });
  assert.deepEqual(await sql(avro.engine, 'SELECT p FROM v ORDER BY p'), [['2'], [null]]);
  assert.deepEqual(
    (await sql(avro.engine, ERRORS)).map(([at, code]) => [at, code]),
    [['1', '23514']],
  );
  await avro.engine.close();
});

test('a domain in pieces of a query that are computed again', async () => {
  const { engine } = await opened();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, p posint, a int);
     CREATE MATERIALIZED VIEW v AS SELECT p, a::posint AS q FROM t WHERE a > 0;
     CREATE MATERIALIZED VIEW passed_on AS SELECT p, count(*) AS n FROM t GROUP BY p;
     CREATE VIEW plain AS SELECT a::required AS r FROM t;
     CREATE MATERIALIZED VIEW over_plain AS SELECT max(r) AS m FROM plain;
     INSERT INTO t VALUES (1, 2, 3)`,
  );
  const refused = (text: string, detail: RegExp) =>
    assert.rejects(sql(engine, text), (error: { sqlstate: string; fields: { detail: string } }) => {
      return error.sqlstate === '0A000' && detail.test(error.fields.detail);
    });
  await refused('ALTER DOMAIN required DROP CONSTRAINT low', /^materialized view over_plain depends on type required$/);
  await refused('ALTER DOMAIN posint ADD CHECK (VALUE < 9)', /materialized view v depends on type posint/);
  await sql(engine, 'DROP MATERIALIZED VIEW v; DROP VIEW plain CASCADE');
  // A view that only passes values on says nothing of their domain.
  await sql(engine, 'ALTER DOMAIN posint ADD CHECK (VALUE < 9)');
  await assert.rejects(sql(engine, 'UPDATE t SET p = 9'), { sqlstate: '23514' });
  await sql(engine, 'CREATE INDEX ON t ((a::posint))');
  await refused('ALTER DOMAIN posint DROP CONSTRAINT posint_check', /^index t_a_idx depends on type posint$/);
  await assert.rejects(sql(engine, 'UPDATE t SET a = -1'), { sqlstate: '23514' });
  assert.deepEqual(await sql(engine, 'SELECT * FROM passed_on'), [['2', '1']]);
  await engine.close();
});

test('a label that a domain says, or that values of it have, keeps its text', async () => {
  const { engine } = await opened();
  await sql(
    engine,
    `CREATE TYPE mood AS ENUM ('a', 'b', 'c');
     CREATE DOMAIN good AS mood CHECK (VALUE > 'a'::mood);
     CREATE TABLE t (id int, g good);
     INSERT INTO t VALUES (1, 'b')`,
  );
  await assert.rejects(sql(engine, "ALTER TYPE mood RENAME VALUE 'a' TO 'x'"), { sqlstate: '0A000' });
  await sql(engine, "ALTER TYPE mood RENAME VALUE 'b' TO 'y'");
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT g::text AS g FROM t');
  await assert.rejects(sql(engine, "ALTER TYPE mood RENAME VALUE 'c' TO 'z'"), { sqlstate: '0A000' });
  await sql(engine, "ALTER TYPE mood ADD VALUE 'd'");
  await assert.rejects(sql(engine, 'ALTER TYPE mood RENAME TO feeling'), { sqlstate: '0A000' });
  await sql(engine, "INSERT INTO t VALUES (2, 'd')");
  await assert.rejects(sql(engine, "INSERT INTO t VALUES (2, 'a')"), { sqlstate: '23514' });
  assert.deepEqual(await sql(engine, 'SELECT g FROM v ORDER BY g'), [['d'], ['y']]);
  await engine.close();
});
