import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './arguments.ts';
import { parseByteSize } from './byte_size.ts';
import { LEAST_BYTES, MOST_BYTES, memoryLimit } from './memory_limit.ts';

test('sizes', () => {
  for (const [text, bytes] of [
    ['64MB', 64 * 2 ** 20],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['2g', 2 ** 31],
    ['100000000', 100000000],
    ['512kB', 2 ** 19],
    ['10 B', 10],
  ] as const)
    assert.equal(parseByteSize(text), bytes, text);
  for (const text of ['', 'much', '-1MB', '1PB', '1 2', 'MB']) assert.equal(parseByteSize(text), null, text);
  assert.equal(memoryLimit('64MB'), 64 * 2 ** 20);
  for (const text of ['31MB', '4GB', 'all']) assert.throws(() => memoryLimit(text), UsageError, text);
  const own = memoryLimit(null);
  assert.ok(own >= LEAST_BYTES && own <= MOST_BYTES);
});
