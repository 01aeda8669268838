/** The interpreter against PostgreSQL: random expressions over rows with NULLs, by value or by error. */
import { after, before, test } from 'node:test';
import type { Datum } from '../datum.ts';
import { pgArray } from '../datum.ts';
import { Random, testSeed } from '../testing/property.ts';
import { OID } from '../types.ts';
import { bindExpr, evaluate } from './interpret.ts';
import { Oracle, outcome, report } from './testing/oracle.ts';
import { CONSTANT_COLUMNS, randomBool, randomInt } from './testing/random_expr.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
  const constants = Object.entries(CONSTANT_COLUMNS).map(([name, [type, value]]) => `${name} ${type} DEFAULT ${value}`);
  await oracle.exec(`CREATE TABLE r (id int, a int4, b int4, p bool, q bool, xs int4[], ${constants.join()})`);
});
after(() => oracle.close());

test('random expressions', async () => {
  const r = new Random(testSeed('interpreter'));
  const rows: Datum[][] = [];
  const values: string[] = [];
  const sqlOf = (d: Datum) => (d === null ? 'NULL' : String(d));
  for (let i = 0; i < 40; i++) {
    const ints = r.pick([[], [1], [1, null, 2], [0, 7, -1], [null]]);
    const xs = r.below(6) === 0 ? null : pgArray(OID.int4, ints);
    const row: Datum[] = [
      r.pick([null, 0, 1, 2, 7, 2147483647]),
      r.pick([null, 0, 1, -1, 3]),
      r.pick([null, true, false]),
      r.pick([null, true, false]),
      xs,
    ];
    rows.push(row);
    const array = xs === null ? 'NULL' : `'{${ints.map(sqlOf).join()}}'`;
    values.push(`(${i}, ${row.slice(0, 4).map(sqlOf).join()}, ${array})`);
  }
  await oracle.exec(`INSERT INTO r VALUES ${values.join()}`);
  const queries: string[] = [];
  const own: string[] = [];
  const differences: string[] = [];
  for (let i = 0; i < 4000; i++) {
    const { e, sql } = r.below(2) === 0 ? randomInt(r, 3) : randomBool(r, 3);
    const id = r.below(rows.length);
    const show = (d: Datum) => (d === null ? null : String(d));
    queries.push(`SELECT (${sql})::text FROM r WHERE id = ${id}`);
    const walked = outcome(() => show(evaluate(e, rows[id], oracle.ctx)));
    const bound = outcome(() => show(bindExpr(e)(rows[id], oracle.ctx)));
    if (walked !== bound) differences.push(`${sql}\n    evaluate ${walked}\n    bindExpr ${bound}`);
    own.push(walked);
  }
  const theirs = await oracle.attempt(queries);
  queries.forEach((q, i) => {
    if (theirs[i] !== own[i]) differences.push(`${q}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${own[i]}`);
  });
  report(differences);
});
