/** A sequence over crashes: what it gave it never gives again, whichever transactions restarted it and were undone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { OID } from '../../operators/types.ts';
import type { SequenceObject } from '../catalog/objects.ts';
import { Sequence, type SequenceState } from './sequence.ts';

function objectOf(increment: bigint, start: bigint): SequenceObject {
  const up = increment > 0n;
  const parameters = {
    type: OID.int8,
    start,
    increment,
    min: up ? 1n : -100_000n,
    max: up ? 100_000n : -1n,
    cache: 1n,
    cycle: false,
  };
  const relation = {
    oid: 1,
    schema: 'public',
    name: 's',
    kind: 'sequence' as const,
    columns: [],
    key: null,
    appendOnly: false,
    indexes: [],
  };
  return {
    kind: 'sequence',
    oid: 1,
    schema: 'public',
    name: 's',
    sql: '',
    dependencies: [],
    relation,
    parameters,
    owner: null,
  };
}

const seed = testSeed();

test('no value comes twice', () => {
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const increment = [1n, 7n, -1n, -3n][random.below(4)];
    const object = objectOf(increment, increment > 0n ? 1n : -1n);
    let disk: SequenceState | null = null;
    const open = () => {
      const opened = new Sequence(object, (state) => {
        disk = state;
      });
      if (disk !== null) opened.load(disk);
      return opened;
    };
    let sequence = open();
    let given = new Set<bigint>();
    // What was given since a restart that is not committed.
    let since: Set<bigint> | null = null;
    const label = `seed ${seed}, round ${round}`;
    for (let step = 0; step < 100; step++) {
      const what = random.below(12);
      if (what < 7) {
        for (let n = random.below(40); n > 0; n--) {
          const value = sequence.next();
          assert.ok(!(since ?? given).has(value), `${value} comes again, ${label}`);
          given.add(value);
          since?.add(value);
        }
      } else if (what === 7) {
        sequence = open();
        since = null;
      } else if (what === 8) {
        sequence.settle();
        // An orderly end: nothing is skipped.
        if (since === null) {
          const { state } = sequence;
          sequence = open();
          assert.deepEqual(sequence.state, state, label);
        }
      } else if (what === 9) {
        sequence.restart();
        since = new Set();
      } else if (what === 10) {
        sequence.commitRestart();
        given = since ?? given;
        since = null;
      } else {
        sequence.undoRestart();
        since = null;
      }
    }
  }
});

test('records are written ahead, as PostgreSQL does', () => {
  const records: SequenceState[] = [];
  const sequence = new Sequence(objectOf(1n, 1n), (state) => records.push(state));
  const ahead = [];
  for (let i = 0; i < 35; i++) {
    sequence.next();
    ahead.push(sequence.ahead);
  }
  assert.deepEqual([ahead[0], ahead[1], ahead[32], ahead[33], ahead[34]], [32, 31, 0, 32, 31]);
  assert.deepEqual(records, [
    { last: 33n, called: true },
    { last: 66n, called: true },
  ]);
});
