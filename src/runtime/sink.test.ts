import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import { type Delivery, type SinkProgress, SinkRuntime, type SinkWriter, type TickChanges } from './sink.ts';

const IN_MEMORY: SinkProgress = {
  skip: 0n,
  known: 0n,
  stopped: null,
  durable: () => Promise.resolve(),
  delivered: () => undefined,
  ended: () => undefined,
};

/** Writes by the test's leave: each write takes the next answer, and waits when there is none. */
class TestWriter implements SinkWriter {
  readonly delivery: Delivery;
  readonly written: [tick: bigint, value: Datum][] = [];
  /** What begin() finds: a tick, or an error. */
  there: (bigint | null | Error)[] = [];
  begun = 0;
  closed: 'forgotten' | 'kept' | null = null;
  #answers: (Error | 'ok')[] = [];
  #wake: (() => void) | null = null;

  constructor(delivery: Delivery = 'at_least_once') {
    this.delivery = delivery;
  }

  answer(...answers: (Error | 'ok')[]): void {
    this.#answers.push(...answers);
    this.#wake?.();
  }

  create(): Promise<void> {
    return Promise.resolve();
  }

  async begin(): Promise<bigint | null> {
    this.begun++;
    const there = this.there.shift() ?? null;
    if (there instanceof Error) throw there;
    return there;
  }

  async write(ticks: TickChanges[]): Promise<void> {
    while (this.#answers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const answer = this.#answers.shift();
    if (answer instanceof Error) throw answer;
    for (const { tick, batch } of ticks)
      for (let row = 0; row < batch.n; row++) this.written.push([tick, readRow(batch, row)[0]]);
  }

  async close(forget: boolean): Promise<void> {
    this.closed = forget ? 'forgotten' : 'kept';
  }
}

const types = [colType(OID.int4)];

function started(mostQueuedRows?: number, writer = new TestWriter(), progress = IN_MEMORY, begun = true) {
  const said: string[] = [];
  const sink = new SinkRuntime(writer, (message) => said.push(message), progress, begun, mostQueuedRows);
  const tick = (number: bigint, rows: [value: number, weight: number][] = [[Number(number), 1]]) => {
    const arena = new Arena();
    const values = rows.map(([value]) => [value]);
    const weights = rows.map(([, weight]) => weight);
    sink.onTick(number, batchFromRows(types, values, arena, weights));
    arena.release();
  };
  sink.live(0n);
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
  await sink.close(false);
  assert.equal(writer.closed, 'kept');
  assert.equal(pages.usedPages, used);
});

test('a sink whose writes fail is retrying, however often its writer begins again', async () => {
  const { writer, sink, tick } = started();
  tick(1n);
  writer.answer(new SqlError('53400', 'too large'));
  while (writer.begun === 0) await sleep(1);
  // What it does with that takes no time.
  await new Promise(setImmediate);
  assert.deepEqual([sink.statistics.status, sink.statistics.lastError], ['retrying', 'too large']);
  writer.answer('ok');
  await sink.flushed();
  assert.equal(sink.statistics.status, 'running');
  await sink.close(false);
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
  await sink.close(false);
  assert.equal(pages.usedPages, used);
});

test('a sink that is behind says so until half is written, and loses nothing', async () => {
  const used = pages.usedPages;
  const { writer, sink, tick } = started(3);
  writer.there.push(null, null);
  for (const n of [1n, 2n, 3n]) tick(n);
  assert.equal(sink.isBehind, false);
  tick(4n);
  assert.equal(sink.isBehind, true);
  let room = false;
  const waited = sink.room().then(() => {
    room = true;
  });
  writer.answer(new SqlError('08001', 'away'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([room, sink.isBehind], [false, true]);
  tick(5n);
  writer.answer('ok');
  await waited;
  await sink.flushed();
  assert.deepEqual([sink.isBehind, sink.statistics.status], [false, 'running']);
  assert.deepEqual(
    writer.written.map(([n]) => n),
    [1n, 2n, 3n, 4n, 5n],
  );
  await sink.close(false);
  assert.equal(pages.usedPages, used);
});

test('closing writes what is queued, but does not wait for what fails', async () => {
  const { writer, sink, tick } = started();
  tick(1n);
  tick(2n);
  const closing = sink.close(false);
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
  await failing.sink.close(false);
  assert.deepEqual(failing.writer.written, []);
  assert.equal(failing.writer.closed, 'kept');
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
  await first.sink.close(false);

  const writer = new TestWriter();
  writer.answer('ok', 'ok', 'ok');
  // The log says that tick 1 was written after the checkpoint.
  const loaded = new SinkRuntime(writer, () => undefined, { ...IN_MEMORY, skip: 1n }, false);
  loaded.load(saved);
  loaded.live(0n);
  await loaded.flushed();
  assert.equal(writer.begun, 1);
  assert.deepEqual(writer.written, first.writer.written.slice(1));
  await loaded.close(false);
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
  await sink.close(false);
  await loaded.sink.close(false);
});

test('the log is told that a sink has stopped, and a restart is no way to go on, whatever a checkpoint before had', async () => {
  const used = pages.usedPages;
  const told: [bigint, string][] = [];
  const ended = (tick: bigint, why: string) => void told.push([tick, why]);
  const { writer, sink, tick } = started(undefined, new TestWriter(), { ...IN_MEMORY, ended });
  tick(1n);
  tick(2n);
  const saved = sink.save();
  writer.answer('ok', new SqlError('55000', 'made again', { hint: 'Do this.' }));
  await sink.flushed();
  assert.deepEqual(told, [[1n, 'made again. Do this.']]);
  await sink.close(false);

  const stopped = told[0][1];
  const again = started(undefined, new TestWriter(), { ...IN_MEMORY, skip: 1n, stopped, ended }, false);
  again.sink.load(saved);
  again.tick(3n);
  await again.sink.flushed();
  const { status, lastError } = again.sink.statistics;
  assert.deepEqual([status, lastError, again.writer.begun, again.writer.written], ['stopped', stopped, 0, []]);
  assert.equal(told.length, 1);
  await again.sink.close(false);
  assert.equal(pages.usedPages, used);
});

test('a log that has failed is told nothing: what it lost may come again', async () => {
  const told: string[] = [];
  const ended = (_: bigint, why: string) => void told.push(why);
  const durable = () => Promise.reject(new SqlError('58030', 'the log'));
  const { sink, tick } = started(undefined, new TestWriter(), { ...IN_MEMORY, durable, ended });
  tick(1n);
  await sink.flushed();
  assert.deepEqual([sink.statistics.status, told], ['stopped', []]);
  await sink.close(false);
});

test('what the other side has after a failure is not written again', async () => {
  const used = pages.usedPages;
  const { writer, sink, tick } = started(undefined, new TestWriter('exactly_once'));
  for (const n of [1n, 2n, 3n, 4n]) tick(n);
  // The commit of tick 1 arrived though its answer did not; so did, of what is tried then, nothing.
  writer.there = [1n, new SqlError('08001', 'still away'), 1n, 4n];
  writer.answer(new Error('lost'), new Error('lost'));
  writer.answer(new Error('lost'));
  await sink.flushed();
  assert.deepEqual(writer.written, []);
  assert.equal(writer.begun, 4);
  assert.deepEqual([sink.statistics.tick, sink.statistics.status, sink.statistics.queued], [4n, 'running', 0]);
  // A tick that comes again is known.
  tick(4n);
  writer.answer('ok');
  tick(5n);
  await sink.flushed();
  assert.deepEqual(writer.written, [[5n, 5]]);
  await sink.close(true);
  assert.equal(writer.closed, 'forgotten');
  assert.equal(pages.usedPages, used);
});

test('after a restart what the other side has decides, not the log; and the log is told of nothing', async () => {
  const told: bigint[] = [];
  const progress = { ...IN_MEMORY, skip: 1n, delivered: (tick: bigint) => told.push(tick) };
  const writer = new TestWriter('exactly_once');
  writer.there = [3n];
  const exact = started(undefined, writer, progress, false);
  for (const n of [1n, 2n, 3n, 4n, 5n]) exact.tick(n);
  exact.writer.answer('ok', 'ok');
  await exact.sink.flushed();
  assert.deepEqual(exact.writer.written, [
    [4n, 4],
    [5n, 5],
  ]);
  assert.deepEqual(told, []);
  const cheap = started(undefined, new TestWriter('at_least_once'), progress, false);
  for (const n of [1n, 2n, 3n]) cheap.tick(n);
  cheap.writer.answer('ok', 'ok');
  await cheap.sink.flushed();
  assert.deepEqual(cheap.writer.written, [
    [2n, 2],
    [3n, 3],
  ]);
  assert.deepEqual(told, [3n]);
  await exact.sink.close(false);
  await cheap.sink.close(false);
});

test('another writer ends the sink', async () => {
  const { writer, sink, tick } = started(undefined, new TestWriter('exactly_once'));
  writer.there = [new SqlError('55006', 'taken over', { hint: 'Do this.' })];
  writer.answer(new Error('fenced'));
  tick(1n);
  await sink.flushed();
  assert.deepEqual([sink.statistics.status, sink.statistics.lastError], ['stopped', 'taken over. Do this.']);
  await sink.close(false);
});

test('the first rows are added up over their parts, and are one tick', async () => {
  const used = pages.usedPages;
  for (const parts of [1, 3]) {
    const writer = new TestWriter();
    const sink = new SinkRuntime(writer, () => undefined, IN_MEMORY, true);
    const part = (tick: bigint, rows: [value: number, weight: number][]) => {
      const arena = new Arena();
      sink.onTick(
        tick,
        batchFromRows(
          types,
          rows.map(([value]) => [value]),
          arena,
          rows.map(([, weight]) => weight),
        ),
      );
      arena.release();
    };
    part(1n, [
      [1, 1],
      [2, 1],
    ]);
    if (parts === 3) {
      part(1n, [[1, -1]]);
      part(4n, [[3, 2]]);
    }
    assert.equal(sink.statistics.queued, 0);
    sink.live(7n);
    writer.answer('ok');
    await sink.flushed();
    assert.deepEqual(
      writer.written.sort((a, b) => Number(a[1]) - Number(b[1])),
      parts === 1
        ? [
            [7n, 1],
            [7n, 2],
          ]
        : [
            [7n, 2],
            [7n, 3],
          ],
    );
    await sink.close(false);
  }
  // What never becomes live is given back.
  const never = new SinkRuntime(new TestWriter(), () => undefined, IN_MEMORY, true);
  const arena = new Arena();
  never.onTick(1n, batchFromRows(types, [[1]], arena, [1]));
  never.onTick(1n, batchFromRows(types, [[1]], arena, [1]));
  arena.release();
  await never.close(true);
  assert.equal(pages.usedPages, used);
});
