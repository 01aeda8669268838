/** Who may ask: passwords, rights, TLS, hosts, origins; and what is no request. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { TlsFiles } from '../../src/cli/tls.ts';
import { Authority, noOpenssl } from '../../src/postgres/testing/certificates.ts';
import { until } from '../clients/server.ts';
import { ask, EventReader, type HttpServerForTest, post, startHttp } from './http_client.ts';

const options = { timeout: 60_000 };
let open: HttpServerForTest;
let closed: HttpServerForTest;

const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

before(async () => {
  open = await startHttp();
  closed = await startHttp({ auth: 'scram', password: 'first secret' });
  const admin = new pg.Client({ ...closed.config, user: 'tidemark', password: 'first secret' });
  await admin.connect();
  await admin.query(`CREATE TABLE seen (a int); CREATE TABLE hidden (a int);
    CREATE ROLE reader LOGIN PASSWORD 'p\u00e4ss:word'; GRANT SELECT ON seen TO reader;
    CREATE ROLE nobody NOLOGIN PASSWORD 'x'; CREATE ROLE late LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01'`);
  await admin.end();
});
after(async () => {
  await open.close();
  await closed.close();
});

test('with passwords nobody comes in without one, and a role has its rights', options, async () => {
  const none = await post(closed, 'SELECT 1');
  assert.equal(none.status, 401);
  assert.equal(none.headers['www-authenticate'], 'Basic realm="tidemark", charset="UTF-8"');
  for (const [user, password] of [
    ['tidemark', 'wrong'],
    ['reader', ''],
    ['stranger', 'x'],
    ['late', 'x'],
  ]) {
    const wrong = await post(closed, 'SELECT 1', { headers: basic(user, password) });
    assert.deepEqual([wrong.status, wrong.json.error.sqlstate], [401, '28P01'], user);
  }
  assert.equal((await post(closed, 'SELECT 1', { headers: basic('nobody', 'x') })).status, 403);
  const headers = basic('reader', 'p\u00e4ss:word');
  const who = await post(closed, 'SELECT current_user, session_user, count(*) FROM seen', { headers });
  assert.deepEqual(who.json.rows, [['reader', 'reader', '0']]);
  const hidden = await post(closed, 'SELECT * FROM hidden', { headers });
  assert.deepEqual([hidden.status, hidden.json.error.sqlstate], [403, '42501']);
  assert.equal((await post(closed, 'INSERT INTO seen VALUES (1)', { headers })).status, 403);
  const followed = await ask(closed, '/subscribe?sql=TABLE%20hidden', { headers });
  assert.equal(followed.status, 403);
  const reader = new EventReader(
    await import('./http_client.ts').then(({ open }) => open(closed, '/subscribe?sql=TABLE%20seen', { headers })),
  );
  await until('the rows', () => reader.events.length === 2);
  reader.close();
});

test('with passwords: the page and the metrics ask, probes do not and name nothing', options, async () => {
  for (const path of ['/', '/metrics']) {
    assert.equal((await ask(closed, path)).status, 401, path);
    assert.equal((await ask(closed, path, { headers: basic('reader', 'wrong') })).status, 401, path);
    assert.equal((await ask(closed, path, { headers: basic('tidemark', 'first secret') })).status, 200, path);
  }
  const ready = await ask(closed, '/health/ready');
  assert.equal(ready.status, 200);
  assert.deepEqual(Object.keys(ready.json).sort(), ['heldSources', 'status', 'stoppedSinks', 'tick', 'writable']);
  assert.equal((await ask(closed, '/health/live')).status, 200);
});

test('a body is not read before the login', options, async () => {
  const head = `POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n`;
  // Of the body nothing ever comes.
  assert.match(await say(closed, `${head}\r\n`, true), /^HTTP\/1\.1 401 /);
  const wrong = `Authorization: ${basic('tidemark', 'wrong').Authorization}\r\n`;
  assert.match(await say(closed, `${head}${wrong}\r\n`, true), /^HTTP\/1\.1 401 /);
});

test('sessions are seen, with their client', options, async () => {
  const { json } = await post(open, 'SELECT application_name, client_addr, usename, state FROM pg_stat_activity');
  assert.deepEqual(json.rows, [['http', '127.0.0.1', 'tidemark', 'active']]);
});

test('pages of others get nothing: Host, Origin, no CORS', options, async () => {
  assert.equal((await post(open, 'SELECT 1', { headers: { Host: 'evil.example' } })).status, 421);
  assert.equal((await ask(open, '/', { headers: { Host: 'evil.example' } })).status, 421);
  assert.equal((await post(open, 'SELECT 1', { headers: { Origin: 'http://evil.example' } })).status, 403);
  assert.equal((await post(open, 'SELECT 1', { headers: { Origin: 'null' } })).status, 403);
  assert.equal((await post(open, 'SELECT 1', { headers: { Origin: open.base } })).status, 200);
  assert.equal(
    (
      await post(closed, 'SELECT 1', {
        headers: { ...basic('tidemark', 'first secret'), Origin: 'http://evil.example' },
      })
    ).status,
    403,
  );
  const preflight = await ask(open, '/query', { method: 'OPTIONS', headers: { Origin: 'http://evil.example' } });
  assert.equal(preflight.status, 403);
  const { headers } = await post(open, 'SELECT 1');
  assert.equal(Object.keys(headers).filter((name) => name.startsWith('access-control')).length, 0);
  assert.match(headers['content-security-policy'] as string, /^default-src 'none'; script-src 'self'/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-store');
});

test('paths, methods, types and sizes', options, async () => {
  assert.equal((await ask(open, '/nothing')).status, 404);
  assert.equal((await ask(open, '/console/..%2fhttp_server.ts')).status, 404);
  assert.equal((await ask(open, '/console/../../../package.json')).status, 404);
  const get = await ask(open, '/query');
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST']);
  assert.equal((await ask(open, '/', { method: 'HEAD' })).status, 200);
  assert.equal((await ask(open, '/subscribe?sql=SELECT%201', { method: 'HEAD' })).status, 405);
  const body = (type: string, text: string, more = {}) =>
    ask(open, '/query', { method: 'POST', headers: { 'Content-Type': type, ...more }, body: text });
  assert.equal((await body('application/x-www-form-urlencoded', 'sql=1')).status, 415);
  assert.equal((await body('text/plain; charset=latin1', 'SELECT 1')).status, 415);
  assert.equal((await body('text/plain; charset="utf-8"', 'SELECT 1')).status, 200);
  assert.equal((await body('application/json', '{')).status, 400);
  assert.equal((await body('text/plain', 'SELECT \0')).status, 400);
  const long = await body('text/plain', 'x'.repeat(17 * 1024 * 1024)).then(
    ({ status }) => status,
    // Cut off while it still sends.
    (error: NodeJS.ErrnoException) => error.code,
  );
  assert.ok(long === 413 || long === 'EPIPE' || long === 'ECONNRESET', String(long));
});

/** What the server says to bytes; `once`: its first words are enough. */
function say({ httpPort }: HttpServerForTest, text: string | Buffer, once = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(httpPort, '127.0.0.1', () => socket.write(text));
    let said = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      said += part;
      if (once) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}

test('what is no HTTP is refused, and the server goes on', options, async () => {
  assert.match(await say(open, '\x00\x01\x02\x03\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await say(open, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await say(open, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(
    await say(
      open,
      'POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ),
    /^HTTP\/1\.1 400 /,
  );
  assert.match(
    await say(open, 'GET http://[ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
  );
  assert.match(
    await say(open, 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
  );
  const piped = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(20);
  const last = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
  assert.equal((await say(open, piped + last)).match(/HTTP\/1\.1 200 OK/g)?.length, 21);
  assert.equal((await post(open, 'SELECT 1')).status, 200);
});

test('a request that does not come whole is cut off', { timeout: 60_000 }, async () => {
  assert.match(await say(open, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
});

test('who leaves in the midst of a body is no error of the server', options, async () => {
  const socket = connect(open.httpPort, '127.0.0.1');
  socket.write('POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nSELECT');
  await until('its session', () => open.sessions('http') === 1);
  socket.destroy();
  await until('its end', () => open.sessions('http') === 0);
});

test('more statements at once than there is room for are refused, and none is left', options, async () => {
  const gone = new AbortController();
  const sleeping = Array.from({ length: 200 }, () =>
    fetch(`${open.base}/query`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: 'SELECT pg_sleep(600)',
      signal: gone.signal,
    }),
  );
  await until('all run', () => open.sessions('http') === 200, 60_000);
  const refused = await post(open, 'SELECT 1');
  assert.deepEqual([refused.status, refused.json.error.sqlstate], [503, '53300']);
  assert.equal((await ask(open, '/health/ready')).status, 200);
  gone.abort();
  await Promise.allSettled(sleeping);
  await until('all sessions end', () => open.sessions('http') === 0);
  assert.equal((await post(open, 'SELECT 1')).status, 200);
});

test('https with the certificate of the Postgres clients, and with the next one', {
  ...options,
  skip: noOpenssl,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-https-'));
  const authority = new Authority(folder);
  const { certFile: cert, keyFile: key, cert: ca } = authority.sign('server');
  const tls = new TlsFiles({ cert, key, required: true }, (level, message) => {
    if (level === 'error') assert.fail(message);
  });
  const server = await startHttp({ tls });
  try {
    const { readFileSync } = await import('node:fs');
    const trusted = readFileSync(authority.certFile, 'utf8');
    assert.ok(ca.length > 0);
    const query = () =>
      new Promise<{ text: string; serial: string }>((resolve, reject) => {
        const asked = secureRequest(
          {
            host: '127.0.0.1',
            port: server.httpPort,
            path: '/query',
            method: 'POST',
            ca: trusted,
            agent: false,
            headers: { 'Content-Type': 'text/plain', Accept: 'text/csv' },
          },
          (response) => {
            const { serialNumber: serial } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
            let text = '';
            response.setEncoding('utf8').on('data', (part: string) => {
              text += part;
            });
            response.on('end', () => resolve({ text, serial }));
          },
        );
        asked.on('error', reject);
        asked.end(
          "SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'http'",
        );
      });
    const first = await query();
    assert.equal(first.text, 'ssl,version\nt,TLSv1.3\n');
    await assert.rejects(ask(server, '/health/live'), 'not in clear');
    authority.sign('server');
    await tls.readAgain('test');
    assert.notEqual((await query()).serial, first.serial);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
