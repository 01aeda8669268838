import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { PageAllocator, pages } from '../../operators/batch/pages.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import { type RawBatch, ZEROS_BEHIND } from '../sources/source.ts';
import { Buffers, type Room } from './buffers.ts';
import { crc32c } from './crc32c.ts';
import { type AbortedTransaction, batchesOf, CorruptBatch, endOfRecordSet } from './record_batch.ts';
import { RecordSetReader, readRecordSet } from './record_set.ts';
import { BASE_TIME, encodeBatch, type TestRecord, varintOf } from './testing/encode_batch.ts';

function recordsOf(batch: RawBatch | null): TestRecord[] {
  assert.ok(batch !== null);
  const text = (start: number, end: number) => (start < 0 ? null : batch.bytes.toString('utf8', start, end));
  return Array.from({ length: batch.n }, (_, i) => ({
    offset: batch.offset[i],
    time: batch.timestamp[i] - BASE_TIME,
    key: text(batch.keyStart[i], batch.keyEnd[i]),
    value: text(batch.valueStart[i], batch.valueEnd[i]),
    headers: batch.headers(i).map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()]),
  }));
}

const read = (bytes: Buffer, from = 0n, aborted: AbortedTransaction[] = []) =>
  readRecordSet(3, bytes, from, aborted, true);

const three: TestRecord[] = [
  {
    offset: 10,
    time: 0,
    key: 'k',
    value: 'v',
    headers: [
      ['a', 'b'],
      ['n', null],
    ],
  },
  { offset: 12, time: -5, key: null, value: '', headers: [] },
  { offset: 15, time: 3_000_000_000, key: '', value: null, headers: [] },
];

test('the checksum is CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789'), 0, 9), 0xe3069283);
  const zeros = Buffer.alloc(40);
  assert.equal(crc32c(zeros, 4, 36), 0x8a9136aa);
});

test('records, headers, gaps left by compaction, plain and compressed', async () => {
  for (const gzip of [false, true]) {
    const bytes = encodeBatch({ base: 10, last: 20, records: three, gzip });
    const batch = await read(bytes, 10n);
    assert.deepEqual(recordsOf(batch), three);
    assert.deepEqual([batch?.partition, batch?.baseOffset, batch?.nextOffset], [3, 10n, 21n]);
    assert.equal(endOfRecordSet(bytes, 10n), 21n);
    assert.deepEqual(
      recordsOf(await read(bytes, 12n)).map((r) => r.offset),
      [12, 15],
    );
  }
});

test('several batches, the last one cut, form one', async () => {
  const first = encodeBatch({ base: 0, records: [{ offset: 0, value: 'a' }] });
  const second = encodeBatch({ base: 1, records: [{ offset: 1, value: 'b' }], gzip: true });
  const third = encodeBatch({ base: 2, records: [{ offset: 2, value: 'c' }] });
  const bytes = Buffer.concat([first, second, third.subarray(0, third.length - 1)]);
  const batch = await read(bytes);
  assert.deepEqual(
    recordsOf(batch).map((r) => r.value),
    ['a', 'b'],
  );
  assert.equal(batch?.nextOffset, 2n);
  assert.equal(endOfRecordSet(bytes, 0n), 2n);
  assert.equal(await read(first.subarray(0, 50)), null);
  assert.equal(await read(Buffer.alloc(0)), null);
});

test('log append time', async () => {
  const bytes = encodeBatch({
    base: 0,
    records: [{ offset: 0, time: 7, value: 'a' }],
    appendTime: true,
    maxTime: BASE_TIME + 99,
  });
  assert.equal(recordsOf(await read(bytes))[0].time, 99);
});

test('aborted transactions are left out up to their marker, others stay', async () => {
  const data = (base: number, producer: bigint, transactional = true) =>
    encodeBatch({ base, producer, transactional, records: [{ offset: base, value: `${producer}@${base}` }] });
  const marker = (base: number, producer: bigint, control: 'commit' | 'abort') =>
    encodeBatch({ base, producer, transactional: true, control, records: [{ offset: base, value: '' }] });
  const set = Buffer.concat([
    data(0, 1n),
    data(1, 2n),
    data(2, 1n, false),
    marker(3, 1n, 'abort'),
    data(4, 1n),
    marker(5, 2n, 'commit'),
    marker(6, 1n, 'commit'),
  ]);
  const batch = await read(set, 0n, [{ producerId: 1n, firstOffset: 0n }]);
  assert.deepEqual(
    recordsOf(batch).map((r) => r.value),
    ['2@1', '1@2', '1@4'],
  );
  assert.equal(batch?.nextOffset, 7n);
  const none = await read(Buffer.concat([data(0, 1n), marker(1, 1n, 'abort')]), 0n, [
    { producerId: 1n, firstOffset: 0n },
  ]);
  assert.deepEqual([none?.n, none?.nextOffset], [0, 2n]);
});

test('a marker whose record compaction took away, the last of a segment, ends nothing', async () => {
  const emptied = encodeBatch({ base: 5, producer: 1n, transactional: true, control: 'abort', records: [] });
  const batch = await read(emptied, 0n);
  assert.deepEqual([batch?.n, batch?.nextOffset], [0, 6n]);
  assert.deepEqual(
    [...batchesOf(emptied, 0n)],
    [{ nextOffset: 6n, producerId: 1n, transactional: true, marker: null }],
  );
});

test('damage: a wrong checksum, an unknown format or codec; good batches before it are given', async () => {
  const good = encodeBatch({ base: 0, records: [{ offset: 0, value: 'a' }] });
  const flipped = encodeBatch({ base: 1, records: [{ offset: 1, value: 'b' }] });
  flipped[flipped.length - 2] ^= 1;
  await assert.rejects(
    read(flipped),
    (e) => e instanceof CorruptBatch && e.offset === 1n && /checksum/.test(e.message),
  );
  const both = await read(Buffer.concat([good, flipped]));
  assert.deepEqual([both?.n, both?.nextOffset], [1, 1n]);
  const old = Buffer.from(good);
  old[16] = 1;
  await assert.rejects(read(old), /message format 1 is not supported/);
  const codec = Buffer.from(good);
  codec[22] = 7;
  await assert.rejects(readRecordSet(0, codec, 0n, [], false), /unknown compression codec 7/);
});

test('without checksums, damaged bytes give records or CorruptBatch, and nothing else', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  for (let round = 0; round < 3000; round++) {
    const bytes = encodeBatch({ base: 10, last: 20, records: three, gzip: random.below(4) === 0 });
    for (let i = 1 + random.below(3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      const batch = await readRecordSet(0, bytes, 0n, [], false);
      for (let i = 0; i < (batch?.n ?? 0); i++) batch?.headers(i);
    } catch (error) {
      assert.ok(error instanceof CorruptBatch, `SEED=${seed} round ${round}: ${error}`);
    }
  }
});

/** A set of some batches of two producers, of which one may be damaged, and its aborted transactions. */
function randomSet(random: Random): { bytes: Buffer; aborted: AbortedTransaction[] } {
  const batches: Buffer[] = [];
  const aborted: AbortedTransaction[] = [];
  const open = new Map<bigint, number>();
  let base = 0;
  for (let n = 1 + random.below(8); n > 0; n--) {
    const producer = BigInt(1 + random.below(2));
    const began = open.get(producer);
    if (began !== undefined && random.below(3) === 0) {
      const control = random.below(2) === 0 ? 'abort' : 'commit';
      if (control === 'abort') aborted.push({ producerId: producer, firstOffset: BigInt(began) });
      open.delete(producer);
      batches.push(encodeBatch({ base, producer, transactional: true, control, records: [{ offset: base }] }));
      base++;
      continue;
    }
    const transactional = random.below(2) === 0;
    if (transactional && began === undefined) open.set(producer, base);
    const records = Array.from({ length: 1 + random.below(5) }, (_, i) => ({
      offset: base + i,
      key: random.below(4) === 0 ? null : `k${i}`,
      value: random.below(4) === 0 ? null : 'v'.repeat(random.below(200)),
    }));
    const batch = encodeBatch({ base, producer, transactional, records, gzip: random.below(2) === 0 });
    if (random.below(12) === 0) batch[61 + random.below(batch.length - 61)] ^= 1;
    batches.push(batch);
    base += records.length;
  }
  return { bytes: Buffer.concat(batches), aborted };
}

const wholeRead = async (bytes: Buffer, aborted: AbortedTransaction[]) => {
  try {
    const batch = await readRecordSet(3, bytes, 0n, aborted, true);
    return { records: batch === null ? [] : recordsOf(batch), end: batch?.nextOffset ?? 0n };
  } catch (error) {
    if (error instanceof CorruptBatch) return error.message;
    throw error;
  }
};

const piecesRead = async (bytes: Buffer, aborted: AbortedTransaction[], most: number, pool: Buffers | null) => {
  const reader = new RecordSetReader(3, bytes, 0n, aborted, true, pool);
  const records: TestRecord[] = [];
  let end = 0n;
  try {
    for (let batch = await reader.next(most); batch !== null; batch = await reader.next(most)) {
      assert.equal(batch.baseOffset, end);
      records.push(...recordsOf(batch));
      end = batch.nextOffset;
      batch.release?.();
    }
  } catch (error) {
    if (error instanceof CorruptBatch && records.length === 0) return error.message;
    throw error;
  }
  assert.equal(reader.position, end);
  return { records, end };
};

test('read in pieces, a set has the same records and ends where it does when it is read whole', async () => {
  const random = new Random(testSeed());
  const pool = new Buffers();
  for (let round = 0; round < times(300); round++) {
    const { bytes, aborted } = randomSet(random);
    const most = [1, 100, 1000][random.below(3)];
    assert.deepEqual(await piecesRead(bytes, aborted, most, pool), await wholeRead(bytes, aborted), `round ${round}`);
  }
});

/** A record whose value is so long. */
const longSet = (length: number) => encodeBatch({ base: 0, records: [{ offset: 0, value: 'v'.repeat(length) }] });
const readInto = (pool: Buffers, length: number) =>
  new RecordSetReader(0, longSet(length), 0n, [], true, pool).next(1) as Promise<RawBatch>;

/** Runs with a pool over so many pages. */
async function withPages(count: number, run: (pool: Buffers, own: PageAllocator) => Promise<void>): Promise<void> {
  const address = pages.allocate(count);
  const first = address / PAGE_BYTES;
  const own = new PageAllocator(first, first + count);
  const pool = new Buffers();
  pool.usePages(own);
  await run(pool, own);
  pages.release(address, count);
}

const placed =
  'with pages of the shared memory a piece lies there, zeros behind it, until it is given back; then there is room again';
test(placed, () =>
  withPages(5, async (pool, own) => {
    for (let round = 0; round < 3; round++) {
      const batch = await readInto(pool, 200_000);
      const address = batch.address as number;
      const { length } = batch.bytes;
      assert.equal(own.usedPages, 4);
      assert.equal(recordsOf(batch)[0].value, 'v'.repeat(200_000));
      assert.deepEqual(Buffer.from(memory.buffer, address, length), batch.bytes);
      assert.ok(Buffer.from(memory.buffer, address + length, ZEROS_BEHIND).every((byte) => byte === 0));
      // There is no room for another.
      const other = await readInto(pool, 200_000);
      assert.equal(other.address, undefined);
      assert.equal(recordsOf(other)[0].value, 'v'.repeat(200_000));
      batch.release?.();
      other.release?.();
      assert.deepEqual([batch.bytes.length, own.usedPages], [0, 0]);
    }
    assert.throws(() => pool.give(64), /not taken/);
  }),
);

/** A record that says that its value is longer than the record is. */
function lyingSet(base: number): Buffer {
  const bytes = encodeBatch({ base, records: [{ offset: base, value: 'v'.repeat(100_000) }] });
  const at = bytes.indexOf(varintOf(100_000), 61);
  varintOf(100_002).copy(bytes, at);
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
  return bytes;
}

test('a batch that is damaged inside gives its pages back, as the first of its set or behind others', () =>
  withPages(8, async (pool, own) => {
    const damaged = new RecordSetReader(0, lyingSet(0), 0n, [], true, pool);
    await assert.rejects(damaged.next(1), CorruptBatch);
    assert.deepEqual([own.usedPages, damaged.position], [0, 0n]);
    const reader = new RecordSetReader(0, Buffer.concat([longSet(100_000), lyingSet(1)]), 0n, [], true, pool);
    const batch = await reader.next(1);
    assert.equal(batch?.n, 1);
    assert.equal(await reader.next(1), null);
    batch?.release?.();
    assert.deepEqual([own.usedPages, reader.position], [0, 1n]);
  }));

test('a set for which there is no memory ends before the piece, and is not called damaged', async () => {
  let left = 1;
  class Small extends Buffers {
    override take(bytes: number): Room {
      if (left-- === 0) throw new OutOfMemory(bytes, Number.POSITIVE_INFINITY);
      return super.take(bytes);
    }
  }
  const bytes = Buffer.concat([0, 1, 2].map((base) => encodeBatch({ base, records: [{ offset: base, value: 'v' }] })));
  const reader = new RecordSetReader(0, bytes, 0n, [], true, new Small());
  assert.equal((await reader.next(1))?.n, 1);
  await assert.rejects(reader.next(1), OutOfMemory);
  assert.equal(reader.position, 1n);
});

test('a piece that is given back shows nothing, and the next one has its buffer', async () => {
  const pool = new Buffers();
  const set = (value: string) => encodeBatch({ base: 0, records: [{ offset: 0, value: value.repeat(100_000) }] });
  const next = (value: string) => new RecordSetReader(0, set(value), 0n, [], true, pool).next(1);
  const first = await next('a');
  const { buffer } = first?.offset ?? {};
  first?.release?.();
  assert.deepEqual([first?.bytes.length, first?.valueStart.length], [0, 0]);
  const second = await next('b');
  assert.equal(second?.offset.buffer, buffer);
  assert.equal(recordsOf(second)[0].value, 'b'.repeat(100_000));
});
