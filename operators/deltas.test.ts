import assert from 'node:assert/strict';
import test from 'node:test';
import { emptyBatch } from './batch/builder.ts';
import { Deltas } from './deltas.ts';
import { Random, testSeed } from './testing/property.ts';

test('deltas have what a Map has, tick after tick', () => {
  const seed = testSeed();
  const random = new Random(seed);
  const deltas = new Deltas();
  for (let tick = 0; tick < 300; tick++) {
    const label = `tick ${tick}, seed ${seed}`;
    const expected = new Map<number, ReturnType<typeof emptyBatch>>();
    const relations = random.below(5) === 0 ? 40 : 6;
    deltas.clear();
    for (let step = random.below(60); step > 0; step--) {
      const relation = random.below(relations);
      assert.equal(deltas.get(relation), expected.get(relation), label);
      if (random.below(2) === 0) continue;
      const batch = emptyBatch([]);
      deltas.set(relation, batch);
      expected.set(relation, batch);
    }
    assert.equal(deltas.size, expected.size, label);
    assert.deepEqual(deltas.relations, [...expected.keys()], label);
    for (let i = 0; i < deltas.size; i++) assert.equal(deltas.batches[i], expected.get(deltas.relations[i]), label);
    assert.deepEqual(Deltas.of(expected), deltas, label);
  }
});
