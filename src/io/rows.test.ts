/** Rows that are encoded in the I/O thread: the same bytes, the same errors, and memory that stays as long as it is read. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { type Datum, decimal, interval, pgArray } from '../../operators/datum.ts';
import { OID } from '../../operators/types.ts';
import { type PostgresServer, startPostgresServer } from '../postgres/server.ts';
import { CSV_COPY, FakeEngine, type FakeRows, TEXT_COPY } from '../postgres/testing/fake_engine.ts';
import { int32, WireClient } from '../postgres/testing/wire_client.ts';
import { IoThread } from './io_thread.ts';

const ROWS = 1200;
const POINT = 600;

const wide: FakeRows = {
  columns: [
    ['i', OID.int8],
    ['t', OID.text],
    ['n', OID.numeric],
    ['at', OID.timestamptz],
    ['v', OID.interval],
    ['a', OID._int4],
    ['b', OID.bytea],
    ['f', OID.float8],
  ],
  rows: Array.from({ length: ROWS }, (_, i): Datum[] => [
    BigInt(i),
    i % 7 === 0 ? null : `text of row ${i} ${'x'.repeat(i % 100)}`,
    decimal(BigInt(i) * 12345678901234567890n, 5),
    BigInt(i) * 86_400_123_456n,
    interval(i % 12, i % 31, BigInt(i)),
    pgArray(OID.int4, [i, null, -i]),
    new Uint8Array([i & 255, 0, 92]),
    i / 3,
  ]),
};

let io: IoThread;
let engine: FakeEngine;
let local: PostgresServer;
let remote: PostgresServer;

before(async () => {
  io = new IoThread({ log: () => undefined, onFailure: (error) => assert.fail(error) });
  engine = new FakeEngine();
  engine.rows('select wide', wide);
  engine.rows('select names', { columns: [['c', OID.regclass]], rows: wide.rows.map((_, i) => [i]) });
  engine.rows('select point', {
    columns: [
      ['i', OID.int8],
      ['p', POINT],
    ],
    rows: wide.rows.map(([i]) => [i, i === 700n ? pgArray(OID.int4, [1]) : null]),
  });
  engine.copyOut('copy lines to stdout', wide, TEXT_COPY);
  engine.copyOut('copy fields to stdout', wide, { ...CSV_COPY, header: true });
  engine.copyOut('copy bytes to stdout', wide, { ...TEXT_COPY, format: 'binary' });
  const options = {
    listen: { host: '127.0.0.1', port: 0 },
    engine,
    version: '0',
    catalog: (name: string, [oid]: Datum[]) => (name === 'regclassout' ? `relation_${oid}` : null),
  };
  local = await startPostgresServer(options);
  remote = await startPostgresServer({ ...options, listenThrough: io.listen });
});
after(async () => {
  await local.close();
  await remote.close();
  await io.close();
});

/** Everything that comes back for these messages. */
async function answer(server: PostgresServer, settings: Record<string, string>, ...messages: Uint8Array[]) {
  const client = await WireClient.start(server.port, settings);
  client.send(...messages);
  const all = await client.messagesUntil('Z');
  client.close();
  return all;
}

const prepared = (text: string, format: 0 | 1) => [
  serialize.parse({ text }),
  serialize.bind({ binary: format === 1 }),
  serialize.execute({}),
  serialize.sync(),
];

const forms: Record<string, Uint8Array[]> = {
  text: [serialize.query('select wide')],
  'text of an extended query': prepared('select wide', 0),
  binary: prepared('select wide', 1),
  'names from the catalog': [serialize.query('select names')],
  'COPY in text': [serialize.query('copy lines to stdout')],
  'COPY in csv': [serialize.query('copy fields to stdout')],
  'COPY in binary': [serialize.query('copy bytes to stdout')],
};

for (const [name, messages] of Object.entries(forms)) {
  test(`the same bytes from both threads: ${name}`, async () => {
    const all: Record<string, string>[] = [
      {},
      {
        timezone: 'Asia/Kathmandu',
        datestyle: 'SQL, DMY',
        intervalstyle: 'iso_8601',
        bytea_output: 'escape',
        extra_float_digits: '0',
      },
    ];
    for (const settings of all) {
      const expected = await answer(local, settings, ...messages);
      assert.ok(expected.length > ROWS);
      const got = await answer(remote, settings, ...messages);
      const differing = got.findIndex(
        ({ type, body }, i) => type !== expected[i]?.type || !body.equals(expected[i].body),
      );
      assert.equal(differing, -1, `message ${differing} of ${expected.length}`);
      assert.equal(got.length, expected.length);
    }
  });
}

test('a row that cannot be shown: those before it, then the error, and the session goes on', async () => {
  const client = await WireClient.start(remote.port);
  client.send(serialize.query('select point'));
  const lines = await client.until('Z');
  assert.equal(lines.length, 1 + 700 + 2);
  assert.equal(lines[700], 'D 699|NULL');
  assert.deepEqual(lines.slice(-2), ['E 0A000 input and output of type 600 is not supported', 'Z I']);
  client.send(serialize.query('select wide'));
  assert.equal((await client.until('Z')).at(-2), `C SELECT ${ROWS}`);
  client.close();
});

test('a cancel reaches rows that wait for a client that does not read; what it gets is whole', async () => {
  const filler = 'y'.repeat(4000);
  engine.rows('select large', {
    columns: [
      ['i', OID.int4],
      ['t', OID.text],
    ],
    rows: Array.from({ length: 20_000 }, (_, i) => [i, filler]),
  });
  const client = await WireClient.start(remote.port);
  client.send(serialize.query('select large'));
  await client.message();
  client.socket.pause();
  const request = await WireClient.open(remote.port);
  request.send(int32(12 + client.secret.length, 80877102, client.pid), client.secret);
  assert.deepEqual(await request.untilClosed(), []);
  client.socket.resume();
  const rows = await client.messagesUntil('Z');
  assert.ok(rows.length < 20_000, `${rows.length} messages came`);
  for (const [i, row] of rows.slice(0, -2).entries()) {
    assert.equal(row.type, 'D');
    assert.equal(row.body.subarray(6).toString('latin1').slice(0, String(i).length), String(i));
    assert.ok(row.body.toString('latin1').endsWith(filler));
  }
  assert.equal(rows.at(-2)?.type, 'E');
  client.send(serialize.query('select wide'));
  assert.equal((await client.until('Z')).at(-2), `C SELECT ${ROWS}`);
  client.close();
});

test('a client that goes away in the middle of its rows ends its session', async () => {
  const client = await WireClient.start(remote.port);
  client.send(serialize.query('select large'));
  await client.message();
  client.socket.pause();
  client.socket.resetAndDestroy();
  for (let i = 0; i < 5000 && remote.sessions().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(remote.sessions(), []);
});
