/** Arrays: text, binary, order and the operators' corner cases, with PostgreSQL's answers written down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datum, type PgArray, pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, OID } from '../../types.ts';
import { compareDatum } from '../compare.ts';
import { defaultContext } from '../context.ts';
import { requireFunction } from '../functions/index.ts';
import { inputBinary, inputText, outputBinary, outputText } from '../io/index.ts';

const ctx = defaultContext();
const ints = (text: string) => inputText(text, colType(OID._int4), ctx) as PgArray;
const call = (fn: string, ...args: Datum[]) => requireFunction(fn)(...args, ctx);

test('text and binary go there and back', () => {
  for (const text of ['{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={5,6}', '[2:2][-1:0]={{1,2}}']) {
    const a = ints(text);
    assert.equal(outputText(a, OID._int4, ctx), text);
    assert.deepEqual(inputBinary(outputBinary(a, OID._int4), OID._int4), a);
  }
  const strings = pgArray(OID.text, ['', 'NULL', 'a b', '"', '\\', null, '{', ',']);
  const text = outputText(strings, OID._text, ctx);
  assert.equal(text, '{"","NULL","a b","\\"","\\\\",NULL,"{",","}');
  assert.deepEqual(inputText(text, colType(OID._text), ctx), strings);
});

test('malformed text and binary are refused', () => {
  for (const text of ['{1,', '{{1},{2,3}}', '{1}x', '1', '[1:2]={1}', '{"a"b}']) {
    assert.throws(
      () => ints(text),
      (e) => e instanceof SqlError && e.sqlstate === '22P02',
    );
  }
  const huge = outputBinary(ints('{1}'), OID._int4);
  new DataView(huge.buffer).setInt32(12, 2_000_000_000);
  assert.throws(
    () => inputBinary(huge, OID._int4),
    (e) => e instanceof SqlError && e.sqlstate === '08P01',
  );
});

test('order: items first, then their number', () => {
  const sorted = ['{}', '{1}', '{1,2}', '{1,NULL}', '{2}', '{NULL}'];
  for (let i = 1; i < sorted.length; i++) {
    assert.ok(compareDatum(ints(sorted[i - 1]), ints(sorted[i]), OID._int4) < 0, `${sorted[i - 1]} < ${sorted[i]}`);
  }
  assert.equal(call('array_eq(anyarray,anyarray)', ints('{1,2}'), ints('[0:1]={1,2}')), false);
});

test('concatenation and search', () => {
  const show = (d: Datum) => outputText(d, OID._int4, ctx);
  assert.equal(
    show(call('array_cat(anycompatiblearray,anycompatiblearray)', ints('{1}'), ints('{{2},{3}}'))),
    '{{1},{2},{3}}',
  );
  assert.equal(call('array_position(anycompatiblearray,anycompatible)', ints('[5:6]={1,NULL}'), null), 6);
  assert.equal(call('arraycontains(anyarray,anyarray)', ints('{1,NULL}'), ints('{NULL}')), false);
});
