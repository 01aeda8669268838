/** Numeric: laws that need no oracle, and the traps of scale, special values and normal form. Values against PostgreSQL are in
 * functions/numeric.slow.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Decimal, decimal } from '../../datum.ts';
import { add, divide, modulo, multiply, round, subtract } from './arithmetic.ts';
import { decimalFromBinary, decimalToBinary } from './binary.ts';
import { compareDecimal } from './compare.ts';
import { digitCount, INFINITY, NAN, NEG_INFINITY, normalizeDecimal } from './normal.ts';
import { decimalToText, parseDecimal } from './text.ts';
import { exp, ln, power, sqrt } from './transcendental.ts';
import { applyNumericTypmod, makeNumericTypmod } from './typmod.ts';

const arbitrary = fc
  .record({ m: fc.bigInt(-(10n ** 40n), 10n ** 40n), s: fc.integer({ min: 0, max: 30 }) })
  .map(({ m, s }) => decimal(m, s));
const text = (d: Decimal) => decimalToText(d);
const number = (t: string) => parseDecimal(t)!;

test('text and binary read back', () => {
  fc.assert(
    fc.property(arbitrary, (d) => {
      assert.deepEqual(number(text(d)), d);
      assert.deepEqual(decimalFromBinary(decimalToBinary(d)), d);
    }),
  );
  for (const d of [NAN, INFINITY, NEG_INFINITY]) {
    assert.deepEqual(number(text(d)), d);
    assert.deepEqual(decimalFromBinary(decimalToBinary(d)), d);
  }
});

test('addition, subtraction and remainder agree', () => {
  fc.assert(
    fc.property(arbitrary, arbitrary, (a, b) => {
      assert.equal(compareDecimal(subtract(add(a, b), b), a), 0);
      assert.equal(digitCount(a.m), a.m === 0n ? 0 : String(a.m).replace('-', '').length);
      if (b.m === 0n) return;
      const rest = modulo(a, b);
      assert.ok(
        compareDecimal(decimal(rest.m < 0n ? -rest.m : rest.m, rest.s), decimal(b.m < 0n ? -b.m : b.m, b.s)) < 0,
      );
    }),
  );
});

test('equal values have one form whatever their scale', () => {
  fc.assert(
    fc.property(arbitrary, fc.integer({ min: 0, max: 20 }), (d, more) => {
      const longer = decimal(d.m * 10n ** BigInt(more), d.s + more);
      assert.equal(compareDecimal(d, longer), 0);
      assert.deepEqual(normalizeDecimal(d), normalizeDecimal(longer));
    }),
  );
});

test('result scales', () => {
  assert.equal(text(divide(number('1'), number('3'))), '0.33333333333333333333');
  assert.equal(text(divide(number('100000'), number('3'))), '33333.333333333333');
  assert.equal(text(multiply(number('1.50'), number('2.0'))), '3.000');
  assert.equal(text(sqrt(number('2'))), '1.414213562373095');
  assert.equal(text(exp(number('1'))), '2.7182818284590452');
  assert.equal(text(ln(number('2'))), '0.6931471805599453');
  assert.equal(text(power(number('2'), number('0.5'))), '1.4142135623730950');
});

test('order of special values', () => {
  const order = [NEG_INFINITY, number('-1'), number('0'), number('1.0'), INFINITY, NAN];
  order.forEach((a, i) => {
    order.forEach((b, j) => {
      assert.equal(compareDecimal(a, b), Math.sign(i - j));
    });
  });
  assert.equal(text(subtract(INFINITY, INFINITY)), 'NaN');
  assert.throws(() => divide(INFINITY, number('0')), /division by zero/);
});

test('rounding is half away from zero, also left of the point', () => {
  assert.equal(text(round(number('2.5'), 0)), '3');
  assert.equal(text(round(number('-2.5'), 0)), '-3');
  assert.equal(text(round(number('1250'), -2)), '1300');
  assert.equal(text(applyNumericTypmod(number('1.005'), makeNumericTypmod(5, 2))), '1.01');
  assert.throws(() => applyNumericTypmod(number('999.995'), makeNumericTypmod(5, 2)), /numeric field overflow/);
});
