/** TLS by the command line: what is wrong with the files ends the start, and SIGHUP or pg_reload_conf() has them read again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import { Authority, noOpenssl } from '../../src/postgres/testing/certificates.ts';
import { bin, ended, startCommand } from './started_command.ts';

const options = { skip: noOpenssl, timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const start = ['start', '--listen', '127.0.0.1:0', '--data', join(folder, 'data')];
const run = (...args: string[]) => spawnSync(process.execPath, [bin, ...start, ...args], { encoding: 'utf8' });

test('options that do not go together', () => {
  for (const [args, message] of [
    [['--tls-cert', 'x'], '--tls-cert and --tls-key go together'],
    [['--tls-key', 'x'], '--tls-cert and --tls-key go together'],
    [['--tls-required'], '--tls-required wants --tls-cert and --tls-key'],
  ] as const) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2);
    assert.ok(stderr.includes(message), stderr);
  }
});

test('files that cannot be used end the start and are named', options, () => {
  const authority = new Authority(folder);
  const [one, two] = [authority.sign('one'), authority.sign('two')];
  const nonsense = join(folder, 'nonsense.pem');
  writeFileSync(nonsense, 'no PEM at all');
  const locked = join(folder, 'locked.key');
  const made = spawnSync('openssl', ['pkey', '-in', one.keyFile, '-aes256', '-passout', 'pass:x', '-out', locked]);
  assert.equal(made.status, 0);
  const missing = join(folder, 'missing.pem');
  for (const [cert, key, message] of [
    [missing, one.keyFile, `cannot read --tls-cert file "${missing}": ENOENT`],
    [one.certFile, missing, `cannot read --tls-key file "${missing}": ENOENT`],
    [nonsense, one.keyFile, `--tls-cert: "${nonsense}" holds no certificate in PEM`],
    [one.certFile, nonsense, `--tls-key: "${nonsense}" holds no private key in PEM`],
    [one.certFile, locked, `--tls-key: the key in "${locked}" is encrypted`],
    [
      one.certFile,
      two.keyFile,
      `the key in "${two.keyFile}" is not that of the first certificate in "${one.certFile}"`,
    ],
  ]) {
    const { status, stderr } = run('--tls-cert', cert, '--tls-key', key);
    assert.equal(status, 1);
    assert.ok(stderr.includes(message), stderr);
  }
});

test(
  'SIGHUP and pg_reload_conf(): a new pair is used, a bad one is not and is said; the key that others can read is warned of',
  options,
  async () => {
    const authority = new Authority(folder, 'renewing');
    const ca = readFileSync(authority.certFile, 'utf8');
    const [cert, key] = [join(folder, 'live.crt'), join(folder, 'live.key')];
    const put = (name: string, keyOf = name) => {
      copyFileSync(authority.sign(name).certFile, cert);
      if (keyOf !== name) authority.sign(keyOf);
      copyFileSync(join(folder, `${keyOf}.key`), key);
      chmodSync(key, 0o600);
    };
    put('first');
    chmodSync(key, 0o644);
    const args = [bin, ...start, '--tls-cert', cert, '--tls-key', key];
    const server = await startCommand(folder, process.execPath, args);
    const said = async (what: string) => {
      const until = Date.now() + 30_000;
      while (!server.output().includes(what)) {
        assert.ok(Date.now() < until, server.output());
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await said('can be read by other users of this machine');
    const subject = async (more = 'SELECT 1') => {
      const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'a', ssl: { ca } });
      await client.connect();
      try {
        await client.query(more);
        assert.deepEqual((await client.query('SELECT ssl FROM pg_stat_ssl')).rows, [{ ssl: true }]);
        const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
        return stream.getPeerCertificate().subject.CN;
      } finally {
        await client.end();
      }
    };
    assert.equal(await subject(), 'first');
    put('second');
    server.child.kill('SIGHUP');
    await said('new clients see the TLS certificate');
    assert.equal(await subject(), 'second');
    put('asked for');
    assert.equal(await subject('SELECT pg_reload_conf()'), 'second');
    await said('pg_reload_conf(): new clients see the TLS certificate');
    assert.equal(await subject(), 'asked for');
    put('third', 'fourth');
    server.child.kill('SIGHUP');
    await said('the TLS certificate stays as it was: the key in');
    assert.equal(await subject(), 'asked for');
    const done = ended(server.child);
    server.child.kill('SIGTERM');
    assert.equal(await done, 0);
  },
);
