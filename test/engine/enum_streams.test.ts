/** Enum types in streams and sinks: what messages say becomes values, what is no label is an error row, and a label that is added holds from then on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const WITH = "connector = 'kafka', brokers = 'memory', topic = 't'";

test('messages have labels', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  const send = (...values: string[]) => {
    source.send(...values.map((value) => ({ value })));
    while (engine.sourceTicks.pump());
  };
  await sql(
    engine,
    `CREATE TYPE level AS ENUM ('low', 'hi"gh', 'top');
     CREATE STREAM s (id int, l level DEFAULT 'top', ls level[]) WITH (${WITH});
     CREATE MATERIALIZED VIEW v AS SELECT id, l, ls FROM s WHERE l >= 'low';
     CREATE MATERIALIZED VIEW counts AS SELECT l, count(*) FROM s GROUP BY l`,
  );
  send('{"id":1,"l":"low"}', '{"id":2,"l":"hi\\"gh","ls":["top","low",null]}', '{"id":3}', '{"id":4,"l":null}');
  send('{"id":5,"l":"new"}', '{"id":6,"l":7}', '{"id":7,"l":"low","ls":["low","no"]}', '{"id":8,"l":"\\u0074op"}');
  assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY l DESC, id'), [
    ['3', 'top', null],
    ['8', 'top', null],
    ['2', 'hi"gh', '{top,low,NULL}'],
    ['1', 'low', null],
  ]);
  assert.deepEqual(
    await sql(engine, 'SELECT "offset", sqlstate, column_name, reason FROM tidemark.errors(\'s\') ORDER BY 1'),
    [
      ['4', '22P02', 'l', 'invalid input value for enum level: "new"'],
      ['5', '22P02', 'l', 'invalid input value for enum level: "7"'],
      ['6', '22P02', 'ls', 'invalid input value for enum level: "no"'],
    ],
  );
  await sql(engine, "ALTER TYPE level ADD VALUE 'new' BEFORE 'top'");
  send('{"id":9,"l":"new"}');
  assert.deepEqual(await sql(engine, 'SELECT * FROM counts ORDER BY l'), [
    ['low', '1'],
    ['hi"gh', '1'],
    ['new', '1'],
    ['top', '2'],
    [null, '1'],
  ]);
  // What was bad is so for a view that is made later, too.
  await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT id, l FROM s');
  assert.deepEqual(await sql(engine, "SELECT id FROM later WHERE l = 'new'"), [['9']]);
  assert.deepEqual(await sql(engine, "SELECT id FROM s WHERE l = 'new'"), [['9']]);
  await assert.rejects(sql(engine, "ALTER TYPE level RENAME VALUE 'new' TO 'newer'"), { sqlstate: '0A000' });
  await assert.rejects(sql(engine, 'DROP TYPE level'), { sqlstate: '2BP01' });
  await engine.close();
});

test('a keyed table is kept up to date by labels', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  await sql(
    engine,
    `CREATE TYPE state AS ENUM ('new', 'done');
     CREATE TABLE t (k state PRIMARY KEY, n int) WITH (${WITH}, envelope = 'upsert')`,
  );
  source.send({ key: 'done', value: '{"n":1}' }, { key: '"new"', value: '{"n":2}' }, { key: 'done', value: '{"n":3}' });
  source.send({ key: 'none', value: '{"n":1}' }, { key: 'new', value: null });
  while (engine.sourceTicks.pump());
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['done', '3']]);
  await engine.close();
});
