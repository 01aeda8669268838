import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyChunks, groupsOf } from './copy_text.ts';
import { jsonOf } from './json_text.ts';
import { textOf } from './values.ts';

test('values as texts', () => {
  const cases: [unknown, string | null][] = [
    [null, null],
    [undefined, null],
    ['', ''],
    [-0, '-0'],
    [1e21, '1e+21'],
    [2n ** 64n, '18446744073709551616'],
    [[1, [2, null]], '{"1",{"2",NULL}}'],
    [['a"\\b'], '{"a\\"\\\\b"}'],
    [{ a: 2n ** 60n, b: undefined, c: [Number.NaN] }, '{"a":1152921504606846976,"c":["NaN"]}'],
    [new Uint8Array([0, 255]).subarray(1), '\\xff'],
    [new Date('0000-03-01T00:00:00Z'), '0001-03-01T00:00:00.000Z BC'],
    [new Date('-000001-03-01T00:00:00Z'), '0002-03-01T00:00:00.000Z BC'],
    ['\u{1F600}', '\u{1F600}'],
    [{ toJSON: () => '1.50' }, '1.50'],
    [[{ toJSON: () => '1.50' }], '{"1.50"}'],
    [{ a: { toJSON: () => '1.50' } }, '{"a":"1.50"}'],
  ];
  for (const [value, text] of cases) assert.equal(textOf(value), text);
  assert.equal(textOf([1, 'a'], true), '[1,"a"]');
  for (const value of ['\udc00', 'a\ud800b']) assert.throws(() => textOf(value), { code: '22021' });
  const round: unknown[] = [];
  round.push(round, { round });
  for (const value of [() => 1, Symbol('a'), round, { round }]) assert.throws(() => textOf(value), { code: '22023' });
  // Another form than bytes would be an object of its numbers, in whatever column it stands.
  for (const value of [
    new Uint16Array([1]),
    new DataView(new ArrayBuffer(1)),
    new ArrayBuffer(2),
    [new Float64Array(1)],
  ])
    for (const given of [value, { value }]) assert.throws(() => textOf(given), { code: '22023' });
  assert.equal(
    jsonOf({ at: new Date(0), b: new Uint8Array([1]), c: [undefined], d: -0 }),
    '{"at":"1970-01-01T00:00:00.000Z","b":"\\\\x01","c":[null],"d":-0}',
  );
});

test('rows for COPY', () => {
  const [first, second, third, ...more] = groupsOf([
    { b: 1, a: 'x\t\\\n\r' },
    {},
    { a: null, b: undefined },
    { a: '\\N', b: [1] },
  ]);
  assert.deepEqual([first.columns, second.columns, third.columns, more], [['a', 'b'], [], ['a'], []]);
  assert.deepEqual(first.at, [0, 3]);
  assert.equal(Buffer.concat(copyChunks(first, [])).toString(), 'x\\t\\\\\\n\\r\t1\n\\\\N\t{"1"}\n');
  assert.equal(Buffer.concat(copyChunks(first, [false, true])).toString(), 'x\\t\\\\\\n\\r\t1\n\\\\N\t[1]\n');
  assert.equal(Buffer.concat(copyChunks(third, [])).toString(), '\\N\n');
});
