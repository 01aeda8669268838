/** Which numbers of a text may change without another plan, and that results do not depend on it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { initParser, parse } from '../../../planner/parse/parse.ts';
import { type RunningServer, runServer } from '../../cli/server.ts';
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

let server: RunningServer;
before(async () => {
  server = await runServer({ host: '127.0.0.1', port: 0, version: 'test', log: () => undefined });
});
after(() => server.close());

test('changes sent with many numbers do what they do when they are prepared', async () => {
  const { address: host, port } = server.postgres;
  const client = new pg.Client({ host, port, user: 'u', database: 'd' });
  await client.connect();
  const outcome = (text: string, params?: unknown[]) =>
    client.query(text, params).then(
      ({ command, rowCount, rows }) => [command, rowCount, rows],
      ({ code, message }) => [code, message],
    );
  try {
    for (const t of ['w', 'v']) {
      await client.query(
        `CREATE TABLE ${t} (id int PRIMARY KEY, small int2 CHECK (small <> 99), big int8 UNIQUE, n numeric(4,1), s text)`,
      );
      await client.query(`INSERT INTO ${t} SELECT i, i, i, i, 'row ' || i FROM generate_series(1, 50) i`);
    }
    for (const value of [1, 2, 13, 40, 99, 40_000, 999_999_999]) {
      for (const column of ['small', 'big', 'n', 's', 'id']) {
        for (const id of [3, 7, 60]) {
          for (const end of ['', ' RETURNING *']) {
            const sent = await outcome(`UPDATE w SET ${column} = ${value} WHERE id = ${id}${end}`);
            const type = column === 's' ? 'text' : 'int';
            const prepared = await outcome(
              `UPDATE v SET ${column} = $1::${type} WHERE id = ANY (ARRAY[$2::int])${end}`,
              [value, id],
            );
            assert.deepEqual(String(sent).replaceAll('w_', 'v_').replace('"w"', '"v"'), String(prepared), column);
          }
        }
      }
      assert.deepEqual(
        await outcome(`DELETE FROM w WHERE id = ${value}`),
        await outcome('DELETE FROM v WHERE id = ANY (ARRAY[$1::int])', [value]),
      );
    }
    await client.query('BEGIN');
    await client.query('UPDATE w SET big = 1000 WHERE id = 20');
    await client.query('UPDATE w SET big = 1001 WHERE id = 21');
    assert.deepEqual(await outcome('SELECT big FROM w WHERE id = 20'), ['SELECT', 1, [{ big: '1000' }]]);
    await client.query('ROLLBACK');
    assert.deepEqual((await client.query('TABLE w')).rows, (await client.query('TABLE v')).rows);
  } finally {
    await client.end();
  }
});

test('a query sent with many numbers gives what it gives when it is prepared', async () => {
  const { address: host, port } = server.postgres;
  const client = new pg.Client({ host, port, user: 'u', database: 'd' });
  await client.connect();
  try {
    await client.query('CREATE TABLE p (id int PRIMARY KEY, small int2, big int8, n numeric, s text)');
    await client.query("INSERT INTO p SELECT i, i, i * 1000000, i / 2.0, 'row ' || i FROM generate_series(1, 300) i");
    for (const column of ['id', 'small', 'big', 'n']) {
      for (const value of [1, 2, 7, 299, 301, 40000, 150000000, 999999999]) {
        const direct = await client.query(
          `SELECT id, s, 5 AS five FROM p WHERE ${column} = ${value} ORDER BY 1 LIMIT 3`,
        );
        const prepared = await client.query(
          `SELECT id, s, 5 AS five FROM p WHERE ${column} = $1::bigint ORDER BY 1 LIMIT 3`,
          [value],
        );
        assert.deepEqual(direct.rows, prepared.rows, `${column} = ${value}`);
      }
    }
    await assert.rejects(client.query('SELECT s FROM p WHERE s = 5'), { code: '42883' });
    await assert.rejects(client.query('SELECT s FROM p WHERE s = 6'), { code: '42883' });
    assert.deepEqual((await client.query('SELECT id FROM p WHERE id = 8')).rows, [{ id: 8 }]);
    await client.query('BEGIN');
    await client.query('DELETE FROM p WHERE id = 8');
    assert.deepEqual((await client.query('SELECT id FROM p WHERE id = 8')).rows, []);
    await client.query('ROLLBACK');
    assert.deepEqual((await client.query('SELECT id FROM p WHERE id = 8')).rows, [{ id: 8 }]);
    await client.query('DROP TABLE p; CREATE TABLE p (id text)');
    await assert.rejects(client.query('SELECT id FROM p WHERE id = 8'), { code: '42883' });
  } finally {
    await client.end();
  }
});
