/** Many subqueries in one query: the plan grows with their number where each asks for rows of the outer query alone, and is refused before it grows without bound. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { printLogical } from '../../logical/print.ts';
import { initParser } from '../../parse/parse.ts';
import { bindSql, testRelation } from '../../physical/test_sql.ts';
import { guardSubqueries } from '../guard_subqueries.ts';
import { uniqueIds } from '../unique_ids.ts';
import { decorrelate } from './index.ts';

const RELATIONS = [testRelation(1, 't', 'a int4, b int4'), testRelation(2, 'u', 'a int4, b int4')];

before(() => initParser());

/** Operations of the plan without its subqueries, each counted wherever it stands. */
function operations(query: string): number {
  const { plan } = uniqueIds(bindSql(query, RELATIONS, 'view').plan);
  return printLogical(decorrelate(guardSubqueries(plan, 'view'))).split('\n').length;
}

const numbered = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));

for (const [what, subquery] of [
  ['of one row', (i: number) => `(SELECT count(*) FROM u WHERE u.a > t.b AND u.b <> ${i})`],
  ['of one row or none', (i: number) => `(SELECT max(u.b) FROM u WHERE u.a > t.b AND u.b <> ${i} HAVING count(*) > 1)`],
] as const)
  test(`scalar subqueries ${what} by an inequality: twice as many are a plan of twice the size`, () => {
    const [few, many] = [10, 20].map((count) => operations(`SELECT ${numbered(count, subquery).join(', ')} FROM t`));
    assert.ok(many < few * 2.2, `${few} and ${many} operations`);
  });

test('conditions that guard one another are refused before there is no memory for their plan', () => {
  const query = `SELECT 1 FROM t WHERE ${numbered(25, (i) => `EXISTS (SELECT 1 FROM u WHERE u.a = t.b + ${i})`).join(' OR ')}`;
  assert.throws(
    () => operations(query),
    (e) => e instanceof SqlError && e.sqlstate === '54001' && /rows that its subqueries refer to/.test(e.message),
  );
});
