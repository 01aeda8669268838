/**
 * Random window functions over a table with a column of each type that RANGE can measure, against PostgreSQL: through parser, planner and
 * operators, in one tick and maintained over several. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../operators/datum.ts';
import { SqlError } from '../operators/errors.ts';
import { defaultContext } from '../operators/expr/context.ts';
import { inputText } from '../operators/expr/io/index.ts';
import { Random, testSeed } from '../operators/testing/property.ts';
import { initParser } from '../planner/parse/parse.ts';
import { planQuery } from '../planner/physical/index.ts';
import { bindSql, runPlan, testRelation } from '../planner/physical/test_sql.ts';

const COLUMNS: [string, string][] = [
  ['id', 'int4'],
  ['g', 'int4'],
  ['i2', 'int2'],
  ['i4', 'int4'],
  ['i8', 'int8'],
  ['f4', 'float4'],
  ['f8', 'float8'],
  ['n', 'numeric'],
  ['d', 'date'],
  ['ts', 'timestamp'],
  ['tz', 'timestamptz'],
  ['iv', 'interval'],
  ['tm', 'time'],
  ['x', 'text'],
  ['b', 'bool'],
];

/** Values of each type: neighbours, equal ones, the ends of the type. Of equal values that look different max() may show either. */
const VALUES: Record<string, string[]> = {
  int2: ['-32768', '-1', '0', '1', '2', '5', '32767'],
  int4: ['-2147483648', '-1', '0', '1', '2', '5', '2147483647'],
  int8: ['-9223372036854775808', '0', '1', '2', '5', '9223372036854775807'],
  float4: ['-Infinity', '-1.5', '0', '-0', '1', '2.5', 'Infinity', 'NaN'],
  float8: ['-Infinity', '-1.5', '0', '1', '2.5', 'Infinity', 'NaN'],
  numeric: ['-Infinity', '-1.50', '0', '1.0', '1.5', '2.5', 'Infinity', 'NaN'],
  date: ['-infinity', '2024-01-31', '2024-02-01', '2024-02-29', '2024-03-01', 'infinity'],
  timestamp: ['-infinity', '2024-01-31 12:00', '2024-02-29', '2024-02-29 00:00:01', '2024-03-31', 'infinity'],
  timestamptz: ['-infinity', '2024-01-31 12:00+00', '2024-02-29+00', '2024-03-01+00', 'infinity'],
  interval: ['-1 day', '0', '1 hour', '1 day', '24 hours', '1 mon', '30 days'],
  time: ['00:00', '00:30', '12:00', '23:59:59', '24:00'],
  text: ['a', 'b', 'a text longer than twelve bytes'],
  bool: ['t', 'f'],
};

const OFFSETS: Record<string, string[]> = {
  i2: ['1::int2', '2::int4', '9223372036854775807::int8'],
  i4: ['0', '1', '2', '2147483647', '3::int8'],
  i8: ['1::int8', '2', '9223372036854775807::int8'],
  f4: ["'1.5'::float8", "'Infinity'::float8"],
  f8: ["'1.5'::float8", "'0'::float8", "'Infinity'::float8"],
  n: ['1.5', '0.50', "'Infinity'::numeric"],
  d: ["interval '1 day'", "interval '1 month'"],
  ts: ["interval '12 hours'", "interval '1 month'"],
  tz: ["interval '1 day'", "interval '1 month'"],
  iv: ["interval '1 hour'", "interval '1 day'"],
  tm: ["interval '30 minutes'", "interval '12 hours'"],
};

const RELATION = testRelation(1, 'w', COLUMNS.map(([name, type]) => `${name} ${type}`).join(', '));
const seed = testSeed();
const random = new Random(seed);
const OIDS = [16, 20, 21, 23, 25, 700, 701, 1082, 1083, 1114, 1184, 1186, 1700, 1007];
const rawParsers = Object.fromEntries(OIDS.map((oid) => [oid, (v: string) => v]));
let db: PGlite;
let rows: Datum[][];

before(async () => {
  await initParser();
  db = await PGlite.create();
  await db.exec("set timezone to 'UTC'; set intervalstyle to 'postgres'; set datestyle to 'ISO, MDY'");
  await db.exec(`create table w (${COLUMNS.map((c) => c.join(' ')).join(', ')})`);
  const texts = Array.from({ length: 24 }, (_, id) =>
    COLUMNS.map(([name, type]) => {
      if (name === 'id') return String(id);
      if (random.below(9) === 0) return null;
      return name === 'g' ? random.pick(['1', '2']) : random.pick(VALUES[type]);
    }),
  );
  const literal = (v: string | null) => (v === null ? 'null' : `'${v}'`);
  await db.exec(`insert into w values ${texts.map((r) => `(${r.map(literal).join(', ')})`).join(', ')}`);
  rows = texts.map((r) =>
    r.map((v, i) => (v === null ? null : inputText(v, RELATION.columns[i].type, defaultContext()))),
  );
});

after(() => db.close());

function bound(mode: string, offset: (() => string) | null, start: boolean): string {
  const kinds = ['current row', start ? 'unbounded preceding' : 'unbounded following'];
  if (offset !== null) kinds.push(`${offset()} preceding`, `${offset()} following`);
  return mode === '' ? '' : random.pick(kinds);
}

/** Ranks of frame ends, so that a frame's start does not come after its end by kind (an error of the parser). */
const RANK = (b: string) =>
  /unbounded p/.test(b) ? 0 : / preceding/.test(b) ? 1 : /current/.test(b) ? 2 : / following/.test(b) ? 3 : 4;

function frame(mode: string, column: string): string {
  const offset =
    mode === 'range' ? (column in OFFSETS ? () => random.pick(OFFSETS[column]) : null) : () => String(random.below(4));
  for (;;) {
    const [from, to] = [bound(mode, offset, true), bound(mode, offset, false)];
    if (RANK(from) > RANK(to)) continue;
    const exclude = random.pick(['', '', 'exclude current row', 'exclude group', 'exclude ties', 'exclude no others']);
    return `${mode} between ${from} and ${to} ${exclude}`;
  }
}

function windowCall(): string {
  const column = random.pick(Object.keys(OFFSETS));
  const mode = random.pick(['rows', 'range', 'range', 'groups', '']);
  const direction = random.pick(['', 'desc', 'nulls first', 'desc nulls last']);
  // Where the answer depends on the order of peers, the order must be total.
  const total = mode === 'rows' ? ', id' : '';
  const partition = random.pick(['', 'partition by g', 'partition by b, g']);
  const over = `(${partition} order by ${column} ${direction}${total} ${mode === '' ? '' : frame(mode, column)})`;
  const filter = random.pick(['', '', 'filter (where b)']);
  const aggregates = [
    `count(*) ${filter}`,
    `sum(i4) ${filter}`,
    `sum(f8) ${filter}`,
    `max(n) ${filter}`,
    `min(x) ${filter}`,
    `avg(id) ${filter}`,
    `bool_or(b) ${filter}`,
    `stddev(id)`,
  ];
  if (mode === 'rows') {
    aggregates.push('array_agg(id)', "string_agg(x, ',')", 'first_value(x)', 'last_value(id)', 'nth_value(x, 2)');
  }
  if (mode === '') aggregates.push('rank()', 'dense_rank()', 'percent_rank()', 'cume_dist()');
  return `${random.pick(aggregates)} over ${over}`;
}

function shiftCall(): string {
  const call = random.pick([
    'row_number()',
    'ntile(3)',
    'lag(x)',
    'lead(id)',
    "lag(x, 2, 'none')",
    'lead(id, g)',
    'lag(n, 0)',
  ]);
  return `${call} over (${random.pick(['', 'partition by g'])} order by ${random.pick(['f8', 'n', 'x', 'd'])}, id)`;
}

/** The rows in one tick, or in several with rows that come and go. */
function ticks(many: boolean): [number, Datum[], number][][] {
  const change = (list: Datum[][], weight: number) => list.map((row): [number, Datum[], number] => [1, row, weight]);
  if (!many) return [change(rows, 1)];
  const [a, b, c] = [rows.slice(0, 8), rows.slice(8, 16), rows.slice(16)];
  return [
    change([...a, ...b], 1),
    [...change(a, -1), ...change(c, 1)],
    change(a, 1),
    change(c.slice(0, 3), 1),
    change(c.slice(0, 3), -1),
  ];
}

async function postgres(sql: string): Promise<string[] | string> {
  try {
    const { rows: found } = await db.query<(string | null)[]>(sql, [], { rowMode: 'array', parsers: rawParsers });
    return found.map((r) => r.map((v) => (v === null ? 'NULL' : String(v))).join(' | ')).sort();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function ours(sql: string, many: boolean): string[] | string {
  try {
    const query = bindSql(sql, [RELATION], many ? 'view' : 'read');
    const { plan } = planQuery(query, { mode: many ? 'view' : 'read' });
    return runPlan(plan, query.columns.length, [RELATION], ticks(many));
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return error.sqlstate;
  }
}

test('window functions equal PostgreSQL', { timeout: 120_000 }, async () => {
  for (let i = 0; i < 250; i++) {
    const sql = `select id, ${i % 5 === 0 ? shiftCall() : windowCall()} from w`;
    const wanted = await postgres(sql);
    assert.deepEqual(ours(sql, false), wanted, `${sql} (seed ${seed})`);
    assert.deepEqual(ours(sql, true), wanted, `${sql} in several ticks (seed ${seed})`);
  }
});
