/** Maps and sets with a list against plain ones, on random changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { empty, KeptList, ListedMap, ListedSet } from './lists.ts';
import { Random, testSeed } from './testing/property.ts';

const seed = testSeed();

test('a list has what is in the map or set now, in its order; one that was taken before stays as it is', () => {
  const random = new Random(seed);
  const map = new ListedMap<number, number>();
  const plainMap = new Map<number, number>();
  const set = new ListedSet<number>();
  const plainSet = new Set<number>();
  for (let i = 0; i < 500; i++) {
    const key = random.below(12);
    const [oldMap, oldSet] = [map.list, set.list];
    const [hadMap, hadSet] = [[...oldMap], [...oldSet]];
    const choice = random.below(20);
    if (choice === 0) {
      for (const all of [map, plainMap, set, plainSet]) all.clear();
    } else if (choice < 8) {
      assert.equal(map.delete(key), plainMap.delete(key));
      assert.equal(set.delete(key), plainSet.delete(key));
    } else {
      map.set(key, i);
      plainMap.set(key, i);
      set.add(key);
      plainSet.add(key);
    }
    assert.deepEqual([...map], [...plainMap]);
    assert.deepEqual(map.list, [...plainMap.values()], `change ${i}, seed ${seed}`);
    assert.deepEqual(set.list, [...plainSet], `change ${i}, seed ${seed}`);
    assert.deepEqual([...oldMap], hadMap);
    assert.deepEqual([...oldSet], hadSet);
    assert.equal(map.list, map.list);
  }
});

test('an emptied list is empty', () => {
  const list: number[] = [1, 2, 3];
  empty(list);
  assert.equal(list.length, 0);
  list.push(4);
  assert.deepEqual(list, [4]);
});

test('a kept list gives the objects of before again, in the same order, and lists those that are in it now', () => {
  const random = new Random(seed);
  let made = 0;
  const list = new KeptList(() => ({ number: made++, said: -1 }));
  let most = 0;
  for (let round = 0; round < 50; round++) {
    const count = random.below(6);
    for (let i = 0; i < count; i++) {
      const next = list.next();
      assert.equal(next.number, i);
      next.said = round * 10 + i;
    }
    most = Math.max(most, count);
    assert.equal(made, most);
    assert.equal(list.length, count);
    const there = list.list();
    assert.deepEqual(
      there.map(({ said }) => said),
      Array.from({ length: count }, (_, i) => round * 10 + i),
    );
    for (let i = 0; i < count; i++) assert.equal(list.at(i), there[i]);
    list.clear();
    assert.equal(list.length, 0);
    assert.deepEqual(list.list(), []);
  }
});
