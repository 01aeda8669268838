import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import { RecentRows } from './recent_rows.ts';

const TYPES = [OID.int4, OID.text, OID.numeric].map((oid) => colType(oid));

function tick(recent: RecentRows, ...rows: Datum[][]): void {
  withScratch((arena) => recent.apply(batchFromRows(TYPES, rows, arena)));
  recent.endTick();
}

/** The first column of each row, as often as it came. */
function shown(recent: RecentRows): number[] {
  return withScratch((arena) => {
    const batch = recent.snapshot(arena);
    return Array.from({ length: batch.n }, (_, i) => i)
      .flatMap((i) => Array<number>(weightOf(batch, i)).fill(readRow(batch, i)[0] as number))
      .sort((a, b) => a - b);
  });
}

const row = (i: number, text: string | null = 'short'): Datum[] => [i, text, { k: 'dec', m: 1n, s: 0 }];

test('the newest rows stay: those of one to two times the limit, and whole ticks', () => {
  const recent = new RecentRows(TYPES, { rows: 3, bytes: 1e9 });
  tick(recent, row(0), row(1));
  tick(recent, row(2));
  assert.deepEqual(shown(recent), [0, 1, 2]);
  tick(recent, row(3), row(4));
  assert.deepEqual(shown(recent), [0, 1, 2, 3, 4]);
  tick(recent, row(5), row(6), row(7));
  assert.deepEqual(shown(recent), [3, 4, 5, 6, 7]);
  tick(recent, row(8), row(9), row(10), row(11));
  assert.deepEqual(shown(recent), [8, 9, 10, 11]);
  assert.deepEqual([recent.rows, recent.came], [4, 4]);
  recent.release();
});

test('long values count, of texts and of numbers', () => {
  const long = 'x'.repeat(50);
  const wide: Datum = { k: 'dec', m: 10n ** 100n, s: 0 };
  for (const [text, number, ticks] of [
    [long, null, 2],
    [null, wide, 3],
  ] as const) {
    const recent = new RecentRows(TYPES, { rows: 100, bytes: 100 });
    for (let i = 0; i < 2 * ticks; i++) tick(recent, [i, text, number]);
    assert.deepEqual(shown(recent), ticks === 2 ? [2, 3] : [3, 4, 5]);
    recent.release();
  }
});

test('equal rows are one, and all of them came', () => {
  const recent = new RecentRows(TYPES, { rows: 2, bytes: 1e9 });
  for (let i = 0; i < 5; i++) tick(recent, row(1));
  assert.deepEqual([recent.rows, recent.came], [1, 5]);
  tick(recent, row(2));
  tick(recent, row(2), row(3));
  assert.deepEqual(shown(recent), [2, 3]);
  assert.equal(recent.came, 2);
  recent.release();
});

test('random ticks: the rows of the newest generations, and what was let go is free', () => {
  const random = new Random(testSeed('recent rows'));
  const before = pages.usedBytes;
  for (let run = 0; run < 30; run++) {
    const most = 1 + random.below(20);
    const recent = new RecentRows(TYPES, { rows: most, bytes: 1e9 });
    let newer: number[] = [];
    let older: number[] = [];
    for (let n = 0, next = 0; n < 40; n++) {
      const ids = Array.from({ length: 1 + random.below(6) }, () => next++);
      tick(recent, ...ids.map((id) => row(id, 'x'.repeat(random.below(60)))));
      newer.push(...ids);
      if (newer.length >= most) [older, newer] = [newer, []];
      assert.deepEqual(shown(recent), [...older, ...newer]);
    }
    recent.release();
  }
  assert.equal(pages.usedBytes, before);
});
