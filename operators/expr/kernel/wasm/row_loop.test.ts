/**
 * What the loops of kernels in WebAssembly do beside computing values: choosing rows without branches, leaving rows, rows that fail, stretches of rows, batches
 * with and without NULLs, fields of a text at once. The interpreter says what is right.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../../batch/builder.ts';
import { type Datum, pgArray } from '../../../datum.ts';
import { MapOperator, type MapPath } from '../../../map.ts';
import { Random, testSeed, times } from '../../../testing/property.ts';
import { testTick } from '../../../testing/tick.ts';
import { colType, OID } from '../../../types.ts';
import '../../functions/index.ts';
import type { Expr } from '../../ir.ts';
import { emitLoops, releaseLoops } from './row_loop.ts';

const generator = new Random(testSeed());
const random = (n: number): number => generator.below(n);
const pick = <T>(list: readonly T[]): T => generator.pick(list);

const { int4, int8, text, bool } = OID;
/** Two int8, two texts, an int4. */
const types = [int8, int8, text, text, int4].map((oid) => colType(oid));
const column = (id: number): Expr => ({ k: 'col', id, t: types[id] });
const constant = (v: Datum, oid: number): Expr => ({ k: 'const', v, t: colType(oid) });
const call = (fn: string, oid: number, ...args: Expr[]): Expr => ({
  k: 'call',
  fn,
  args,
  t: colType(oid),
  strict: true,
});

const INT8 = [0n, 1n, -1n, 122n, 123n, -123n, 9223372036854775807n, -9223372036854775808n, 4611686018427387904n];
const WORDS = ['apple', 'Apple', 'GOOGLE', 'baidu', 'Baidü', '', 'a text of more than twelve bytes', 'KELVIN \u212a'];
const PIECES = ['a', '/', '/', '//', 'b&', 'channel_id=', 'https:', 'ü', '0123456789', 'a long piece of a text'];

function value(oid: number): Datum {
  switch (oid) {
    case int8:
      return random(6) === 0 ? pick(INT8) : BigInt(random(2000) - 1000);
    case int4:
      return random(6) === 0 ? pick([0, 2147483647, -2147483648]) : random(50) - 25;
    default:
      return random(3) === 0 ? pick(WORDS) : Array.from({ length: random(9) }, () => pick(PIECES)).join('');
  }
}

/** Every n-th value is NULL; 0: none. */
function rowsOf(count: number, nulls: number): Datum[][] {
  return Array.from({ length: count }, () =>
    types.map(({ oid }) => (nulls > 0 && random(nulls) === 0 ? null : value(oid))),
  );
}

const shown = (v: unknown) => JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? `${x}n` : x));

/** What a map puts out and reports, in order. */
function run(filter: Expr | null, project: Expr[] | null, rows: Datum[][], path: MapPath): string[] {
  const outTypes = project === null ? types : project.map((e) => e.t);
  const operator = new MapOperator(filter, project, types, outTypes, path);
  const arena = new Arena();
  const failed: string[] = [];
  const batch = batchFromRows(
    types,
    rows,
    arena,
    rows.map((_, i) => (i % 5) - 2),
  );
  const result = operator.step(
    [batch],
    testTick(arena, {
      errors: { report: (error, row, weight) => failed.push(`${error.message} ${shown(row)} ${weight}`) },
    }),
  );
  const out = Array.from({ length: result.n }, (_, i) => `${shown(readRow(result, i))} ${weightOf(result, i)}`);
  operator.release();
  arena.release();
  return [...out, ...failed];
}

function compare(filter: Expr | null, project: Expr[] | null, rows: Datum[][]): number {
  const wanted = run(filter, project, rows, 'interpreter');
  assert.deepEqual(run(filter, project, rows, 'WebAssembly'), wanted, shown({ filter, project }));
  return wanted.length;
}

function loopsOf(filter: Expr | null, items: Expr[], nullable: boolean) {
  const outTypes = items.map((e) => e.t);
  return emitLoops(filter, items, types, outTypes, nullable);
}

/** Whether the rows are chosen before they are projected. */
function isSelected(filter: Expr, project: Expr[] | null): boolean {
  const items = project ?? types.map((_, id) => column(id));
  const loops = loopsOf(filter, items, true);
  assert.ok(loops !== null, `no kernel of ${shown({ filter, project })}`);
  releaseLoops(loops);
  return loops.select !== null;
}

function number(depth: number): Expr {
  if (depth === 0 || random(3) === 0) return random(3) === 0 ? constant(pick(INT8), int8) : column(random(2));
  const fn = pick([
    'int8pl(int8,int8)',
    'int8mi(int8,int8)',
    'int8mul(int8,int8)',
    'int8div(int8,int8)',
    'mod(int8,int8)',
  ]);
  return call(fn, int8, number(depth - 1), number(depth - 1));
}

function condition(depth: number): Expr {
  const t = colType(bool);
  switch (depth === 0 ? random(4) : random(9)) {
    case 0:
      return call(`int8${pick(['eq', 'ne', 'lt', 'ge'])}(int8,int8)`, bool, number(1), number(1));
    case 1:
      return call('texteq(text,text)', bool, column(2), constant(pick(['apple', 'Apple', '']), text));
    case 2: {
      const items = [pick(INT8), ...Array.from({ length: random(5) }, () => pick([null, ...INT8]))];
      const right: Expr = { k: 'const', v: pgArray(int8, items), t: colType(OID._int8) };
      return { k: 'anyall', all: random(2) === 0, fn: 'int8eq(int8,int8)', left: number(1), right, t };
    }
    case 3:
      return { k: 'isnull', arg: column(random(types.length)), negated: random(2) === 0, t };
    case 4:
      return { k: 'not', arg: condition(depth - 1), t };
    case 5:
      return { k: 'istruth', arg: condition(depth - 1), value: random(2) === 0, negated: random(2) === 0, t };
    default: {
      const args = Array.from({ length: 2 + random(2) }, () => condition(depth - 1));
      return { k: random(2) === 0 ? 'and' : 'or', args, t };
    }
  }
}

const lower = (e: Expr) => call('lower(text)', text, e);
const field = (e: Expr, separator: string, n: number) =>
  call('split_part(text,text,int4)', text, e, constant(separator, text), constant(n, int4));

test('rows are chosen as the interpreter chooses them, whatever is NULL, overflows or fails', () => {
  let chosen = 0;
  for (let round = 0; round < times(60); round++) {
    // Of the first round half of the rows pass, whatever the seed.
    const filter = round === 0 ? call('int8ge(int8,int8)', bool, column(0), constant(0n, int8)) : condition(3);
    const project = pick([
      null,
      [column(0), column(3)],
      [number(2), column(2)],
      [lower(column(3)), field(column(3), '/', 2), number(1)],
    ]);
    assert.ok(isSelected(filter, project));
    chosen += compare(filter, project, rowsOf(round === 0 ? 1500 : pick([0, 1, 40, 40, 1500]), pick([0, 0, 5, 40])));
  }
  assert.ok(chosen > 300, `${chosen} rows`);
});

test('a filter that calls functions shares what they found with the projection', () => {
  const match: Expr = {
    k: 'subscript',
    arg: call('regexp_match(text,text)', OID._text, column(3), constant('(&|^)channel_id=([^&]*)', text)),
    indexes: [{ lower: constant(2, int4), upper: null, slice: false }],
    t: colType(text),
  };
  const names: Expr = { k: 'const', v: pgArray(text, ['apple', 'google', 'baidu']), t: colType(OID._text) };
  const t = colType(bool);
  const filter: Expr = {
    k: 'or',
    args: [
      { k: 'isnull', arg: match, negated: true, t },
      { k: 'anyall', all: false, fn: 'texteq(text,text)', left: lower(column(2)), right: names, t },
    ],
    t,
  };
  const whens = ['apple', 'google', 'baidu'].map((name, i) => ({
    when: call('texteq(text,text)', bool, lower(column(2)), constant(name, text)),
    then: constant(String(i), text),
  }));
  const project: Expr[] = [column(0), { k: 'case', whens, else: match, t: colType(text) }];
  assert.ok(!isSelected(filter, project));
  for (const nulls of [0, 7]) assert.ok(compare(filter, project, rowsOf(2500, nulls)) > 200);
});

test('CASE of comparisons with constants, with and without ELSE', () => {
  for (let round = 0; round < times(40); round++) {
    const oid = pick([text, int8]);
    const result = () => constant(oid === text ? pick(WORDS) : pick(INT8), oid);
    const whens = Array.from({ length: 1 + random(4) }, () => ({ when: condition(1), then: result() }));
    const rest = pick([null, result(), constant(null, oid), oid === text ? lower(column(3)) : number(2)]);
    compare(null, [{ k: 'case', whens, else: rest, t: colType(oid) }], rowsOf(60, pick([0, 4])));
  }
});

test('fields of a text, of one walk or several', () => {
  for (let round = 0; round < times(40); round++) {
    const separator = pick(['/', '/', 'a', '//', 'ü', 'channel_id=']);
    const numbers = Array.from({ length: 1 + random(24) }, () => 1 + random(pick([4, 30])));
    const project = numbers.map((n) => field(pick([column(3), lower(column(3))]), separator, n));
    const rows = rowsOf(30, pick([0, 5]));
    for (const row of rows) if (random(4) === 0) row[3] = 'x/a'.repeat(random(80));
    compare(null, project, rows);
  }
  // Ends around the 64 bytes that are looked at at once, and in the filter.
  for (let round = 0; round < times(40); round++) {
    const separator = pick(['/', 'a']);
    const numbers = Array.from({ length: 1 + random(5) }, () => 1 + random(pick([6, 20])));
    const rows = rowsOf(60, pick([0, 5]));
    for (const row of rows)
      if (row[3] !== null)
        row[3] = Array.from({ length: pick([random(20), 60 + random(10), random(140)]) }, () =>
          pick(['/', 'a', 'b', 'c', 'd', 'e', 'f']),
        ).join('');
    const parts = numbers.map((n) => field(column(3), separator, n));
    const filter = call('textne(text,text)', bool, pick(parts), constant('', text));
    compare(pick([null, filter]), parts, rows);
  }
  // In blocks that do not see each other.
  const t = colType(text);
  const even = call('int4lt(int4,int4)', bool, column(4), constant(0, int4));
  const whens = [{ when: even, then: field(column(3), '/', 3) }];
  compare(null, [{ k: 'case', whens, else: field(column(3), '/', 1), t }], rowsOf(200, 9));
});

test('rows that fail leave no gap, with a filter and without', () => {
  const quotient = call('int8div(int8,int8)', int8, column(0), column(1));
  const positive = call('int8gt(int8,int8)', bool, quotient, constant(1n, int8));
  const rows = rowsOf(3000, 0);
  for (const row of rows) if (random(3) === 0) row[1] = 0n;
  for (const filter of [null, positive])
    for (const project of [[quotient, column(2)], [column(2)], [lower(column(3)), quotient]])
      if (filter !== null || project.length > 1) compare(filter, project, rows);
});

test('where only the code for NULLs is too long, rows with NULLs are done in JavaScript', () => {
  const t = colType(bool);
  const greater = (i: number): Expr => call('int8gt(int8,int8)', bool, column(i % 2), constant(BigInt(i % 50), int8));
  const fits = (project: Expr[], nullable: boolean) => {
    const loops = loopsOf(null, project, nullable);
    if (loops !== null) releaseLoops(loops);
    return loops !== null;
  };
  const project: Expr[] = [];
  while (fits(project, true)) {
    const first = project.length;
    for (let i = 0; i < 20; i++) project.push({ k: 'not', arg: greater(first + i), t });
  }
  assert.ok(fits(project, false), `${project.length} columns`);
  for (const nulls of [0, 3]) compare(null, project, rowsOf(20, nulls));
});

test('characters counted by what their removal takes from the length', () => {
  const length = (e: Expr) => call('length(text)', int4, e);
  for (const [from, to] of [
    ['a', ''],
    ['//', '/'],
    ['ü', ''],
    ['', 'x'],
    ['a', 'bc'],
  ]) {
    const replaced = call('replace(text,text,text)', text, column(3), constant(from, text), constant(to, text));
    compare(null, [call('int4mi(int4,int4)', int4, length(column(3)), length(replaced))], rowsOf(300, pick([0, 6])));
  }
});
