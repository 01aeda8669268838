/** Which numbers of a text may change without another plan. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { initParser, parse } from '../../../planner/parse/parse.ts';
import { liftNumbers, shapeOf } from './literal_template.ts';

before(() => initParser());

function lifted(text: string): (number | null)[] {
  const shape = shapeOf(text);
  assert.ok(shape !== null, text);
  const [statement] = parse(text);
  assert.ok(statement.k === 'select' || statement.k === 'update' || statement.k === 'delete');
  return liftNumbers(statement.k === 'select' ? statement.query.select : statement.node, shape).lifted;
}

test('only plain texts are looked at', () => {
  for (const text of [
    "SELECT * FROM t WHERE a = '1'",
    'SELECT * FROM t WHERE a = 1 -- x',
    'SELECT "1" FROM t WHERE a = 1',
    'SELECT a FROM t WHERE a = $1',
    'INSERT INTO t VALUES (1)',
    'UPDATE t SET a = $1',
    'SELECT a FROM t',
    'SELECT 1 / 2',
  ]) {
    assert.equal(shapeOf(text), null, text);
  }
  assert.equal(
    shapeOf('SELECT a1, 1.5, 2e3, 12345678901 FROM t1 WHERE b = 17;')?.text,
    'SELECT a1, 1.5, 2e3, 12345678901 FROM t1 WHERE b = ?;',
  );
});

test('numbers that columns are compared with in WHERE are parameters, others are not', () => {
  assert.deepEqual(lifted('SELECT a FROM t WHERE a = 7'), [1]);
  assert.deepEqual(lifted('SELECT a, 5 FROM t WHERE 3 < t.a AND b <> 4 GROUP BY 1 LIMIT 10'), [null, 1, 2, null, null]);
  assert.deepEqual(lifted('SELECT a FROM (SELECT a FROM t WHERE a >= 2) q WHERE a + 1 = 5 AND a = -3'), [
    1,
    null,
    null,
    null,
  ]);
  assert.deepEqual(lifted('SELECT a = 1 FROM t WHERE a IN (1, 2)'), [null, null, null]);
  assert.deepEqual(lifted('DELETE FROM t WHERE a = 7 AND b < 8'), [1, 2]);
});

test('numbers that columns are set to are parameters, others of an UPDATE are not', () => {
  assert.deepEqual(lifted('UPDATE t SET a = 5, b = b + 1 WHERE c = 7'), [1, null, 2]);
  assert.deepEqual(lifted('UPDATE t SET (a, b) = (1, 2), c = (SELECT 3) WHERE a = -4'), [null, null, null, null]);
});
