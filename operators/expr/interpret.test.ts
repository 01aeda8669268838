/** The interpreter's two forms agree, and the traps of NULL logic, rows, arrays and casts hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../datum.ts';
import { decimal, pgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { colType, OID } from '../types.ts';
import { defaultContext } from './context.ts';
import { bindExpr, evaluate } from './interpret.ts';
import type { Expr } from './ir.ts';

const ctx = defaultContext();
const BOOL = colType(OID.bool);
const INT = colType(OID.int4);
const INTS = colType(OID._int4);

const int = (v: number | null): Expr => ({ k: 'const', v, t: INT });
const bool = (v: boolean | null): Expr => ({ k: 'const', v, t: BOOL });
const call = (fn: string, args: Expr[], oid: number): Expr => ({ k: 'call', fn, args, t: colType(oid), strict: true });
const failing = call('int4eq(int4,int4)', [call('int4div(int4,int4)', [int(1), int(0)], OID.int4), int(1)], OID.bool);

/** Value by both forms, which must agree. */
function value(e: Expr, row: Datum[] = []): Datum {
  const walked = evaluate(e, row, ctx);
  assert.deepEqual(bindExpr(e)(row, ctx), walked);
  return walked;
}

function fails(e: Expr, sqlstate: string): void {
  const matches = (x: unknown) => x instanceof SqlError && x.sqlstate === sqlstate;
  assert.throws(() => evaluate(e, [], ctx), matches);
  assert.throws(() => bindExpr(e)([], ctx), matches);
}

test('AND and OR stop at the decisive value only', () => {
  assert.equal(value({ k: 'and', args: [bool(false), failing], t: BOOL }), false);
  assert.equal(value({ k: 'or', args: [bool(null), bool(true), failing], t: BOOL }), true);
  fails({ k: 'and', args: [bool(null), failing], t: BOOL }, '22012');
  assert.equal(value({ k: 'and', args: [bool(null), bool(true)], t: BOOL }), null);
  assert.equal(value({ k: 'and', args: [bool(null), bool(false)], t: BOOL }), false);
});

test('a strict call evaluates all arguments before it looks for NULL', () => {
  fails(call('booleq(bool,bool)', [bool(null), failing], OID.bool), '22012');
  assert.equal(value(call('int4pl(int4,int4)', [int(1), int(null)], OID.int4)), null);
});

test('CASE and COALESCE evaluate only what they reach', () => {
  const e: Expr = {
    k: 'case',
    whens: [
      { when: bool(true), then: bool(true) },
      { when: failing, then: failing },
    ],
    else: failing,
    t: BOOL,
  };
  assert.equal(value(e), true);
  assert.equal(value({ k: 'coalesce', args: [bool(null), bool(true), failing], t: BOOL }), true);
  assert.equal(value({ k: 'case', whens: [{ when: bool(null), then: bool(true) }], else: null, t: BOOL }), null);
});

test('IS NULL of a row looks at its fields', () => {
  const row = (...items: Expr[]): Expr => ({ k: 'row', items, t: colType(OID.record) });
  const isNull = (arg: Expr, negated: boolean) => value({ k: 'isnull', arg, negated, t: BOOL });
  assert.equal(isNull(row(int(null), int(null)), false), true);
  assert.equal(isNull(row(int(null), int(1)), false), false);
  assert.equal(isNull(row(int(null), int(1)), true), false);
  assert.equal(isNull(row(int(2), int(1)), true), true);
  assert.equal(value({ k: 'field', arg: row(int(5), int(6)), index: 1, t: INT }), 6);
});

test('ANY and ALL', () => {
  const quantified = (all: boolean, left: Expr, items: (number | null)[]): Datum =>
    value({
      k: 'anyall',
      all,
      fn: 'int4eq(int4,int4)',
      left,
      right: { k: 'const', v: pgArray(OID.int4, items), t: INTS },
      t: BOOL,
    });
  assert.equal(quantified(false, int(null), []), false);
  assert.equal(quantified(true, int(null), []), true);
  assert.equal(quantified(false, int(1), [null, 1]), true);
  assert.equal(quantified(false, int(1), [null, 2]), null);
  assert.equal(quantified(true, int(1), [null, 2]), false);
});

test('arrays: nested constructors and subscripts', () => {
  const flat: Expr = { k: 'array', items: [int(1), int(2)], t: INTS };
  const nested: Expr = { k: 'array', items: [flat, flat], t: INTS };
  assert.deepEqual(value(nested), { k: 'array', elem: OID.int4, dims: [2, 2], lower: [1, 1], items: [1, 2, 1, 2] });
  const index = (...at: number[]) => at.map((n) => ({ lower: int(n), upper: null, slice: false }));
  assert.equal(value({ k: 'subscript', arg: nested, indexes: index(2, 1), t: INT }), 1);
  assert.equal(value({ k: 'subscript', arg: nested, indexes: index(1), t: INT }), null);
  assert.equal(value({ k: 'subscript', arg: flat, indexes: index(3), t: INT }), null);
  const slice = { lower: int(2), upper: null, slice: true };
  assert.deepEqual(value({ k: 'subscript', arg: flat, indexes: [slice], t: INTS }), pgArray(OID.int4, [2]));
  fails({ k: 'array', items: [flat, { k: 'array', items: [int(1)], t: INTS }], t: INTS }, '2202E');
});

test('casts go through text, then the typmod', () => {
  const text: Expr = { k: 'const', v: '12.345', t: colType(OID.text) };
  const twoDigits = ((5 << 16) | 2) + 4;
  const cast = (arg: Expr, oid: number, typmod: number, explicit: boolean): Expr => ({
    k: 'cast',
    arg,
    t: colType(oid, typmod),
    explicit,
  });
  assert.deepEqual(value(cast(text, OID.numeric, twoDigits, false)), decimal(1235n, 2));
  assert.equal(value(cast(text, OID.varchar, 7, true)), '12.');
  fails(cast(text, OID.varchar, 7, false), '22001');
  fails(cast(text, OID.int4, -1, true), '22P02');
});

test('binary-coercible casts keep the value, not its text', () => {
  const cast = (v: Datum, from: number, to: number) =>
    value({ k: 'cast', arg: { k: 'const', v, t: colType(from) }, t: colType(to), explicit: true });
  assert.equal(cast(-1, OID.int4, OID.oid), 4294967295);
  assert.equal(cast(4294967295, OID.oid, OID.int4), -1);
  assert.equal(cast(1259, OID.regclass, OID.oid), 1259);
  assert.deepEqual(cast(pgArray(OID.varchar, ['a']), OID._varchar, OID._text), pgArray(OID.text, ['a']));
  assert.deepEqual(cast(pgArray(OID.int4, [1]), OID._int4, OID._text), pgArray(OID.text, ['1']));
});

test('an unknown function is refused when bound', () => {
  fails(call('no_such(int4)', [int(1)], OID.int4), '0A000');
  assert.throws(() => bindExpr(call('no_such(int4)', [int(1)], OID.int4)), SqlError);
});
