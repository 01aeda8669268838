/**
 * Plans as text: testdata/explain.txt holds queries and the plans they must have, one section a query:
 *
 *   == view | read: what it shows
 *   SQL
 *   --
 *   plan, or ERROR sqlstate message
 *
 * UPDATE_PLANS=1 writes the plans anew; read the diff.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { initParser } from '../parse/parse.ts';
import { explainedLines, explainQuery, keptRemark, planQuery } from './index.ts';
import { bindSql, testRelation } from './test_sql.ts';
import { verifyPlan } from './verify.ts';

const FILE = new URL('./testdata/explain.txt', import.meta.url);
const RELATIONS = [
  testRelation(1, 'r', 'a int4, b int4'),
  testRelation(2, 's', 'c int4, d int4'),
  testRelation(3, 't', 'k int4, e int4, n numeric, x text, ts timestamp, big int8', {
    key: [0],
    indexes: [[0], [1, 3]],
  }),
  testRelation(4, 'log', 'id int8, at timestamptz, v int4', { appendOnly: true }),
  testRelation(5, 'person', 'id int8, name text, city text, date_time timestamp', {
    watermark: { column: 3, delay: 4000000n },
  }),
  testRelation(6, 'auction', 'id int8, item text, date_time timestamp, expires timestamp, seller int8, category int8', {
    watermark: { column: 2, delay: 4000000n },
  }),
  testRelation(7, 'bid', 'auction int8, bidder int8, price int8, date_time timestamp, extra text', {
    watermark: { column: 3, delay: 4000000n },
  }),
];

interface Section {
  mode: 'view' | 'read';
  title: string;
  sql: string;
  plan: string;
}

function sections(text: string): Section[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const [, mode, title] = /^(view|read): (.*)$/m.exec(part)!;
      const [head, plan] = part.split(/^--$/m);
      const sql = head.slice(head.indexOf('\n') + 1).trim();
      return { mode: mode as 'view' | 'read', title, sql, plan: (plan ?? '').trim() };
    });
}

function planText({ sql, mode }: Section): string {
  try {
    const query = planQuery(bindSql(sql, RELATIONS, mode), { mode, timeZone: 'UTC' });
    verifyPlan(query.plan);
    const nameOf = (oid: number) => RELATIONS.find((r) => r.oid === oid)!.name;
    const remark = mode === 'view' ? keptRemark(query.plan, nameOf) : undefined;
    return explainedLines(explainQuery(query, nameOf, remark)).join('\n');
  } catch (error) {
    if (error instanceof SqlError) return `ERROR ${error.sqlstate} ${error.message}`;
    throw error;
  }
}

const known = sections(readFileSync(FILE, 'utf8'));

before(() => initParser());

if (process.env.UPDATE_PLANS) {
  test('writes the plans', () => {
    const head = readFileSync(FILE, 'utf8').split(/^== /m)[0];
    writeFileSync(FILE, head + known.map((s) => `== ${s.mode}: ${s.title}\n${s.sql}\n--\n${planText(s)}\n`).join('\n'));
  });
} else {
  for (const section of known) test(section.title, () => assert.equal(planText(section), section.plan));
}
