/** Point look-ups answered within their turn, and what looks like one and must not be: many rows, long rows, waits, errors. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type RunningServer, runServer } from '../../cli/server.ts';

let server: RunningServer;
let client: pg.Client;

before(async () => {
  server = await runServer({ host: '127.0.0.1', port: 0, version: 'test', log: () => undefined });
  client = new pg.Client({ host: '127.0.0.1', port: server.postgres.port, user: 'u', database: 'd' });
  await client.connect();
  await client.query(`
    CREATE TABLE point (id int PRIMARY KEY, kind int, value text);
    CREATE INDEX ON point (kind);
    INSERT INTO point SELECT g, g % 10, 'value ' || g FROM generate_series(1, 1000) g;
    INSERT INTO point SELECT 2000 + g, 100, repeat('x', 40000) FROM generate_series(1, 20) g;`);
});

after(async () => {
  await client.end();
  await server.close();
});

/** By the simple protocol twice (the second time from its template), and by the extended one. */
async function everyWay(column: string, value: number, order = ''): Promise<pg.QueryResult[]> {
  const simple = `SELECT id, value FROM point WHERE ${column} = ${value}${order}`;
  const extended = `SELECT id, value FROM point WHERE ${column} = $1${order}`;
  return [await client.query(simple), await client.query(simple), await client.query(extended, [value])];
}

test('one row, none, and as many as there are', async () => {
  for (const { rows, command } of await everyWay('id', 7)) {
    assert.deepEqual(rows, [{ id: 7, value: 'value 7' }]);
    assert.equal(command, 'SELECT');
  }
  for (const { rows, rowCount } of await everyWay('id', 5000)) assert.deepEqual([rows, rowCount], [[], 0]);
  for (const { rows, rowCount } of await everyWay('kind', 3, ' ORDER BY id')) {
    assert.equal(rowCount, 100);
    assert.deepEqual([rows[0].id, rows[99].id], [3, 993]);
  }
});

test('rows that are long together', async () => {
  for (const { rows } of await everyWay('kind', 100)) {
    assert.equal(rows.length, 20);
    assert.ok(rows.every((row) => row.value.length === 40000));
  }
});

test('an error of a row has its code, and the session goes on', async () => {
  const failing = { text: 'SELECT 1 / (id - $1) FROM point WHERE id = 7', values: [7] };
  await assert.rejects(client.query(failing), { code: '22012' });
  await assert.rejects(client.query('SELECT 1 / (id - 7) FROM point WHERE id = 7'), { code: '22012' });
  assert.equal((await client.query('SELECT value FROM point WHERE id = 7')).rows[0].value, 'value 7');
});

test('pg_sleep is waited for', async () => {
  const begun = performance.now();
  const { rows } = await client.query('SELECT id, pg_sleep(0.05) FROM point WHERE id = $1', [7]);
  assert.equal(rows[0].id, 7);
  assert.ok(performance.now() - begun >= 50);
});

test('a transaction reads the tick that it read first, and what it wrote itself', async () => {
  const value = async (of: pg.Client) => (await of.query('SELECT value FROM point WHERE id = $1', [9])).rows[0]?.value;
  const other = new pg.Client({ host: '127.0.0.1', port: server.postgres.port, user: 'u', database: 'd' });
  await other.connect();
  await client.query('BEGIN');
  assert.equal(await value(client), 'value 9');
  await other.query("UPDATE point SET value = 'changed' WHERE id = 9");
  assert.equal(await value(client), 'value 9');
  assert.equal(await value(other), 'changed');
  await client.query("UPDATE point SET value = 'own' WHERE id = 8");
  assert.equal((await client.query('SELECT value FROM point WHERE id = 8')).rows[0].value, 'own');
  await client.query('ROLLBACK');
  assert.equal(await value(client), 'changed');
  await other.end();
});

test('a portal that is executed for some rows gives the others later', async () => {
  const text = 'SELECT id FROM point WHERE kind = 4 ORDER BY id';
  const { rows } = await client.query({ text, rows: 3, values: [] } as pg.QueryConfig);
  assert.equal(rows[0].id, 4);
  assert.equal(rows.length, 100);
});

test('keys of every kind of equality find what a filter finds', async () => {
  const keys: [type: string, values: string[]][] = [
    ['numeric', ['1.0', '1.00', '-2', 'NaN']],
    ['float8', ['0', '-0', 'NaN', '1.5']],
    ['text', ['', 'a', 'a ', 'a text of more than twelve bytes']],
    ['char(3)', ['a', 'a ', 'abc']],
    ['interval', ['1 mon', '30 days', '1 day']],
    ['date', ['2024-02-29', 'infinity']],
  ];
  for (const [type, values] of keys) {
    const rows = values.map((value, i) => `('${value}'::${type}, ${i}, ${i % 2 ? 'NULL' : i})`).join(', ');
    await client.query(`
      DROP TABLE IF EXISTS keyed;
      CREATE TABLE keyed (k ${type}, n int, m int);
      CREATE INDEX ON keyed (n, k);
      CREATE INDEX ON keyed (k);
      INSERT INTO keyed VALUES ${rows}, (NULL, 100, 100);`);
    for (const value of values) {
      const found = `SELECT m, k::text, n FROM keyed WHERE k = $1::${type} ORDER BY n`;
      // No filter goes below a LIMIT: this one uses no index.
      const filtered = found.replace('FROM keyed', 'FROM (SELECT * FROM keyed LIMIT 1000) keyed');
      const expected = (await client.query(filtered, [value])).rows;
      assert.ok(expected.length > 0);
      assert.deepEqual((await client.query(found, [value])).rows, expected, `${type} ${value}`);
      const both = `SELECT m, k::text, n FROM keyed WHERE k = $1 AND n = $2`;
      for (const row of expected) {
        assert.deepEqual((await client.query(both, [value, row.n])).rows, [row], `${type} ${value} ${row.n}`);
        const plain = await client.query({
          text: 'SELECT m, n FROM keyed WHERE n = $2 AND $1 = k',
          values: [value, row.n],
        });
        assert.deepEqual(plain.rows, [{ m: row.m, n: row.n }]);
      }
    }
    assert.deepEqual((await client.query('SELECT n FROM keyed WHERE k = $1', [null])).rows, []);
    await client.query('DELETE FROM keyed WHERE n = 0');
    assert.deepEqual((await client.query('SELECT n FROM keyed WHERE n = 0 AND k = $1', [values[0]])).rows, []);
  }
});

test('a row that is there twice, and one that is changed between two reads of a prepared statement', async () => {
  await client.query(`
    CREATE TABLE twice (a int, b text);
    CREATE INDEX ON twice (a);
    INSERT INTO twice VALUES (1, 'same'), (1, 'same'), (2, NULL)`);
  const read = async (a: number) =>
    (await client.query({ name: 'twice', text: 'SELECT b, a FROM twice WHERE a = $1', values: [a] })).rows;
  assert.deepEqual(await read(1), [
    { b: 'same', a: 1 },
    { b: 'same', a: 1 },
  ]);
  assert.deepEqual(await read(2), [{ b: null, a: 2 }]);
  await client.query("UPDATE twice SET b = 'a text that is longer than twelve bytes' WHERE a = 2");
  assert.deepEqual(await read(2), [{ b: 'a text that is longer than twelve bytes', a: 2 }]);
  await client.query('DELETE FROM twice WHERE a = 2');
  assert.deepEqual(await read(2), []);
});
