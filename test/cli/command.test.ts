/** The `tidemark` command as people use it: help, errors, a server that starts, answers, and ends at a signal; the packed tarball. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { Script } from 'node:vm';
import pg from 'pg';
import { bin, ended, root, startCommand } from './started_command.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });

test('help, version, and what is wrong with a command line', () => {
  assert.match(run('--help').stdout, /Usage:\n {2}tidemark start/);
  const { version } = JSON.parse(
    execFileSync(process.execPath, ['-p', "JSON.stringify(require('./package.json'))"], {
      cwd: root,
      encoding: 'utf8',
    }),
  );
  assert.equal(run('--version').stdout, `tidemark ${version}\n`);
  for (const [args, message] of [
    [['stat'], 'unknown command "stat"'],
    [['start', '--lisen', 'x'], "Unknown option '--lisen'"],
    [['start', '--listen', 'nowhere'], '--listen wants HOST:PORT'],
    [['demo', '--init', 'x.sql'], '--init are for start'],
    [[], 'say what to do'],
  ] as const) {
    const result = run(...args);
    assert.equal(result.status, 2);
    assert.ok(result.stderr.includes(message), result.stderr);
    assert.ok(result.stderr.includes("Try 'tidemark --help'"), result.stderr);
  }
  const missing = run('start', '--listen', '127.0.0.1:0', '--init', join(folder, 'missing.sql'));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /cannot read --init file/);
});

test('V8 takes the code that was compiled when it was built', () => {
  for (const program of ['main.cjs', 'worker.cjs']) {
    const filename = join(root, 'dist', program);
    const cachedData = readFileSync(`${filename}.code`);
    const { cachedDataRejected } = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
    assert.equal(cachedDataRejected, false, program);
  }
});

async function query(port: number, text: string): Promise<unknown[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'anyone', database: 'anything' });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test('start runs --init, answers, and ends at SIGTERM', { timeout: 120_000 }, async () => {
  const init = join(folder, 'init.sql');
  writeFileSync(
    init,
    'CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);\nCREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM t;',
  );
  const data = join(folder, 'data');
  const command = [bin, 'start', '--listen', '127.0.0.1:0', '--init', init, '--data', data];
  let server = await startCommand(folder, process.execPath, command);
  assert.deepEqual(await query(server.port, 'SELECT s FROM v'), [{ s: '3' }]);
  await query(server.port, 'INSERT INTO t VALUES (10)');
  const second = run('start', '--listen', '127.0.0.1:0', '--data', data);
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`in use by process ${server.child.pid}\n`));
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const done = ended(server.child);
    server.child.kill(signal);
    assert.equal(await done, signal === 'SIGKILL' ? null : 0);
    if (signal === 'SIGTERM') break;
    // The same command again: nothing is lost, and the script is not run twice.
    server = await startCommand(folder, process.execPath, command);
    assert.deepEqual(await query(server.port, 'SELECT s FROM v'), [{ s: '13' }]);
  }
});

test('a login that ends, and a log that nobody reads any more, end no server', { timeout: 120_000 }, async () => {
  const args = [bin, 'start', '--listen', '127.0.0.1:0', '--data', join(folder, 'outlives')];
  const { child, port, output } = await startCommand(folder, process.execPath, args);
  child.kill('SIGHUP');
  while (!output().includes('SIGHUP')) await once(child.stderr as Readable, 'data');
  child.stderr?.destroy();
  child.kill('SIGHUP');
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'a' });
  await client.connect();
  await client.query('CREATE TABLE t AS SELECT 1 AS a');
  await client.end();
  const done = ended(child);
  child.kill('SIGTERM');
  assert.equal(await done, 0);
  const again = await startCommand(folder, process.execPath, args);
  assert.match(again.output(), /the last server ended in order/);
  again.child.kill('SIGTERM');
  await ended(again.child);
});

test('several --init files run in order, each once', { timeout: 120_000 }, async () => {
  const files = ['tables.sql', 'views.sql'].map((name) => join(folder, name));
  const init = files.flatMap((file) => ['--init', file]);
  const command = ['start', '--listen', '127.0.0.1:0', ...init, '--data', join(folder, 'several')];
  writeFileSync(files[0], 'CREATE TABLE t (a int); INSERT INTO t VALUES (1);');
  writeFileSync(files[1], 'CREATE MATERIALIZED VIEW v AS SELECT sum(b) AS s FROM t;');
  const failed = run(...command);
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /--init \S+views\.sql, line 1: column "b" does not exist/);
  writeFileSync(files[1], 'CREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM t;');
  const server = await startCommand(folder, process.execPath, [bin, ...command]);
  assert.deepEqual(await query(server.port, 'SELECT s FROM v'), [{ s: '1' }]);
  const done = ended(server.child);
  server.child.kill('SIGTERM');
  assert.equal(await done, 0);
});

test('a bad --init file says where', () => {
  const init = join(folder, 'bad.sql');
  writeFileSync(init, 'CREATE TABLE t (a int);\nSELECT * FROM nothing;\n');
  const result = run('start', '--listen', '127.0.0.1:0', '--init', init, '--data', join(folder, 'bad'));
  assert.equal(result.status, 1);
  assert.match(result.stderr, /--init \S+bad\.sql, line 2: relation "nothing" does not exist/);
  writeFileSync(init, "SELECT 'é';\n\nSELEC 1;\n");
  const unparsed = run('start', '--listen', '127.0.0.1:0', '--init', init, '--data', join(folder, 'unparsed'));
  assert.equal(unparsed.status, 1);
  assert.match(unparsed.stderr, /--init \S+bad\.sql, line 3: syntax error at or near "SELEC"/);
});

test('an error shows its hint', () => {
  const init = join(folder, 'hint.sql');
  writeFileSync(init, 'SELECT nothing(1);\n');
  const result = run('start', '--listen', '127.0.0.1:0', '--init', init, '--data', join(folder, 'hint'));
  assert.equal(result.status, 1);
  assert.match(
    result.stderr,
    /^tidemark: --init \S+hint\.sql, line 1: function nothing\(integer\) does not exist\nHINT: {2}No function/m,
  );
});

test('a data directory that cannot be made is an error at once', () => {
  const result = run('start', '--listen', '127.0.0.1:0', '--data', join(folder, 'bad.sql', 'data'));
  assert.equal(result.status, 1);
  assert.match(result.stderr, /cannot make the data directory ".*": ENOTDIR/);
});

test('an address that cannot be had is named, with what to do', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const at = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  for (const [whom, options] of [
    ['Postgres clients', ['--listen', at]],
    ['HTTP', ['--listen', '127.0.0.1:0', '--http', at]],
    ['metrics', ['--listen', '127.0.0.1:0', '--metrics', at]],
  ] as const) {
    const result = run('start', ...options, '--data', join(folder, 'taken'));
    assert.equal(result.status, 1);
    assert.ok(result.stderr.includes(`tidemark: cannot listen on ${at} for ${whom}: listen EADDRINUSE`), result.stderr);
    assert.match(result.stderr, /^HINT: {2}Another process listens there/m);
  }
  taken.close();
});

test('the demo shows live rows and ends at Ctrl-C', { timeout: 120_000 }, async () => {
  const server = await startCommand(folder, process.execPath, [bin, 'demo', '--listen', '127.0.0.1:0']);
  const until = Date.now() + 60_000;
  for (;;) {
    const [row] = (await query(
      server.port,
      'SELECT count(*)::int AS n, sum(bids)::int AS bids FROM bids_per_channel',
    )) as { n: number; bids: number | null }[];
    if (row.n > 3 && (row.bids ?? 0) > 1000 && /events\/s/.test(server.output())) break;
    assert.ok(Date.now() < until, 'no bids came');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const done = ended(server.child);
  server.child.kill('SIGINT');
  assert.equal(await done, 0);
  assert.match(server.output(), /events\/s/);
});

test('the packed tarball runs by npx', { timeout: 300_000 }, async () => {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(folder).find((f) => f.endsWith('.tgz'));
  assert.ok(tarball);
  const home = join(folder, 'home');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', home, join(folder, tarball)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  assert.match(
    execFileSync('npx', ['--prefix', home, 'tidemark', '--version'], { encoding: 'utf8', cwd: home }),
    /^tidemark \d/,
  );
  const server = await startCommand(folder, join(home, 'node_modules', '.bin', 'tidemark'), [
    'start',
    '--listen',
    '127.0.0.1:0',
  ]);
  assert.deepEqual(await query(server.port, 'SELECT 6 * 7 AS answer'), [{ answer: 42 }]);
  assert.ok(readdirSync(folder).includes('tidemark-data'));
  const done = ended(server.child);
  server.child.kill('SIGTERM');
  assert.equal(await done, 0);
});
