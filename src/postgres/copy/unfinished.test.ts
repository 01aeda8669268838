/** What chunks of COPY data cut is put together, and has a limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { LineSplitter } from './line_splitter.ts';
import { MOST_BYTES, Unfinished } from './unfinished.ts';

test('lines of all lengths come whole out of chunks of all lengths', () => {
  const random = new Random(testSeed());
  const below = (n: number) => random.below(n);
  const lines = Array.from({ length: 300 }, () => 'x'.repeat(below(4) === 0 ? below(20_000) : below(30)) + below(10));
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const splitter = new LineSplitter({ csv: false, quote: 34, escape: 34 });
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + below(below(2) === 0 ? 10 : 3000));
    // The chunk belongs to who gave it.
    const chunk = Buffer.from(bytes.subarray(at, end));
    splitter.push(chunk, (data, from, to) => found.push(data.toString('latin1', from, to)));
    chunk.fill(0);
    at = end;
  }
  assert.deepEqual(found, lines);
  assert.equal(splitter.end(), null);
});

test('a quote that is not closed has a limit', () => {
  const chunk = Buffer.alloc(1 << 20, 'a');
  const splitter = new LineSplitter({ csv: true, quote: 34, escape: 34 });
  const none = () => assert.fail('there is no line');
  splitter.push(Buffer.from('1,"'), none);
  for (let size = 3 + chunk.length; size <= MOST_BYTES; size += chunk.length) splitter.push(chunk, none);
  assert.throws(() => splitter.push(chunk, none), { sqlstate: '54000' });
});

test('what is kept is copied as often as its memory doubles', () => {
  const unfinished = new Unfinished();
  const memories = new Set<ArrayBufferLike>();
  for (let i = 0; i < 5000; i++) {
    const data = unfinished.with(Buffer.from('0123456789'));
    if (i > 0) memories.add(data.buffer);
    unfinished.keep(data, 0);
  }
  assert.equal(unfinished.bytes.toString(), '0123456789'.repeat(5000));
  assert.ok(memories.size < 20, String(memories.size));
});
