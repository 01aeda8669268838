/** Partitions in event time: a watermark that nothing but time moves is shown, and who is ahead waits for who is behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from './harness.ts';
import { MessageSource, type TestMessage } from './message_source.ts';

const START = Date.UTC(2026, 0, 1);
const FIRST = `CREATE STREAM s (at timestamp, v int, WATERMARK FOR at AS at - INTERVAL '1 second')
  WITH (connector = 'kafka', brokers = 'memory', topic = 's', idle_timeout = '300 ms');`;
const CLOSED = `CREATE MATERIALIZED VIEW closed AS SELECT window_start, count(*) AS n, sum(v) AS v
  FROM TUMBLE(s, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE;`;

const message = (partition: number, second: number): TestMessage => {
  const at = new Date(START + second * 1000).toISOString().slice(0, -1);
  return { partition, value: JSON.stringify({ at, v: second }) };
};

const watermark = async (engine: TidemarkEngine) =>
  (await sql(engine, "SELECT extract(epoch FROM watermark - '2026-01-01')::int FROM tidemark.sources LIMIT 1"))[0][0];

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`never: ${what}`);
}

test('a window that a row closes is shown though no other row comes', async () => {
  const topic = new MessageSource();
  const engine = await openEngine({ openSource: () => topic });
  await sql(engine, FIRST + CLOSED);
  topic.send(message(0, 1), message(0, 2), message(0, 11));
  assert.ok(engine.sourceTicks.pump());
  assert.deepEqual(await sql(engine, 'SELECT v FROM closed'), []);
  assert.ok(engine.sourceTicks.pump(), 'a tick that shows the watermark');
  assert.deepEqual(await sql(engine, 'SELECT v FROM closed'), [['3']]);
  const { tick } = engine.loop;
  assert.ok(!engine.sourceTicks.pump());
  assert.equal(engine.loop.tick, tick);
  topic.send(message(0, 21));
  await sql(engine, 'FLUSH');
  assert.deepEqual(await sql(engine, 'SELECT v FROM closed ORDER BY v'), [['3'], ['11']]);
  await engine.close();
});

test('where no view waits for a watermark, no tick is run for one', async () => {
  const topic = new MessageSource();
  const engine = await openEngine({ openSource: () => topic });
  await sql(engine, `${FIRST} CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM s;`);
  topic.send(message(0, 1));
  assert.ok(engine.sourceTicks.pump());
  assert.ok(!engine.sourceTicks.pump());
  await engine.close();
});

test('an idle partition holds no window back, though nothing comes; a broker that is away makes none idle', async () => {
  const topic = new MessageSource(2);
  const engine = await openEngine({ openSource: () => topic, automatic: true });
  await sql(engine, FIRST + CLOSED);
  topic.send(message(0, 1), message(0, 12), message(1, 3));
  engine.sourceTicks.schedule();
  await until('the first window', async () => (await sql(engine, 'SELECT v FROM closed')).length === 1);
  assert.deepEqual(await sql(engine, 'SELECT v FROM closed'), [['4']]);
  // All are idle: none of them holds the watermark back.
  assert.equal(await watermark(engine), '11');

  topic.tell({ kind: 'unreachable', message: 'no broker answers' });
  topic.send(message(0, 25));
  engine.sourceTicks.schedule();
  await until('the row', async () => (await sql(engine, 'SELECT count(*) FROM s'))[0][0] === '4');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(await watermark(engine), '11');
  topic.tell({ kind: 'recovered' });
  engine.sourceTicks.schedule();
  await until('the second window', async () => (await sql(engine, 'SELECT v FROM closed')).length === 2);
  assert.equal(await watermark(engine), '24');
  await engine.close();
});

test('while no broker answers nobody knows how far behind a stream is: the end of before does not stand for it', async () => {
  const topic = new MessageSource();
  const engine = await openEngine({ openSource: () => topic });
  await sql(engine, `${FIRST} CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM s;`);
  const figures = () => sql(engine, 'SELECT "position", high_watermark, lag, status FROM tidemark.sources');
  topic.send(message(0, 1));
  while (engine.sourceTicks.pump());
  assert.deepEqual(await figures(), [['1', '1', '0', 'running']]);
  topic.tell({ kind: 'unreachable', message: 'no broker answers' });
  while (engine.sourceTicks.pump());
  assert.deepEqual(await figures(), [['1', null, null, 'unreachable: no broker answers']]);
  topic.tell({ kind: 'recovered' });
  while (engine.sourceTicks.pump());
  assert.deepEqual(await figures(), [['1', '1', '0', 'running']]);
  await engine.close();
});

/** Partition 0 has a row a second, the others one in `every` seconds. */
function uneven(topic: MessageSource, partitions: number, seconds: number, every: number): void {
  for (let second = 0; second < seconds; second++) {
    topic.send(message(0, second));
    if (second % every === 0) for (let p = 1; p < partitions; p++) topic.send(message(p, second));
  }
}

test('while history is read, partitions are within about a minute of each other, and views are the same', async () => {
  const { random } = seeded('partitions in event time');
  const partitions = 2 + random(3);
  const topic = new MessageSource(partitions, 50);
  const engine = await openEngine({ openSource: () => topic, tickRows: 50 });
  await sql(
    engine,
    `${FIRST}${CLOSED}
     CREATE MATERIALIZED VIEW open AS SELECT window_start, count(*) AS n, sum(v) AS v FROM TUMBLE(s, at, INTERVAL '10 seconds') GROUP BY window_start;`,
  );
  uneven(topic, partitions, 20_000, 20 + random(30));
  const span = `SELECT coalesce(extract(epoch FROM max(window_start) - (SELECT max(window_start) FROM closed)), 0)::int FROM open`;
  let widest = 0;
  let waited = false;
  for (let tick = 0; engine.sourceTicks.pump(); tick++) {
    if (topic.paused.length > 0) waited = true;
    if (tick % 10 === 9) widest = Math.max(widest, Number((await sql(engine, span))[0][0]));
  }
  assert.ok(waited);
  // A batch of 50 rows of the rarest is 2,500 s at most; without waiting it would be all that is left, 19,000.
  assert.ok(widest < 6_000, `${widest} s of windows are open`);
  assert.deepEqual(topic.paused, []);
  assert.deepEqual(await sql(engine, "SELECT count(*) FROM tidemark.late('s')"), [['0']]);
  assert.deepEqual(
    await sql(engine, 'SELECT count(*), sum(v) FROM s'),
    await sql(engine, 'SELECT sum(n), sum(v) FROM open'),
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM closed EXCEPT ALL SELECT * FROM open'), []);
  await engine.close();
});

test('one that waits is not waited for by FLUSH, and a time that is nonsense stops nobody', async () => {
  const topic = new MessageSource(2, 10);
  const engine = await openEngine({ openSource: () => topic, tickRows: 10 });
  await sql(engine, `${FIRST} CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM s;`);
  for (let second = 0; second < 200; second++) topic.send(message(0, second));
  for (let i = 0; i < 40; i++) topic.send(message(1, i * 1000));
  for (let tick = 0; tick < 6; tick++) engine.sourceTicks.pump();
  assert.deepEqual(topic.paused, [1]);
  await sql(engine, 'FLUSH');
  assert.deepEqual(topic.paused, []);
  assert.deepEqual(await sql(engine, 'SELECT * FROM m'), [['240']]);

  // One of its rows is of another century, the rest of its batch is not.
  for (let second = 200; second < 400; second++) {
    topic.send(message(0, second), message(1, second));
    if (second === 205) topic.send(message(1, 5e9));
  }
  for (let tick = 0; tick < 200 && topic.paused.length === 0 && engine.sourceTicks.pump(); tick++);
  assert.deepEqual(topic.paused, []);
  await engine.close();
});
