import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { parseCounterOptions } from './options.ts';
import { CounterSource } from './source.ts';

const numbersOf = (source: CounterSource): number[] => {
  const numbers: number[] = [];
  for (let batch = source.poll(); batch !== null; batch = source.poll())
    numbers.push(...batch.offset.subarray(0, batch.n));
  return numbers;
};
const from = (offset: bigint) => new Map([[0, offset]]);
const count = (first: number, to: number) => Array.from({ length: to - first }, (_, i) => first + i);

test('rows_per_second gives what is due by the clock, and what was not read in time afterwards', async () => {
  const time = { ms: 1000 };
  const source = new CounterSource(parseCounterOptions({ rows_per_second: '100' }), () => time.ms);
  assert.equal(source.poll(), null);
  source.open(await source.startOffsets({ k: 'earliest' }));
  assert.deepEqual(numbersOf(source), [0]);
  time.ms += 35;
  assert.deepEqual(numbersOf(source), [1, 2, 3]);
  const woken = new Promise<void>((resolve) => source.onReady(resolve));
  time.ms += 100_000;
  await woken;
  source.pause(0);
  assert.equal(source.poll(), null);
  assert.deepEqual([source.position(0), source.highWatermark(0)], [4n, 10_004n]);
  source.resume(0);
  assert.deepEqual(numbersOf(source), count(4, 10_004));
  // As after a restart: it goes on with the next number, at the same pace.
  source.open(from(10_004n));
  assert.deepEqual(numbersOf(source), [10_004]);
  await source.close();
  assert.equal(source.poll(), null);
});

test('rows end it; any range can be read again', async () => {
  const source = new CounterSource(parseCounterOptions({ rows: '10000' }));
  source.open(await source.startOffsets({ k: 'at', offsets: from(10n) }));
  assert.deepEqual(numbersOf(source), count(10, 10_000));
  assert.equal(source.highWatermark(0), 10_000n);
  let called = false;
  source.onReady(() => {
    called = true;
  });
  await Promise.resolve();
  assert.equal(called, false);
  const again: number[] = [];
  for await (const batch of source.readRange(0, 5000n, 9999n)) again.push(...batch.offset);
  assert.deepEqual(again, count(5000, 9999));
  await assert.rejects(
    async () => {
      for await (const _ of source.readRange(0, 9999n, 10_001n));
    },
    { sqlstate: '58P01' },
  );
  await source.close();
  const none = new CounterSource(parseCounterOptions({ rows: '0', rows_per_second: '5' }));
  none.open(from(0n));
  assert.deepEqual([none.poll(), none.highWatermark(0)], [null, 0n]);
  await none.close();
});

test('options are checked by name and value', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ row: '1' }, /unrecognized option "row" .*Valid options are: rows_per_second, rows/],
    [{ constructor: '1' }, /unrecognized option "constructor"/],
    [{ rows: '-1' }, /invalid value for option "rows": "-1" .*from 0 to/],
    [{ rows: '9007199254740992' }, /from 0 to 9007199254740991/],
    [{ rows_per_second: '0' }, /invalid value for option "rows_per_second": "0" .*from 1 to/],
    [{ rows_per_second: '1.5' }, /rows_per_second/],
    [{ connector: 'counter' }, /needs rows_per_second, rows or both/],
  ];
  for (const [given, pattern] of refused) {
    assert.throws(
      () => parseCounterOptions(given),
      (e) => e instanceof SqlError && e.sqlstate === '22023' && pattern.test(`${e.message} ${e.fields.hint}`),
      JSON.stringify(given),
    );
  }
  assert.deepEqual(parseCounterOptions({ connector: 'counter', start: '0:5', rows: '7' }), {
    rowsPerSecond: 0,
    rows: 7,
  });
});
