/** postgres.js: its own type look-up at connect, everything prepared, parameters by inferred type. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import postgres from 'postgres';
import { type ClientServer, startServer, until } from './server.ts';

const options = { timeout: 60_000 };
let server: ClientServer;
let sql: postgres.Sql;

before(async () => {
  server = await startServer();
  sql = postgres({ ...server.config, max: 3, onnotice: () => undefined });
  await sql`create table items (id int primary key, name text, tags text[], at timestamptz, doc jsonb, price numeric(10,2))`;
});
after(async () => {
  await sql.end();
  await server.close();
});

test('simple queries of several statements', options, async () => {
  const results = await sql`select 1 as a; select 'two' as b`.simple();
  assert.deepEqual(JSON.parse(JSON.stringify(results)), [[{ a: 1 }], [{ b: 'two' }]]);
  await assert.rejects(sql.unsafe('select * frm items'), { code: '42601' });
});

test('parameters, inserts of objects, arrays, json, dates', options, async () => {
  const at = new Date('2024-02-29T12:34:56.789Z');
  const items = [
    { id: 1, name: 'one', tags: ['a', 'b c'], at, doc: { deep: [1, { x: null }] }, price: '1.50' },
    { id: 2, name: null, tags: [], at: null, doc: null, price: null },
  ];
  await sql`insert into items ${sql(items as never[])}`;
  const rows = await sql`select * from items where id = any(${[1, 2]}) order by id`;
  assert.deepEqual([...rows], items);
  assert.deepEqual([...(await sql`select id from items where name = ${'one'} and price > ${1}`)], [{ id: 1 }]);
  assert.deepEqual([...(await sql`select id from items where id in ${sql([1, 7])}`)], [{ id: 1 }]);
  const [changed] = await sql`update items set ${sql({ name: 'uno' }, 'name')} where id = 1 returning id, name`;
  assert.deepEqual(changed, { id: 1, name: 'uno' });
});

test('describe', options, async () => {
  const { types, columns } =
    await sql`select id, price from items where name = ${'x'} and at < ${new Date()}`.describe();
  assert.deepEqual(types, [25, 1184]);
  assert.deepEqual(
    columns.map(({ name, type }) => [name, type]),
    [
      ['id', 23],
      ['price', 1700],
    ],
  );
});

test('transactions and savepoints', options, async () => {
  await assert.rejects(
    sql.begin(async (tx) => {
      await tx`delete from items`;
      await tx.savepoint((inner) => inner`insert into items (id) values (1)`);
      throw new Error('undo');
    }),
    /undo/,
  );
  assert.equal((await sql`select count(*)::int as n from items`)[0].n, 2);
  await sql.begin(async (tx) => {
    await tx`insert into items (id) values (3)`;
    await tx
      .savepoint((inner) => inner`insert into items (id) values (3)`)
      .catch((error) => assert.equal(error.code, '23505'));
    await tx`insert into items (id) values (4)`;
  });
  assert.equal((await sql`select count(*)::int as n from items`)[0].n, 4);
});

test('cursors and streams of rows', options, async () => {
  const sizes: number[] = [];
  await sql`select n from generate_series(1, 250) n`.cursor(60, (batch) => {
    sizes.push(batch.length);
  });
  assert.deepEqual(sizes, [60, 60, 60, 60, 10]);
  let sum = 0;
  for await (const [row] of sql`select n from generate_series(1, 10) n`.cursor()) sum += row.n;
  assert.equal(sum, 55);
  let seen = 0;
  await sql`select n from generate_series(1, 1000) n`.forEach(() => {
    seen++;
  });
  assert.equal(seen, 1000);
});

test('cancel', options, async () => {
  await sql`create materialized view names as select name, count(*) as n from items group by name`;
  const query = sql`subscribe names with (snapshot = false)`.execute();
  const ended = assert.rejects(query, { code: '57014' });
  await until('it runs', () =>
    server.running.postgres.sessions().some((s) => s.state === 'active' && s.query.startsWith('subscribe names')),
  );
  query.cancel();
  await ended;
});

test('listen and notify', options, async () => {
  let hear: (payload: string) => void = () => undefined;
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const { unlisten } = await sql.listen('channel', (payload) => hear(payload));
  await sql.notify('channel', 'hello');
  assert.equal(await heard, 'hello');
  await unlisten();
});

test('COPY both ways', options, async () => {
  await sql`create table copied (a int, b text)`;
  const into = await sql`copy copied from stdin`.writable();
  const done = new Promise((resolve, reject) => into.on('finish', resolve).on('error', reject));
  into.end('1\tone\n2\t\\N\n');
  await done;
  const out = await sql`copy (select * from copied order by a) to stdout`.readable();
  let text = '';
  for await (const chunk of out) text += chunk;
  assert.equal(text, '1\tone\n2\t\\N\n');
});
