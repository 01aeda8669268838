/** The library: databases beside each other, their directories, their ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import threads from 'node:worker_threads';
import pg from 'pg';

/** Threads of databases, so that a test can end one as a fault would. */
const started: threads.Worker[] = [];
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    started.push(this);
  }
};
syncBuiltinESMExports();
const { open } = await import('tidemark');
const { failureOf } = await import('./failure.ts');

const folder = mkdtempSync(join(tmpdir(), 'tidemark-embed-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A program that uses the library, as a process of its own; gives its lines when it has ended by itself. */
async function program(text: string): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  return lines;
}

test('two databases do not see each other', async () => {
  const [a, b] = await Promise.all([
    open({ data: join(folder, 'a') }),
    open({ data: join(folder, 'b'), memoryLimit: '64MB' }),
  ]);
  try {
    for (const [db, n] of [
      [a, 1],
      [b, 2],
    ] as const) {
      await db.execute('CREATE TABLE t (n int); CREATE MATERIALIZED VIEW v AS SELECT sum(n) AS s FROM t');
      await Promise.all(Array.from({ length: 10 }, () => db.insert('t', [{ n }])));
    }
    const both = await Promise.all([a.query('SELECT * FROM v'), b.query('SELECT * FROM v')]);
    assert.deepEqual(
      both.map(({ rows }) => rows),
      [[{ s: 10n }], [{ s: 20n }]],
    );
    // The limit is that of one of them.
    const sql = 'INSERT INTO t SELECT g FROM generate_series(1, 5000000) g';
    assert.equal((await failureOf(b.query(sql))).code, '53200');
    assert.deepEqual((await b.query('SELECT * FROM v')).rows, [{ s: 20n }]);
    await b.close();
    assert.deepEqual((await a.query('SELECT * FROM v')).rows, [{ s: 10n }]);
  } finally {
    await a.close();
    await b.close();
  }
});

test('a data directory is opened once, and again when it is closed', async () => {
  const data = join(folder, 'once');
  const first = await open({ data });
  await first.execute('CREATE TABLE t (n int); INSERT INTO t VALUES (1)');
  const error = await failureOf(open({ data }));
  assert.equal(error.code, '55006');
  assert.match(error.hint ?? '', /Close/);
  // Who was refused lets nobody in.
  assert.equal((await failureOf(open({ data }))).code, '55006');
  assert.equal((await first.query('SELECT * FROM t')).rowCount, 1);
  await first.close();
  const second = await open({ data, clock: 'manual' });
  const { rows } = await second.query("SELECT n, now() > '2020-01-01' AS goes_on FROM t");
  assert.deepEqual(rows, [{ n: 1, goes_on: true }]);
  await second.close();
});

test('what was acknowledged is there after a kill', async () => {
  const data = join(folder, 'killed');
  const text = `
    import { open } from 'tidemark';
    const db = await open({ data: ${JSON.stringify(data)} });
    await db.execute('CREATE TABLE t (n int PRIMARY KEY); CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM t');
    for (let n = 1; ; n++) {
      await db.insert('t', [{ n }]);
      console.log(n);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === 50) child.kill('SIGKILL');
  }
  const db = await open({ data });
  try {
    const { rows } = await db.query<{ n: bigint }>('SELECT n FROM v');
    assert.ok(rows[0].n >= BigInt(acknowledged), `${rows[0].n} of ${acknowledged}`);
    assert.ok(rows[0].n <= BigInt(acknowledged + 1));
  } finally {
    await db.close();
  }
});

test('options that cannot be are refused', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const cases: [options: object, code: string, message: RegExp][] = [
    [{ memoryLimit: 'much' }, '22023', /^memoryLimit wants a size/],
    [{ memoryLimit: 1 }, '22023', /^memoryLimit must be between/],
    [{ clock: 'mine' }, '22023', /clock/],
    [{ kafka: 'none' }, '22023', /kafka/],
    [{ listen: 'nowhere' }, '22023', /^listen wants HOST:PORT/],
    [{ listen: '0.0.0.0:0' }, '0A000', /this machine/],
    [{ kafka: 'local', data: join(folder, 'no') }, '0A000', /no data directory/],
    [{ data: file }, '58030', /data directory/],
    [{ dta: folder }, '22023', /^open\(\) has no option "dta"$/],
    [folder as unknown as object, '22023', /as an object/],
    [null as unknown as object, '22023', /as an object/],
    [{ data: '' }, '22023', /^data is/],
    [{ data: new URL('file:///x') }, '22023', /^data is/],
    [{ log: 'x' }, '22023', /^log is/],
  ];
  for (const [options, code, message] of cases) {
    const error = await failureOf(open(options));
    assert.equal(error.code, code, JSON.stringify(options));
    assert.match(error.message, message);
  }
});

test('Postgres clients come in where they are let', async () => {
  const db = await open({ listen: '127.0.0.1:0' });
  const { address } = db;
  assert.ok(address !== null && address.port > 0);
  await db.execute('CREATE TABLE t (n int)');
  const client = new pg.Client({ ...address, user: 'someone', database: 'any' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('INSERT INTO t VALUES (1)');
  assert.deepEqual((await db.query('SELECT n FROM t')).rows, [{ n: 1 }]);
  const ended = new Promise((resolve) => client.once('end', resolve));
  await db.close();
  await ended;
  assert.equal((await open().then(async (other) => [other.address, await other.close()]))[0], null);
});

test('close() ends what waits and what runs', async () => {
  const db = await open();
  await db.query('CREATE TABLE t (n int)');
  const changes = db.subscribe('t');
  await changes.next();
  const waiting = changes.next();
  const iterating = db.iterate('SELECT g FROM generate_series(1, 1000000000000) g');
  await iterating.next();
  const running = failureOf(db.transaction((tx) => tx.query('SELECT pg_sleep(1000)')));
  const behind = failureOf(db.query('SELECT pg_sleep(1000)'));
  await db.close();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.equal((await running).code, '57P01');
  assert.equal((await behind).code, '57P01');
  assert.equal(
    (
      await failureOf(
        (async () => {
          for await (const _ of iterating);
        })(),
      )
    ).code,
    '57P01',
  );
  const calls = [
    db.query('SELECT 1'),
    db.insert('t', []),
    db.transaction(async () => 1),
    db.clock.now(),
    db.iterate('SELECT 1').next(),
  ];
  for (const call of calls) assert.equal((await failureOf(call)).code, '57P01');
  assert.deepEqual(await db.subscribe('t').next(), { done: true, value: undefined });
  await db.close();
});

test('a thread that fails fails what waits, and the directory can be opened again', async () => {
  const data = join(folder, 'failed');
  const lines: string[] = [];
  const db = await open({ data, log: (level, message) => lines.push(`${level} ${message}`) });
  await db.execute('CREATE TABLE t (n int); INSERT INTO t VALUES (1)');
  const changes = db.subscribe('t', { snapshot: false });
  const waiting = failureOf(changes.next());
  const running = failureOf(db.query('SELECT pg_sleep(1000)'));
  await started[started.length - 1].terminate();
  for (const error of [await waiting, await running, await failureOf(db.query('SELECT 1'))]) {
    assert.equal(error.code, '58000');
    assert.match(error.message, /^the database has failed/);
  }
  await db.close();
  const again = await open({ data });
  assert.deepEqual((await again.query('SELECT n FROM t')).rows, [{ n: 1 }]);
  await again.close();
});

test('a process ends by itself when its databases are closed', async () => {
  const lines = await program(`
    import { open } from 'tidemark';
    const db = await open({ listen: '127.0.0.1:0', data: ${JSON.stringify(join(folder, 'ends'))} });
    await db.execute("CREATE TABLE t (n int); CREATE MATERIALIZED VIEW v AS SELECT n FROM t WHERE now() < '2100-01-01'");
    const changes = db.subscribe('v');
    await changes.next();
    const waiting = changes.next();
    await db.close();
    await waiting;
    await open({ listen: '0.0.0.0:0' }).catch((error) => console.log(error.code));
    await open({ data: 5 }).catch((error) => console.log(error.code));
    const other = await open({ listen: '127.0.0.1:0' });
    await open({ listen: '127.0.0.1:' + other.address.port }).catch((error) => console.log(error.code));
    await other[Symbol.asyncDispose]();
    // What this process prints through is its own.
    console.log(process.getActiveResourcesInfo().filter((name) => !/^Pipe|^TTY/.test(name)).join());
  `);
  assert.deepEqual(lines, ['0A000', '22023', '58030', '']);
});
