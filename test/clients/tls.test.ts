/** psql and node-postgres over TLS: modes, certificates, much data both ways, Ctrl-C. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { TlsFiles } from '../../src/cli/tls.ts';
import { Authority, noOpenssl } from '../../src/postgres/testing/certificates.ts';
import { type ClientServer, type Outcome, run, startProgram, startServer, until } from './server.ts';
import { findPsql, pathOf, skip } from './tools.ts';

const psql = await findPsql();
const options = { skip: skip(psql) || noOpenssl, timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-clients-'));
let server: ClientServer;
let authority: Authority;
let stranger: Authority;

before(async () => {
  if (noOpenssl !== false) return;
  authority = new Authority(folder);
  stranger = new Authority(folder, 'stranger');
  const { certFile: cert, keyFile: key } = authority.sign('server');
  const tls = new TlsFiles({ cert, key, required: true }, (_, message) => assert.fail(message));
  server = await startServer({ tls });
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const mode = (PGSSLMODE: string, root = authority.certFile) => ({
  ...server.env,
  PGSSLMODE,
  PGSSLROOTCERT: root,
  PGGSSENCMODE: 'disable',
});

function ask(env: NodeJS.ProcessEnv, text: string): Promise<Outcome> {
  return run(pathOf(psql), ['-X', '-q', '-A', '-t'], { env, input: text });
}

test('psql: require, verify-ca, verify-full; pg_stat_ssl says what psql says', options, async () => {
  for (const sslmode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
    const { stdout, stderr, code } = await ask(
      mode(sslmode),
      '\\conninfo\nselect ssl, version, cipher, bits from pg_stat_ssl where pid = pg_backend_pid(); show ssl;',
    );
    assert.equal(code, 0, stderr);
    const said = /SSL connection \(protocol: (TLSv1\.\d), cipher: (\S+), (?:bits: (\d+), )?compression: off\)/.exec(
      stdout,
    );
    assert.ok(said, stdout);
    const bits = said[3] ?? '256';
    assert.ok(stdout.endsWith(`t|${said[1]}|${said[2]}|${bits}\non\n`), stdout);
  }
});

test('psql: a certificate of a stranger, or of another host, is refused by the client', options, async () => {
  const { code, stderr } = await ask(mode('verify-full', stranger.certFile), 'select 1');
  assert.equal(code, 2);
  assert.match(stderr, /certificate verify failed/);
  const elsewhere = await ask({ ...mode('verify-full'), PGHOST: 'db.example', PGHOSTADDR: '127.0.0.1' }, 'select 1');
  assert.match(elsewhere.stderr, /does not match host name "db\.example"/);
});

test('psql: without TLS it is refused, where it must be', options, async () => {
  const { code, stderr } = await ask(mode('disable'), 'select 1');
  assert.equal(code, 2);
  assert.match(stderr, /FATAL: {2}connections without TLS are not allowed\nHINT: {2}Connect with sslmode=require/);
});

test('psql: a million rows in and out are the same bytes', options, async () => {
  const rows = join(folder, 'rows.txt');
  const back = join(folder, 'back.txt');
  const lines = Array.from({ length: 1_000_000 }, (_, i) => `${i}\ttext of row ${i}\t${i / 8}\n`);
  writeFileSync(rows, lines.join(''));
  const { code, stderr } = await ask(
    mode('verify-full'),
    `create table much (id int primary key, name text, half float8);
    \\copy much from '${rows}'
    \\copy (select * from much order by id) to '${back}'`,
  );
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.ok(readFileSync(back).equals(readFileSync(rows)));
});

test('psql: Ctrl-C cancels a query', options, async () => {
  const env = { ...mode('require'), PGAPPNAME: 'waiter' };
  const program = startProgram(pathOf(psql), ['-X', '-q', '-A', '-t'], { env });
  program.child.stdin?.write('\\set ON_ERROR_STOP 0\nselect pg_sleep(1000);\n');
  await until('the query runs', () =>
    server.running.postgres.sessions().some((s) => s.applicationName === 'waiter' && s.state === 'active'),
  );
  program.child.kill('SIGINT');
  await until('the error', () => program.stderr().includes('canceling statement due to user request'));
  program.child.stdin?.end();
  await program.ended;
  await until('the session is gone', () => server.sessions('waiter') === 0);
});

test('node-postgres: verifies, reads much, is refused without', options, async () => {
  const ca = readFileSync(authority.certFile, 'utf8');
  const client = new pg.Client({ ...server.config, ssl: { ca } });
  await client.connect();
  const { rows } = await client.query("select n, repeat('x', 200) as t from generate_series(1, 50000) n");
  assert.equal(rows.length, 50_000);
  assert.ok(rows.every(({ n, t }, i) => n === i + 1 && t === 'x'.repeat(200)));
  await client.end();
  const wrong = new pg.Client({ ...server.config, ssl: { ca: readFileSync(stranger.certFile, 'utf8') } });
  await assert.rejects(wrong.connect(), /certificate/);
  const plain = new pg.Client(server.config);
  await assert.rejects(plain.connect(), { code: '28000' });
});
