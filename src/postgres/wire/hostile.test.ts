/** Hostile and careless clients: the server must survive each of them and still answer a good one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'pg-protocol';
import type { Datum } from '../../../operators/datum.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { OID } from '../../../operators/types.ts';
import { TEXT_COPY } from '../testing/fake_engine.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { int32, startupPacket, WireClient } from '../testing/wire_client.ts';
import { FrontendDecoder } from './frontend_decoder.ts';

const SEED = testSeed();
const MAX_MESSAGE = 100000;

let harness: Harness;
let good: WireClient;

before(async () => {
  harness = await startHarness({ maxMessageBytes: MAX_MESSAGE });
  harness.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  harness.engine.copyIn('copy t from stdin', [['a', OID.int4]], TEXT_COPY);
  good = await harness.client();
});
after(() => harness.close());

async function stillAnswers(): Promise<void> {
  good.send(serialize.query('select 1'));
  assert.deepEqual(await good.until('Z'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
}

test('bad framing: FATAL 08P01 and closed', async () => {
  const cases: [Buffer, string][] = [
    [Buffer.from('z\0\0\0\x04'), 'invalid frontend message type 122'],
    [Buffer.concat([Buffer.from('Q'), int32(3)]), 'invalid message length'],
    [Buffer.concat([Buffer.from('Q'), int32(-1)]), 'invalid message length'],
    [Buffer.concat([Buffer.from('Q'), int32(0x7fffffff)]), 'invalid message length'],
    [Buffer.concat([Buffer.from('Q'), int32(MAX_MESSAGE + 1)]), 'invalid message length'],
    [Buffer.concat([Buffer.from('S'), int32(20000)]), 'invalid message length'],
  ];
  for (const [bytes, message] of cases) {
    const client = await harness.client();
    client.send(bytes);
    assert.deepEqual(await client.untilClosed(), [`E FATAL 08P01 ${message}`]);
  }
  await stillAnswers();
});

test('bad bodies in good frames: an ERROR, and the session goes on', async () => {
  const client = await harness.client();
  const message = (type: string, body: Buffer): Buffer =>
    Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
  const cases: [Buffer, string][] = [
    [message('Q', Buffer.from('select 1')), 'E 08P01 invalid string in message'],
    [message('P', Buffer.from('x')), 'E 08P01 invalid string in message'],
    [message('P', Buffer.from('\0select 1\0\0\x05')), 'E 08P01 insufficient data left in message'],
    [message('B', Buffer.from('\0\0\0\0\0\x01\x7f\xff\xff\xff')), 'E 08P01 insufficient data left in message'],
    [
      message('B', Buffer.from('\0\0\0\0\0\x01\xff\xff\xff\xfe', 'latin1')),
      'E 08P01 insufficient data left in message',
    ],
    [message('D', Buffer.from('X\0')), 'E 08P01 invalid DESCRIBE message subtype 88'],
    [message('C', Buffer.from('X\0')), 'E 08P01 invalid CLOSE message subtype 88'],
    [message('E', Buffer.from('\0\0')), 'E 08P01 insufficient data left in message'],
    [message('p', Buffer.from('secret\0')), 'E 08P01 unexpected message type 112'],
  ];
  for (const [bytes, error] of cases) {
    client.send(bytes, serialize.sync());
    const answer = await client.until('Z');
    assert.equal(answer[0], error);
    if (bytes[0] === 0x51) await client.until('Z');
  }
});

test('a message may come byte by byte', async () => {
  const client = await harness.client();
  for (const byte of Buffer.concat([serialize.query('select 1'), serialize.query('select 1')])) {
    client.send(Buffer.from([byte]));
    if (byte % 16 === 0) await sleep(1);
  }
  await client.until('Z');
  assert.equal((await client.until('Z')).at(-1), 'Z I');
});

test('the decoder takes memory for what came, not for what was claimed', () => {
  const decoder = new FrontendDecoder(1 << 30);
  decoder.push(Buffer.concat([Buffer.from('Q'), int32((1 << 30) - 8)]));
  assert.equal(decoder.next(), null);
  for (let i = 0; i < 1000; i++) decoder.push(Buffer.from('x'));
  assert.equal(decoder.next(), null);
  assert.equal(decoder.buffered, 1005);
});

test('decoded messages do not depend on where chunks end', () => {
  const random = new Random(SEED);
  const parts: Buffer[] = [];
  for (let i = 0; i < 200; i++) parts.push(serialize.query('x'.repeat(Math.floor(random.next() ** 4 * 5000))));
  const bytes = Buffer.concat(parts);
  const decoder = new FrontendDecoder(MAX_MESSAGE);
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random.next() ** 3 * 3000);
    decoder.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
    for (let message = decoder.next(); message !== null; message = decoder.next()) bodies.push(message.body);
  }
  assert.deepEqual(
    bodies.map((body) => body.length),
    parts.map((part) => part.length - 5),
  );
  assert.equal(Buffer.concat(bodies).compare(Buffer.concat(parts.map((part) => part.subarray(5)))), 0);
  assert.equal(decoder.buffered, 0);
});

test(`random bytes, damaged conversations, sudden ends (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)));
  const { parse, bind, describe, execute, sync, flush, close, query, copyData, copyDone } = serialize;
  const pieces: (() => Buffer)[] = [
    () => parse({ text: 'select 1' }),
    () => bind({}),
    () => describe({ type: 'P' }),
    () => execute({ rows: 1 }),
    () => sync(),
    () => flush(),
    () => close({ type: 'S' }),
    () => query('begin'),
    () => query('select 1; selekt'),
    () => query('copy t from stdin'),
    () => copyData(Buffer.from('1\n')),
    () => copyDone(),
    () => noise(random.below(30)),
  ];
  const clients: Promise<unknown>[] = [];
  for (let i = 0; i < 150; i++) {
    const client = await WireClient.open(harness.server.port);
    if (random.chance(0.15)) client.send(noise(1 + random.below(200)));
    else {
      const bytes = Buffer.concat([
        random.chance(0.1) ? int32(8, 80877103) : Buffer.alloc(0),
        startupPacket(),
        ...Array.from({ length: 12 }, () => pieces[random.below(pieces.length)]()),
      ]);
      for (let n = random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
      client.send(bytes);
    }
    if (random.chance(0.3)) client.socket.destroy();
    else client.socket.end();
    clients.push(client.untilClosed());
    if (i % 25 === 0) await stillAnswers();
  }
  await Promise.all(clients);
  await stillAnswers();
  for (let i = 0; i < 500 && harness.server.sessions().length > 30; i++) await sleep(2);
  assert.deepEqual(
    harness.logged.filter((line) => line.startsWith('error')),
    [],
  );
});

test('a client that does not read holds neither memory nor others', async () => {
  const rows: Datum[][] = Array.from({ length: 20000 }, (_, i) => [i, 'x'.repeat(1000)]);
  harness.engine.rows('select much', {
    columns: [
      ['n', OID.int4],
      ['t', OID.text],
    ],
    rows,
  });
  const slow = await harness.client();
  slow.socket.pause();
  slow.send(serialize.query('select much'));
  await sleep(100);
  await stillAnswers();
  assert.equal(harness.server.session(slow.pid)?.info().state, 'active');
  slow.socket.resume();
  const messages = await slow.messagesUntil('Z');
  assert.equal(messages.length, rows.length + 3);
  slow.socket.pause();
  slow.send(serialize.query('select much'));
  await sleep(50);
  slow.close();
  for (let i = 0; i < 500 && harness.server.session(slow.pid) !== null; i++) await sleep(2);
  assert.equal(harness.server.session(slow.pid), null);
});

const pipelined = (text: string) =>
  Buffer.concat([serialize.parse({ text }), serialize.bind({}), serialize.execute({}), serialize.sync()]);

test('a long pipeline is answered in full while the client only writes', async () => {
  const client = await harness.client();
  const one = pipelined('select 1');
  client.socket.pause();
  const count = 3000;
  for (let i = 0; i < count; i += 100) client.send(...new Array(100).fill(one));
  client.socket.resume();
  let ready = 0;
  while (ready < count) ready += (await client.messagesUntil('Z')).filter(({ type }) => type === 'Z').length;
  assert.equal(ready, count);
});

test('a long pipeline lets others have their turn', async () => {
  const client = await harness.client();
  const other = await harness.client();
  const { log } = harness.engine;
  const from = log.length;
  harness.engine.command('insert into busy values (1)', 'INSERT 0 1', [], () => {
    for (const until = performance.now() + 1; performance.now() < until; );
  });
  const count = 500;
  client.send(...new Array(count).fill(pipelined('insert into busy values (1)')));
  await client.until('Z');
  other.send(serialize.query('select 1'));
  await other.until('Z');
  const before = log.slice(from).filter((text) => text.startsWith('insert')).length;
  assert.ok(before < count, 'the other client was answered after the whole pipeline');
  let ready = 1;
  while (ready < count) ready += (await client.until('Z')).filter((line) => line === 'Z I').length;
});
