/** Divisibility by multiplication: against the remainder of bigints, and kernels against the interpreter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../batch/arena.ts';
import { batchFromRows, readDatum } from '../../../batch/builder.ts';
import type { Datum } from '../../../datum.ts';
import { MapOperator, type MapPath } from '../../../map.ts';
import { Random, testSeed, times } from '../../../testing/property.ts';
import { testTick } from '../../../testing/tick.ts';
import { colType, OID } from '../../../types.ts';
import '../../functions/index.ts';
import type { Expr } from '../../ir.ts';
import { divisorOf } from './divisibility.ts';
import { emitLoops, releaseLoops } from './row_loop.ts';

const generator = new Random(testSeed());
const { int2, int4, int8, bool } = OID;
const MOST = (1n << 63n) - 1n;
const LEAST = -MOST - 1n;
const DIVISORS = [2n, 3n, 6n, 7n, 12n, 96n, 123n, 1000n, 1n << 31n, 1n << 40n, (1n << 40n) * 3n, MOST, MOST - 1n];

/** An integer of up to so many bits. */
function integer(bits: number): bigint {
  const low = BigInt(generator.below(2 ** 32)) | (BigInt(generator.below(2 ** 32)) << 32n);
  return BigInt.asIntN(generator.below(bits) + 1, low);
}

/** Numbers about multiples of one, and about the ends. */
function dividend(by: bigint): bigint {
  const about = BigInt(generator.below(5) - 2);
  const near = [0n, LEAST, MOST, (MOST / by) * by, (LEAST / by) * by, by, -by, integer(64) * by];
  return BigInt.asIntN(64, generator.below(3) === 0 ? integer(64) : generator.pick(near) + about);
}

test('multiples, and only these, are told by a multiplication', () => {
  for (let i = 0; i < times(2000); i++) {
    const by = generator.below(2) === 0 ? generator.pick(DIVISORS) : BigInt.asUintN(62, integer(62)) + 1n;
    const divisor = divisorOf(by);
    if (divisor === null) {
      assert.equal(by & (by - 1n), 0n);
      continue;
    }
    const { inverse, bound, shift, most } = divisor;
    for (let n = 0; n < 20; n++) {
      const x = dividend(by);
      const product = BigInt.asUintN(64, x * inverse + bound);
      const turned = (product >> BigInt(shift)) | BigInt.asUintN(64, product << BigInt(64 - shift));
      assert.equal(BigInt.asUintN(64, turned) <= most, x % by === 0n, `${x} by ${by}`);
    }
  }
});

const types = [int2, int4, int8].map((oid) => colType(oid));
const call = (fn: string, oid: number, ...args: Expr[]): Expr => ({
  k: 'call',
  fn,
  args,
  t: colType(oid),
  strict: true,
});
const constant = (oid: number, v: bigint): Expr => ({ k: 'const', v: oid === int8 ? v : Number(v), t: colType(oid) });

/** Column id % by = or <> rest, with the modulus by its function or its operator. */
function comparison(id: number, by: bigint, rest: bigint): Expr {
  const type = ['int2', 'int4', 'int8'][id];
  const { oid } = types[id];
  const mod = generator.pick(['mod', `${type}mod`]);
  const of = call(`${mod}(${type},${type})`, oid, { k: 'col', id, t: types[id] }, constant(oid, by));
  return call(`${type}${generator.pick(['eq', 'ne'])}(${type},${type})`, bool, of, constant(oid, rest));
}

function run(path: MapPath, filter: Expr, value: Expr, rows: Datum[][]): Datum[][] {
  const out = [...types, colType(bool)];
  const project = [...types.map((t, id): Expr => ({ k: 'col', id, t })), value];
  const operator = new MapOperator(filter, project, types, out, path);
  const arena = new Arena();
  const result = operator.step([batchFromRows(types, rows, arena)], testTick(arena));
  const made = Array.from({ length: result.n }, (_, i) => result.columns.map((column) => readDatum(column, i)));
  operator.release();
  arena.release();
  return made;
}

test('kernels compare remainders as the interpreter does: signs, ends, NULLs', () => {
  const bits = [16, 32, 64];
  for (let round = 0; round < times(60); round++) {
    const id = generator.below(3);
    const fits = (v: bigint) => BigInt.asIntN(bits[id], v);
    const chosen = generator.below(2) === 0 ? generator.pick(DIVISORS) : integer(bits[id]);
    const by = fits(generator.below(2) === 0 ? chosen : -chosen) || 5n;
    const size = by < 0n ? -by : by;
    const rest = fits(generator.pick([0n, 0n, 1n, -1n, integer(bits[id]) % size, size - 1n, 1n - size, size]));
    const nulls = generator.below(2) * 5;
    const rows = Array.from({ length: 40 }, () =>
      bits.map((width): Datum => {
        if (nulls > 0 && generator.below(nulls) === 0) return null;
        const v = BigInt.asIntN(width, dividend(size) + generator.pick([0n, rest]));
        return width === 64 ? v : Number(v);
      }),
    );
    const filter = comparison(id, by, rest);
    const value = comparison(id, by, generator.pick([0n, rest]));
    const loops = emitLoops(filter, [value], types, [colType(bool)], false);
    assert.notEqual(loops, null);
    if (loops !== null) releaseLoops(loops);
    const expected = run('interpreter', filter, value, rows);
    assert.deepEqual(run('WebAssembly', filter, value, rows), expected, `% ${by} = ${rest}`);
  }
});
