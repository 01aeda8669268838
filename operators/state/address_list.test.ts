/** Random insertions and removals beside an array, across the sizes at which a list becomes long and short again. Replay with SEED. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { U8 } from '../batch/memory.ts';
import { Random, testSeed } from '../testing/property.ts';
import { AddressList, LEAF } from './address_list.ts';
import { Heap } from './heap.ts';

const seed = testSeed();

function emptyHead(heap: Heap): number {
  const head = heap.alloc(AddressList.HEAD);
  U8.fill(0, head, head + AddressList.HEAD);
  return head;
}

/** A list beside the array that it should be: sorted numbers, so that prefix() has something to find. */
class Twin {
  readonly heap = new Heap();
  readonly list = new AddressList(this.heap);
  readonly head = emptyHead(this.heap);
  values: number[] = [];

  add(value: number): void {
    const at = this.list.prefix(this.head, (v) => v < value);
    const wanted = this.values.findIndex((v) => v >= value);
    assert.equal(at, wanted < 0 ? this.values.length : wanted);
    this.list.insert(this.head, at, value);
    this.values.splice(at, 0, value);
  }

  /** Adds values that are in order already, at the end. */
  append(values: number[]): void {
    for (const value of values) {
      this.list.insert(this.head, this.values.length, value);
      this.values.push(value);
    }
  }

  removeAt(i: number): void {
    this.list.removeAt(this.head, i);
    this.values.splice(i, 1);
  }

  check(what: string): void {
    assert.equal(this.list.count(this.head), this.values.length, what);
    for (let i = 0; i < this.values.length; i++)
      assert.equal(this.list.at(this.head, i), this.values[i], `${what} at ${i}`);
    for (let i = this.values.length - 1; i >= 0; i -= 97)
      assert.equal(this.list.at(this.head, i), this.values[i], what);
  }

  /** All but the head is given back. */
  checkEmpty(): void {
    this.list.truncate(this.head, 0);
    this.heap.endTick();
    assert.equal(this.heap.liveBytes, AddressList.HEAD);
    this.heap.release();
  }
}

test('a list is the array with the same insertions and removals', () => {
  const random = new Random(seed);
  const twin = new Twin();
  for (let phase = 0; phase < 10; phase++) {
    const grows = phase % 2 === 0;
    const steps = random.below(20 * LEAF);
    for (let step = 0; step < steps; step++) {
      const n = twin.values.length;
      if (n === 0 || random.below(100) < (grows ? 90 : 15)) twin.add(random.below(1 << 24));
      else twin.removeAt(random.below(n));
    }
    const n = twin.values.length;
    switch (random.below(4)) {
      case 0: {
        const dropped = random.below(n + 1);
        twin.list.dropFirst(twin.head, dropped);
        twin.values = twin.values.slice(dropped);
        break;
      }
      case 1: {
        const kept = random.below(n + 1);
        twin.list.truncate(twin.head, kept);
        twin.values = twin.values.slice(0, kept);
        break;
      }
      case 2:
        for (let i = random.below(n + 1); i > 0; i--) twin.removeAt(random.below(2) === 0 ? 0 : twin.values.length - 1);
    }
    twin.check(`phase ${phase} (seed ${seed})`);
  }
  twin.checkEmpty();
});

test('addresses that come in order fill their leaves', () => {
  const twin = new Twin();
  twin.append(Array.from({ length: 10 * LEAF }, (_, i) => i));
  twin.check('in order');
  twin.heap.endTick();
  assert.ok(twin.heap.liveBytes <= 10 * LEAF * 4 + 16 * 8 + AddressList.HEAD, `${twin.heap.liveBytes} bytes`);
  for (let i = 10 * LEAF - 1; i >= 0; i -= 2) twin.removeAt(i);
  twin.check('every other');
  twin.checkEmpty();
});

test('lists of one heap do not take each other for themselves', () => {
  const heap = new Heap();
  const list = new AddressList(heap);
  const heads = [emptyHead(heap), emptyHead(heap)];
  const random = new Random(seed);
  const values: number[][] = [[], []];
  for (let i = 0; i < 8 * LEAF; i++) {
    const which = random.below(2);
    const at = random.below(values[which].length + 1);
    list.insert(heads[which], at, i);
    values[which].splice(at, 0, i);
    const other = 1 - which;
    const n = values[other].length;
    if (n > 0) assert.equal(list.at(heads[other], i % n), values[other][i % n]);
  }
  for (const which of [0, 1]) {
    for (const [i, value] of values[which].entries()) assert.equal(list.at(heads[which], i), value);
  }
  heap.release();
});
