/** What is kept of messages that cannot be read: who looks at it at night sees what is wrong, where, and how much memory it takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const WITH = "WITH (connector = 'kafka', brokers = 'memory', topic = 't'";

test('a reason is short however long the value is that it quotes; the message is whole', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  try {
    await sql(engine, `CREATE STREAM s (id int, v text) ${WITH})`);
    await sql(engine, 'CREATE MATERIALIZED VIEW m AS SELECT id FROM s');
    // A character of two halves lies over the end of what is shown.
    const long = '\u{1f600}'.repeat(100_000);
    source.send({ value: `{"id":1,"v":"${long}` }, { value: `{"id":"x${long}"}` }, { value: '{"id":2}' });
    while (engine.sourceTicks.pump());
    assert.deepEqual(
      await sql(
        engine,
        `SELECT sqlstate, length(reason) BETWEEN 500 AND 1010, right(reason, 4), length(message) > 400000 FROM tidemark.errors('s') ORDER BY "offset"`,
      ),
      [
        ['22P02', 't', '\u{1f600}...', 't'],
        ['22P02', 't', '\u{1f600}...', 't'],
      ],
    );
    assert.deepEqual(await sql(engine, 'SELECT id FROM m'), [['2']]);
  } finally {
    await engine.close();
  }
});

test('a key that is no text is named, for the message beside it is well', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  try {
    await sql(engine, `CREATE STREAM s (v text) INCLUDE KEY AS k ${WITH}, format = 'raw')`);
    await sql(engine, 'CREATE MATERIALIZED VIEW m AS SELECT k, v FROM s');
    source.send({ key: new Uint8Array([0xff]), value: 'well' }, { key: 'well', value: new Uint8Array([0xff]) });
    while (engine.sourceTicks.pump());
    assert.deepEqual(await sql(engine, `SELECT "offset", sqlstate, column_name FROM tidemark.errors('s') ORDER BY 1`), [
      ['0', '22021', 'k'],
      ['1', '22021', 'v'],
    ]);
  } finally {
    await engine.close();
  }
});

test('tidemark.memory has the messages that could not be read, the late rows and the rows that failed', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  const BYTES = "SELECT bytes FROM tidemark.memory WHERE kind = 'errors and late rows'";
  const grown = async (): Promise<number> => Number((await sql(engine, BYTES))[0][0]);
  try {
    await sql(engine, `CREATE STREAM s (id int, at timestamp, v text, WATERMARK FOR at AS at) ${WITH})`);
    await sql(engine, 'CREATE MATERIALIZED VIEW m AS SELECT 1 / id AS x, v FROM s');
    const filler = 'x'.repeat(100_000);
    const message = (id: number, day: number) => ({
      value: JSON.stringify({ id, at: `2026-01-0${day} 00:00`, v: filler }),
    });
    source.send({ value: '{"id":1,"at":"2026-01-05 00:00"}' });
    while (engine.sourceTicks.pump());
    assert.equal(await grown(), 0);
    source.send({ value: `{"v":"${filler}` });
    while (engine.sourceTicks.pump());
    const errors = await grown();
    assert.ok(errors > 100_000, `${errors}`);
    source.send(message(2, 1));
    while (engine.sourceTicks.pump());
    const late = await grown();
    assert.ok(late > errors + 100_000, `${late}`);
    source.send(message(0, 6));
    while (engine.sourceTicks.pump());
    const failed = await grown();
    assert.ok(failed > late + 100_000, `${failed}`);
  } finally {
    await engine.close();
  }
});
