/**
 * Every aggregate that PostgreSQL's catalog has, over columns of every type it takes, against PostgreSQL: in one tick and maintained over several in which
 * rows come and go, with DISTINCT, FILTER, ORDER BY and groups. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../operators/testing/property.ts';
import { type TypedColumn, TypedTable, VALUES } from './typed_table.ts';

/** More values than VALUES has; the ends of numbers are left out where sums of them depend on the order. */
const COLUMNS: TypedColumn[] = [
  ['id', 'int4', []],
  ['g', 'int4', ['1', '2', '3']],
  ['i2', 'int2', VALUES.int2],
  ['i4', 'int4', VALUES.int4],
  ['i8', 'int8', VALUES.int8],
  ['f4', 'float4', ['-1.5', '0', '1', '2.5', 'NaN']],
  ['f8', 'float8', ['-1.5', '0', '1', '2.5', '1024']],
  ['h8', 'float8', ['-0.5', '0', '3', '2.5', 'Infinity']],
  ['n', 'numeric', VALUES.numeric],
  ['m', 'numeric(12,3)', ['-1.500', '0', '0.001', '123456789.125', '2.5']],
  ['d', 'date', VALUES.date],
  ['ts', 'timestamp', VALUES.timestamp],
  ['tz', 'timestamptz', VALUES.timestamptz],
  ['iv', 'interval', ['-1 day', '0', '1 hour', '1 day', '1 mon', '1 year 3 days']],
  ['tm', 'time', VALUES.time],
  ['tt', 'timetz', ['10:00+00', '10:00+02', '23:59:59.5-08']],
  ['x', 'text', [...VALUES.text, '', 'Ä quote " and \\ and \n line']],
  ['vc', 'varchar(5)', ['a', 'b ', 'abcde']],
  ['bc', 'bpchar(3)', ['a', 'b', 'abc']],
  ['b', 'bool', VALUES.bool],
  ['by', 'bytea', ['\\x', '\\x00ff', '\\x6162']],
  ['j', 'json', ['{"a": 1}', '[1,  2]', 'null', '"t"']],
  ['jb', 'jsonb', ['{"b":1, "a":[2]}', '[1, 2]', 'null', '"t"']],
  ['u', 'uuid', ['00000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000000']],
  ['o', 'oid', ['1', '4294967295']],
  ['ai', 'int4[]', ['{1,2}', '{3,4}', '{5,NULL}']],
  ['at', 'text[]', ['{a,b}', '{"c d",NULL}', '{"",x}']],
];

/** Their results are rounded once here, and at each row there. */
const ROUNDED = /^(avg|covar|corr|regr|stddev|var)/;
/** They show the order of their rows. */
const SHOWS_ORDER = /agg|any_value/;
/** The errors of object keys: which of several groups' errors comes first is nobody's promise. */
const KEY_ERRORS = ['22004', '22023', '22030'];

const seed = testSeed();
const random = new Random(seed);
let table: TypedTable;

before(async () => {
  table = await TypedTable.create('t', COLUMNS, 30, random);
});

after(() => table.close());

/** Columns that an argument of this declared type can be. */
function columnsFor(type: string): string[] {
  const fits = (declared: string) => {
    if (type === 'any' || type === 'anyelement') return true;
    if (type === 'anyarray') return declared.endsWith('[]');
    if (type === 'anynonarray') return !declared.endsWith('[]');
    return declared.replace(/\(.*/, '') === type;
  };
  return COLUMNS.filter(([, declared]) => fits(declared)).map(([column]) => column);
}

/** Calls of an aggregate over each column that its first argument can be, in each form. */
function* calls(name: string, declared: string[]): Iterable<string> {
  if (declared.length === 0) {
    yield `${name}(*)`;
    yield `${name}(*) filter (where b)`;
    return;
  }
  const choices = declared.map(columnsFor);
  if (choices.some((columns) => columns.length === 0)) return;
  for (const first of choices[0]) {
    const args = [first, ...choices.slice(1).map((columns) => random.pick(columns))].join(', ');
    const order = SHOWS_ORDER.test(name) ? ` order by ${random.pick(['id', 'id desc'])}` : '';
    yield `${name}(${args}${order})`;
    yield `${name}(${args}${order}) filter (where b)`;
    yield `${name}(${args} order by ${random.pick(['id', 'id desc'])})`;
    if (!isUnordered(args)) yield `${name}(distinct ${args}${SHOWS_ORDER.test(name) ? ` order by ${args}` : ''})`;
  }
}

/** json has no equality. */
const isUnordered = (args: string) => args.split(', ').includes('j');

function* orderedSetCalls(name: string, declared: string[]): Iterable<string> {
  const fraction = declared.length === 1 ? '' : declared[0] === '_float8' ? "'{0,0.3,NULL,1}'::float8[]" : '0.4';
  for (const column of columnsFor(declared[declared.length - 1])) {
    if (isUnordered(column)) continue;
    yield `${name}(${fraction}) within group (order by ${column}${random.pick(['', ' desc'])})`;
    yield `${name}(${fraction}) within group (order by ${column}) filter (where b)`;
  }
}

/** Rows that are equal but for the last digits of floating point numbers. */
function agree(ours: string[] | string, theirs: string[] | string, rounded: boolean): boolean {
  if (typeof ours === 'string' || typeof theirs === 'string') {
    return ours === theirs || (KEY_ERRORS.includes(ours as string) && KEY_ERRORS.includes(theirs as string));
  }
  if (ours.length !== theirs.length) return false;
  // Where the value is 0, PostgreSQL's own rounding is all there is to see.
  const near = (a: string, b: string) =>
    rounded && Math.abs(Number(a) - Number(b)) <= 1e-12 * Math.max(1, Math.abs(Number(b)));
  return ours.every((row, i) => {
    const [mine, other] = [row.split(' | '), theirs[i].split(' | ')];
    return mine.every((value, c) => value === other[c] || near(value, other[c]));
  });
}

async function differences(names: string[][], forms: (name: string, declared: string[]) => Iterable<string>) {
  const wrong: string[] = [];
  let compared = 0;
  for (const [name, declared] of names) {
    for (const call of forms(name, declared === '' ? [] : declared.split(' '))) {
      const sql = `select g, ${call} from t group by g`;
      const theirs = await table.postgres(sql);
      compared++;
      for (const many of [false, true]) {
        const ours = table.here(sql, many);
        if (agree(ours, theirs, ROUNDED.test(name))) continue;
        wrong.push(`${sql}${many ? ' in several ticks' : ''}\n  here:  ${ours}\n  there: ${theirs}`);
        break;
      }
    }
  }
  assert.ok(compared > 100, `only ${compared} compared`);
  return wrong;
}

/** Names and declared argument types of PostgreSQL's aggregates; `kind` as pg_aggregate has it. */
function aggregates(kind: string): Promise<string[][]> {
  return table.catalog(`
    select p.proname, array_to_string(array(
      select t.typname from unnest(p.proargtypes) with ordinality q(o, i) join pg_type t on t.oid = q.o order by i), ' ')
    from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid where a.aggkind = '${kind}' order by 1, 2`) as Promise<
    string[][]
  >;
}

test('aggregates equal PostgreSQL', { timeout: 120_000 }, async () => {
  const wrong = await differences(await aggregates('n'), calls);
  assert.equal(wrong.length, 0, `${wrong.length} differ (seed ${seed})\n${wrong.slice(0, 20).join('\n')}`);
});

test('ordered-set aggregates equal PostgreSQL', { timeout: 120_000 }, async () => {
  const wrong = await differences(await aggregates('o'), orderedSetCalls);
  assert.equal(wrong.length, 0, `${wrong.length} differ (seed ${seed})\n${wrong.slice(0, 20).join('\n')}`);
});
