/** Rows of ticks that are not on the disk yet wait in the I/O thread, and what follows them waits behind; the tick log's thread lets them go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import { runServer } from '../cli/server.ts';
import { type PostgresServer, startPostgresServer } from '../postgres/server.ts';
import { FakeEngine, type LiveStream } from '../postgres/testing/fake_engine.ts';
import { WireClient } from '../postgres/testing/wire_client.ts';
import { MarkWriter, newMark } from './durable_mark.ts';
import { IoThread } from './io_thread.ts';

let io: IoThread;
let server: PostgresServer;
let log: MarkWriter;
const engine = new FakeEngine();
engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });

before(async () => {
  io = new IoThread({ log: () => undefined, onFailure: (error) => assert.fail(error) });
  const { writer, reader } = newMark(0n);
  log = new MarkWriter(writer);
  io.followLog(reader);
  server = await startPostgresServer({
    listen: { host: '127.0.0.1', port: 0 },
    engine,
    version: '0',
    listenThrough: io.listen,
  });
});
after(async () => {
  await server.close();
  await io.close();
});

/** A client that has subscribed, and the stream of its rows. `durable`: tells who waits for the disk in this thread that all of them are there. */
async function subscribed(name: string): Promise<{ client: WireClient; stream: LiveStream; durable: () => void }> {
  let durable: () => void = () => undefined;
  const untilDurable = new Promise<void>((resolve) => {
    durable = resolve;
  });
  const stream = engine.live(`subscribe ${name}`, [['v', OID.int8]]);
  stream.early = { begin: () => undefined, untilDurable: () => untilDurable };
  const client = await WireClient.start(server.port);
  client.send(serialize.query(`subscribe ${name}`));
  assert.deepEqual(await client.until('T'), ['T v:20:0']);
  return { client, stream, durable };
}

/** What was pushed has gone to the I/O thread before another client has its answer, and would be with the client. */
async function settled(client: WireClient): Promise<void> {
  const other = await WireClient.start(server.port);
  for (let i = 0; i < 2; i++) {
    other.send(serialize.query('select 1'));
    await other.until('Z');
  }
  other.close();
  assert.ok(client.silent);
}

function give(stream: LiveStream, tick: bigint, ...values: bigint[]): void {
  stream.tick = tick;
  stream.push(...values.map((v) => [v]));
}

test('rows leave when the log has their tick, in order, without a word of this thread; the end waits for them', async () => {
  const { client, stream, durable } = await subscribed('a');
  give(stream, 5n, 50n, 51n);
  await settled(client);
  give(stream, 7n, 70n);
  await settled(client);
  log.set(6n);
  assert.deepEqual([...(await client.until('D')), ...(await client.until('D'))], ['D 50', 'D 51']);
  await settled(client);
  stream.end('over');
  await settled(client);
  log.set(7n);
  assert.deepEqual(await client.until('D'), ['D 70']);
  await settled(client);
  durable();
  assert.deepEqual(await client.until('Z'), ['C SUBSCRIBE 3', 'Z I']);
  // Nothing waits any more.
  client.send(serialize.query('select 1'));
  assert.deepEqual(await client.until('Z'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
  client.close();
});

test('more rows than fit a message of the threads, and than a client may have on its way, all wait', async () => {
  const { client, stream, durable } = await subscribed('b');
  const values = Array.from({ length: 40_000 }, (_, i) => BigInt(i));
  stream.tick = 20n;
  // Few at a time, which are encoded here; behind a connection that takes no more, many.
  for (let i = 0; i < values.length; i += 200) {
    stream.push(...values.slice(i, i + 200).map((v) => [v]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await settled(client);
  log.set(20n);
  durable();
  stream.end('over');
  const messages = await client.until('Z');
  assert.deepEqual(
    messages.slice(0, -2),
    values.map((v) => `D ${v}`),
  );
  client.close();
});

test('when the statement fails, what waits is dropped and the error comes at once', async () => {
  const { client, stream } = await subscribed('c');
  give(stream, 21n, 1n);
  give(stream, 22n, 2n);
  await settled(client);
  stream.end(new SqlError('58030', 'the tick log could not be written'));
  assert.deepEqual(await client.until('Z'), ['E 58030 the tick log could not be written', 'Z I']);
  log.set(22n);
  await settled(client);
  // The same connection goes on.
  const again = engine.live('subscribe d', [['v', OID.int8]]);
  again.early = { begin: () => undefined, untilDurable: () => Promise.resolve() };
  client.send(serialize.query('subscribe d'));
  assert.deepEqual(await client.until('T'), ['T v:20:0']);
  give(again, 30n, 3n);
  await settled(client);
  log.set(30n);
  assert.deepEqual(await client.until('D'), ['D 3']);
  client.close();
});

test('a server with a data directory: changes come in order, each as soon as it is on the disk, and the end behind them', async () => {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-held-'));
  const running = await runServer({
    host: '127.0.0.1',
    port: 0,
    version: '0',
    threads: 2,
    data,
    log: (level, message) => assert.notEqual(level, 'error', message),
  });
  try {
    const [client, query, writer] = await Promise.all([1, 2, 3].map(() => WireClient.start(running.postgres.port)));
    const ask = async (text: string) => {
      writer.send(serialize.query(text));
      return writer.until('Z');
    };
    await ask('CREATE TABLE t (v int)');
    const [, row] = await ask('SELECT tidemark_tick()');
    const now = Number(row.slice(2));
    for (const [subscriber, what] of [
      [client, 't'],
      [query, '(SELECT v FROM t WHERE v >= 0)'],
    ] as const) {
      subscriber.send(serialize.query(`SUBSCRIBE ${what} WITH (snapshot = false) UP TO ${now + 8}`));
      await subscriber.until('T');
    }
    const subscribedAt = Number((await ask('SELECT tidemark_tick()'))[1].slice(2));
    const values = Array.from({ length: now + 10 - subscribedAt }, (_, i) => i);
    for (const v of values) await ask(`INSERT INTO t VALUES (${v})`);
    const expected = values
      .map((v) => ({ tick: subscribedAt + 1 + v, v }))
      .filter(({ tick }) => tick < now + 8)
      .map(({ tick, v }) => `D ${tick}|1|${v}`);
    assert.ok(expected.length > 4);
    for (const subscriber of [client, query])
      assert.deepEqual(await subscriber.until('Z'), [...expected, `C SUBSCRIBE ${expected.length}`, 'Z I']);
    for (const open of [client, query, writer]) open.close();
  } finally {
    await running.close();
    rmSync(data, { recursive: true, force: true });
  }
});
