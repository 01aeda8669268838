/** Columns of every width that a filter which calls functions passes on: the loop copies them, and some of their rows go to the interpreter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../../batch/builder.ts';
import { type Datum, decimal } from '../../../datum.ts';
import { MapOperator, type MapPath } from '../../../map.ts';
import { Random, testSeed, times } from '../../../testing/property.ts';
import { testTick } from '../../../testing/tick.ts';
import { colType, OID } from '../../../types.ts';
import '../../functions/index.ts';
import type { Expr } from '../../ir.ts';

const generator = new Random(testSeed());
const random = (n: number): number => generator.below(n);

const types = [OID.text, OID.bool, OID.int4, OID.date, OID.int8, OID.float8, OID.numeric, OID.uuid, OID.text].map(
  (oid) => colType(oid),
);
const column = (id: number): Expr => ({ k: 'col', id, t: types[id] });
/** lower(the first column) = 'kept' */
const filter: Expr = {
  k: 'call',
  fn: 'texteq(text,text)',
  args: [
    { k: 'call', fn: 'lower(text)', args: [column(0)], t: types[0], strict: true },
    { k: 'const', v: 'kept', t: types[0] },
  ],
  t: colType(OID.bool),
  strict: true,
};

const digits = (n: number) => Array.from({ length: n }, () => random(16).toString(16)).join('');

/** `odd`: one of so many names is left to the interpreter, which finds that a Kelvin sign's small letter is a k; 0: none. */
function row(odd: number): Datum[] {
  return [
    odd > 0 && random(odd) === 0
      ? generator.pick(['K\u00e9pt', '\u212aept'])
      : generator.pick(['Kept', 'KEPT', 'left']),
    random(2) === 0,
    random(1000) - 500,
    random(20_000),
    BigInt(random(1000)) - 500n,
    random(1000) / 8,
    decimal(BigInt(random(100_000)), random(4)),
    `${digits(8)}-${digits(4)}-${digits(4)}-${digits(4)}-${digits(12)}`,
    'text'.repeat(random(6)),
  ];
}

function run(rows: Datum[][], project: Expr[], path: MapPath): string[] {
  const outTypes = project.map((e) => e.t);
  const operator = new MapOperator(filter, project, types, outTypes, path);
  const arena = new Arena();
  const weights = rows.map((_, i) => (i % 3) + 1);
  const result = operator.step([batchFromRows(types, rows, arena, weights)], testTick(arena));
  const out = Array.from(
    { length: result.n },
    (_, i) =>
      `${readRow(result, i).map((v) => (typeof v === 'object' ? JSON.stringify(v, (_k, x) => String(x)) : v))} ${weightOf(result, i)}`,
  );
  operator.release();
  arena.release();
  return out;
}

test('what a filter that calls functions passes on is what the interpreter gives', () => {
  const all = types.map((_, id) => column(id));
  const upper: Expr = { k: 'call', fn: 'upper(text)', args: [column(0)], t: types[0], strict: true };
  for (let round = 0; round < times(30); round++) {
    const nulls = generator.pick([0, 0, 4]);
    const odd = generator.pick([0, 0, 20]);
    const rows = Array.from({ length: generator.pick([1, 30, 1500]) }, () =>
      row(odd).map((v, c) => (c > 0 && nulls > 0 && random(nulls) === 0 ? null : v)),
    );
    // Some are passed on twice, in another order.
    const project: Expr[] = [...all, upper, generator.pick(all), generator.pick(all)];
    assert.deepEqual(run(rows, project, 'WebAssembly'), run(rows, project, 'interpreter'), `round ${round}`);
    const kept = rows.map((r) => [generator.pick(['kept', 'KEPT']), ...r.slice(1)]);
    assert.equal(run(kept, all, 'WebAssembly').length, kept.length);
    assert.deepEqual(run(kept, all, 'WebAssembly'), run(kept, all, 'interpreter'), `round ${round}, all rows`);
  }
});
