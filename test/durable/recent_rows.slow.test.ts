/**
 * What a stream could not read and what came late: the newest rows stay and all are counted, and these are the same after a crash, a checkpoint and a change of the layout.
 * A directory of before this limit has more of them: the newest are taken from its copy.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { LIMIT } from '../../src/runtime/recent_rows.ts';
import { runScript } from '../../src/runtime/script.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';
import { otherLayout } from './other_layout.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-recent-'));
after(() => rmSync(path, { recursive: true, force: true }));

async function open(disk: MemoryDisk, topic: MessageSource, tickRows: number): Promise<TidemarkEngine> {
  const engine = await openEngine({ openSource: () => topic, tickRows });
  await openData(engine, {
    path,
    disk,
    segmentBytes: 4096,
    reserveBytes: 20_000,
    checkpoints: { seconds: 1e6, logBytes: 1e9 },
  });
  return engine;
}

const SETUP = `
  CREATE STREAM s (at timestamp, k int, WATERMARK FOR at AS at) WITH (connector = 'kafka', brokers = 'memory', topic = 't');
  CREATE STREAM l (at timestamp, k int, WATERMARK FOR at AS at);
  CREATE MATERIALIZED VIEW v AS SELECT count(*), sum(k) FROM s;
  CREATE MATERIALIZED VIEW w AS SELECT count(*), sum(k) FROM l;
  INSERT INTO l VALUES ('2026-01-09', 0)`;

const COUNTS = "SELECT errors, late FROM tidemark.sources WHERE name = 's'";
const FIGURES = (column: string) => `min(${column}), max(${column}), count(*), sum(${column})`;
const PLACES = `SELECT ${FIGURES('"offset"')} FROM tidemark.errors('s')`;
const LATE = `SELECT ${FIGURES('k')} FROM tidemark.late('s')`;
const LOCAL = `SELECT ${FIGURES('k')} FROM tidemark.late('l')`;

/** Half of the messages cannot be read, the others are late; of those that INSERT brings all are late. */
async function send(engine: TidemarkEngine, topic: MessageSource, from: number, n: number): Promise<void> {
  for (let k = from; k < from + n; k++) topic.send({ value: '{' }, { value: `{"at":"2026-01-01","k":${k}}` });
  while (engine.sourceTicks.pump());
  await sql(engine, `INSERT INTO l SELECT '2026-01-01', k FROM generate_series(${from}, ${from + n - 1}) g(k)`);
  await engine.journal?.durable();
}

async function state(engine: TidemarkEngine): Promise<unknown[]> {
  const answers: unknown[] = [engine.loop.tick];
  for (const query of [COUNTS, PLACES, LATE, LOCAL, 'SELECT * FROM v', 'SELECT * FROM w'])
    answers.push(await sql(engine, query));
  return answers;
}

/** The least and greatest of the numbers, and how many there are. */
async function bounds(engine: TidemarkEngine, query: string): Promise<number[]> {
  const [figures] = await sql(engine, query);
  return figures.slice(0, 3).map(Number);
}

/** The log's beginning goes with the second checkpoint, so an orderly end leaves a copy. Gives the state at the end. */
async function closeWithCopy(engine: TidemarkEngine, disk: MemoryDisk): Promise<unknown[]> {
  for (let i = 0; i < 2; i++) await sql(engine, "INSERT INTO l VALUES ('2026-01-09', 0); CHECKPOINT");
  const last = await state(engine);
  await engine.close();
  assert.ok([...disk.files.keys()].some((name) => name.includes('portable-')));
  otherLayout(disk);
  return last;
}

async function noticesOf(engine: TidemarkEngine, query: string): Promise<string[]> {
  const notices: string[] = [];
  await runScript(engine, query, (_, message) => notices.push(message));
  return notices;
}

test('the newest rows stay, with exact counts, over crashes, checkpoints and a change of the layout', {
  timeout: 120_000,
}, async () => {
  const disk = new MemoryDisk();
  const topic = new MessageSource();
  let engine = await open(disk, topic, 10_000);
  await sql(engine, SETUP);
  topic.send({ value: '{"at":"2026-01-09","k":0}' });
  while (engine.sourceTicks.pump());
  await send(engine, topic, 1, 40_000);
  assert.deepEqual(await noticesOf(engine, PLACES), []);
  assert.deepEqual(await bounds(engine, LATE), [1, 40_000, 40_000]);
  await sql(engine, 'CHECKPOINT');
  for (const from of [40_001, 70_001, 100_001]) await send(engine, topic, from, 30_000);
  // A tick has 5,000 of each: two generations were full, and the first is gone.
  assert.deepEqual(await sql(engine, COUNTS), [['130000', '130000']]);
  assert.deepEqual(await bounds(engine, LATE), [LIMIT.rows + 1, 130_000, 80_000]);
  assert.deepEqual(await bounds(engine, PLACES), [2 * LIMIT.rows + 1, 259_999, 80_000]);
  assert.deepEqual(await bounds(engine, LOCAL), [70_001, 130_000, 60_000]);
  assert.deepEqual(await noticesOf(engine, PLACES), ['tidemark.errors() has the newest 80000 of 130000 rows']);
  assert.deepEqual(await noticesOf(engine, LATE), ['tidemark.late() has the newest 80000 of 130000 rows']);
  assert.deepEqual(await noticesOf(engine, LOCAL), ['tidemark.late() has the newest 60000 of 130000 rows']);
  const before = await state(engine);

  // The log alone, on the checkpoint of before the limit was reached.
  const crashed = disk.crash(() => 0);
  await engine.close();
  engine = await open(crashed, topic, 10_000);
  assert.notEqual(engine.recovery?.checkpoint, null);
  assert.deepEqual(await state(engine), before);
  // A checkpoint with both generations.
  await sql(engine, 'CHECKPOINT');
  const again = crashed.crash(() => 0);
  await engine.close();
  engine = await open(again, topic, 10_000);
  assert.deepEqual(await state(engine), before);
  // The copy.
  const last = await closeWithCopy(engine, again);
  engine = await open(again, topic, 10_000);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await state(engine), last);
  assert.deepEqual(await noticesOf(engine, LATE), ['tidemark.late() has the newest 80000 of 130000 rows']);
  await engine.close();
});

test('of a copy with more rows than the limit the newest are taken, and all are counted', {
  timeout: 120_000,
}, async () => {
  const disk = new MemoryDisk();
  const topic = new MessageSource();
  // What one tick finds stays together, so this is as many rows as there were before the limit.
  let engine = await open(disk, topic, 1_000_000);
  await sql(engine, SETUP);
  topic.send({ value: '{"at":"2026-01-09","k":0}' });
  while (engine.sourceTicks.pump());
  await send(engine, topic, 1, 130_000);
  assert.deepEqual(await bounds(engine, LATE), [1, 130_000, 130_000]);
  await closeWithCopy(engine, disk);
  engine = await open(disk, topic, 1_000_000);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await sql(engine, COUNTS), [['130000', '130000']]);
  for (const query of [PLACES, LATE, LOCAL]) {
    const [least, greatest, rows] = await bounds(engine, query);
    assert.equal(greatest, query === PLACES ? 259_999 : 130_000);
    assert.ok(rows >= LIMIT.rows && rows <= 2 * LIMIT.rows, `${query}: ${rows}`);
    assert.equal(query === PLACES ? (greatest - least) / 2 + 1 : greatest - least + 1, rows);
  }
  await engine.close();
});
