/** Statements whose objects are gone go too, unless one that stays read them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DefinitionRecord } from '../durable/records.ts';
import { KeptDefinitions } from './kept_definitions.ts';

const record = (sql: string, made: number, dropped: number[] = []) =>
  ({ sql, made, dropped, now: '0', settings: {} }) as unknown as DefinitionRecord;

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
