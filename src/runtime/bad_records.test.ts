import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../../operators/batch/arena.ts';
import { readRow } from '../../operators/batch/builder.ts';
import { Undo } from '../../operators/state/undo.ts';
import { framedBatch } from '../formats/testing/framed_batch.ts';
import { BadRecords } from './bad_records.ts';

/** What a tick finds unreadable. */
function reportIn(records: BadRecords, from: number, ...values: string[]): void {
  const raw = framedBatch(
    values.map((value) => ({ value })),
    { from },
  );
  const bad = values.map((_, index) => ({ index, sqlstate: '22P02', reason: 'no JSON', column: null }));
  records.report('t', raw, bad, undefined);
}

function tick(records: BadRecords, from: number, ...values: string[]): void {
  reportIn(records, from, ...values);
  withScratch((arena) => records.apply(arena));
  records.endTick();
}

/** Offset and message of every row. */
function shown(records: BadRecords): [bigint, string][] {
  return withScratch((arena) => {
    const batch = records.relation.snapshot(arena);
    return Array.from({ length: batch.n }, (_, i) => readRow(batch, i))
      .map(([, , offset, , , , message]): [bigint, string] => [
        offset as bigint,
        Buffer.from(message as Uint8Array).toString(),
      ])
      .sort(([a], [b]) => Number(a - b));
  });
}

test('of very large messages the newest stay, and the count is exact', () => {
  const records = new BadRecords();
  const large = 'x'.repeat(9 << 20);
  for (let i = 0; i < 11; i++) tick(records, i, `${i}${large}`);
  // Four are a generation: the newest of three had the rest.
  assert.deepEqual(
    shown(records).map(([offset]) => offset),
    [4n, 5n, 6n, 7n, 8n, 9n, 10n],
  );
  assert.equal(records.count, 11n);
  assert.equal(records.relation.came, 7);
  records.release();
});

test('a tick that is taken back has reported nothing, and takes nothing of the limit', () => {
  const records = new BadRecords();
  tick(records, 0, 'aaa');
  const undo = new Undo();
  undo.start();
  reportIn(records, 1, 'bbb', 'c'.repeat(100));
  records.keepIn(undo);
  withScratch((arena) => records.apply(arena));
  undo.takeBack();
  assert.deepEqual([records.count, records.relation.came], [1n, 1]);
  const { bytes } = records.relation.save().newer;
  const other = new BadRecords();
  tick(other, 0, 'aaa');
  assert.equal(bytes, other.relation.save().newer.bytes);
  tick(records, 1, 'bbb');
  assert.deepEqual(shown(records), [
    [0n, 'aaa'],
    [1n, 'bbb'],
  ]);
  assert.equal(records.count, 2n);
  records.release();
  other.release();
});

test('what was reported and not applied is forgotten', () => {
  const records = new BadRecords();
  tick(records, 0, 'aaa');
  reportIn(records, 1, 'bbb', 'ccc');
  records.forget();
  tick(records, 1, 'd');
  assert.deepEqual(shown(records), [
    [0n, 'aaa'],
    [1n, 'd'],
  ]);
  assert.equal(records.count, 2n);
  records.release();
});
