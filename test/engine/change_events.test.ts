/** Tables over topics of change events (format = 'debezium_json'): the rows are those of the database, whatever a connector repeats; what is no event is in tidemark.errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Undo } from '../../operators/state/undo.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { runScript } from '../../src/runtime/script.ts';
import { changeEvent, Database } from './database.ts';
import { openEngine, seeded, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const WITH = "WITH (connector = 'kafka', brokers = 'memory', topic = 't', format = 'debezium_json')";

async function opened(tickRows = 1000) {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source, tickRows });
  const tick = (...values: (object | string | null)[]) => {
    for (const value of values)
      source.send({ value: value === null || typeof value === 'string' ? value : JSON.stringify(value) });
    while (engine.sourceTicks.pump());
  };
  return { engine, source, tick };
}

const errors = (engine: TidemarkEngine) =>
  sql(engine, 'SELECT "offset", sqlstate, reason, column_name FROM tidemark.errors(\'t\') ORDER BY 1');

test('made, read, changed, deleted, with and without the schema; tombstones say nothing', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(engine, `CREATE TABLE t (id int PRIMARY KEY, name text, due date) INCLUDE OFFSET AS o ${WITH}`);
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, max(name) AS last FROM t');
    tick(
      { before: null, after: { id: 1, name: 'a', due: 0, more: [1] }, op: 'r' },
      { before: null, after: { id: 2, name: 'b', due: 1 }, op: 'c' },
      changeEvent(
        { op: 'c', before: null, after: { id: 3, name: 'c', due: 86_400_000 } },
        { due: { type: 'int64', name: 'io.debezium.time.Timestamp' } },
      ),
    );
    const rows = 'SELECT * FROM t ORDER BY id';
    assert.deepEqual(await sql(engine, rows), [
      ['1', 'a', '1970-01-01', '0'],
      ['2', 'b', '1970-01-02', '1'],
      ['3', 'c', '1970-01-02', '2'],
    ]);
    tick(
      { before: { id: 1, name: 'a' }, after: { id: 1, name: 'A', due: null }, op: 'u' },
      { before: { id: 2, name: null }, after: null, op: 'd' },
      null,
      'null',
      { schema: null, payload: null },
      // Nobody deletes it: no such row.
      { before: { id: 7 }, after: null, op: 'd' },
      { before: { id: 3 }, after: { id: 4, name: 'C' }, op: 'u' },
      // A database that logs only what a key has changed to, or nothing, of the old row.
      { before: { id: null, name: 'x' }, after: { id: 5, name: 'e' }, op: 'u' },
      { before: {}, after: { id: 6, name: 'f' }, op: 'u' },
    );
    assert.deepEqual(await sql(engine, rows), [
      ['1', 'A', null, '3'],
      ['4', 'C', null, '9'],
      ['5', 'e', null, '10'],
      ['6', 'f', null, '11'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['4', 'f']]);
    assert.deepEqual(await errors(engine), []);
  } finally {
    await engine.close();
  }
});

test('what is no change event, or one that cannot be followed, is a row of tidemark.errors, and the others go on', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(engine, `CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL) ${WITH}`);
    const after = { id: 1, n: 1 };
    tick(
      { after, op: 'c' },
      'half {',
      '[]',
      { id: 1, n: 2 },
      { schema: {}, payload: [] },
      { after, op: 'x' },
      { after: null, op: 'u' },
      { before: null, op: 'd' },
      { before: { n: 1 }, op: 'd' },
      { op: 't' },
      { after: { id: 2 }, op: 'c' },
      { after: { id: 'x', n: 1 }, op: 'c' },
      { after: [], op: 'c' },
      '{"after":{"id":3,"n":1,"\\ud800":1},"op":"c"}',
      { before: { id: 'y' }, after, op: 'u' },
      { after: { id: 3, n: 3 }, op: 'c' },
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY id'), [
      ['1', '1'],
      ['3', '3'],
    ]);
    assert.deepEqual(await errors(engine), [
      ['1', '22P02', 'invalid input syntax for type json: Token "half" is invalid.', null],
      ['2', '22023', 'the message is no JSON object', null],
      ['3', '22023', 'the message has no "op", so it is no change event', null],
      ['4', '22023', 'the payload of the message is no JSON object', null],
      ['5', '22023', 'unknown op "x"', null],
      ['6', '22023', 'a change with op "u" needs "after"', null],
      ['7', '22023', 'a change with op "d" needs "before"', null],
      ['8', '22023', '"before" of a deleted row has not the whole primary key', null],
      ['9', '0A000', 'a TRUNCATE is not followed', null],
      ['10', '23502', 'null value in column "n" violates not-null constraint', 'n'],
      ['11', '22P02', 'invalid input syntax for type integer: "x"', 'id'],
      ['12', '22023', '"after" is no JSON object', null],
      ['13', '22P02', 'invalid input syntax for type json: Unicode low surrogate must follow a high surrogate.', null],
      ['14', '22P02', 'invalid input syntax for type integer: "y"', 'id'],
    ]);
    assert.deepEqual(
      await sql(engine, "SELECT encode(message, 'escape') FROM tidemark.errors('t') WHERE \"offset\" = 1"),
      [['half {']],
    );
  } finally {
    await engine.close();
  }
});

test('long values that did not change stay; a row that has them is needed', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(
      engine,
      `CREATE TABLE t (id int PRIMARY KEY, n int, body text NOT NULL, raw bytea, list text[], numbers int[]) ${WITH}`,
    );
    const long = 'long '.repeat(100);
    const unavailable = '__debezium_unavailable_value';
    const bytes = Buffer.from(unavailable);
    const all = { body: unavailable, raw: bytes.toString('base64'), list: [unavailable], numbers: [...bytes] };
    const whole = { body: long, raw: Buffer.from(long).toString('base64'), list: ['x', long], numbers: [1, 2] };
    tick({ after: { id: 1, n: 1, ...whole }, op: 'c' });
    tick({ after: { id: 1, n: 2, ...all }, op: 'u' });
    const expected = [long, `\\x${Buffer.from(long).toString('hex')}`, `{x,"${long}"}`, '{1,2}'];
    assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['1', '2', ...expected]]);
    // In one tick: after one another, after the row was made, after one that keeps others.
    tick(
      { after: { id: 1, n: 3, ...all, body: 'short' }, op: 'u' },
      { after: { id: 1, n: 4, ...all }, op: 'u' },
      { after: { id: 2, n: 1, ...whole, body: 'second' }, op: 'c' },
      { after: { id: 2, n: 2, ...all, raw: 'AQ==' }, op: 'u' },
      { after: { id: 2, n: 3, ...all }, op: 'u' },
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY id'), [
      ['1', '4', 'short', ...expected.slice(1)],
      ['2', '3', 'second', '\\x01', ...expected.slice(2)],
    ]);
    assert.deepEqual(await errors(engine), []);
    tick(
      { after: { id: 3, n: 1, ...all }, op: 'u' },
      { before: { id: 2 }, after: null, op: 'd' },
      { after: { id: 2, n: 9, ...all }, op: 'u' },
      { after: { id: 4, n: 1, ...all }, op: 'c' },
      { after: { id: 4, n: 2, ...whole }, op: 'c' },
    );
    assert.deepEqual(await sql(engine, 'SELECT id, n FROM t ORDER BY id'), [
      ['1', '4'],
      ['4', '2'],
    ]);
    const reason = 'the value of column "body" did not come with the change, and there is no row that has it';
    assert.deepEqual(
      await errors(engine),
      ['7', '9', '10'].map((offset) => [offset, '22004', reason, 'body']),
    );
  } finally {
    await engine.close();
  }
});

test('a row whose key changes keeps long values, or its old key when nothing has them', async () => {
  for (const tickRows of [1, 2, 3, 1000]) await keysThatChange(tickRows);
});

async function keysThatChange(tickRows: number): Promise<void> {
  const { engine, tick } = await opened(tickRows);
  try {
    await sql(engine, `CREATE TABLE t (id int PRIMARY KEY, body text) ${WITH}`);
    const moved = (from: number, to: number) => {
      return { before: { id: from }, after: { id: to, body: '__debezium_unavailable_value' }, op: 'u' };
    };
    const rows = 'SELECT * FROM t ORDER BY id';
    const event = moved(1, 2);
    tick({ after: { id: 1, body: 'one' }, op: 'c' });
    tick(event);
    assert.deepEqual(await sql(engine, rows), [['2', 'one']]);
    // In one tick, over several keys; what was the old key's may be there again.
    tick({ after: { id: 5, body: 'five' }, op: 'c' }, moved(5, 6), moved(6, 7), moved(2, 3), moved(3, 2));
    tick({ after: { id: 1, body: 'other' }, op: 'c' }, moved(7, 8));
    const expected = [
      ['1', 'other'],
      ['2', 'one'],
      ['8', 'five'],
    ];
    assert.deepEqual(await sql(engine, rows), expected);
    assert.deepEqual(await errors(engine), []);
    // Read again.
    tick(event, { after: { id: 1, body: 'other' }, op: 'c' });
    assert.deepEqual(await sql(engine, rows), expected);
    // What is refused changes nothing.
    tick({ before: { id: 8 }, op: 'd' }, moved(8, 9), moved(10, 11));
    assert.deepEqual(await sql(engine, rows), expected.slice(0, 2));
    assert.equal((await errors(engine)).length, 2);
  } finally {
    await engine.close();
  }
}

test('what our sink writes is read as it is written', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(engine, `CREATE TABLE t (id int PRIMARY KEY, at timestamp, raw bytea, note jsonb, text text) ${WITH}`);
    tick({
      before: null,
      after: { id: 1, at: '2024-01-01T00:00:00', raw: '\\x00ff', note: '1', text: '__debezium_unavailable_value' },
      op: 'c',
      tick: 7,
    });
    assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [
      ['1', '2024-01-01 00:00:00', '\\x00ff', '"1"', '__debezium_unavailable_value'],
    ]);
    assert.deepEqual(await errors(engine), []);
  } finally {
    await engine.close();
  }
});

test('a database at random: the table is the database at the end of what was read, and views are those of the table at every tick', async () => {
  const { random } = seeded('change events');
  for (let round = 0; round < 10; round++) {
    const { engine, source } = await opened(1 + random(9));
    const database = new Database(random);
    try {
      await sql(
        engine,
        `CREATE TABLE t (a int, b text, n numeric(10,2), at timestamp, body text, PRIMARY KEY (a, b)) ${WITH};
         CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS rows, sum(n) AS total, max(body) AS body FROM t GROUP BY a`,
      );
      let sent = 0;
      for (let step = 0; step < 40; step++) {
        for (let i = random(8); i > 0; i--) database.change();
        // A connector that starts again begins somewhere before.
        if (random(8) === 0) sent = Math.max(0, sent - random(20));
        for (const value of database.messages.slice(sent)) source.send({ value });
        sent = database.messages.length;
        while (engine.sourceTicks.pump()) {
          const view = await sql(engine, 'SELECT * FROM v ORDER BY a');
          const query = 'SELECT a, count(*), sum(n), max(body) FROM t GROUP BY a ORDER BY a';
          assert.deepEqual(view, await sql(engine, query));
        }
        assert.deepEqual(
          await sql(engine, 'SELECT * FROM t ORDER BY a, b'),
          database.rows(),
          `round ${round} step ${step}`,
        );
      }
      // A change that comes again when its row is gone keeps what is nowhere: the row's deletion comes again, too.
      const others = "SELECT count(*) FROM tidemark.errors('t') WHERE sqlstate <> '22004'";
      assert.deepEqual(await sql(engine, others), [['0']]);
    } finally {
      await engine.close();
    }
  }
});

/** Ticks fail after so many changes of state; null: they do not. */
let fails: (() => number) | null = null;
const start = Undo.prototype.start;
Undo.prototype.start = function (this: Undo) {
  start.call(this, fails?.());
};

test('rows and errors do not depend on where ticks begin, nor on ticks that fail and come again', async () => {
  const { random } = seeded('change events in failing ticks');
  let failed = 0;
  let refused = 0;
  for (let round = 0; round < 8; round++) {
    const database = new Database(random);
    for (let i = 0; i < 300; i++) database.change();
    // Of a topic whose beginning is gone, with repeats and what is no event.
    const messages = database.messages.slice(random(60));
    for (let i = random(4); i > 0; i--) {
      const at = random(messages.length);
      messages.splice(at, 0, ...messages.slice(Math.max(0, at - random(30)), at));
    }
    for (let i = random(10); i > 0; i--)
      messages.splice(random(messages.length), 0, ['bad', '{"op":"t"}', '[]'][random(3)]);
    const results: unknown[] = [];
    for (const [tickRows, failing] of [
      [10_000, false],
      [1, false],
      [8 + random(20), true],
    ] as const) {
      const { engine, source } = await opened(tickRows);
      try {
        await sql(
          engine,
          `CREATE TABLE t (a int, b text, n numeric(10,2), at timestamp, body text, PRIMARY KEY (a, b)) ${WITH};
           CREATE MATERIALIZED VIEW v AS SELECT a, b, n, at, body FROM t`,
        );
        source.send(...messages.map((value) => ({ value })));
        for (;;) {
          const { tick } = engine.loop;
          // Never twice in a row: a record that does not fit alone holds the source.
          fails = failing && random(2) === 0 ? () => random(30) : null;
          engine.sourceTicks.pump();
          if (fails !== null && engine.loop.tick === tick) failed++;
          fails = null;
          if (!engine.sourceTicks.pump()) break;
        }
        const rows = await sql(engine, 'SELECT * FROM t ORDER BY a, b');
        assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY a, b'), rows);
        const found = await errors(engine);
        refused += found.filter(([, sqlstate]) => sqlstate === '22004').length;
        results.push([rows, found, await sql(engine, "SELECT errors, rows FROM tidemark.sources WHERE name = 't'")]);
      } finally {
        fails = null;
        await engine.close();
      }
    }
    assert.deepEqual(results[1], results[0], `round ${round}`);
    assert.deepEqual(results[2], results[0], `round ${round}, failing`);
  }
  assert.ok(failed > 3 && refused > 20, `${failed} ticks failed, ${refused} changes refused`);
});

test('what format and envelope cannot be together is refused', async () => {
  const { engine } = await opened();
  try {
    const create = (what: string, options: string) =>
      runScript(engine, `CREATE ${what} WITH (connector = 'kafka', brokers = 'm', topic = 't', ${options})`);
    const table = 'TABLE t (id int PRIMARY KEY)';
    const cases: [string, string, RegExp][] = [
      ['TABLE t (id int)', "format = 'debezium_json'", /needs a table with a PRIMARY KEY/],
      ['STREAM t (id int)', "format = 'debezium_json'", /needs a table with a PRIMARY KEY/],
      [table, "format = 'debezium_json', envelope = 'upsert'", /takes no envelope/],
      [table, "format = 'debezium_json', delimiter = ','", /option "delimiter" is for format = 'csv'/],
      [table, "format = 'xml'", /unknown format "xml"/],
      [table, "format = 'csv', envelope = 'upsert'", /reads format = 'json'.*, not 'csv'/],
      [table, "format = 'csv'", /needs envelope = 'upsert' or format = 'debezium_json'/],
      ['STREAM t (a int, b int)', "format = 'raw'", /needs one column/],
    ];
    for (const [what, options, message] of cases)
      await assert.rejects(create(what, options), message, `${what} ${options}`);
  } finally {
    await engine.close();
  }
});
