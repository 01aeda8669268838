import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'pg-protocol';
import { OID } from '../../../operators/types.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import type { WireClient } from '../testing/wire_client.ts';

let harness: Harness;

const READS = ['select wait', 'explain analyze select wait', 'copy t to stdout', 'copy (select 1) to stdout'];
const WRITES = ['insert into t values (1)', 'explain analyze insert into t values (1)', 'create table u as select 1'];

before(async () => {
  harness = await startHarness();
  for (const text of [...READS, ...WRITES]) harness.engine.waits(text);
});
after(() => harness.close());

const count = (text: string) => harness.engine.log.filter((line) => line === text).length;

/** Until the engine has been asked to run the text so many times. */
async function running(text: string, times = 1): Promise<void> {
  for (let i = 0; i < 5000 && count(text) < times; i++) await sleep(2);
  assert.equal(count(text), times, text);
}

async function askedThrice(client: WireClient): Promise<void> {
  for (let i = 0; i < 3; i++) assert.equal((await client.until('S')).at(-1), 'S client_encoding=UTF8');
}

const state = (client: WireClient) => harness.server.sessions().find(({ pid }) => pid === client.pid)?.state;

async function active(client: WireClient): Promise<void> {
  for (let i = 0; i < 5000 && state(client) !== 'active'; i++) await sleep(2);
  assert.equal(state(client), 'active');
}

async function gone(client: WireClient): Promise<void> {
  for (let i = 0; i < 5000 && state(client) !== undefined; i++) await sleep(2);
  assert.equal(state(client), undefined);
}

const extended = (text: string) =>
  Buffer.concat([serialize.parse({ text }), serialize.bind({}), serialize.execute({}), serialize.sync()]);

test('a read ends when its client is gone', async () => {
  for (const [i, text] of READS.entries()) {
    for (const [times, bytes] of [serialize.query(text), extended(text)].entries()) {
      harness.engine.aborts = 0;
      const client = await harness.client();
      client.send(bytes);
      await running(text, times + 1);
      client.close();
      await gone(client);
      assert.equal(harness.engine.aborts, 1, `${i}: ${text}`);
    }
  }
});

test('and so does FETCH, and EXECUTE of a SELECT', async () => {
  const stream = harness.engine.live('select slow', [['a', OID.int4]]);
  const one = await harness.client();
  one.send(serialize.query('begin; declare c cursor for select slow'));
  await one.until('Z');
  one.send(serialize.query('fetch all c'));
  await active(one);
  one.close();
  await gone(one);
  assert.ok(stream.closed);
  harness.engine.aborts = 0;
  const two = await harness.client();
  two.send(serialize.query('prepare p as select wait'));
  await two.until('Z');
  two.send(serialize.query('execute p'));
  await active(two);
  two.close();
  await gone(two);
  assert.equal(harness.engine.aborts, 1);
});

test('a client that sends no more but reads has its answer', async () => {
  const stream = harness.engine.live('select more', [['a', OID.int4]]);
  const client = await harness.client();
  client.send(serialize.query('select more'));
  await running('select more');
  client.socket.end();
  await askedThrice(client);
  stream.push([1], [2]);
  stream.end('over');
  const answer = (await client.untilClosed()).filter((line) => !line.startsWith('S '));
  assert.deepEqual(answer, ['D 1', 'D 2', 'C SUBSCRIBE 2', 'Z I']);
});

test('what writes is left alone, and so is a read of a transaction that has written', async () => {
  harness.engine.aborts = 0;
  const leave = async (text: string) => {
    const client = await harness.client();
    const times = count(text);
    client.send(serialize.query(text));
    await running(text, times + 1);
    client.socket.end();
    return client;
  };
  const clients: WireClient[] = [];
  for (const text of WRITES) clients.push(await leave(text));
  harness.engine.wrote = true;
  clients.push(await leave('select wait'));
  harness.engine.wrote = false;
  // One that is asked thrice, later: by then they would have been.
  await askedThrice(await leave('select wait'));
  assert.ok(clients.every((client) => client.silent));
  for (const client of clients) client.close();
  const reader = await leave('select wait');
  reader.close();
  await gone(reader);
  assert.equal(harness.engine.aborts, 1);
});
