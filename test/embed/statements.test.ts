/** The library: statements, values, errors, transactions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Database, open } from 'tidemark';
import { failureOf } from './failure.ts';

let db: Database;

before(async () => {
  db = await open({ clock: 'manual' });
});
after(() => db.close());

async function value(sql: string, params: unknown[] = []): Promise<unknown> {
  const { rows } = await db.query<unknown[]>(sql, params, { rowMode: 'array' });
  return rows[0][0];
}

test('values of each type', async () => {
  const cases: [sql: string, expected: unknown][] = [
    ['NULL::int', null],
    ['true', true],
    ['1::int2', 1],
    ['-2147483648', -2147483648],
    ['9223372036854775807', 9223372036854775807n],
    ["'NaN'::float8", Number.NaN],
    ["'-Infinity'::float4", Number.NEGATIVE_INFINITY],
    ['1e300::float8', 1e300],
    ['123456789012345678901234567890.10', '123456789012345678901234567890.10'],
    [`'ü"\\'`, `ü"\\`],
    [`'\\x00ff'::bytea`, new Uint8Array([0, 255])],
    [`'{"a": [1, null]}'::jsonb`, { a: [1, null] }],
    ["'2024-01-02 03:04:05.123456+00'::timestamptz", '2024-01-02 03:04:05.123456+00'],
    ["'2024-01-02'::date", '2024-01-02'],
    ['ARRAY[1::int8, NULL]', [1n, null]],
    [`ARRAY['a', 'b"{,}', 'NULL', NULL]`, ['a', 'b"{,}', 'NULL', null]],
    [
      'ARRAY[[1, 2], [3, 4]]',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["'[2:3]={7,8}'::int[]", [7, 8]],
    ["'{}'::text[]", []],
    ['ARRAY[true]', [true]],
    [`ARRAY['{"a":1}'::jsonb]`, [{ a: 1 }]],
  ];
  for (const [sql, expected] of cases) assert.deepEqual(await value(`SELECT ${sql}`), expected, sql);
});

test('parameters come back as they were', async () => {
  const given: [type: string, value: unknown, back?: unknown][] = [
    ['text', `'; DROP TABLE t; -- \\ $1 "`],
    ['text', '\u{1F600}é\n\t\r'],
    ['text', ''],
    ['int8', 2n ** 62n],
    ['float8', -0],
    ['float8', Number.NaN],
    ['float8', Number.POSITIVE_INFINITY],
    ['bool', false],
    ['bytea', new Uint8Array([0, 1, 92, 255])],
    ['timestamptz', new Date('2024-05-06T07:08:09.010Z'), '2024-05-06 07:08:09.01+00'],
    ['timestamptz', new Date('-000043-03-15T00:00:00Z'), '0044-03-15 00:00:00+00 BC'],
    ['timestamptz', new Date('+012345-03-15T00:00:00Z'), '12345-03-15 00:00:00+00'],
    ['text[]', ['a', null, '"', '\\', 'NULL', '']],
    [
      'int[]',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['int[]', []],
    ['jsonb', { a: 1, b: [true, 'x'] }],
    ['jsonb', [1, { b: 2 }]],
    ['jsonb[]', [{ a: 1 }]],
    ['int', null],
    ['int', undefined, null],
  ];
  for (const [type, param, back = param] of given)
    assert.deepEqual(await value(`SELECT $1::${type}`, [param]), back, `${type} ${String(param)}`);
  assert.equal(await value('SELECT $1::jsonb::text', [{ n: 2n ** 60n }]), '{"n": 1152921504606846976}');
});

test('what is no value is refused, and leaves the session as it was', async () => {
  const cases: [unknown, string][] = [
    [() => 1, '22023'],
    [Symbol('x'), '22023'],
    ['\ud800', '22021'],
    ['a\0b', '22021'],
    [new Date(Number.NaN), '22007'],
  ];
  for (const [param, code] of cases) {
    const error = await failureOf(db.query('SELECT $1::text', [param]));
    assert.equal(error.code, code);
  }
  assert.equal((await failureOf(db.query('SELECT 1', new Array(70_000).fill(1)))).code, '54000');
  assert.equal(await value('SELECT 1'), 1);
});

test('what a call does not know is refused', async () => {
  await db.query('CREATE TEMP TABLE calls (n int)');
  // As JavaScript calls it.
  // biome-ignore lint/suspicious/noExplicitAny: the compiler refuses all of them.
  const calls = db as any;
  const cases: (() => Promise<unknown>)[] = [
    () => calls.query('SELECT 1', 5),
    () => calls.query('SELECT $1', 'x'),
    () => calls.query('SELECT 1', [], { rowMode: 'arrays' }),
    () => calls.query('SELECT 1', [], { rowmode: 'array' }),
    () => calls.insert('calls', { n: 1 }),
    () => calls.insert('calls'),
    () => calls.insert('calls', [{ n: 1 }], { partitoin: 1 }),
    () => calls.delete('calls', [{ n: 1 }], { partitoin: 1 }),
    () => calls.iterate('SELECT 1', 'x').next(),
    () => calls.subscribe('calls', { snapsot: false }).next(),
    () => calls.subscribe('SELECT $1', { params: 'x' }).next(),
  ];
  for (const call of cases) assert.equal((await failureOf(call())).code, '22023', call.toString());
  assert.equal((await failureOf(calls.insert(null, []))).code, '42602');
  assert.deepEqual((await db.query('SELECT * FROM calls')).rows, []);
});

test('an error says what PostgreSQL says, and where it was called', async () => {
  const error = await failureOf(db.query('SELECT * FROM nowhere'));
  assert.equal(error.name, 'TidemarkError');
  assert.equal(error.code, '42P01');
  assert.equal(error.message, 'relation "nowhere" does not exist');
  assert.equal(error.position, 15);
  assert.match(error.stack ?? '', /statements\.test\.ts/);
  assert.equal((await failureOf(db.query('SELECT 1/0'))).code, '22012');
  assert.equal((await failureOf(db.query('SELECT $1::int', ['x']))).code, '22P02');
  assert.equal((await failureOf(db.query('SELECT $1::int, $2::int', [1]))).code, '08P01');
});

test('results have columns, counts and ticks', async () => {
  const made = await db.query('CREATE TABLE counted (a int, b text)');
  assert.deepEqual([made.command, made.rowCount, made.rows, made.columns], ['CREATE TABLE', null, [], []]);
  const inserted = await db.query("INSERT INTO counted VALUES (1, 'x'), (2, 'y') RETURNING a");
  assert.deepEqual([inserted.command, inserted.rowCount, inserted.rows], ['INSERT', 2, [{ a: 1 }, { a: 2 }]]);
  const read = await db.query('SELECT a, b FROM counted ORDER BY a LIMIT 1');
  assert.equal(read.tick, inserted.tick);
  assert.deepEqual(read.columns, [
    { name: 'a', type: 'integer' },
    { name: 'b', type: 'text' },
  ]);
  const updated = await db.query('UPDATE counted SET b = b');
  assert.deepEqual([updated.command, updated.rowCount], ['UPDATE', 2]);
  assert.deepEqual(await db.query(''), { command: '', columns: [], rows: [], rowCount: null, tick: updated.tick });
  const twice = await db.query<unknown[]>('SELECT 1 AS a, 2 AS a', [], { rowMode: 'array' });
  assert.deepEqual(twice.rows, [[1, 2]]);
  const odd = await db.query('SELECT 1 AS "__proto__"');
  assert.deepEqual(Object.entries(odd.rows[0]), [['__proto__', 1]]);
});

test('types of users have their names', async () => {
  await db.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS int CHECK (VALUE < 10)");
  const { columns, rows } = await db.query("SELECT 'ok'::mood AS a, ARRAY['sad'::mood] AS b, 3::small AS c");
  assert.deepEqual(rows, [{ a: 'ok', b: ['sad'], c: 3 }]);
  assert.deepEqual(
    columns.map(({ type }) => type),
    ['mood', 'mood[]', 'integer'],
  );
  await db.query('ALTER TYPE mood RENAME TO feeling');
  assert.equal((await db.query("SELECT 'ok'::feeling")).columns[0].type, 'feeling');
});

test('a script runs statement by statement', async () => {
  const results = await db.execute(`
    -- a comment; with a semicolon
    CREATE TABLE scripted (a int);
    INSERT INTO scripted VALUES (1); BEGIN; INSERT INTO scripted VALUES (2); COMMIT;
    SELECT 'a;b' AS x;
  `);
  assert.deepEqual(
    results.map(({ command }) => command),
    ['CREATE TABLE', 'INSERT', 'BEGIN', 'INSERT', 'COMMIT', 'SELECT'],
  );
  assert.deepEqual(results[5].rows, [{ x: 'a;b' }]);
  assert.deepEqual(await db.execute(' ; '), []);
  const script = "INSERT INTO scripted VALUES (3); SELECT 'ü'; SELECT nothing FROM scripted; SELECT 1";
  const error = await failureOf(db.execute(script));
  assert.deepEqual([error.code, error.position], ['42703', [...script].join('').indexOf('nothing') + 1]);
  assert.equal(await value('SELECT count(*) FROM scripted'), 3n);
  // A text that does not parse runs not at all.
  assert.equal((await failureOf(db.execute('INSERT INTO scripted VALUES (4); SELEC 1'))).code, '42601');
  assert.equal(await value('SELECT count(*) FROM scripted'), 3n);
  assert.equal(
    (await failureOf(db.execute('BEGIN; INSERT INTO scripted VALUES (5); SELECT 1/0; COMMIT'))).code,
    '22012',
  );
  assert.equal(await value('SELECT count(*) FROM scripted'), 3n);
});

test('a transaction is not begun or left by query()', async () => {
  assert.equal((await failureOf(db.query('BEGIN'))).code, '25001');
  assert.equal((await failureOf(db.execute('BEGIN; SELECT 1'))).code, '25001');
  assert.equal((await failureOf(db.query('SUBSCRIBE counted'))).code, '0A000');
  assert.equal((await failureOf(db.query('/* x */ -- y\n subscribe counted'))).code, '0A000');
  assert.equal((await failureOf(db.query('COPY counted FROM STDIN'))).code, '0A000');
  assert.equal((await failureOf(db.query('COPY counted TO STDOUT'))).code, '0A000');
  assert.equal(await value('SELECT 1'), 1);
});

test("settings and temporary tables are the session's", async () => {
  await db.query("SET TimeZone = 'Asia/Tokyo'");
  assert.equal(await value("SELECT '2024-01-01 00:00:00+00'::timestamptz"), '2024-01-01 09:00:00+09');
  await db.query('RESET TimeZone');
  await db.query('CREATE TEMPORARY TABLE mine (a int)');
  assert.equal((await db.insert('mine', [{ a: 1 }])).rowCount, 1);
  assert.equal(await value('SELECT a FROM mine'), 1);
});

test('a session that was ended from outside is opened again', async () => {
  assert.equal((await failureOf(db.query('SELECT pg_terminate_backend(pg_backend_pid())'))).code, '57P01');
  assert.equal(await value('SELECT 1'), 1);
});

test('insert', async (t) => {
  await db.execute(`CREATE TABLE goods (
    id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'none', tags text[], doc jsonb, docs jsonb[],
    twice int GENERATED ALWAYS AS (id * 2) STORED)`);

  await t.test('one tick, with DEFAULT where a row has no column', async () => {
    const { tick } = await db.query('SELECT 1');
    const done = await db.insert('goods', [
      { id: 100, name: 'a' },
      { name: 'b\t\\\n\r' },
      {},
      { name: 'c', tags: undefined },
    ]);
    assert.deepEqual(done, { rowCount: 4, tick: tick + 1n });
    const { rows } = await db.query('SELECT name, count(*) AS n FROM goods GROUP BY name ORDER BY name');
    assert.deepEqual(rows, [
      { name: 'a', n: 1n },
      { name: 'b\t\\\n\r', n: 1n },
      { name: 'c', n: 1n },
      { name: 'none', n: 1n },
    ]);
  });

  await t.test('arrays are arrays, or JSON in columns of JSON', async () => {
    await db.insert('goods', [{ id: 50, tags: ['x', null, '\\N'], doc: [1, { a: null }], docs: [{ b: 1 }] }]);
    const { rows } = await db.query('SELECT tags, doc, docs FROM goods WHERE id = 50');
    assert.deepEqual(rows, [{ tags: ['x', null, '\\N'], doc: [1, { a: null }], docs: [{ b: 1 }] }]);
  });

  await t.test('all rows or none', async () => {
    const before = await value('SELECT count(*) FROM goods');
    const cases: [rows: object[], code: string, where?: RegExp][] = [
      [[{ id: 60 }, { id: 'x' }], '22P02', /line 2, column id/],
      [[{ id: 61, name: 'x' }, { id: 50 }], '23505'],
      [[{ id: 61, name: null }], '23502'],
      [[{ id: 61, nothing: 1 }], '42703'],
      [[{ id: 61 }, { id: 62, name: 'x', nothing: 1 }], '42703'],
      [[{ id: 61, twice: 1 }], '42P10'],
      [[{ id: 61, name: () => 1 }], '22023', /row 1, column name/],
      [[{ id: 61 }, { id: 62, name: 'a\0' }], '22021'],
    ];
    for (const [rows, code, where] of cases) {
      const error = await failureOf(db.insert('goods', rows));
      assert.equal(error.code, code, JSON.stringify(rows));
      assert.equal(error.position, undefined);
      if (where !== undefined) assert.match(error.where ?? '', where);
    }
    for (const rows of [[1], [null], [[1]]])
      assert.equal((await failureOf(db.insert('goods', rows as unknown as object[]))).code, '22023');
    assert.equal(await value('SELECT count(*) FROM goods'), before);
    const error = await failureOf(db.insert('goods', [{ id: 50 }]));
    assert.deepEqual(
      [error.table, error.constraint, error.detail],
      ['goods', 'goods_pkey', 'Key (id)=(50) already exists.'],
    );
  });

  await t.test('names are SQL', async () => {
    await db.execute('CREATE SCHEMA shop; CREATE TABLE shop."Odd ""name" (a int); CREATE TABLE "select" (a int)');
    assert.equal((await db.insert('Shop."Odd ""name"', [{ a: 1 }])).rowCount, 1);
    assert.equal((await db.insert('select', [{ a: 1 }])).rowCount, 1);
    assert.equal((await db.insert('select', [])).rowCount, 0);
    assert.equal((await failureOf(db.insert('nowhere', []))).code, '42P01');
    for (const name of ['', 'a.b.c', 'goods; DROP TABLE goods', 'goods (id)', '"a', '1a'])
      assert.equal((await failureOf(db.insert(name, [{ id: 1 }]))).code, '42602', name);
  });

  await t.test('many rows', async () => {
    await db.query('CREATE TABLE many (id int PRIMARY KEY, text text)');
    const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, text: `ü${id}` }));
    assert.equal((await db.insert('many', rows)).rowCount, 50_000);
    assert.equal(await value("SELECT count(DISTINCT text) FROM many WHERE text = 'ü' || id"), 50_000n);
  });
});

test('delete', async () => {
  await db.execute(
    "CREATE TABLE gone (a int, b text, PRIMARY KEY (a, b)); INSERT INTO gone VALUES (1, 'x'), (1, 'y'), (2, 'x')",
  );
  const { tick } = await db.query('SELECT 1');
  assert.deepEqual(
    await db.delete('gone', [
      { a: 1, b: 'x' },
      { b: 'x', a: 2 },
      { a: 9, b: 'x' },
    ]),
    { rowCount: 2, tick: tick + 1n },
  );
  assert.deepEqual((await db.query('SELECT * FROM gone')).rows, [{ a: 1, b: 'y' }]);
  assert.equal((await failureOf(db.delete('gone', [{ a: 1 }, {}]))).code, '22023');
  assert.equal((await failureOf(db.delete('gone', [{ a: 1 }, { c: 1 }]))).code, '42703');
  assert.equal((await db.delete('gone', [])).rowCount, 0);
  assert.deepEqual((await db.query('SELECT * FROM gone')).rows, [{ a: 1, b: 'y' }]);
});

test('transactions', async (t) => {
  await db.query('CREATE TABLE accounts (id int PRIMARY KEY, balance int)');
  await db.insert('accounts', [
    { id: 1, balance: 10 },
    { id: 2, balance: 0 },
  ]);

  await t.test('are one tick, and nobody sees them before', async () => {
    const { tick } = await db.query('SELECT 1');
    const seen = await db.transaction(async (tx) => {
      await tx.query('UPDATE accounts SET balance = balance - $1 WHERE id = 1', [3]);
      await tx.insert('accounts', [{ id: 3, balance: 3 }]);
      await tx.delete('accounts', [{ id: 2 }]);
      const outside = await value('SELECT sum(balance) FROM accounts WHERE id <> 1');
      return [outside, (await tx.query('SELECT * FROM accounts ORDER BY id')).rows];
    });
    const rows = [
      { id: 1, balance: 7 },
      { id: 3, balance: 3 },
    ];
    assert.deepEqual(seen, [0n, rows]);
    const after = await db.query('SELECT * FROM accounts ORDER BY id');
    assert.deepEqual([after.rows, after.tick], [rows, tick + 1n]);
  });

  await t.test('are taken back when their work throws', async () => {
    const reason = new Error('no');
    const running = db.transaction(async (tx) => {
      await tx.query('DELETE FROM accounts');
      throw reason;
    });
    await assert.rejects(running, reason);
    assert.equal(await value('SELECT count(*) FROM accounts'), 2n);
  });

  await t.test('cannot commit what has failed', async () => {
    const running = db.transaction(async (tx) => {
      await tx.query('DELETE FROM accounts');
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    assert.equal((await failureOf(running)).code, '25P02');
    assert.equal(await value('SELECT count(*) FROM accounts'), 2n);
  });

  await t.test('have an end', async () => {
    const kept = await db.transaction(async (tx) => [tx]);
    assert.equal((await failureOf(kept[0].query('SELECT 1'))).code, '25P01');
    // What is called and not awaited belongs to it.
    let late: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      late = tx.query('INSERT INTO accounts VALUES (4, 0)');
    });
    await late;
    assert.equal(await value('SELECT count(*) FROM accounts'), 3n);
  });

  await t.test('conflict with another writer: 40001', async () => {
    const running = db.transaction(async (tx) => {
      await tx.query('SELECT * FROM accounts');
      await db.query('UPDATE accounts SET balance = 100 WHERE id = 1');
      await tx.query('UPDATE accounts SET balance = balance + 1 WHERE id = 1');
    });
    assert.equal((await failureOf(running)).code, '40001');
    assert.equal(await value('SELECT balance FROM accounts WHERE id = 1'), 100);
  });

  await t.test('make tables that go with them', async () => {
    const running = db.transaction(async (tx) => {
      await tx.query('CREATE TABLE open_one (a int, tags jsonb)');
      await tx.insert('open_one', [{ a: 1, tags: [1] }]);
      assert.deepEqual((await tx.query('SELECT * FROM open_one')).rows, [{ a: 1, tags: [1] }]);
      throw new Error('back');
    });
    await assert.rejects(running, /back/);
    assert.equal((await failureOf(db.query('SELECT * FROM open_one'))).code, '42P01');
  });
});

test('many at once run in the order in which they were called', async () => {
  await db.query('CREATE TABLE numbers (n int PRIMARY KEY)');
  const ticks = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      n % 2 === 0 ? db.insert('numbers', [{ n }]) : db.query('SELECT count(*)::int AS n FROM numbers'),
    ),
  );
  ticks.forEach((result, n) => {
    if (n > 0) assert.ok(result.tick >= ticks[n - 1].tick);
    if ('rows' in result) assert.deepEqual(result.rows, [{ n: (n + 1) / 2 }]);
  });
  const failed = await Promise.allSettled([db.query('SELECT 1/0'), db.query('SELECT 1 AS a')]);
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
});

test('transactions run beside each other', async () => {
  await db.query('CREATE TABLE beside (n int PRIMARY KEY)');
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      db.transaction(async (tx) => {
        await tx.insert('beside', [{ n }]);
        await tx.query('SELECT count(*) FROM beside');
      }),
    ),
  );
  assert.equal(await value('SELECT count(*) FROM beside'), 20n);
});

test('iterate gives rows as they are read', async () => {
  const sql = "SELECT g, repeat('x', 1000) AS x FROM generate_series(1, $1::int) g";
  let seen = 0;
  for await (const { g, x } of db.iterate<{ g: number; x: string }>(sql, [30_000])) {
    seen++;
    assert.equal(g, seen);
    assert.equal(x.length, 1000);
  }
  assert.equal(seen, 30_000);
  // Who stops early does not have the rest made: this one would take for ever.
  for await (const { g } of db.iterate('SELECT g FROM generate_series(1, 1000000000000) g')) if (g === 5n) break;
  assert.deepEqual(await db.iterate('SELECT 1 AS a WHERE false').next(), { done: true, value: undefined });
  assert.equal((await failureOf(db.iterate('SELECT 1/0').next())).code, '22012');
  const late = db.iterate('SELECT 10 / (g - 20000) AS a FROM generate_series(1, 30000) g');
  const failing = (async () => {
    for await (const _ of late);
  })();
  assert.equal((await failureOf(failing)).code, '22012');
  assert.equal(await value('SELECT count(*) FROM pg_stat_activity'), 1n);
});
