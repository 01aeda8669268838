/** nodeKeys: equal for equal subplans of different queries, different for anything that changes rows. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { initParser } from '../parse/parse.ts';
import { nodeKeys, planQuery } from './index.ts';
import { bindSql, testRelation } from './test_sql.ts';

const RELATIONS = [testRelation(1, 'r', 'a int4, b int4'), testRelation(2, 's', 'c int4, d int4')];

before(() => initParser());

/** Keys of all nodes of a query. */
function keys(sql: string): string[] {
  const { plan } = planQuery(bindSql(sql, RELATIONS, 'view'), { mode: 'view' });
  return nodeKeys(plan);
}

function rootKey(sql: string): string {
  return keys(sql).at(-1)!;
}

test('names do not count', () => {
  assert.equal(
    rootKey('select a as x, count(*) as n from r q group by a'),
    rootKey('select r.a, count(*) from r group by r.a'),
  );
});

test('a join of one query is found in another', () => {
  const one = keys('select b, d from r join s on a = c where b > 1').find((k) => k.includes('"kind":"inner"'))!;
  const other = keys('select d, max(b) from (select x.b, y.d from r x, s y where x.a = y.c) q where b > 1 group by d');
  assert.ok(other.includes(one));
});

const DIFFERENT: [string, string][] = [
  ['select a from r', 'select b from r'],
  ['select a from r', 'select c from s'],
  ['select a from r where b = 1', 'select a from r where b = 2'],
  ["select a from r where 'x' = b::text", "select a from r where 'y' = b::text"],
  ['select max(a) from r', 'select min(a) from r'],
  ['select count(a) from r', 'select count(distinct a) from r'],
  ['select * from r left join s on a = c', 'select * from r full join s on a = c'],
  ['select a from r union select c from s', 'select a from r union all select c from s'],
  ['select a from r order by b limit 1', 'select a from r order by b desc limit 1'],
  ['select 1::int4', 'select 1::int8'],
];

for (const [one, two] of DIFFERENT) {
  test(`${one} is not ${two}`, () => assert.notEqual(rootKey(one), rootKey(two)));
}

test('settings of the session count where an expression may look at them', () => {
  const key = (sql: string, settings: string) => {
    const { plan } = planQuery(bindSql(sql, RELATIONS, 'view'), { mode: 'view' });
    return nodeKeys(plan, settings)[plan.root];
  };
  for (const sql of ['select a + b from r', 'select a::text from r', 'select a, max(b) from r group by a']) {
    assert.equal(key(sql, 'UTC'), key(sql, 'Asia/Tokyo'), sql);
  }
  const dependent = [
    "select (timestamptz '2026-01-01 00:00Z' + a * interval '1 day')::text from r",
    "select array[timestamp '2026-01-01']::text from r",
    "select * from (select to_char(date '2026-01-01' + a, 'Day') as d from r) q where d = 'x'",
    'select json_agg(a) from r',
  ];
  for (const sql of dependent) assert.notEqual(key(sql, 'UTC'), key(sql, 'Asia/Tokyo'), sql);
});
