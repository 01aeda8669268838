/**
 * Values that are equal and look different (-0 and 0, 1.0 and 1.00, '1 day' and '24:00:00', blanks at the end of char(n), numbers in jsonb and arrays), as rows that come and go: what goes has to be
 * what came. Random tables and views, random changes; after each of them
 *
 *   exact   what is shown follows from the rows alone: the view, its query here and its query in PostgreSQL are the same
 *   own     ties are broken by the whole row, which PostgreSQL does in its own way: the view and its query here are the same
 *   either  one of several equal values is shown, whichever was first: they are the same in the value
 *
 * and when all rows have gone, all views are empty.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded } from './harness.ts';

const ROUNDS = 8;
const STEPS = 20;
const VIEWS = 8;

interface Column {
  type: string;
  /** What is shown of a value, as text: all of its look. */
  look(name: string): string;
  /** Values with their equals. */
  values: string[][];
}

const asText = (name: string) => `${name}::text`;

const COLUMNS: Record<string, Column> = {
  f: { type: 'float8', look: asText, values: [['0', '-0'], ['NaN'], ['1.5'], ['-1.5']] },
  g: { type: 'float4', look: asText, values: [['-0', '0'], ['2.5'], ['NaN']] },
  n: {
    type: 'numeric',
    look: asText,
    values: [
      ['1', '1.0', '1.00'],
      ['0', '0.00'],
      ['12345678901234567890.1', '12345678901234567890.10'],
      ['-2.5', '-2.50'],
    ],
  },
  i: { type: 'interval', look: asText, values: [['1 day', '24:00:00'], ['1 mon', '30 days'], ['00:00:00']] },
  // A cast to text would take the blanks away.
  c: {
    type: 'bpchar',
    look: (name) => `octet_length(${name}) || '<' || ${name}`,
    values: [['a', 'a '], ['b'], ['', ' ']],
  },
  j: { type: 'jsonb', look: asText, values: [['1', '1.0'], ['{"a": 2.50}', '{"a": 2.5}'], ['"1.0"']] },
  a: { type: 'float8[]', look: asText, values: [['{0,1}', '{-0,1}'], ['{NaN}'], ['{}']] },
};
const NAMES = Object.keys(COLUMNS);
const DEFINITION = NAMES.map((name) => `${name} ${COLUMNS[name].type}`).join(', ');

type Kind = 'exact' | 'own' | 'either';

/** Queries over tables t and u, by two of their columns. */
const QUERIES: [Kind, (x: string, y: string) => string][] = [
  ['exact', (x, y) => `SELECT ${look('', x)} AS p, ${look('', y)} AS q, count(*) AS n FROM t GROUP BY 1, 2`],
  ['exact', (x, y) => `SELECT ${look('', x)} AS p, ${look('', y)} AS q, k FROM t WHERE k > 0`],
  [
    'exact',
    (x, y) =>
      `SELECT ${look('t.', x)} AS p, ${look('u.', x)} AS q, ${look('u.', y)} AS r, t.k FROM t JOIN u ON t.${x} = u.${x}`,
  ],
  [
    'exact',
    (x, y) =>
      `SELECT ${look('t.', y)} AS p, ${look('u.', x)} AS q, u.k FROM t LEFT JOIN u ON t.${x} = u.${x} AND t.k <= u.k`,
  ],
  [
    'exact',
    (x, y) =>
      `SELECT ${look('t.', x)} AS p, ${look('u.', y)} AS q FROM t FULL JOIN u ON t.${x} = u.${x} AND t.${y} = u.${y}`,
  ],
  ['exact', (x, y) => `SELECT ${look('', x)} AS p, ${look('', y)} AS q, k FROM t WHERE ${x} IN (SELECT ${x} FROM u)`],
  [
    'exact',
    (x, y) =>
      `SELECT ${look('', x)} AS p, ${look('', y)} AS q, k FROM t WHERE NOT EXISTS (SELECT FROM u WHERE u.${x} = t.${x} AND u.k = t.k)`,
  ],
  [
    'exact',
    (x, y) => `SELECT k, count(DISTINCT ${x}) AS p, count(DISTINCT ${y}) FILTER (WHERE k > 0) AS q FROM t GROUP BY k`,
  ],
  ['exact', (x, y) => `SELECT ${look('', x)} AS p, ${look('', y)} AS q FROM t WHERE ${x} = ${constant(x)}`],
  [
    'exact',
    (x, y) =>
      `SELECT ${look('t.', x)} AS p, ${look('u.', y)} AS q FROM t JOIN u ON t.${x} = u.${x} AND u.${x} IN (${constant(x)}, ${constant(x)})`,
  ],
  // A sum of -0 alone is 0 here.
  ['exact', () => 'SELECT k, sum(n)::text AS p, (sum(f) + 0)::text AS q, (avg(g) + 0)::text AS r FROM t GROUP BY k'],
  ['exact', (x, y) => `SELECT k, count(*) OVER (PARTITION BY ${x}) AS p, ${look('', y)} AS q FROM t`],
  [
    'exact',
    (x, y) => `SELECT ${look('', x)} AS p, ${look('', y)} AS q FROM (SELECT * FROM t UNION ALL SELECT * FROM u) s`,
  ],
  [
    'own',
    (x, y) =>
      `SELECT ${look('', x)} AS p, ${look('', y)} AS q, k FROM (SELECT * FROM t ORDER BY ${y}, k DESC LIMIT 3) s`,
  ],
  [
    'own',
    (x, y) =>
      `SELECT ${look('', x)} AS p, ${look('', y)} AS q FROM (SELECT DISTINCT ON (${x}) * FROM t ORDER BY ${x}, ${y} DESC) s`,
  ],
  [
    'own',
    (x, y) =>
      `SELECT ${look('', x)} AS p, ${look('', y)} AS q, row_number() OVER (PARTITION BY ${y} ORDER BY k, ${x}) AS r FROM t`,
  ],
  [
    'own',
    (x, y) =>
      `SELECT ${look('', y)} AS p, k FROM (SELECT *, rank() OVER (PARTITION BY ${x} ORDER BY ${y}) AS r FROM t) s WHERE r <= 2`,
  ],
  ['own', (x, y) => `SELECT ${look('', y)} AS p, array_agg(${scalar(x)} ORDER BY k)::text AS q FROM t GROUP BY 1`],
  ['own', (x) => `SELECT k, array_agg(DISTINCT ${scalar(x)})::text AS q FROM t GROUP BY k`],
  [
    'own',
    (x, y) =>
      `SELECT lag(${x}) OVER (ORDER BY ${y}, k)::text AS p, first_value(${y}) OVER (PARTITION BY k ORDER BY ${x})::text AS q FROM t`,
  ],
  ['either', (x) => texts('pn', `SELECT ${x} AS p, count(*) AS n FROM t GROUP BY 1`)],
  ['either', (x, y) => texts('pqn', `SELECT ${x} AS p, ${y} AS q, sum(k) AS n FROM t GROUP BY 1, 2`)],
  ['either', (x) => `SELECT p::text AS p, count(*) AS n FROM (SELECT ${x} AS p FROM t GROUP BY ${x}) s GROUP BY 1`],
  ['either', (x, y) => texts('pq', `SELECT DISTINCT ${x} AS p, ${y} AS q FROM t`)],
  ['either', (x) => texts('p', `SELECT ${x} AS p FROM t UNION SELECT ${x} FROM u`)],
  ['either', (x) => texts('pk', `SELECT ${x} AS p, k FROM t EXCEPT SELECT ${x}, k FROM u`)],
  ['either', (x) => texts('p', `SELECT ${x} AS p FROM t EXCEPT ALL SELECT ${x} FROM u`)],
  ['either', (x, y) => texts('pq', `SELECT ${x} AS p, ${y} AS q FROM t INTERSECT SELECT ${x}, ${y} FROM u`)],
  ['either', (x) => texts('p', `SELECT ${x} AS p FROM t INTERSECT ALL SELECT ${x} FROM u`)],
  [
    'either',
    (x) =>
      texts('kp', `SELECT t.k, (SELECT s.${x} FROM (SELECT DISTINCT ${x} FROM u) s WHERE s.${x} = t.${x}) AS p FROM t`),
  ],
  [
    'either',
    () =>
      texts(
        'kpqrsuv',
        'SELECT k, min(f) AS p, max(f) AS q, min(n) AS r, max(n) AS s, min(i) AS u, max(c) AS v FROM t GROUP BY k',
      ),
  ],
  ['either', () => texts('kpq', 'SELECT k, sum(DISTINCT n) AS p, sum(DISTINCT f) AS q FROM t GROUP BY k')],
  [
    'either',
    (x, y) =>
      texts(
        'pkn',
        `SELECT s.p, u.k, s.n FROM (SELECT ${x} AS p, count(*) AS n FROM t GROUP BY ${x}) s JOIN u ON u.${x} = s.p WHERE u.${y} IS NOT NULL`,
      ),
  ],
];

/** Arrays of several lengths cannot be put together. */
function scalar(column: string): string {
  return column === 'a' ? 'f' : column;
}

function constant(column: string): string {
  return `'${pick(pick(COLUMNS[column].values))}'::${COLUMNS[column].type}`;
}

/** The columns of a query, each a letter, as texts. */
function texts(columns: string, query: string): string {
  return `SELECT ${[...columns].map((c) => `s.${c}::text AS ${c}`).join(', ')} FROM (${query}) s`;
}

function look(table: string, column: string): string {
  return COLUMNS[column].look(table + column);
}

/** All equals have one text: each value's own. */
const ONE = new Map(
  NAMES.flatMap((name) =>
    COLUMNS[name].values.flatMap((looks) => looks.map((text) => [text, looks.toSorted()[0]] as const)),
  ),
);

/** Numbers by value, other texts as they are given in COLUMNS. */
function byValue(text: string | null): string | null {
  if (text === null) return null;
  const short = /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
  return short === '-0' ? '0' : (ONE.get(short.trimEnd()) ?? short.trimEnd());
}

const { random, seed } = seeded('equal looks');
const pick = <T>(items: readonly T[]): T => items[random(items.length)];

function literal(name: string): string {
  return random(8) === 0 ? 'NULL' : `'${pick(pick(COLUMNS[name].values))}'`;
}

const aRow = () => `(${random(3)}, ${NAMES.map(literal).join(', ')})`;
const someRows = () => Array.from({ length: 1 + random(random(4) === 0 ? 40 : 4) }, aRow).join(', ');

/** A condition that tells equals apart, or does not. */
function condition(): string {
  const name = pick(NAMES);
  if (random(3) === 0) return `k = ${random(3)} AND ${name} IS NOT NULL`;
  const value = constant(name);
  return random(2) === 0 ? `${name} = ${value}` : `${look('', name)} = ${COLUMNS[name].look(value)}`;
}

function change(table: string, isStream: boolean): string {
  const name = pick(NAMES);
  switch (random(isStream ? 3 : 7)) {
    case 0:
    case 1:
    case 2:
      return `INSERT INTO ${table} VALUES ${someRows()}`;
    case 3:
      return `UPDATE ${table} SET ${name} = ${literal(name)} WHERE ${condition()}`;
    case 4:
      return `UPDATE ${table} SET f = -f, g = -g, n = n * 1.0 WHERE ${condition()} AND abs(n) < 3`;
    case 5:
      return `DELETE FROM ${table} WHERE ${condition()}`;
    default:
      return `INSERT INTO ${table} SELECT k, ${NAMES.join(', ')} FROM ${pick(['t', 'u'])} WHERE ${condition()} AND k = 1`;
  }
}

/** Some changes, at times in a transaction that may be taken back. */
function step(isStream: boolean): string[] {
  const changes = Array.from({ length: 1 + random(3) }, () => change(pick(['t', 'u']), isStream));
  if (random(3) > 0) return changes.slice(0, 1);
  return ['BEGIN', ...changes, random(4) === 0 ? 'ROLLBACK' : 'COMMIT'];
}

interface View {
  name: string;
  kind: Kind;
  query: string;
}

/** In an order of its own, which is not that of an ORDER BY within. */
const sorted = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();

async function rowsOf(
  run: (sql: string) => ReturnType<AgainstPostgres['here']>,
  query: string,
  said: string,
): Promise<(string | null)[][]> {
  const { rows, error } = await run(query);
  assert.equal(error, undefined, said);
  return rows ?? [];
}

async function check(views: View[], changes: string): Promise<void> {
  for (const { name, kind, query } of views) {
    const said = `${name}: ${query}\nafter ${changes} (seed ${seed})`;
    const shown = await rowsOf((sql) => both.here(sql), `SELECT * FROM ${name}`, said);
    const here = await rowsOf((sql) => both.here(sql), query, said);
    if (kind === 'own') {
      assert.deepEqual(sorted(shown), sorted(here), said);
      continue;
    }
    const there = await rowsOf((sql) => both.there(sql), query, said);
    const [view, own, postgres] = [shown, here, there].map((rows) =>
      sorted(kind === 'exact' ? rows : rows.map((row) => row.map(byValue))),
    );
    assert.deepEqual(own, postgres, `the query of ${said}`);
    assert.deepEqual(view, postgres, said);
  }
}

let both: AgainstPostgres;

before(async () => {
  both = await AgainstPostgres.open();
});

after(() => both.close());

async function someChanges(views: View[], isStream: boolean): Promise<void> {
  const log: string[] = [];
  for (let i = 0; i < STEPS; i++) {
    for (const sql of step(isStream)) {
      log.push(sql);
      await both.statement(sql);
    }
    await check(views, log.slice(-6).join(';\n'));
  }
}

for (let round = 0; round < ROUNDS; round++) {
  // Of rows that never go other operators keep less.
  const isStream = round % 4 === 2;
  const relation = isStream ? 'STREAM' : 'TABLE';
  test(`round ${round}, of a ${relation}`, { timeout: 120_000 }, async () => {
    for (const table of ['t', 'u']) {
      await both.here(`CREATE ${relation} ${table} (k int, ${DEFINITION})`);
      await both.there(`CREATE TABLE ${table} (k int, ${DEFINITION})`);
    }
    try {
      // Rows of a table with an index are asked for by it.
      if (round % 2 === 1) for (const name of NAMES) await both.here(`CREATE INDEX ON t (${name})`);
      await both.statement(`INSERT INTO t VALUES ${someRows()}`);
      const views = Array.from({ length: VIEWS }, (_, i) => {
        const [kind, make] = pick(QUERIES);
        return { name: `v${i}`, kind, query: make(pick(NAMES), pick(NAMES)) };
      });
      for (const { name, query } of views)
        assert.deepEqual(await both.here(`CREATE MATERIALIZED VIEW ${name} AS ${query}`), { notices: [] }, query);
      await someChanges(views, isStream);
      if (isStream) return;
      for (const table of ['t', 'u']) await both.statement(`DELETE FROM ${table}`);
      for (const { name, query } of views)
        assert.deepEqual(
          await both.here(`SELECT * FROM ${name}`),
          { notices: [] },
          `${query} of nothing (seed ${seed})`,
        );
    } finally {
      await both.here(`DROP ${relation} t, u CASCADE`);
      await both.there('DROP TABLE t, u');
    }
  });
}

test('no row of a view is there less than never, and a read that sorts only what it shows counts on that', async () => {
  const run = (sql: string) => both.here(sql);
  await run('CREATE TABLE a (x float8)');
  await run('CREATE MATERIALIZED VIEW looks AS SELECT x::text AS s, count(*) AS c FROM a GROUP BY 1');
  await run('CREATE MATERIALIZED VIEW singles AS SELECT x::text AS s FROM a');
  await run("INSERT INTO a VALUES ('-0')");
  await run('INSERT INTO a VALUES (0)');
  assert.deepEqual(await run('SELECT * FROM a ORDER BY x, x::text DESC'), { rows: [['0'], ['-0']], notices: [] });
  await run('DELETE FROM a');
  assert.deepEqual(await run('SELECT * FROM looks'), { notices: [] });
  await run('INSERT INTO a SELECT g FROM generate_series(1, 5000) g');
  assert.deepEqual(await run('SELECT * FROM singles ORDER BY s LIMIT 2'), { rows: [['1'], ['10']], notices: [] });
  assert.deepEqual(await run('SELECT min(s) FROM singles'), { rows: [['1']], notices: [] });
});

for (const name of ['f', 'g', 'n', 'i', 'c']) {
  test(`a table whose key is a ${COLUMNS[name].type}`, async () => {
    const table = `by_${name}`;
    const query = `SELECT ${look('', name)} AS p, k, count(*) AS n FROM ${table} GROUP BY 1, 2`;
    await both.statement(`CREATE TABLE ${table} (${name} ${COLUMNS[name].type} PRIMARY KEY, k int)`);
    await both.here(`CREATE MATERIALIZED VIEW v_${name} AS ${query}`);
    const value = (looks: string[]) => `'${pick(looks)}'`;
    for (let i = 0; i < STEPS; i++) {
      const looks = pick(COLUMNS[name].values);
      const row = `(${value(looks)}, ${random(3)})`;
      await both.statement(
        pick([
          `INSERT INTO ${table} VALUES ${row} ON CONFLICT DO NOTHING`,
          `INSERT INTO ${table} VALUES ${row} ON CONFLICT (${name}) DO UPDATE SET k = excluded.k`,
          `INSERT INTO ${table} VALUES ${row} ON CONFLICT (${name}) DO UPDATE SET ${name} = excluded.${name}`,
          `INSERT INTO ${table} VALUES ${row}`,
          `UPDATE ${table} SET ${name} = ${value(looks)} WHERE ${name} = ${value(looks)}`,
          `DELETE FROM ${table} WHERE ${name} = ${value(looks)}`,
          `DELETE FROM ${table} WHERE ${look('', name)} = ${COLUMNS[name].look(`${value(looks)}::${COLUMNS[name].type}`)}`,
        ]),
      );
      await both.statement(`SELECT ${look('', name)} AS p, k FROM ${table} WHERE ${name} = ${value(looks)}`);
      await both.sameRows(`step ${i} (seed ${seed})`, [table], { [`v_${name}`]: query });
    }
    await both.statement(`DELETE FROM ${table}`);
    assert.deepEqual(await both.here(`SELECT * FROM v_${name}`), { notices: [] }, `seed ${seed}`);
  });
}
