import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../../operators/batch/arena.ts';
import { readRow } from '../../operators/batch/builder.ts';
import { Undo } from '../../operators/state/undo.ts';
import { framedBatch } from '../formats/testing/framed_batch.ts';
import { ErrorLedger } from './ledger.ts';

/** What a tick finds unreadable. */
function reportIn(ledger: ErrorLedger, from: number, ...values: string[]): void {
  const raw = framedBatch(
    values.map((value) => ({ value })),
    { from },
  );
  const bad = values.map((_, index) => ({ index, sqlstate: '22P02', reason: 'no JSON', column: null }));
  ledger.badRecords('t', raw, bad, undefined);
}

function tick(ledger: ErrorLedger, from: number, ...values: string[]): void {
  reportIn(ledger, from, ...values);
  withScratch((arena) => ledger.apply(arena));
  ledger.endTick();
}

/** Offset and message of every row. */
function shown(ledger: ErrorLedger): [bigint, string | null][] {
  return withScratch((arena) => {
    const batch = ledger.relation.snapshot(arena);
    const rows = Array.from({ length: batch.n }, (_, i) => readRow(batch, i));
    return rows
      .map(([, , offset, , , , message]): [bigint, string | null] => [
        offset as bigint,
        message === null ? null : Buffer.from(message as Uint8Array).toString(),
      ])
      .sort(([a], [b]) => Number(a - b));
  });
}

test('messages are kept up to a limit, whole ticks of them; afterwards their places, and the count is exact', () => {
  const ledger = new ErrorLedger(6);
  tick(ledger, 0, 'aaa');
  tick(ledger, 1, 'bbb', 'ccc');
  tick(ledger, 3, 'd', 'e');
  assert.deepEqual(shown(ledger), [
    [0n, 'aaa'],
    [1n, 'bbb'],
    [2n, 'ccc'],
    [3n, null],
    [4n, null],
  ]);
  assert.equal(ledger.count, 5n);
  ledger.release();
});

test('a tick that is taken back takes nothing of the limit', () => {
  const ledger = new ErrorLedger(6);
  tick(ledger, 0, 'aaa');
  const undo = new Undo();
  undo.start();
  reportIn(ledger, 1, 'bbb');
  ledger.keepIn(undo);
  withScratch((arena) => ledger.apply(arena));
  undo.takeBack();
  assert.deepEqual([ledger.count, ledger.messageBytes], [1n, 3]);
  tick(ledger, 1, 'bbb');
  tick(ledger, 2, 'c');
  assert.deepEqual(shown(ledger), [
    [0n, 'aaa'],
    [1n, 'bbb'],
    [2n, null],
  ]);
  assert.equal(ledger.count, 3n);
  ledger.release();
});
