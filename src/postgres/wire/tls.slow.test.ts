/** Clients over TLS: how it begins, what must not begin it, and that all else is as without. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { serialize } from 'pg-protocol';
import type { Datum } from '../../../operators/datum.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { OID } from '../../../operators/types.ts';
import { Authority, noOpenssl, type SignedPair } from '../testing/certificates.ts';
import { TEXT_COPY } from '../testing/fake_engine.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { errorFields, int32, startupPacket, WireClient } from '../testing/wire_client.ts';

const SEED = testSeed();
const SSL = int32(8, 80877103);
const GSSENC = int32(8, 80877104);
const options = { skip: noOpenssl, timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));

let pair: SignedPair;
let other: SignedPair;
let ca: string;
let harness: Harness;
const much: Datum[][] = Array.from({ length: 20_000 }, (_, i) => [i, 'x'.repeat(1000)]);

before(async () => {
  if (noOpenssl !== false) return;
  const authority = new Authority(folder);
  ca = readFileSync(authority.certFile, 'utf8');
  pair = authority.sign('first');
  other = authority.sign('second');
  harness = await startHarness({ tls: pair });
  const { engine } = harness;
  engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  engine.rows('select much', {
    columns: [
      ['i', OID.int4],
      ['t', OID.text],
    ],
    rows: much,
  });
  engine.waits('select wait');
  engine.copyIn('copy t from stdin', [['a', OID.int4]], TEXT_COPY);
});
after(async () => {
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Secured {
  client: WireClient;
  tls: TLSSocket;
  /** Below TLS. */
  raw: Socket;
}

/** A handshake over a fresh connection; rejects when it fails. */
async function secured(to: Harness, tlsOptions: ConnectionOptions = {}, direct = false): Promise<Secured> {
  const plain = await WireClient.open(to.server.port);
  if (!direct) {
    plain.send(SSL);
    assert.equal((await plain.raw(1)).toString(), 'S');
  }
  const raw = plain.socket;
  raw.removeAllListeners('data');
  const tls = connectTls({
    socket: through(raw),
    ca,
    servername: 'localhost',
    ALPNProtocols: ['postgresql'],
    ...tlsOptions,
  });
  await new Promise<void>((resolve, reject) => {
    tls.once('secureConnect', resolve);
    tls.once('error', reject);
    tls.once('close', () => reject(new Error('the server has closed')));
  });
  return { client: new WireClient(tls), tls, raw };
}

/** So that a test may write to the socket below by itself. */
function through(raw: Socket): Duplex {
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => raw.resume(),
    write: (chunk, _, done) => void raw.write(chunk, () => done()),
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on('data', (chunk) => {
    if (!stream.push(chunk)) raw.pause();
  });
  raw.on('end', () => stream.push(null));
  raw.on('close', () => stream.destroy());
  return stream;
}

async function started(to: Harness, tlsOptions: ConnectionOptions = {}, direct = false): Promise<Secured> {
  const made = await secured(to, tlsOptions, direct);
  made.client.send(startupPacket());
  for (const { type, body } of await made.client.messagesUntil('Z')) {
    if (type !== 'K') continue;
    made.client.pid = body.readInt32BE(0);
    made.client.secret = body.subarray(4);
  }
  return made;
}

async function answers(client: WireClient): Promise<void> {
  client.send(serialize.query('select 1'));
  assert.deepEqual(await client.until('Z'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
}

async function gone(to: Harness, pid: number): Promise<void> {
  for (let i = 0; i < 2500 && to.server.session(pid) !== null; i++) await sleep(2);
  assert.equal(to.server.session(pid), null);
}

test('by SSLRequest and directly, TLS 1.2 and 1.3; sessions and SHOW ssl say so', options, async () => {
  for (const direct of [false, true])
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { client, tls } = await started(harness, { minVersion: version, maxVersion: version }, direct);
      await answers(client);
      const state = harness.server.session(client.pid)?.info().tls;
      const bits = version === 'TLSv1.2' ? 128 : 256;
      assert.deepEqual(state, { version, cipher: tls.getCipher().name, bits });
      client.send(serialize.query('show ssl'));
      assert.ok((await client.until('Z')).includes('D on'));
      client.send(serialize.query('select much'));
      const rows = (await client.until('Z')).slice(1, -2);
      assert.deepEqual(
        rows,
        much.map((row) => `D ${row.join('|')}`),
      );
      client.send(serialize.end());
      assert.deepEqual(await client.untilClosed(), []);
    }
});

test('a client without TLS is let in, and one that asks for GSSAPI first', options, async () => {
  const plain = await harness.client();
  await answers(plain);
  assert.equal(harness.server.session(plain.pid)?.info().tls, null);
  const first = await WireClient.open(harness.server.port);
  first.send(GSSENC);
  assert.equal((await first.raw(1)).toString(), 'N');
  first.send(SSL);
  assert.equal((await first.raw(1)).toString(), 'S');
  first.close();
});

test('bytes that came in clear with the request are refused', options, async () => {
  for (const smuggled of [startupPacket(), Buffer.from([0x16, 3, 1]), serialize.query('drop table t')]) {
    const client = await WireClient.open(harness.server.port);
    client.send(SSL, smuggled);
    const message = await client.message();
    assert.equal(message?.type, 'E');
    const said = errorFields(message as NonNullable<typeof message>);
    assert.equal(said.get('M'), 'received unencrypted data after SSL request');
    assert.match(said.get('D') ?? '', /man-in-the-middle/);
    assert.deepEqual(await client.untilClosed(), []);
  }
});

test('ALPN: another protocol is no PostgreSQL, and a direct client must name it', options, async () => {
  await assert.rejects(secured(harness, { ALPNProtocols: ['http/1.1'] }), /no.application.protocol/i);
  await assert.rejects(secured(harness, { ALPNProtocols: ['http/1.1'] }, true), /no.application.protocol/i);
  const silent = await started(harness, { ALPNProtocols: undefined });
  await answers(silent.client);
  silent.client.close();
  const direct = await secured(harness, { ALPNProtocols: undefined }, true);
  direct.client.send(startupPacket());
  assert.deepEqual(await direct.client.untilClosed(), [
    'E FATAL 08P01 received direct SSL connection request without ALPN protocol negotiation extension',
  ]);
});

test('TLS 1.1 is refused', options, async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await assert.rejects(secured(harness, old), /protocol|version/i);
});

test('tls.required: in clear only cancel requests are heard', options, async () => {
  const strict = await startHarness({ tls: { ...pair, required: true } });
  strict.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  strict.engine.waits('select wait');
  const plain = await WireClient.open(strict.server.port);
  plain.send(startupPacket());
  assert.deepEqual(await plain.untilClosed(), ['E FATAL 28000 connections without TLS are not allowed']);
  const { client } = await started(strict);
  await answers(client);
  for (const direct of [true, false]) {
    client.send(serialize.query('select wait'));
    for (let i = 0; i < 2500 && strict.engine.log.at(-1) !== 'select wait'; i++) await sleep(2);
    const request = direct ? (await secured(strict, {}, true)).client : await WireClient.open(strict.server.port);
    request.send(int32(12 + client.secret.length, 80877102, client.pid), client.secret);
    assert.deepEqual(await request.untilClosed(), []);
    assert.deepEqual(await client.until('Z'), ['E 57014 canceling statement due to user request', 'Z I']);
    await answers(client);
  }
  client.close();
  await strict.close();
});

test('another certificate is for who connects from then on; what is none changes nothing', options, async () => {
  const server = await startHarness({ tls: pair });
  server.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  const subject = (tls: TLSSocket) => tls.getPeerCertificate().subject.CN;
  const first = await started(server);
  assert.equal(subject(first.tls), 'first');
  await server.server.useTls(other);
  const second = await started(server);
  assert.equal(subject(second.tls), 'second');
  await assert.rejects(server.server.useTls({ cert: pair.cert, key: other.key }), /key values mismatch/);
  await assert.rejects(server.server.useTls({ cert: 'nonsense', key: 'nonsense' }));
  const third = await started(server);
  assert.equal(subject(third.tls), 'second');
  for (const { client } of [first, second, third]) {
    await answers(client);
    client.close();
  }
  await server.close();
});

test('a handshake that never ends is cut off', options, async () => {
  const impatient = await startHarness({ tls: pair, startupTimeoutMs: 50 });
  const cases: [first: Buffer, then: Buffer][] = [
    [SSL, Buffer.alloc(0)],
    [SSL, Buffer.from([0x16, 3, 1, 2, 0, 1])],
    [Buffer.from([0x16, 3, 1, 2, 0, 1]), Buffer.alloc(0)],
  ];
  for (const [first, then] of cases) {
    const client = await WireClient.open(impatient.server.port);
    client.send(first);
    if (first === SSL) assert.equal((await client.raw(1)).toString(), 'S');
    client.send(then);
    await client.untilClosed();
  }
  // Nor does it hold up the end of the server.
  const open = await WireClient.open(harness.server.port);
  open.send(SSL);
  await open.raw(1);
  await impatient.close();
  open.close();
});

test(`hostile bytes in a handshake and after it end the connection, and no other (SEED=${SEED})`, options, async () => {
  const random = new Random(SEED);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const record = (type: number) => Buffer.concat([Buffer.from([type, 3, 3, 0, 60]), noise(60)]);
  const good = await started(harness);
  for (let i = 0; i < 40; i++) {
    const client = await WireClient.open(harness.server.port);
    if (i % 2 === 0) {
      client.send(SSL);
      assert.equal((await client.raw(1)).toString(), 'S');
      client.send(i % 4 === 0 ? noise(100) : record(0x16));
    } else client.send(record(0x16));
    // A record may claim more than there is: then it ends by the end of what comes.
    client.socket.end();
    await client.untilClosed();
  }
  for (const type of [0x17, 0x16, 0x15, 0x14, 0x00]) {
    const { client, raw } = await started(harness);
    raw.write(record(type));
    await client.untilClosed();
    await gone(harness, client.pid);
  }
  const cut = await started(harness);
  cut.raw.write(Buffer.from([0x17, 3, 3, 0, 60, 1, 2]));
  cut.raw.end();
  await cut.client.untilClosed();
  await gone(harness, cut.client.pid);
  await answers(good.client);
  assert.ok(harness.logged.some((line) => /^info TLS with .*127\.0\.0\.1:\d+ ended: /.test(line)));
  assert.deepEqual(
    harness.logged.filter((line) => line.startsWith('error')),
    [],
  );
  good.client.close();
});

test('TLS in TLS, or asked for in it, is no startup packet', options, async () => {
  const inside = await secured(harness);
  inside.client.send(SSL);
  assert.deepEqual(await inside.client.untilClosed(), ['E FATAL 08P01 encryption was requested twice']);
  const nested = await secured(harness);
  nested.client.send(Buffer.from([0x16, 3, 1, 0, 60]));
  assert.deepEqual(await nested.client.untilClosed(), ['E FATAL 08P01 invalid length of startup packet']);
});

test('a client that does not read holds up no other, gets all in the end, and may leave', options, async () => {
  const { client, raw } = await started(harness);
  client.socket.pause();
  raw.pause();
  client.send(serialize.query('select much'));
  await sleep(100);
  const good = await started(harness);
  await answers(good.client);
  assert.equal(harness.server.session(client.pid)?.info().state, 'active');
  client.socket.resume();
  raw.resume();
  assert.equal((await client.messagesUntil('Z')).length, much.length + 3);
  client.socket.pause();
  raw.pause();
  client.send(serialize.query('select much'));
  await sleep(50);
  raw.destroy();
  await gone(harness, client.pid);
  good.client.close();
});

test('a client that only writes is made to wait, and loses nothing', options, async () => {
  const { client } = await started(harness);
  client.send(serialize.query('copy t from stdin'));
  await client.until('G');
  // Three times what is read ahead.
  const line = Buffer.from(`${'0'.repeat(60)}7\n`.repeat(100));
  for (let i = 0; i < 500; i++) client.send(serialize.copyData(line));
  client.send(serialize.copyDone());
  assert.deepEqual(await client.until('Z'), ['C COPY 50000', 'Z I']);
  client.close();
});

test('a client that has closed its side gets its answer, over TLS as without', options, async () => {
  const answer = ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I'];
  const plain = await harness.client();
  const { client } = await started(harness);
  for (const half of [plain, client]) {
    half.send(serialize.query('select 1'));
    half.socket.end();
    // A read asks a client that sends no more whether it is there, by a setting.
    assert.deepEqual(
      (await half.untilClosed()).filter((line) => !line.startsWith('S ')),
      answer,
    );
    await gone(harness, half.pid);
  }
});

test(
  'the end of the server: idle clients hear of it, and one that does not read does not hold it up',
  options,
  async () => {
    const ending = await startHarness({ tls: pair });
    ending.engine.rows('select much', {
      columns: [
        ['i', OID.int4],
        ['t', OID.text],
      ],
      rows: much,
    });
    const idle = await started(ending);
    const deaf = await started(ending);
    deaf.client.socket.pause();
    deaf.raw.pause();
    deaf.client.send(serialize.query('select much'));
    const shaking = await WireClient.open(ending.server.port);
    shaking.send(SSL);
    await shaking.raw(1);
    await sleep(50);
    await ending.close();
    assert.deepEqual(await idle.client.untilClosed(), [
      'E FATAL 57P01 terminating connection due to administrator command',
    ]);
    deaf.raw.destroy();
    await shaking.untilClosed();
  },
);
