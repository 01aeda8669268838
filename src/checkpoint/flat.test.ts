import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { flatten, unflatten } from './flat.ts';

const through = (value: unknown) => unflatten(deserialize(serialize(flatten(value))));

test('plain data comes back, shared parts shared', () => {
  const shared = { x: 1n, bytes: new Uint8Array([1, 2]), text: 'ä', none: null, gone: undefined };
  const value = { a: [1, -0, shared, []], b: shared, c: {}, 'a b': Number.NaN };
  const back = through(value) as typeof value;
  assert.deepEqual(back, value);
  assert.equal(back.a[2], back.b);
  assert.equal(through(7), 7);
});

test('a tree deeper than the stack', () => {
  let tree: unknown = 'leaf';
  for (let i = 0; i < 100_000; i++) tree = { arg: [tree] };
  let back = through(tree);
  for (let i = 0; i < 100_000; i++) back = (back as { arg: unknown[] }).arg[0];
  assert.equal(back, 'leaf');
});

test('what is not plain is refused', () => {
  assert.throws(() => flatten({ a: new Map() }), /not plain data: Map/);
});
