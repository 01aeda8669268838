/** Random statements about domains, here and in PostgreSQL: rows and errors are the same, and views made before the rows have those of their query. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded, sql } from './harness.ts';

const { random } = seeded('random statements');
const ROUNDS = Number(process.env.ROUNDS ?? 220);

const CHECKS = [
  'VALUE > 0',
  'VALUE < 50',
  'VALUE <> 7',
  'VALUE % 3 <> 1',
  'VALUE IS NOT NULL',
  'VALUE + 1 > 3',
  'VALUE IN (1, 2, 3, 20, 30)',
];
const CASTS = [
  'SELECT $n::$d, pg_typeof($n::$d)::text',
  "SELECT '$n'::$d",
  'SELECT ($n + 0.4)::$d',
  'SELECT NULL::$d IS NULL',
  'SELECT ARRAY[$n, $m]::$d[], ($n::$d + $m)::$d',
  "SELECT '{$n,NULL,$m}'::$d[]",
  'SELECT $n::$d::$e, coalesce($n::$d, $m)',
  'SELECT CASE WHEN $n > $m THEN $n::$d ELSE $m END',
  'SELECT $n::$d = $m, $n::$d IN ($m, 4), greatest($n::$d, $m::$e)',
];
const VIEWS = {
  taken: 'SELECT id, a, b, a + b AS s FROM t WHERE a > 2',
  grouped: 'SELECT a, count(*) AS n, sum(b) AS s, max(b) AS m FROM t GROUP BY a',
  joined: 'SELECT x.id, y.id AS other FROM t x JOIN t y ON x.a = y.b',
  merged: 'SELECT a AS v FROM t UNION SELECT b FROM t',
  outer_joined: 'SELECT x.id, y.a + 0 AS a FROM t x LEFT JOIN t y ON x.a = y.id',
};

test('random statements', async () => {
  const one = <T>(of: T[]): T => of[random(of.length)];
  const number = () => random(60) - 5;
  const value = () => (random(8) === 0 ? 'NULL' : random(8) === 0 ? 'DEFAULT' : String(number()));
  const both = await AgainstPostgres.open();
  const domains = ['d0', 'd1'];
  await both.script(`
    CREATE DOMAIN d0 AS int CHECK (${one(CHECKS)});
    CREATE DOMAIN d1 AS d0 DEFAULT ${number()} CHECK (${one(CHECKS)});
    CREATE TABLE t (id int PRIMARY KEY, a d0, b d1);
  `);
  for (const [name, query] of Object.entries(VIEWS))
    await sql(both.engine, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  let id = 0;
  const statement = (): string => {
    const d = one(domains);
    switch (random(16)) {
      case 0:
        if (domains.length > 7) return `SELECT NULL::${d}`;
        domains.push(`d${domains.length}`);
        return `CREATE DOMAIN ${domains.at(-1)} AS ${one(['int', 'bigint', 'numeric(5,1)', ...domains.slice(0, -1)])}${one(['', ' NOT NULL', ` DEFAULT ${number()}`])} CHECK (${one(CHECKS)})`;
      case 1:
        return `ALTER DOMAIN ${d} ADD CONSTRAINT c${random(3)} CHECK (${one(CHECKS)})${one(['', '', ' NOT VALID'])}`;
      case 2:
        return `ALTER DOMAIN ${d} DROP CONSTRAINT ${one(['IF EXISTS ', ''])}${one([`c${random(3)}`, `${d}_check`])}`;
      case 3:
        return `ALTER DOMAIN ${d} ${one([`SET DEFAULT ${number()}`, 'DROP DEFAULT', 'SET NOT NULL', 'DROP NOT NULL', `VALIDATE CONSTRAINT c${random(3)}`])}`;
      case 4:
      case 5:
        return `UPDATE t SET ${one(['a', 'b'])} = ${one([value(), 'a', 'b', 'a + 1', 'b - 3'])} WHERE id % 5 = ${random(5)}`;
      case 6:
        return `DELETE FROM t WHERE id % 7 = ${random(7)}`;
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
        return one(CASTS)
          .replaceAll('$n', String(random(40)))
          .replaceAll('$m', String(random(40)))
          .replaceAll('$d', d)
          .replaceAll('$e', one(domains));
      case 12:
        return `INSERT INTO t (id, ${one(['a', 'b'])}) SELECT ${id++}, ${number()}`;
      default:
        return `INSERT INTO t VALUES (${id++}, ${value()}, ${value()})`;
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const text = statement();
    const [here, there] = [await both.here(text), await both.there(text)];
    // Which of several values that do not fit is named is nobody's promise.
    if (text.startsWith('SELECT') || here.error === undefined) assert.deepEqual(here, there, text);
    else assert.equal(here.error.code, there.error?.code, text);
    if (round % 20 === 19) await both.sameRows(text, ['t'], VIEWS);
  }
  const shown =
    "SELECT conname, pg_get_constraintdef(oid) = 'NOT NULL', contype, convalidated, contypid::regtype::text FROM pg_constraint WHERE contypid::regtype::text ~ '^d[0-9]' ORDER BY 1, 5";
  await both.statement(shown);
  await both.statement(
    "SELECT typname, typnotnull, format_type(typbasetype, typtypmod) FROM pg_type WHERE typname ~ '^d[0-9]' ORDER BY 1",
  );
  await both.close();
  assert.ok(id > 0);
});
