import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow, weightOf } from '../../batch/builder.ts';
import { type Datum, decimal, interval, pgArray } from '../../datum.ts';
import { MapOperator, type MapPath } from '../../map.ts';
import { type ColType, colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import '../functions/index.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { testTick } from '../../testing/tick.ts';
import { evaluate } from '../interpret.ts';
import type { Expr } from '../ir.ts';
import { compileMap, compileTest, interpretedParts, type MapKernel } from './compile.ts';
import { compileWasmMap, isWasmMap } from './wasm/compile.ts';

const random = new Random(testSeed());

const types = [
  OID.int4,
  OID.int8,
  OID.float8,
  OID.numeric,
  OID.text,
  OID.bool,
  OID.timestamp,
  OID.int2,
  OID.timestamptz,
  OID.date,
  OID.text,
].map((oid) => colType(oid));

const values: Record<number, Datum[]> = {
  [OID.int2]: [null, 0, 1, -1, 32767, -32768, 7],
  [OID.int4]: [null, 0, 1, -1, 2147483647, -2147483648, 123, 46341],
  [OID.int8]: [
    null,
    0n,
    1n,
    -1n,
    9223372036854775807n,
    -9223372036854775808n,
    9007199254740993n,
    9007199254740991n,
    123456789012n,
  ],
  [OID.float8]: [
    null,
    0,
    -0,
    1.5,
    -2.25,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e308,
    5e-324,
  ],
  [OID.numeric]: [
    null,
    decimal(0n),
    decimal(908n, 3),
    decimal(-15n, 1),
    decimal(10n ** 30n, 2),
    { k: 'dec', m: 0n, s: 0, special: 'NaN' },
    decimal(9007199254740993n, 4),
  ],
  [OID.text]: [
    null,
    '',
    'a',
    'ab',
    'Ab',
    ' a  b ',
    'a string that is rather long',
    'a string that is rather lonh',
    'ünï',
    'ünï Wörld with more than twelve bytes 𝄞',
    '42',
    '-9007199254740991',
    '99999999999999999999',
    'https://www.nexmark.com/aabc/item.htm?query=1&channel_id=123456789012345678',
    'x/y/z',
    '//a/',
    'aaaa',
  ],
  [OID.bool]: [null, true, false],
  [OID.timestamp]: [
    null,
    0n,
    -1n,
    820540800123456n,
    820540859999999n,
    -86400000001n,
    5097600000000n,
    9223372036854775807n,
    -9223372036854775808n,
  ],
  [OID.timestamptz]: [null, 0n, -1n, 820540800123456n, 815000000000000n, 9223372036854775807n, -9223372036854775808n],
  [OID.date]: [null, 0, -1, 1, 59, 9497, 2147483647, -2147483648, -730119, -730120, 2921939, 2921940],
  [OID.interval]: [
    interval(0, 1, 5n),
    interval(0, 0, 10000000n),
    interval(0, 0, 7n),
    interval(0, 0, 60000001n),
    interval(1, 0, 0n),
    interval(0, 0, -3600000000n),
  ],
};

/** An argument: a type, or one of some constants. */
type Arg = number | { oid: number; of: readonly Datum[] };
const one = (oid: number, ...of: Datum[]): Arg => ({ oid, of });
const { int2, int4, int8, float8, numeric, bool, timestamp, timestamptz, date } = OID;
const str = OID.text;
const FIELDS =
  'hour minute second milliseconds microseconds epoch day month year quarter week dow isodow doy isoyear century'.split(
    ' ',
  );
const UNITS = 'microseconds milliseconds second minute hour day week month quarter year decade'.split(' ');
const TEMPLATES = [
  'YYYY-MM-DD',
  'HH24:MI',
  'HH:MI:SS.US am',
  'FMMonth FMDD, YYYY',
  'Month/Mon/MON/month Day Dy',
  'DDD D ID Q W WW IW YY Y FF3 MS',
  'P.M. "year" YYYY TH',
  'DDth IYYY',
];
const PATTERNS = ['a', 'a%', '%b', '%i%a%', '', '%', 'a_b', 'a string%lon_', '\\%', '%ï', '%A%'];
const REGEXES = [
  'a',
  '(&|^)channel_id=([^&]*)',
  '^a+$',
  '(a)|(b)',
  'a*?',
  '([a-z]+)/([a-z]*)',
  '(',
  '(.)\\1',
  '(?=a)a',
  'i[^ ]*',
  '\\mis\\M',
  '',
];
const REPLACEMENTS = ['', 'x', '<\\&>', '\\1-\\2', '\\\\', 'ü'];

/** Functions by result type: name and arguments. */
const functions: [string, number, Arg[]][] = [
  ['int4pl(int4,int4)', int4, [int4, int4]],
  ['int4mul(int4,int4)', int4, [int4, int4]],
  ['int4div(int4,int4)', int4, [int4, int4]],
  ['int8mi(int8,int8)', int8, [int8, int8]],
  ['int8mul(int8,int8)', int8, [int8, int8]],
  ['int8div(int8,int8)', int8, [int8, int8]],
  ['mod(int8,int8)', int8, [int8, int8]],
  ['int48pl(int4,int8)', int8, [int4, int8]],
  ['int8(int4)', int8, [int4]],
  ['int2(int4)', int2, [int4]],
  ['numeric(int8)', numeric, [int8]],
  ['numeric_mul(numeric,numeric)', numeric, [numeric, numeric]],
  ['numeric_add(numeric,numeric)', numeric, [numeric, numeric]],
  ['numeric_sub(numeric,numeric)', numeric, [numeric, numeric]],
  ['round(numeric,int4)', numeric, [numeric, one(int4, 0, 1, 2, 5, -1)]],
  ['int8(numeric)', int8, [numeric]],
  ['int4(numeric)', int4, [numeric]],
  ['float8(numeric)', float8, [numeric]],
  ['float8pl(float8,float8)', float8, [float8, float8]],
  ['float8mul(float8,float8)', float8, [float8, float8]],
  ['float8div(float8,float8)', float8, [float8, float8]],
  ['float8(int8)', float8, [int8]],
  ['int4lt(int4,int4)', bool, [int4, int4]],
  ['int8ge(int8,int8)', bool, [int8, int8]],
  ['int28eq(int2,int8)', bool, [int2, int8]],
  ['float8gt(float8,float8)', bool, [float8, float8]],
  ['numeric_le(numeric,numeric)', bool, [numeric, numeric]],
  ['numeric_eq(numeric,numeric)', bool, [numeric, numeric]],
  ['booleq(bool,bool)', bool, [bool, bool]],
  ['texteq(text,text)', bool, [str, str]],
  ['textne(text,text)', bool, [str, str]],
  ['text_lt(text,text)', bool, [str, str]],
  ['timestamp_ge(timestamp,timestamp)', bool, [timestamp, timestamp]],
  ['timestamptz_lt(timestamptz,timestamptz)', bool, [timestamptz, timestamptz]],
  ['date_le(date,date)', bool, [date, date]],
  ['timestamp_pl_interval(timestamp,interval)', timestamp, [timestamp, OID.interval]],
  ['timestamptz_mi_interval(timestamptz,interval)', timestamptz, [timestamptz, OID.interval]],
  ['date_trunc(text,timestamp)', timestamp, [one(str, ...UNITS), timestamp]],
  ['date_trunc(text,timestamptz)', timestamptz, [one(str, ...UNITS), timestamptz]],
  ['date_bin(interval,timestamp,timestamp)', timestamp, [OID.interval, timestamp, timestamp]],
  ['now()', timestamptz, []],
  ['timestamptz(timestamp)', timestamptz, [timestamp]],
  ['timestamp(timestamptz)', timestamp, [timestamptz]],
  ['date(timestamp)', date, [timestamp]],
  ['timestamp(date)', timestamp, [date]],
  ['extract(text,timestamp)', numeric, [one(str, ...FIELDS), timestamp]],
  ['extract(text,timestamptz)', numeric, [one(str, ...FIELDS), timestamptz]],
  ['extract(text,date)', numeric, [one(str, ...FIELDS), date]],
  ['date_part(text,timestamp)', float8, [one(str, ...FIELDS), timestamp]],
  ['to_char(timestamp,text)', str, [timestamp, one(str, ...TEMPLATES)]],
  ['to_char(timestamptz,text)', str, [timestamptz, one(str, ...TEMPLATES)]],
  ['upper(text)', str, [str]],
  ['lower(text)', str, [str]],
  ['initcap(text)', str, [str]],
  ['length(text)', int4, [str]],
  ['octet_length(text)', int4, [str]],
  ['strpos(text,text)', int4, [str, str]],
  ['starts_with(text,text)', bool, [str, str]],
  ['textcat(text,text)', str, [str, str]],
  ['replace(text,text,text)', str, [str, one(str, 'a', '', 'st', 'ï', '𝄞'), str]],
  ['substring(text,int4)', str, [str, int4]],
  ['substring(text,int4,int4)', str, [str, one(int4, -2, 1, 3), one(int4, -1, 0, 2, 15, 2147483647)]],
  ['left(text,int4)', str, [str, one(int4, -2, 0, 3, 20)]],
  ['right(text,int4)', str, [str, one(int4, -2, 0, 3, 20, -2147483648)]],
  ['btrim(text)', str, [str]],
  ['ltrim(text)', str, [str]],
  ['rtrim(text)', str, [str]],
  ['split_part(text,text,int4)', str, [str, one(str, '/', 'a', '', 'is'), one(int4, 1, 2, 4, -1, 0)]],
  ['textlike(text,text)', bool, [str, one(str, ...PATTERNS)]],
  ['textnlike(text,text)', bool, [str, one(str, ...PATTERNS)]],
  ['texticlike(text,text)', bool, [str, one(str, ...PATTERNS)]],
  ['texticnlike(text,text)', bool, [str, one(str, ...PATTERNS)]],
  ['textregexeq(text,text)', bool, [str, one(str, ...REGEXES)]],
  ['texticregexne(text,text)', bool, [str, one(str, ...REGEXES)]],
  ['substring(text,text)', str, [str, one(str, ...REGEXES)]],
  ['regexp_replace(text,text,text)', str, [str, one(str, ...REGEXES), one(str, ...REPLACEMENTS)]],
  [
    'regexp_replace(text,text,text,text)',
    str,
    [str, one(str, ...REGEXES), one(str, ...REPLACEMENTS), one(str, 'g', 'i', 'gi', '1')],
  ],
];

/** The comparison `op` of a type, for the forms that name one. */
function comparison(oid: number, op: 'eq' | 'lt'): string | null {
  const names = new Map<number, string>([
    [int2, 'int2#(int2,int2)'],
    [int4, 'int4#(int4,int4)'],
    [int8, 'int8#(int8,int8)'],
    [float8, 'float8#(float8,float8)'],
    [numeric, 'numeric_#(numeric,numeric)'],
    [str, op === 'eq' ? 'texteq(text,text)' : 'text_lt(text,text)'],
    [timestamp, 'timestamp_#(timestamp,timestamp)'],
    [date, 'date_#(date,date)'],
  ]);
  return names.get(oid)?.replace('#', op) ?? null;
}

function argument(arg: Arg, depth: number): Expr {
  return typeof arg === 'number' ? expression(arg, depth) : { k: 'const', v: random.pick(arg.of), t: colType(arg.oid) };
}

/** NULLIF, GREATEST and LEAST, casts, parts of matches: forms of a type's values. */
function form(oid: number, depth: number): Expr | null {
  const t = colType(oid);
  const arg = () => expression(oid, depth - 1);
  const [eq, lt] = [comparison(oid, 'eq'), comparison(oid, 'lt')];
  switch (random.below(4)) {
    case 0:
      return eq === null ? null : { k: 'nullif', eq, left: arg(), right: arg(), t };
    case 1:
      return lt === null ? null : { k: 'extreme', greatest: random.below(2) === 0, lt, args: [arg(), arg(), arg()], t };
    case 2:
      if (oid === str)
        return { k: 'cast', arg: expression(random.pick([int2, int4, int8]), depth - 1), t, explicit: true };
      return oid === int4 || oid === int8 ? { k: 'cast', arg: expression(str, depth - 1), t, explicit: true } : null;
    default: {
      if (oid !== str) return null;
      const pattern: Expr = { k: 'const', v: random.pick(REGEXES), t };
      const fn = 'regexp_match(text,text)';
      const match: Expr = { k: 'call', fn, args: [arg(), pattern], t: colType(OID._text), strict: true };
      const lower: Expr = { k: 'const', v: random.below(4), t: colType(int4) };
      return { k: 'subscript', arg: match, indexes: [{ lower, upper: null, slice: false }], t };
    }
  }
}

/** IS DISTINCT FROM and IN over some type. */
function comparisonForm(depth: number): Expr {
  const t = colType(bool);
  const oid = random.pick([int4, int8, str, numeric, timestamp, date]);
  const eq = comparison(oid, 'eq') ?? '';
  const left = expression(oid, depth - 1);
  if (random.below(2) === 0)
    return { k: 'distinct', eq, left, right: expression(oid, depth - 1), negated: random.below(2) === 0, t };
  const items = Array.from({ length: random.below(4) }, () => random.pick(values[oid]));
  const right: Expr = { k: 'const', v: pgArray(oid, items), t: colType(OID._text) };
  return { k: 'anyall', all: random.below(2) === 0, fn: eq, left, right, t };
}

function expression(oid: number, depth: number): Expr {
  const t = colType(oid);
  if (oid === OID.interval) return { k: 'const', v: random.pick(values[oid]), t };
  if (depth > 0 && random.below(4) > 0) {
    const choice = random.below(9);
    if (choice === 0) {
      const whens = [0, 1].map(() => ({ when: expression(OID.bool, depth - 1), then: expression(oid, depth - 1) }));
      return { k: 'case', whens, else: random.below(2) === 0 ? null : expression(oid, depth - 1), t };
    }
    if (choice === 1) return { k: 'coalesce', args: [expression(oid, depth - 1), expression(oid, depth - 1)], t };
    if (choice === 2) {
      const made = form(oid, depth);
      if (made !== null) return made;
    }
    if (oid === OID.bool && choice < 7) {
      const arg = () => expression(OID.bool, depth - 1);
      switch (choice) {
        case 2:
          return { k: 'and', args: [arg(), arg(), arg()], t };
        case 3:
          return { k: 'or', args: [arg(), arg()], t };
        case 4:
          return { k: 'not', arg: arg(), t };
        case 5:
          return comparisonForm(depth);
        default:
          return random.below(2) === 0
            ? { k: 'isnull', arg: expression(random.pick(types).oid, depth - 1), negated: random.below(2) === 0, t }
            : { k: 'istruth', arg: arg(), value: random.below(2) === 0, negated: random.below(2) === 0, t };
      }
    }
    const fits = functions.filter(([, result]) => result === oid);
    if (fits.length > 0) {
      const [fn, , args] = random.pick(fits);
      return { k: 'call', fn, args: args.map((a) => argument(a, depth - 1)), t, strict: true };
    }
  }
  const columns = types.flatMap((c, id) => (c.oid === oid ? [id] : []));
  if (columns.length > 0 && random.below(3) > 0) return { k: 'col', id: random.pick(columns), t };
  return { k: 'const', v: random.pick(values[oid]), t };
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, v) =>
    typeof v === 'bigint'
      ? `${v}n`
      : Object.is(v, -0)
        ? '-0'
        : typeof v === 'number' && !Number.isFinite(v)
          ? String(v)
          : v,
  );

/** The kernels that there are of a map. */
function pathsOf(filter: Expr | null, project: Expr[], outTypes: ColType[]): MapPath[] {
  return isWasmMap(filter, project, types, outTypes) ? ['JavaScript', 'WebAssembly'] : ['JavaScript'];
}

function run(filter: Expr | null, project: Expr[], outTypes: ColType[], rows: Datum[][], path: MapPath): string[] {
  return stepped(new MapOperator(filter, project, types, outTypes, path), rows, 1n);
}

/** What a step puts out and reports. */
function stepped(operator: MapOperator, rows: Datum[][], number: bigint): string[] {
  const arena = new Arena();
  const out: string[] = [];
  const errors = {
    report: (error: Error, row: Datum[], weight: number) => out.push(`error ${error.message} ${text(row)} ${weight}`),
  };
  const batch = batchFromRows(
    types,
    rows,
    arena,
    rows.map((_, i) => (i % 3) + 1),
  );
  const tick = testTick(arena, { number, errors });
  const result = operator.step([batch], tick);
  for (let i = 0; i < result.n; i++) out.push(`${text(readRow(result, i))} ${weightOf(result, i)}`);
  arena.release();
  return out.sort();
}

test('generated kernels give what the interpreter gives', () => {
  for (let round = 0; round < times(400); round++) {
    const outTypes = [random.pick(types), random.pick(types)];
    const project = outTypes.map((t) => expression(t.oid, 3));
    const filter = random.below(3) === 0 ? null : expression(OID.bool, 3);
    const rows = Array.from({ length: 20 }, () => types.map((t) => random.pick(values[t.oid])));
    const wanted = run(filter, project, outTypes, rows, 'interpreter');
    for (const path of pathsOf(filter, project, outTypes))
      assert.deepEqual(
        run(filter, project, outTypes, rows, path),
        wanted,
        `round ${round}, ${path}: ${text({ filter, project })}`,
      );
  }
});

test('AND and OR may have thousands of arguments', () => {
  const column = types.findIndex((t) => t.oid === int4);
  const t = colType(bool);
  const value = (v: number): Expr => ({ k: 'const', v, t: types[column] });
  const col: Expr = { k: 'col', id: column, t: types[column] };
  const is = (v: number): Expr => ({ k: 'call', fn: 'int4eq(int4,int4)', args: [col, value(v)], t, strict: true });
  const rows = Array.from({ length: 40 }, () => types.map((type) => plainValue(type.oid)));
  for (const k of ['and', 'or'] as const) {
    const args = Array.from({ length: 5000 }, (_, i) =>
      k === 'or' ? is(2 * i) : ({ k: 'not', arg: is(2 * i), t } as Expr),
    );
    const filter: Expr = { k, args, t };
    const wanted = run(filter, [value(1)], [types[column]], rows, 'interpreter');
    assert.ok(wanted.length > 0 && wanted.length < rows.length);
    for (const path of pathsOf(filter, [value(1)], [types[column]]))
      assert.deepEqual(run(filter, [value(1)], [types[column]], rows, path), wanted, `${k}, ${path}`);
  }
});

/** A value like those of streams: few edges, neighbours that repeat, differ a little or a lot. */
function plainValue(oid: number): Datum {
  if (random.below(12) === 0) return random.pick(values[oid]);
  switch (oid) {
    case int2:
    case int4:
      return random.below(40) - 15;
    case int8:
      return BigInt(random.below(1000000)) * BigInt(random.below(1000)) - 1000n;
    case numeric:
      return decimal(BigInt(random.below(2000000) - 1000000), random.below(4));
    case float8:
      return random.below(1000) / 8 - 50;
    case bool:
      return random.below(2) === 0;
    case timestamp:
    case timestamptz:
      return (
        820540800000000n +
        BigInt(random.below(3)) *
          BigInt(
            random.pick([
              1, 1000, 999999, 1000000, 59000000, 60000000, 60000000, 3600000000, 86400000000, 2678400000000,
            ]),
          )
      );
    case date:
      return random.below(20000) - 5000;
    default:
      return Array.from({ length: random.below(6) }, () =>
        random.pick(['a', 'b', 'A', '/', ' ', 'is', 'ab/', 'a string ', 'ï', '&channel_id=7']),
      ).join('');
  }
}

test('a predicate kernel says what the interpreter says, or leaves it to it', () => {
  let decided = 0;
  for (let round = 0; round < 200; round++) {
    const e = expression(bool, 3);
    const kernel = compileTest(e, types);
    const rows = Array.from({ length: 20 }, () => types.map((t) => plainValue(t.oid)));
    const arena = new Arena();
    const batch = batchFromRows(types, rows, arena);
    const context = defaultContext();
    rows.forEach((row, i) => {
      const found = kernel(batch.columns, i, context, arena);
      if (found < 0) return;
      decided++;
      assert.equal(found === 1, evaluate(e, row, context) === true, `${text(e)} over ${text(row)}`);
    });
    arena.release();
  }
  assert.ok(decided > 1000, `${decided} rows of 4000 decided`);
});

test('each inline function gives what the interpreter gives, and most rows run inline', () => {
  for (const [fn, oid, args] of functions) {
    let inline = 0;
    for (let round = 0; round < times(12) || (inline <= 30 && round < 300); round++) {
      const call: Expr = {
        k: 'call',
        fn,
        args: args.map((a) => {
          if (typeof a !== 'number' || a === OID.interval) return argument(a, 0);
          if (random.below(4) === 0) return { k: 'const', v: plainValue(a), t: colType(a) };
          return { k: 'col', id: random.pick(types.flatMap((c, id) => (c.oid === a ? [id] : []))), t: colType(a) };
        }),
        t: colType(oid),
        strict: true,
      };
      const rows = Array.from({ length: 30 }, () => types.map((t) => plainValue(t.oid)));
      const outTypes = [colType(oid)];
      const wanted = run(null, [call], outTypes, rows, 'interpreter');
      for (const path of pathsOf(null, [call], outTypes))
        assert.deepEqual(run(null, [call], outTypes, rows, path), wanted, `${path}: ${text(call)}`);
      if (interpretedParts(null, [call], types, outTypes).length === 0) inline += rows.length - givenUp(call, rows);
    }
    if (fn !== 'initcap(text)') assert.ok(inline > 30, `${fn}: ${inline} rows ran inline`);
  }
});

/** Expressions of which a kernel in WebAssembly can be made, with forms of all kinds. */
function wasmExpression(oid: number, depth: number): Expr {
  for (;;) {
    const e = expression(oid, depth);
    if (isWasmMap(null, [e], types, [colType(oid)])) return e;
  }
}

test('kernels in WebAssembly give what the interpreter gives, and most rows run in them', () => {
  let inline = 0;
  let rows = 0;
  for (let round = 0; round < times(60); round++) {
    const oids = [0, 1].map(() => random.pick([int4, int8, str, bool, timestamp, date, int2]));
    const outTypes = oids.map((oid) => colType(oid));
    const project = oids.map((oid) => wasmExpression(oid, 2));
    const filter = random.below(2) === 0 ? null : wasmExpression(bool, 2);
    const input = Array.from({ length: 40 }, () => types.map((t) => plainValue(t.oid)));
    const wanted = run(filter, project, outTypes, input, 'interpreter');
    assert.deepEqual(run(filter, project, outTypes, input, 'WebAssembly'), wanted, text({ filter, project }));
    rows += input.length;
    inline += input.length - givenUp(project[0], input, compileWasmMap(null, [project[0]], types, [outTypes[0]]));
  }
  assert.ok(inline > rows / 2, `${inline} of ${rows} rows`);
});

test('a kernel in WebAssembly takes memory for long texts as it needs it', () => {
  const t = colType(str);
  const column: Expr = { k: 'col', id: 4, t };
  const constant = (v: string): Expr => ({ k: 'const', v, t });
  const call = (fn: string, ...args: Expr[]): Expr => ({ k: 'call', fn, args, t, strict: true });
  const longer = call('replace(text,text,text)', column, constant('a'), constant('A text of some length. '.repeat(9)));
  const project = [longer, call('lower(text)', longer), call('upper(text)', longer)];
  const rows = Array.from({ length: 50 }, (_, i) => types.map((_, c) => (c === 4 ? 'banana'.repeat(i % 9) : null)));
  const outTypes = [t, t, t];
  assert.ok(isWasmMap(null, project, types, outTypes));
  const wanted = run(null, project, outTypes, rows, 'interpreter');
  assert.deepEqual(run(null, project, outTypes, rows, 'WebAssembly'), wanted);
});

test('a kernel in WebAssembly knows the length of a text with replacements without making it', () => {
  const t = colType(str);
  const column: Expr = { k: 'col', id: 4, t };
  const call = (fn: string, type: ColType, ...args: Expr[]): Expr => ({ k: 'call', fn, args, t: type, strict: true });
  const letters = ['a', 'b', 'aa', 'ï', '𝄞', 'a text'];
  const rows = Array.from({ length: 60 }, (_, i) => {
    const of = Array.from({ length: (i * 3) % 50 }, () => random.pick(letters)).join('');
    return types.map((_, c) => (c === 4 && i % 10 !== 0 ? of : null));
  });
  for (let round = 0; round < times(20); round++) {
    const [from, to] = [random.pick([...letters, '']), random.pick([...letters, ''])];
    const replaced = call('replace(text,text,text)', t, column, { k: 'const', v: from, t }, { k: 'const', v: to, t });
    const project = ['length(text)', 'char_length(text)'].map((fn) => call(fn, colType(int4), replaced));
    const outTypes = project.map((e) => e.t);
    const wanted = run(null, project, outTypes, rows, 'interpreter');
    assert.deepEqual(run(null, project, outTypes, rows, 'WebAssembly'), wanted, `${from} -> ${to}`);
  }
});

test('a map goes on in WebAssembly after some rows, and nothing is seen of it', () => {
  const outTypes = [colType(str), colType(int8)];
  const project = [wasmExpression(str, 2), wasmExpression(int8, 2)];
  const operator = new MapOperator(null, project, types, outTypes);
  for (let tick = 0; tick < 6; tick++) {
    const rows = Array.from({ length: 500 }, () => types.map((t) => plainValue(t.oid)));
    const wanted = run(null, project, outTypes, rows, 'interpreter');
    assert.deepEqual(stepped(operator, rows, BigInt(tick)), wanted, text(project));
  }
  operator.release();
});

/** How many rows the kernel of one call hands to the interpreter. */
function givenUp(call: Expr, rows: Datum[][], kernel: MapKernel | null = compileMap(null, [call], types, [call.t])) {
  if (kernel === null) return rows.length;
  const arena = new Arena();
  const outTypes = [call.t];
  let count = 0;
  kernel(batchFromRows(types, rows, arena), new BatchBuilder(outTypes, arena), defaultContext(), () => {
    count++;
  });
  arena.release();
  return count;
}
