/** That results do not depend on which numbers of a text may change without another plan. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type RunningServer, runServer } from '../../cli/server.ts';

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
