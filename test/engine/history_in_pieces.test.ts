/** A stream's history that comes in small pieces: views that are made at once, and need different columns of it, are the queries over all of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const ROWS = 100;

for (const late of [false, true])
  test(`views that begin while the history of others is read${late ? ', with late rows' : ''}`, async () => {
    const topic = new MessageSource();
    const engine = await openEngine({ clock: () => 0n, openSource: () => topic });
    try {
      await sql(
        engine,
        `CREATE STREAM s (a int, b text, c int, at timestamp${late ? ', WATERMARK FOR at AS at' : ''})
       WITH (connector = 'kafka', topic = 't', brokers = 'memory', format = 'json')`,
      );
      await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT count(*) FROM s');
      let accepted = 0;
      for (let i = 0; i < ROWS; i++) {
        // Every tenth is late, and every eleventh is no JSON.
        const second = String(i % 10 === 9 ? 0 : (i % 50) + 1).padStart(2, '0');
        const at = `2026-01-01 00:${String(Math.floor(i / 50)).padStart(2, '0')}:${second}`;
        const good = i % 11 !== 10;
        topic.send({ value: good ? JSON.stringify({ a: i, b: `a text that is long: ${i}`, c: -i, at }) : '{' });
        if (good && !(late && i % 10 === 9)) accepted++;
        engine.sourceTicks.pump();
      }
      assert.deepEqual(await sql(engine, 'SELECT * FROM n'), [[String(accepted)]]);
      const queries = ['a', 'b', 'c', 'b, a', 'c, b, a'].map(
        (columns) => `SELECT ${columns}, count(*) FROM s GROUP BY ${columns}`,
      );
      // Each begins when some pieces have been read for those before.
      await Promise.all(
        queries.map(async (query, i) => {
          for (let turn = 0; turn < 2 * i; turn++) await new Promise((resolve) => setImmediate(resolve));
          await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
        }),
      );
      for (const [i, query] of queries.entries()) {
        const rows = await sql(engine, `SELECT * FROM v${i} ORDER BY 1`);
        assert.equal(rows.length, accepted);
        assert.deepEqual(rows, await sql(engine, `SELECT * FROM (${query}) q ORDER BY 1`));
      }
      const [[sum]] = await sql(engine, 'SELECT sum(a + c) FROM v4');
      assert.equal(sum, '0');
    } finally {
      await engine.close();
    }
  });
