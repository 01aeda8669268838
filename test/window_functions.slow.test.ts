/**
 * Random window functions over a table with a column of each type that RANGE can measure, against PostgreSQL: through parser, planner and
 * operators, in one tick and maintained over several. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../operators/testing/property.ts';
import { TypedTable, VALUES } from './typed_table.ts';

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

const seed = testSeed();
const random = new Random(seed);
let table: TypedTable;

before(async () => {
  const values = (name: string, type: string) => (name === 'g' ? ['1', '2'] : VALUES[type]);
  table = await TypedTable.create(
    'w',
    COLUMNS.map(([name, type]) => [name, type, values(name, type)]),
    24,
    random,
  );
});

after(() => table.close());

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

test('window functions equal PostgreSQL', { timeout: 120_000 }, async () => {
  for (let i = 0; i < 250; i++) {
    const sql = `select id, ${i % 5 === 0 ? shiftCall() : windowCall()} from w`;
    const wanted = await table.postgres(sql);
    assert.deepEqual(table.here(sql, false), wanted, `${sql} (seed ${seed})`);
    assert.deepEqual(table.here(sql, true), wanted, `${sql} in several ticks (seed ${seed})`);
  }
});
