import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NESTING, measureText } from './nesting.ts';

const depth = (sql: string): number => measureText(sql).depth;
const N = 50_000;

test('long flat statements stay shallow', () => {
  const flat = [
    `INSERT INTO t VALUES ${'(1, -2.5, (3)),'.repeat(N)} (4)`,
    `SELECT x IN (1${', 1'.repeat(N)})`,
    `SELECT 1 WHERE a = 1 ${'OR a = 2 AND b = 3 '.repeat(N)}`,
    `SELECT CASE ${'WHEN a = 1 THEN 2 '.repeat(N)} ELSE 3 END`,
    'SELECT 1;'.repeat(N),
  ];
  for (const sql of flat) assert.ok(depth(sql) < 30, sql.slice(0, 40));
});

test('what nests or chains is counted', () => {
  const deep = ['(', 'a[', 'CASE WHEN ', '1 + ', 'NOT ', 'SELECT 1 UNION ', 'a JOIN ', '::int'];
  for (const part of deep) assert.ok(depth(`SELECT ${part.repeat(N)}`) > MAX_NESTING, part);
});

test('nothing inside strings, quoted names and comments is counted', () => {
  const parens = '('.repeat(N);
  const opaque = [
    `'${parens}'`,
    `"${parens}"`,
    `$$${parens}$$`,
    `$a$ $$ ${parens}$a$`,
    `/* /* ${parens} */ ${parens} */ 1`,
  ];
  opaque.push(`E'\\'${parens}'`, `'it''s ${parens}'`, `1 -- ${parens}\n`);
  for (const piece of opaque) assert.ok(depth(`SELECT ${piece}`) < 10, piece.slice(0, 20));
});

test('levels close again', () => {
  assert.ok(depth(`SELECT ${'(CASE WHEN a[1] THEN 1 END), '.repeat(N)} 1`) < 30);
  assert.ok(depth('END; BEGIN; END; )))'.repeat(10)) < 30);
});
