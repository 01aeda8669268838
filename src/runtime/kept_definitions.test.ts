/** Statements whose objects are gone go too, unless one that stays read them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DefinitionRecord } from '../durable/records.ts';
import { KeptDefinitions } from './kept_definitions.ts';

const record = (sql: string, made: number, dropped: number[] = [], altered?: number) =>
  ({ sql, made, dropped, altered, now: '0', settings: {} }) as unknown as DefinitionRecord;

test('what was made and dropped is forgotten as a whole', () => {
  const kept = new KeptDefinitions();
  const texts = () => kept.save().map(({ record: { sql } }) => sql);
  kept.add(record('CREATE t', 1), []);
  kept.add(record('CREATE v ON t', 2), [1]);
  kept.add(record('CREATE u', 3), []);
  kept.add(record('DROP t CASCADE', 0, [2, 1]), []);
  assert.deepEqual(texts(), ['CREATE u']);
  kept.add(record('CREATE p ON u', 4), [3]);
  kept.add(record('REPLACE p', 4), []);
  kept.add(record('DROP u', 0, [3]), []);
  // The first definition of p needs u to be there.
  assert.deepEqual(texts(), ['CREATE u', 'CREATE p ON u', 'REPLACE p', 'DROP u']);
  assert.deepEqual(kept.dropped, [3]);
  kept.add(record('CREATE u again', 5), []);
  kept.add(record('DROP p', 0, [4]), []);
  assert.deepEqual(texts(), ['CREATE u again']);
});

test('an ALTER goes with what it altered, not with what it made', () => {
  const kept = new KeptDefinitions();
  const texts = () => kept.save().map(({ record: { sql } }) => sql);
  kept.add(record('CREATE t', 1), []);
  kept.add(record('CREATE s', 2), []);
  kept.add(record('ALTER t: its own sequence', 3, [], 1), [1]);
  kept.add(record('ALTER t: s', 1, [], 1), [1, 2]);
  kept.add(record('ALTER t: without its own', 1, [3], 1), [1]);
  kept.add(record('DROP s', 0, [2]), []);
  const all = ['CREATE t', 'CREATE s', 'ALTER t: its own sequence', 'ALTER t: s', 'ALTER t: without its own', 'DROP s'];
  assert.deepEqual(texts(), all);
  kept.add(record('DROP t', 0, [1]), []);
  assert.deepEqual(texts(), []);
});

test('an ALTER that names what it drops needs it to be there', () => {
  const kept = new KeptDefinitions();
  kept.add(record('CREATE t', 1), []);
  kept.add(record('CREATE s OWNED BY t.a', 2), [1]);
  kept.add(record('ALTER t: without a, and a default of s', 1, [2], 1), [1, 2]);
  assert.equal(kept.save().length, 3);
});
