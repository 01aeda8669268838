import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { type Harness, startHarness } from '../testing/harness.ts';
import type { WireClient } from '../testing/wire_client.ts';

let harness: Harness;

before(async () => {
  harness = await startHarness();
});
after(() => harness.close());

async function query(client: WireClient, text: string): Promise<string[]> {
  client.send(serialize.query(text));
  return client.until('Z');
}

test('own notifications come after the tag and before ready; equal ones of a transaction once', async () => {
  const client = await harness.client();
  assert.deepEqual(await query(client, 'listen a'), ['C LISTEN', 'Z I']);
  const sent = await query(client, "begin; notify a, 'x'; notify a, 'x'; notify a; notify b; commit");
  assert.deepEqual(sent.slice(-4), ['C COMMIT', 'A a=x', 'A a=', 'Z I']);
});

test('idle listeners hear at once, busy ones after their transaction, rollbacks are silent', async () => {
  const [listener, sender] = [await harness.client(), await harness.client()];
  await query(listener, 'listen a; listen b');
  await query(sender, "notify a, '1'");
  assert.deepEqual(await listener.until('A'), ['A a=1']);
  await query(sender, "begin; notify a, 'never'; rollback");
  await query(listener, 'begin');
  await query(sender, "notify a, '2'");
  assert.deepEqual(await query(listener, 'unlisten a'), ['C UNLISTEN', 'Z T']);
  assert.deepEqual(await query(listener, 'commit'), ['C COMMIT', 'A a=2', 'Z I']);
  await query(sender, "notify a, 'unheard'; notify b, '3'");
  assert.deepEqual(await listener.until('A'), ['A b=3']);
  await query(listener, 'unlisten *');
  await query(sender, "notify b, 'unheard'");
  assert.deepEqual(await query(listener, 'select_nothing'), [
    'E 42601 syntax error at or near "select_nothing"',
    'Z I',
  ]);
});

test('a savepoint that is rolled back takes its notifications with it', async () => {
  const client = await harness.client();
  await query(client, 'listen a');
  const answer = await query(
    client,
    "begin; notify a, '1'; savepoint s; notify a, '2'; rollback to s; notify a, '3'; commit",
  );
  assert.deepEqual(
    answer.filter((line) => line.startsWith('A')),
    ['A a=1', 'A a=3'],
  );
});

test('limits', async () => {
  const client = await harness.client();
  assert.deepEqual(await query(client, `notify a, '${'x'.repeat(8000)}'`), ['E 22023 payload string too long', 'Z I']);
});

test('the server itself can notify', async () => {
  const client = await harness.client();
  await query(client, 'listen v');
  harness.server.notify('v', '{"tick":1}');
  assert.deepEqual(await client.until('A'), ['A v={"tick":1}']);
});
