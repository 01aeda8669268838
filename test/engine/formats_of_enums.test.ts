/** Columns of enum types, and of arrays of them, in every format that is read a record at a time, and in JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const ROW = { id: 1, m: 'ok', l: ['sad', null, 'happy'] };
const COLUMNS = 'id int, m mood, l mood[]';

/** What is made, a good message and a bad one, and the row of the good one. */
const CASES: Record<string, [string, string, string, (string | null)[]]> = {
  json: [`STREAM t (${COLUMNS})`, JSON.stringify(ROW), '{"m":"bad"}', ['1', 'ok', '{sad,NULL,happy}']],
  debezium_json: [
    `TABLE t (${COLUMNS}, PRIMARY KEY (id))`,
    JSON.stringify({ after: ROW, op: 'c' }),
    '{"after":{"id":2,"m":"bad"},"op":"c"}',
    ['1', 'ok', '{sad,NULL,happy}'],
  ],
  csv: [`STREAM t (${COLUMNS})`, '1,ok,"{sad,NULL,happy}"', '2,bad,', ['1', 'ok', '{sad,NULL,happy}']],
  raw: ['STREAM t (m mood)', 'ok', 'bad', ['ok']],
};

for (const [format, [made, good, bad, row]] of Object.entries(CASES)) {
  test(`labels in ${format}`, async () => {
    const source = new MessageSource();
    const engine = await openEngine({ openSource: () => source });
    try {
      await sql(engine, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')");
      await sql(engine, `CREATE ${made} WITH (connector = 'kafka', brokers = 'm', topic = 't', format = '${format}')`);
      await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM t');
      source.send({ value: good }, { value: bad });
      while (engine.sourceTicks.pump());
      assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [row]);
      const errors = "SELECT sqlstate, reason, column_name FROM tidemark.errors('t')";
      assert.deepEqual(await sql(engine, errors), [['22P02', 'invalid input value for enum mood: "bad"', 'm']]);
    } finally {
      await engine.close();
    }
  });
}
