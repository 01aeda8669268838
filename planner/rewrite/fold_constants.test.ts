import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimal, pgArray } from '../../operators/datum.ts';
import { colType, OID } from '../../operators/types.ts';
import { constant, INT4 } from '../logical/expressions.ts';
import { call } from '../logical/test_plans.ts';
import { foldExpr } from './fold_constants.ts';

const TEXT = colType(OID.text);

test('a call over constants becomes its value, unless that is very long', () => {
  const repeat = (count: number) => call('repeat(text,int4)', [constant('x', TEXT), constant(count, INT4)], TEXT);
  assert.deepEqual(foldExpr(repeat(3)), constant('xxx', TEXT));
  assert.deepEqual(foldExpr(repeat(500_000_000)), repeat(500_000_000));
});

test('a call that fails stays', () => {
  const failing = call('int4div(int4,int4)', [constant(1, INT4), constant(0, INT4)], INT4);
  assert.deepEqual(foldExpr(failing), failing);
});

test('a cast between numbers, or arrays of them, becomes its value', () => {
  const array = constant(pgArray(OID.numeric, [decimal(5n, 1), null]), colType(1231));
  assert.deepEqual(
    foldExpr({ k: 'cast', arg: array, t: colType(1022), explicit: false }),
    constant(pgArray(OID.float8, [0.5, null]), colType(1022)),
  );
});
