import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import { type SinkProgress, SinkRuntime, type SinkWriter } from './sink.ts';

const IN_MEMORY: SinkProgress = { skip: 0n, durable: () => Promise.resolve(), delivered: () => undefined };

/** Writes by the test's leave: each write takes the next answer, and waits when there is none. */
class TestWriter implements SinkWriter {
  readonly written: [tick: bigint, value: Datum][] = [];
  closed = false;
  #answers: (Error | 'ok')[] = [];
  #wake: (() => void) | null = null;

  answer(...answers: (Error | 'ok')[]): void {
    this.#answers.push(...answers);
    this.#wake?.();
  }

  async write(tick: bigint, delta: Parameters<SinkWriter['write']>[1]): Promise<void> {
    while (this.#answers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const answer = this.#answers.shift();
    if (answer instanceof Error) throw answer;
    this.written.push([tick, readRow(delta, 0)[0]]);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function started(mostQueuedRows?: number) {
  const writer = new TestWriter();
  const said: string[] = [];
  const sink = new SinkRuntime(writer, (message) => said.push(message), IN_MEMORY, mostQueuedRows);
  const tick = (number: bigint) => {
    const arena = new Arena();
    sink.onTick(number, batchFromRows([colType(OID.int4)], [[Number(number)]], arena, [1]));
    arena.release();
  };
  return { writer, said, sink, tick };
}

test('what fails outside is tried again, in order, and then forgiven', async () => {
  const used = pages.usedPages;
  const { writer, said, sink, tick } = started();
  for (const n of [1n, 2n, 3n]) tick(n);
  sink.onTick(4n, null);
  assert.equal(sink.statistics.queued, 3);
  writer.answer('ok', new SqlError('08001', 'away'), new Error('away'), 'ok', 'ok');
  await sink.flushed();
  assert.deepEqual(writer.written, [
    [1n, 1],
    [2n, 2],
    [3n, 3],
  ]);
  assert.deepEqual(said, ['away', 'away']);
  const { status, rows, tick: last, errors, lastError, queued } = sink.statistics;
  assert.deepEqual([status, rows, last, errors, lastError, queued], ['running', 3n, 3n, 2n, 'away', 0]);
  await sink.close();
  assert.ok(writer.closed);
  assert.equal(pages.usedPages, used);
});

test('changes that cannot be written stop the sink', async () => {
  const used = pages.usedPages;
  const { writer, said, sink, tick } = started();
  for (const n of [1n, 2n, 3n]) tick(n);
  writer.answer('ok', new SqlError('0A000', 'no words for this'));
  await sink.flushed();
  tick(4n);
  assert.deepEqual(writer.written, [[1n, 1]]);
  assert.deepEqual(said, ['stopped: no words for this']);
  const { status, lastError, queued } = sink.statistics;
  assert.deepEqual([status, lastError, queued], ['stopped', 'no words for this', 0]);
  await sink.close();
  assert.equal(pages.usedPages, used);
});

test('a sink that falls behind too far stops instead of taking all memory', async () => {
  const used = pages.usedPages;
  const { writer, sink, tick } = started(3);
  writer.answer('ok');
  tick(1n);
  await sink.flushed();
  for (const n of [2n, 3n, 4n]) tick(n);
  assert.equal(sink.statistics.status, 'running');
  tick(5n);
  tick(6n);
  assert.equal(sink.statistics.status, 'stopped');
  // What is being written meanwhile is not disturbed.
  writer.answer('ok', 'ok');
  await sink.flushed();
  assert.deepEqual(
    writer.written.map(([n]) => n),
    [1n, 2n],
  );
  assert.match(sink.statistics.lastError, /more than 3 rows wait/);
  assert.equal(sink.statistics.status, 'stopped');
  await sink.close();
  assert.equal(pages.usedPages, used);
});

test('closing writes what is queued, but does not wait for what fails', async () => {
  const { writer, sink, tick } = started();
  tick(1n);
  tick(2n);
  const closing = sink.close();
  tick(3n);
  writer.answer('ok', 'ok');
  await closing;
  assert.deepEqual(
    writer.written.map(([n]) => n),
    [1n, 2n],
  );

  const failing = started();
  failing.tick(1n);
  failing.writer.answer(new Error('away'));
  await failing.sink.close();
  assert.deepEqual(failing.writer.written, []);
  assert.ok(failing.writer.closed);
});

test('changes that are not written yet are saved, and written by the sink that loads them', async () => {
  const used = pages.usedPages;
  const first = started();
  for (const n of [1n, 2n, 3n, 4n]) first.tick(n);
  const saved = first.sink.save();
  assert.deepEqual(
    saved.queue.map(({ tick }) => tick),
    [1n, 2n, 3n, 4n],
  );
  first.writer.answer('ok', 'ok', 'ok', 'ok');
  await first.sink.flushed();
  assert.deepEqual(first.sink.save(), { stopped: null, queue: [] });
  await first.sink.close();

  const writer = new TestWriter();
  writer.answer('ok', 'ok', 'ok');
  // The log says that tick 1 was written after the checkpoint.
  const loaded = new SinkRuntime(writer, () => undefined, { ...IN_MEMORY, skip: 1n });
  loaded.load(saved);
  await loaded.flushed();
  assert.deepEqual(writer.written, first.writer.written.slice(1));
  await loaded.close();
  assert.equal(pages.usedPages, used);
});

test('a sink that has stopped stays so', async () => {
  const { writer, sink, tick } = started();
  writer.answer(new SqlError('22023', 'never'));
  tick(1n);
  await sink.flushed();
  const loaded = started();
  loaded.sink.load(sink.save());
  assert.equal(loaded.sink.statistics.status, 'stopped');
  assert.match(loaded.sink.statistics.lastError, /never/);
  loaded.tick(2n);
  await loaded.sink.flushed();
  assert.deepEqual(loaded.writer.written, []);
  await sink.close();
  await loaded.sink.close();
});
