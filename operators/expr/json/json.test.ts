/** json and jsonb: canonical text, order, containment and errors, with PostgreSQL's answers written down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../datum.ts';
import { pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, OID } from '../../types.ts';
import { compareDatum } from '../compare.ts';
import { defaultContext } from '../context.ts';
import { requireFunction, resolveSet } from '../functions/index.ts';
import { inputBinary, inputText, outputBinary } from '../io/index.ts';
import { rowDescription } from './row_description.ts';

const ctx = defaultContext();
const jsonb = (text: string) => inputText(text, colType(OID.jsonb), ctx) as string;
const call = (fn: string, ...args: Datum[]) => requireFunction(fn)(...args, ctx);

test('jsonb is canonical', () => {
  assert.equal(
    jsonb('{"bb":1, "a":[1e2,1.50,-0], "bb":2, "":"\\u00e9\\n"}'),
    '{"": "é\\n", "a": [100, 1.50, 0], "bb": 2}',
  );
  const d = jsonb('[1, {"a": null}]');
  assert.equal(inputBinary(outputBinary(d, OID.jsonb), OID.jsonb), d);
});

test('json keeps its text, and parts of it', () => {
  const d = '{"a" : [1.00 , {"x":2}], "a":  "y\\u0041"}';
  assert.equal(call('json_object_field(json,text)', d, 'a'), '"y\\u0041"');
  assert.equal(call('json_object_field_text(json,text)', d, 'a'), 'yA');
  assert.equal(
    call('json_extract_path(json,_text)', '{"a" : [1.00 , {"x":2}]}', pgArray(OID.text, ['a', '-1'])),
    '{"x":2}',
  );
});

test('jsonb order and containment', () => {
  const sorted = [
    '[]',
    'null',
    '"a"',
    '1',
    'false',
    'true',
    '[1]',
    '[0, 0]',
    '{}',
    '{"a": 1}',
    '{"b": 0}',
    '{"a": 1, "b": 1}',
  ];
  for (let i = 1; i < sorted.length; i++) {
    assert.ok(compareDatum(jsonb(sorted[i - 1]), jsonb(sorted[i]), OID.jsonb) < 0, `${sorted[i - 1]} < ${sorted[i]}`);
  }
  const contains = (a: string, b: string) => call('jsonb_contains(jsonb,jsonb)', jsonb(a), jsonb(b));
  assert.equal(contains('{"a": {"b": [1, 2, 3]}}', '{"a": {"b": [3, 1.0]}}'), true);
  assert.equal(contains('[1, [2]]', '2'), false);
  assert.equal(contains('[1]', '1'), true);
});

test('errors say what was expected', () => {
  const cases: [string, string][] = [
    ['{"a" 1}', 'Expected ":", but found "1".'],
    ['[1,]', 'Expected JSON value, but found "]".'],
    ['{"a":1', 'The input string ended unexpectedly.'],
    ['nulll', 'Token "nulll" is invalid.'],
    ['"\\ud800"', 'Unicode low surrogate must follow a high surrogate.'],
  ];
  for (const [text, detail] of cases) {
    assert.throws(
      () => jsonb(text),
      (e) => e instanceof SqlError && e.sqlstate === '22P02' && e.fields.detail === detail,
    );
  }
});

test('nesting too deep is refused, not a crash', () => {
  assert.throws(
    () => jsonb('['.repeat(1_000_000)),
    (e) => e instanceof SqlError && e.sqlstate === '54001',
  );
  const deep = `${'['.repeat(990)}1${']'.repeat(990)}`;
  assert.equal(jsonb(deep), deep);
  assert.equal(compareDatum(jsonb(deep), jsonb(deep.replace('1', '2')), OID.jsonb) < 0, true);
});

test('objects as rows of described columns', () => {
  const description = rowDescription([
    { name: 'a', type: colType(OID._int4) },
    { name: 'b', type: colType(OID.text) },
    { name: 'c', type: colType(OID.jsonb) },
  ]);
  const fn = 'jsonb_to_recordset(jsonb)';
  const call = { argTypes: [colType(OID.jsonb)], resultType: colType(OID._int4), variadic: false };
  const rows = (text: string) => [...resolveSet(fn, call)([jsonb(text), description], ctx)];
  assert.deepEqual(rows('[{"a": [[1], [2]], "b": {"x": 1}, "c": null}, {"b": "y", "c": [1.0]}]'), [
    [{ k: 'array', elem: OID.int4, dims: [2, 1], lower: [1, 1], items: [1, 2] }, '{"x": 1}', null],
    [null, 'y', '[1.0]'],
  ]);
  assert.throws(
    () => rows('[1]'),
    (e) => e instanceof SqlError && e.message === 'argument of jsonb_to_recordset must be an array of objects',
  );
});
