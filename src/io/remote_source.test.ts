/** Both halves of a remote source over a MessageChannel in one thread, around a source that the test fills. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { BYTES, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { PageAllocator, pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { buffers } from '../kafka/buffers.ts';
import { Arrivals } from '../sources/arrivals.ts';
import type { RawBatch, Source, SourceEvent } from '../sources/source.ts';
import { Channel, newLinks } from './channel.ts';
import { type FromIo, receivedError, sentError, type ToIo, Transferred } from './messages.ts';
import { RemoteSource } from './remote_source.ts';
import { SourceHost } from './source_host.ts';

const RECORD_BYTES = 100;

/** Records `from` to `to` of a partition, each RECORD_BYTES long and with a header h = its offset. */
function batchOf(partition: number, from: number, to: number): RawBatch {
  const n = to - from;
  const bytes = Buffer.alloc(n * RECORD_BYTES);
  const starts = Int32Array.from({ length: n }, (_, i) => i * RECORD_BYTES);
  for (let i = 0; i < n; i++) {
    bytes.write(`record ${partition}:${from + i}`.padEnd(20), i * RECORD_BYTES);
    // One header: count, length of the key, key, length of the value, value; lengths are zigzag.
    const value = String(from + i);
    bytes.write(`\x02\x02h${String.fromCharCode(value.length * 2)}${value}`, i * RECORD_BYTES + 20);
  }
  return {
    partition,
    baseOffset: BigInt(from),
    nextOffset: BigInt(to),
    n,
    bytes,
    valueStart: starts,
    valueEnd: starts.map((start) => start + 20),
    keyStart: new Int32Array(n).fill(-1),
    keyEnd: new Int32Array(n),
    offset: Float64Array.from({ length: n }, (_, i) => from + i),
    timestamp: new Float64Array(n),
    headerStart: starts.map((start) => start + 20),
    headers: () => [],
  };
}

/** The same in one buffer that both threads see. */
function sharedBatchOf(partition: number, from: number, to: number): { batch: RawBatch; buffer: SharedArrayBuffer } {
  const buffer = new SharedArrayBuffer(1 << 17);
  let at = 0;
  const shared = <T extends Buffer | Int32Array | Float64Array>(array: T): T => {
    const from = at;
    at += Math.ceil(array.byteLength / 8) * 8;
    const Kind = array.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => T;
    const copy = Buffer.isBuffer(array)
      ? Buffer.from(buffer, from, array.length)
      : new Kind(buffer, from, array.length);
    copy.set(array as never);
    return copy as T;
  };
  const plain = batchOf(partition, from, to);
  const batch: RawBatch = {
    ...plain,
    bytes: shared(plain.bytes),
    valueStart: shared(plain.valueStart),
    valueEnd: shared(plain.valueEnd),
    keyStart: shared(plain.keyStart),
    keyEnd: shared(plain.keyEnd),
    offset: shared(plain.offset),
    timestamp: shared(plain.timestamp),
    headerStart: shared(plain.headerStart as Int32Array),
  };
  return { batch, buffer };
}

/** A batch in pages that the pool has taken, as the I/O thread has them. */
function placedBatchOf(partition: number, from: number, to: number): RawBatch {
  const plain = batchOf(partition, from, to);
  const { buffer, address } = buffers.take(1 << 16);
  let at = address as number;
  const put = <T extends Int32Array | Float64Array>(array: T): T => {
    at += 1024;
    const Kind = array.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => T;
    const copy = new Kind(buffer, at, array.length);
    copy.set(array);
    return copy;
  };
  const bytes = Buffer.from(buffer, address, plain.bytes.length);
  plain.bytes.copy(bytes);
  const names = ['valueStart', 'valueEnd', 'keyStart', 'keyEnd', 'headerStart', 'offset', 'timestamp'] as const;
  const columns = Object.fromEntries(names.map((name) => [name, put(plain[name] as Int32Array)]));
  return { ...plain, ...columns, bytes, address };
}

/** Whether the buffer can be taken by the next record set. */
function isFree(buffer: SharedArrayBuffer): boolean {
  const bytes = new Uint8Array(buffer);
  const taken = buffers.take(buffer.byteLength).buffer;
  new Uint8Array(taken)[0] = 1 + (bytes[0] % 100);
  return bytes[0] === new Uint8Array(taken)[0];
}

class ScriptedSource implements Source {
  readonly opened: Map<number, bigint>[] = [];
  readonly paused = new Set<number>();
  readonly ends = new Map<number, bigint>();
  closed = false;
  rangesClosed = 0;
  #queue: RawBatch[] = [];
  readonly #arrivals = new Arrivals();

  offer(...batches: RawBatch[]): void {
    this.#queue.push(...batches);
    this.wake();
  }

  tell(event: SourceEvent): void {
    this.#arrivals.tell(event);
  }

  wake(): void {
    this.#arrivals.ready();
  }

  async partitions(): Promise<number[]> {
    return [0, 1];
  }

  async startOffsets(): Promise<Map<number, bigint>> {
    throw new SqlError('42P01', 'no such topic', { hint: 'Make one.' });
  }

  open(offsets: Map<number, bigint>): void {
    this.opened.push(offsets);
    this.#queue = this.#queue.filter((batch) => !offsets.has(batch.partition));
  }

  poll(): RawBatch | null {
    const at = this.#queue.findIndex((batch) => !this.paused.has(batch.partition));
    return at < 0 ? null : this.#queue.splice(at, 1)[0];
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(
      callback,
      this.#queue.some((batch) => !this.paused.has(batch.partition)),
    );
  }

  takeEvents(): SourceEvent[] {
    return this.#arrivals.takeEvents();
  }

  position(): bigint | undefined {
    return undefined;
  }

  highWatermark(partition: number): bigint | undefined {
    return this.ends.get(partition);
  }

  pause(partition: number): void {
    this.paused.add(partition);
  }

  resume(partition: number): void {
    this.paused.delete(partition);
    this.wake();
  }

  bufferedBytes(): number {
    return this.#queue.reduce((sum, batch) => sum + batch.bytes.length, 0);
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    try {
      for (let at = Number(from); at < Number(to); at += 2) {
        if (at > 6) throw new SqlError('58P01', 'gone');
        yield batchOf(partition, at, Math.min(at + 2, Number(to)));
      }
    } finally {
      this.rangesClosed++;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

async function open(bufferBytes: number) {
  const { port1, port2 } = new MessageChannel();
  const [linkHere, linkThere] = newLinks();
  const here = new Channel<ToIo, FromIo>(port1, linkHere);
  const there = new Channel<FromIo, ToIo>(port2, linkThere);
  const inner = new ScriptedSource();
  const host = new SourceHost(there);
  const methods = host.methods as Record<string, (...args: never[]) => unknown>;
  there.receive({
    frame: () => assert.fail('sources send no frames'),
    async message(message) {
      if (message.k === 'source') host.order(message.source, message.order);
      if (message.k !== 'call') return;
      const { call } = message;
      try {
        const value = await methods[message.method](...(message.args as never[]));
        if (value instanceof Transferred) there.post({ k: 'answer', call, value: value.value }, value.transfer);
        else there.post({ k: 'answer', call, value });
      } catch (error) {
        there.post({ k: 'failed', call, error: sentError(error) });
      }
    },
  });
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const source = new RemoteSource(
    here,
    (method, ...args) =>
      new Promise((resolve, reject) => {
        const call = calls.size;
        calls.set(call, { resolve, reject });
        here.post({ k: 'call', call, method, args });
      }),
    host.add(inner, bufferBytes),
    () => undefined,
  );
  here.receive({
    frame: () => assert.fail('sources send no frames'),
    message(message) {
      if (message.k === 'answer') calls.get(message.call)?.resolve(message.value);
      else if (message.k === 'failed') calls.get(message.call)?.reject(receivedError(message.error));
      else if (message.k === 'batch') source.take(message.generation, message.batch);
      else if (message.k === 'sourceState') source.takeState(message);
    },
  });
  return {
    inner,
    source,
    async close() {
      await source.close();
      assert.ok(inner.closed);
      port1.close();
    },
  };
}

/** Until the condition holds; messages need some turns of the event loop. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (holds()) return;
    await immediate();
  }
  assert.fail(`never: ${what}`);
}

/** Turns in which what must not happen would happen. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await immediate();
}

const range = (batch: RawBatch | null) =>
  batch === null ? null : [batch.partition, Number(batch.baseOffset), Number(batch.nextOffset)];

test('batches arrive whole: values, offsets, headers, position and end', async () => {
  const { inner, source, close } = await open(1 << 20);
  assert.deepEqual(await source.partitions(), [0, 1]);
  await assert.rejects(
    source.startOffsets({ k: 'latest' }),
    (error) => error instanceof SqlError && error.sqlstate === '42P01' && error.fields.hint === 'Make one.',
  );
  source.open(new Map([[0, 5n]]));
  assert.equal(source.position(0), 5n);
  assert.equal(source.highWatermark(0), undefined);
  const ready = new Promise<void>((resolve) => source.onReady(resolve));
  await until('opened', () => inner.opened.length === 1);
  inner.ends.set(0, 9n);
  inner.offer(batchOf(0, 5, 8));
  await ready;
  await until('a batch', () => source.bufferedBytes() === 3 * RECORD_BYTES);
  assert.equal(source.highWatermark(0), 9n);
  assert.equal(source.position(0), 5n);
  const batch = source.poll() as RawBatch;
  assert.deepEqual(range(batch), [0, 5, 8]);
  assert.equal(batch.bytes.toString('utf8', batch.valueStart[1], batch.valueEnd[1]).trim(), 'record 0:6');
  assert.deepEqual([...batch.offset], [5, 6, 7]);
  assert.deepEqual(batch.headers(2), [{ key: 'h', value: Buffer.from('7') }]);
  assert.equal(source.position(0), 8n);
  assert.equal(source.bufferedBytes(), 0);
  inner.ends.set(0, 12n);
  inner.wake();
  await until('the end moved', () => source.highWatermark(0) === 12n);
  assert.equal(source.poll(), null);
  await close();
});

test('a partition that is not polled holds back itself only', async () => {
  const { inner, source, close } = await open(2000);
  source.open(
    new Map([
      [0, 0n],
      [1, 0n],
    ]),
  );
  await until('opened', () => inner.opened.length === 1);
  for (let i = 0; i < 10; i++) inner.offer(batchOf(0, i * 5, i * 5 + 5), batchOf(1, i * 5, i * 5 + 5));
  await until('full', () => inner.paused.size === 2);
  await quiet();
  assert.equal(source.bufferedBytes(), 2000);
  source.pause(0);
  const seen: (number[] | null)[] = [];
  await until('all of partition 1', () => {
    for (let batch = source.poll(); batch !== null; batch = source.poll()) seen.push(range(batch));
    return seen.length === 10;
  });
  assert.ok(seen.every((one, i) => one?.[0] === 1 && one[1] === i * 5));
  await quiet();
  assert.equal(source.bufferedBytes(), 1000);
  assert.equal(inner.bufferedBytes(), 4000);
  const ready = new Promise<void>((resolve) => source.onReady(resolve));
  source.resume(0);
  await ready;
  await until('all of partition 0', () => {
    for (let batch = source.poll(); batch !== null; batch = source.poll()) seen.push(range(batch));
    return seen.length === 20;
  });
  await until('nothing is held back', () => inner.paused.size === 0);
  await close();
});

test('a shared batch goes back when it has been read, or its partition is moved; who looks at it too late sees nothing', async () => {
  const { inner, source, close } = await open(1 << 20);
  source.open(new Map([[0, 0n]]));
  await until('opened', () => inner.opened.length === 1);
  const [read, moved] = [sharedBatchOf(0, 0, 3), sharedBatchOf(0, 3, 5)];
  inner.offer(read.batch, moved.batch);
  await until('both', () => source.bufferedBytes() === 5 * RECORD_BYTES);
  const batch = source.poll() as RawBatch;
  assert.equal(batch.bytes.toString('utf8', batch.valueStart[1], batch.valueEnd[1]).trim(), 'record 0:1');
  batch.release?.();
  assert.deepEqual([batch.bytes.length, batch.offset.length, batch.valueStart.length], [0, 0, 0]);
  await until('the read one is free', () => isFree(read.buffer));
  source.open(new Map([[0, 9n]]));
  assert.equal(source.poll(), null);
  await until('the moved one is free', () => isFree(moved.buffer));
  await close();
});

test('moving a partition drops what was fetched before, here and on its way', async () => {
  const { inner, source, close } = await open(1 << 20);
  source.open(
    new Map([
      [0, 0n],
      [1, 0n],
    ]),
  );
  await until('opened', () => inner.opened.length === 1);
  inner.offer(batchOf(0, 0, 2), batchOf(1, 0, 2));
  await until('both here', () => source.bufferedBytes() === 4 * RECORD_BYTES);
  inner.offer(batchOf(0, 2, 4));
  // The batch is on its way, or about to be.
  source.open(new Map([[0, 100n]]));
  assert.equal(source.position(0), 100n);
  assert.equal(source.bufferedBytes(), 2 * RECORD_BYTES);
  await until('moved', () => inner.opened.length === 2);
  inner.offer(batchOf(0, 100, 101));
  await until('the new batch', () => source.bufferedBytes() === 3 * RECORD_BYTES);
  assert.deepEqual(range(source.poll()), [1, 0, 2]);
  assert.deepEqual(range(source.poll()), [0, 100, 101]);
  assert.equal(source.poll(), null);
  await close();
});

test('events come in order and wake who listens', async () => {
  const { inner, source, close } = await open(1 << 20);
  source.open(new Map([[0, 0n]]));
  const ready = new Promise<void>((resolve) => source.onReady(resolve));
  await until('opened', () => inner.opened.length === 1);
  inner.tell({ kind: 'partition_added', partition: 3, earliest: 0n });
  inner.tell({ kind: 'corrupt', partition: 0, offset: 5n, message: 'bad' });
  await ready;
  assert.deepEqual(source.takeEvents(), [
    { kind: 'partition_added', partition: 3, earliest: 0n },
    { kind: 'corrupt', partition: 0, offset: 5n, message: 'bad' },
  ]);
  assert.deepEqual(source.takeEvents(), []);
  await close();
});

test('a range: whole, left early, gone', async () => {
  const { inner, source, close } = await open(1 << 20);
  const ranges: unknown[] = [];
  for await (const batch of source.readRange(1, 0n, 5n)) ranges.push(range(batch));
  assert.deepEqual(ranges, [
    [1, 0, 2],
    [1, 2, 4],
    [1, 4, 5],
  ]);
  for await (const batch of source.readRange(1, 0n, 6n)) {
    assert.equal(batch.n, 2);
    break;
  }
  assert.equal(inner.rangesClosed, 2);
  await assert.rejects(
    async () => {
      for await (const batch of source.readRange(0, 4n, 20n)) assert.ok(batch.n > 0);
    },
    (error) => error instanceof SqlError && error.sqlstate === '58P01',
  );
  await close();
});

test('pages of batches go back when they have been read, or the source is closed with them unread', async () => {
  const address = pages.allocate(3);
  const first = address / PAGE_BYTES;
  const own = new PageAllocator(first, first + 3);
  buffers.usePages(own);
  const { inner, source, close } = await open(1 << 20);
  source.open(new Map([[0, 0n]]));
  await until('opened', () => inner.opened.length === 1);
  inner.offer(placedBatchOf(0, 0, 3), placedBatchOf(0, 3, 5), placedBatchOf(0, 5, 6));
  assert.equal(own.usedPages, 3);
  await until('all', () => source.bufferedBytes() === 6 * RECORD_BYTES);
  const batch = source.poll() as RawBatch;
  const at = batch.address as number;
  assert.equal(BYTES.toString('utf8', at + batch.valueStart[1], at + batch.valueEnd[1]).trim(), 'record 0:1');
  batch.release?.();
  assert.equal(batch.bytes.length, 0);
  await until('given back', () => own.usedPages === 2);
  await close();
  assert.equal(own.usedPages, 0);
  buffers.usePages(null);
  pages.release(address, 3);
});
