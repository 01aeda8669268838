/** One regular expression over several texts of a row: what is found in one text is nothing of the others, in whatever order it is asked for. */
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

let db: AgainstPostgres;

before(async () => {
  db = await AgainstPostgres.open();
  await db.script(`
    CREATE TABLE t (s text, u text);
    INSERT INTO t VALUES ('a=1', 'bbbb=2222'), ('x', 'y=7'), (NULL, 'long words=123456'), ('zz=', 'q=0'), ('xx,,', 'ax,'), ('ä=1', 'b=2')`);
});

after(() => db.close());

const group = (text: string, n: number) => `(regexp_match(${text}, '([a-z]+)=([0-9]+)'))[${n}]`;
const QUERIES = [
  `SELECT ${group('s', 1)} AS a, ${group('u', 1)} AS b, ${group('s', 2)} AS c, ${group('u', 2)} AS d FROM t`,
  `SELECT ${group('s', 2)} AS a, ${group('u', 2)} AS b, ${group('s', 1)} AS c FROM t WHERE ${group('u', 1)} <> 'q'`,
  `SELECT ${group('u', 1)} AS a, ${group('s', 1)} AS b, s FROM t WHERE ${group('s', 2)} = '1' OR ${group('u', 2)} = '7'`,
  "SELECT (regexp_match(u, 'x+(,*)'))[1] AS a, (regexp_match(s, 'x+(,*)'))[1] AS b FROM t WHERE (regexp_match(s, 'x+(,*)'))[1] IS NOT NULL",
  "SELECT (regexp_match(s, '^(.)(.*)$'))[2] AS a, (regexp_match(u, '^(.)(.*)$'))[2] AS b, (regexp_match(s, '^(.)(.*)$'))[1] AS c FROM t",
];

for (const [i, query] of QUERIES.entries()) {
  test(query, async () => {
    await db.statement(query);
    await db.here(`CREATE MATERIALIZED VIEW v${i} AS ${query}`);
    await db.statement("INSERT INTO t VALUES ('new=3', 'other=44')");
    await db.sameRows('an INSERT', [], { [`v${i}`]: query });
  });
}
