import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'pg-protocol';
import { OID } from '../../../operators/types.ts';
import { CSV_COPY, type LiveStream, TEXT_COPY } from '../testing/fake_engine.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { int32, WireClient } from '../testing/wire_client.ts';

let harness: Harness;
let live: LiveStream;

before(async () => {
  harness = await startHarness();
  harness.engine.waits('select wait');
  harness.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  harness.engine.copyIn('copy t from stdin', [['a', OID.int4]], TEXT_COPY);
  harness.engine.copyOut('copy t to stdout', { columns: [['a', OID.int4]], rows: [[1]] }, CSV_COPY);
});
after(() => harness.close());

const CANCELLED = 'E 57014 canceling statement due to user request';

async function cancel(client: WireClient, secret = client.secret): Promise<void> {
  const request = await WireClient.open(harness.server.port);
  request.send(int32(12 + secret.length, 80877102, client.pid), secret);
  assert.deepEqual(await request.untilClosed(), []);
}

/** Until the engine has been asked to run the text. */
async function running(text: string): Promise<void> {
  for (let i = 0; i < 500 && harness.engine.log.at(-1) !== text; i++) await sleep(2);
  assert.equal(harness.engine.log.at(-1), text);
}

test('a cancelled query answers 57014 and the session goes on', async () => {
  const client = await harness.client();
  const aborts = harness.engine.aborts;
  client.send(serialize.query('select wait'));
  await running('select wait');
  await cancel(client, Buffer.from([1, 2, 3, 4]));
  await sleep(20);
  assert.ok(client.silent);
  await cancel(client);
  assert.deepEqual(await client.until('Z'), [CANCELLED, 'Z I']);
  assert.equal(harness.engine.aborts, aborts + 1);
  await cancel(client);
  client.send(serialize.query('select 1'));
  assert.deepEqual(await client.until('Z'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
});

test('statement_timeout', async () => {
  const client = await harness.client({ statement_timeout: '20ms' });
  client.send(serialize.query('select wait'));
  assert.deepEqual(await client.until('Z'), ['E 57014 canceling statement due to statement timeout', 'Z I']);
  client.send(serialize.parse({ text: 'select wait' }), serialize.bind({}), serialize.execute({}), serialize.sync());
  assert.deepEqual(await client.until('Z'), ['1', '2', 'E 57014 canceling statement due to statement timeout', 'Z I']);
});

test('what follows a statement that has happened, in the same message, can be cancelled', {
  timeout: 20_000,
}, async () => {
  harness.engine.command('create schema made', 'CREATE SCHEMA', [], (_, session) => session.done?.());
  const client = await harness.client();
  const text = 'create schema made; select wait';
  client.send(serialize.query(text));
  await running('select wait');
  await cancel(client);
  assert.deepEqual(await client.until('Z'), ['C CREATE SCHEMA', CANCELLED, 'Z I']);
});

test('a subscription streams rows as they come and ends when it is cancelled', async () => {
  const client = await harness.client();
  const stream = harness.engine.live('subscribe v', [
    ['tick', OID.int8],
    ['diff', OID.int8],
  ]);
  client.send(serialize.query('subscribe v'));
  assert.deepEqual(await client.until('T'), ['T tick:20:0 diff:20:0']);
  stream.push([1n, 1n]);
  assert.deepEqual(await client.until('D'), ['D 1|1']);
  stream.push([2n, -1n], [2n, 1n]);
  assert.deepEqual([...(await client.until('D')), ...(await client.until('D'))], ['D 2|-1', 'D 2|1']);
  await cancel(client);
  assert.deepEqual(await client.until('Z'), [CANCELLED, 'Z I']);
  assert.equal(stream.closed, true);
});

test('a subscription ends when its client goes away', async () => {
  const client = await harness.client();
  const stream = harness.engine.live('subscribe w', [['tick', OID.int8]]);
  client.send(serialize.query('subscribe w'));
  await client.until('T');
  client.socket.end();
  await client.untilClosed();
  for (let i = 0; i < 500 && !stream.closed; i++) await sleep(2);
  assert.equal(stream.closed, true);
});

test('FETCH from a subscription: waits for a row, gives what is ready, and a cancelled one loses nothing', async () => {
  const client = await harness.client();
  live = harness.engine.live('subscribe v', [['tick', OID.int8]]);
  const query = async (text: string): Promise<string[]> => {
    client.send(serialize.query(text));
    return (await client.until('Z')).filter((line) => !line.startsWith('T'));
  };
  await query('begin; declare c cursor for subscribe v; savepoint s');
  assert.deepEqual(await query("fetch 5 c with (timeout = '10ms')"), ['C FETCH 0', 'Z T']);
  live.push([1n], [2n], [3n]);
  assert.deepEqual(await query('fetch 2 c'), ['D 1', 'D 2', 'C FETCH 2', 'Z T']);
  assert.deepEqual(await query('fetch all c'), ['D 3', 'C FETCH 1', 'Z T']);
  client.send(serialize.query('fetch 2 c'));
  assert.deepEqual(await client.until('T'), ['T tick:20:0']);
  await sleep(20);
  assert.ok(client.silent);
  await cancel(client);
  assert.deepEqual(await client.until('Z'), [CANCELLED, 'Z E']);
  live.push([4n], [5n], [6n]);
  await sleep(5);
  assert.deepEqual(await query('rollback to s'), ['C ROLLBACK', 'Z T']);
  assert.deepEqual(await query('fetch 2 c'), ['D 4', 'D 5', 'C FETCH 2', 'Z T']);
  assert.deepEqual(await query("fetch 9 c with (timeout = '1s')"), ['D 6', 'C FETCH 1', 'Z T']);
  assert.deepEqual(await query('commit'), ['C COMMIT', 'Z I']);
  assert.equal(live.closed, true);
});

test('a subscription cursor WITH HOLD goes on after commit', async () => {
  const client = await harness.client();
  const stream = harness.engine.live('subscribe v', [['tick', OID.int8]]);
  const query = async (text: string): Promise<string[]> => {
    client.send(serialize.query(text));
    return client.until('Z');
  };
  assert.deepEqual(await query('declare h cursor with hold for subscribe v'), ['C DECLARE CURSOR', 'Z I']);
  stream.push([1n]);
  assert.deepEqual(await query('fetch h'), ['T tick:20:0', 'D 1', 'C FETCH 1', 'Z I']);
  stream.push([2n]);
  assert.deepEqual(await query('fetch h'), ['T tick:20:0', 'D 2', 'C FETCH 1', 'Z I']);
  assert.deepEqual(await query('close all'), ['C CLOSE CURSOR ALL', 'Z I']);
  assert.equal(stream.closed, true);
});

test('COPY of a subscription leaves row by row', async () => {
  const client = await harness.client();
  const stream = harness.engine.live('copy (subscribe v) to stdout', [['tick', OID.int8]]);
  client.send(serialize.query('copy (subscribe v) to stdout'));
  stream.push([1n]);
  // The fake engine gives rows, which is as good here: what matters is that they are not held back.
  assert.deepEqual(await client.until('D'), ['T tick:20:0', 'D 1']);
  await cancel(client);
  await client.until('Z');
});

test('a cancelled COPY FROM STDIN takes nothing', async () => {
  const client = await harness.client();
  client.send(serialize.query('copy t from stdin'));
  await client.until('G');
  client.send(serialize.copyData(Buffer.from('1\n')));
  await sleep(10);
  await cancel(client);
  assert.deepEqual(await client.until('Z'), [CANCELLED, 'Z I']);
  assert.deepEqual(harness.engine.copied, []);
  client.send(serialize.copyData(Buffer.from('2\n')), serialize.copyDone(), serialize.query('select 1'));
  assert.equal((await client.until('Z')).at(-2), 'C SELECT 1');
});

test('idle timeouts end the session with FATAL', async () => {
  const one = await harness.client({ idle_session_timeout: '20ms' });
  assert.deepEqual(await one.untilClosed(), ['E FATAL 57P05 terminating connection due to idle-session timeout']);
  const two = await harness.client({ idle_in_transaction_session_timeout: '20ms' });
  two.send(serialize.query('begin'));
  await two.until('Z');
  assert.deepEqual(await two.untilClosed(), [
    'E FATAL 25P03 terminating connection due to idle-in-transaction timeout',
  ]);
});

test('close() ends busy and idle sessions with 57P01', async () => {
  const other = await startHarness();
  other.engine.waits('select wait');
  const idle = await other.client();
  const busy = await other.client();
  busy.send(serialize.query('select wait'));
  for (let i = 0; i < 500 && other.engine.log.length === 0; i++) await sleep(2);
  assert.deepEqual(
    other.server.sessions().map(({ state }) => state),
    ['idle', 'active'],
  );
  const closed = other.server.close();
  const farewell = ['E FATAL 57P01 terminating connection due to administrator command'];
  assert.deepEqual(await idle.untilClosed(), farewell);
  assert.deepEqual(await busy.untilClosed(), farewell);
  await closed;
  assert.deepEqual(other.server.sessions(), []);
  await other.close();
});
