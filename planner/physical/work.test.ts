/**
 * What planning costs grows with the statement, not with its square: steps are counted, of a statement and of one twice as long.
 *
 * A step is an element that includes() or map() looks at, a character that is looked at, or an entry that a Map or Set gets: passes over a plan, a list or a
 * text consist of those.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { initParser } from '../parse/parse.ts';
import { planQuery } from './index.ts';
import { bindSql, testRelation } from './test_sql.ts';

const RELATIONS = [
  testRelation(1, 'r', 'a int4, b int4, s text', { key: [0] }),
  testRelation(2, 'u', 'c int4, d int4'),
];

before(() => initParser());

const list = (n: number, item: (i: number) => string, between = ', '): string =>
  Array.from({ length: n }, (_, i) => item(i)).join(between);

/** The prototypes whose methods are counted, and what a call of one counts for. */
const COUNTED: [object, string, (of: { length: number }) => number][] = [
  [Array.prototype, 'includes', ({ length }) => length],
  [Array.prototype, 'map', ({ length }) => length],
  [String.prototype, 'charCodeAt', () => 1],
  [Map.prototype, 'set', () => 1],
  [Set.prototype, 'add', () => 1],
];

function steps(sql: string): number {
  let count = 0;
  const restore = COUNTED.map(([prototype, name, cost]) => {
    const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    Reflect.set(prototype, name, function (this: { length: number }, ...args: unknown[]) {
      count += cost(this);
      return method.apply(this, args);
    });
    return () => Reflect.set(prototype, name, method);
  });
  try {
    planQuery(bindSql(sql, RELATIONS, 'read'), { mode: 'read' });
  } finally {
    for (const back of restore) back();
  }
  return count;
}

/** Statements of a length, and a length that is short for them. */
const STATEMENTS: Record<string, [(n: number) => string, number]> = {
  'IN of numbers': [(n) => `select a from r where a in (${list(n, String)})`, 1000],
  'NOT IN of texts': [(n) => `select a from r where s not in (${list(n, (i) => `'k${i}'`)})`, 1000],
  'IN of rows': [(n) => `select a from r where (a, b) in (${list(n, (i) => `(${i}, 1)`)})`, 500],
  'ANY of an array': [(n) => `select a from r where a = any(array[${list(n, String)}])`, 1000],
  OR: [(n) => `select a from r where ${list(n, (i) => `a = ${i}`, ' or ')}`, 1000],
  'OR of AND': [(n) => `select a from r where ${list(n, (i) => `(a = ${i} and b = ${i})`, ' or ')}`, 500],
  AND: [(n) => `select a from r where ${list(n, (i) => `a <> ${i}`, ' and ')}`, 1000],
  'AND over a join': [(n) => `select a from r join u on a = c where ${list(n, (i) => `b + d <> ${i}`, ' and ')}`, 500],
  VALUES: [(n) => `select * from (values ${list(n, (i) => `(${i}, 'k${i}')`)}) v(k, t)`, 500],
  WITH: [
    (n) => `with q0 as (select a from r)${list(n, (i) => `, q${i + 1} as (select distinct a from q${i})`, '')}
      select * from q${n}`,
    100,
  ],
};

for (const [name, [statement, n]] of Object.entries(STATEMENTS)) {
  test(`${name}: twice as long is about twice the work`, () => {
    // What is made when it is first asked for does not count.
    steps(statement(2));
    const once = steps(statement(n));
    const twice = steps(statement(2 * n));
    assert.ok(twice < 2.6 * once, `${twice} steps for ${2 * n}, ${once} for ${n}`);
  });
}
