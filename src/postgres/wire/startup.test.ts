import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { OID } from '../../../operators/types.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { int32, startupPacket, WireClient } from '../testing/wire_client.ts';

let harness: Harness;

before(async () => {
  harness = await startHarness({ settings: { work_mem: '64MB' } });
  harness.engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
});
after(() => harness.close());

const SSL = int32(8, 80877103);
const GSSENC = int32(8, 80877104);

async function start(packet: Buffer): Promise<string[]> {
  const client = await WireClient.open(harness.server.port);
  client.send(packet);
  const answer = await client.until('Z');
  client.close();
  return answer;
}

test('startup: authentication, settings, key, ready', async () => {
  const answer = await start(startupPacket({ params: { application_name: 'app', TimeZone: 'utc' } }));
  assert.equal(answer[0], 'R');
  assert.deepEqual(answer.slice(-2), ['K', 'Z I']);
  for (const line of [
    'S application_name=app',
    'S client_encoding=UTF8',
    'S DateStyle=ISO, MDY',
    'S integer_datetimes=on',
    'S IntervalStyle=postgres',
    'S server_encoding=UTF8',
    'S standard_conforming_strings=on',
    'S TimeZone=UTC',
    'S session_authorization=tester',
    'S is_superuser=on',
    'S search_path="$user", public',
  ]) {
    assert.ok(answer.includes(line), `${line} in ${answer.join('\n')}`);
  }
  assert.ok(answer.some((line) => /^S server_version=\d+\.\d+ \(Tidemark 0\.0\.0\)$/.test(line)));
});

test('encryption requests are refused with N, in any order, and startup follows', async () => {
  for (const requests of [[SSL], [GSSENC], [SSL, GSSENC], [GSSENC, SSL]]) {
    const client = await WireClient.open(harness.server.port);
    for (const request of requests) {
      client.send(request);
      assert.equal((await client.raw(1)).toString(), 'N');
    }
    client.send(startupPacket());
    assert.equal((await client.until('Z')).at(-1), 'Z I');
    client.close();
  }
});

test('a second SSLRequest ends the connection', async () => {
  const client = await WireClient.open(harness.server.port);
  client.send(SSL);
  await client.raw(1);
  client.send(SSL);
  assert.deepEqual(await client.untilClosed(), ['E FATAL 08P01 encryption was requested twice']);
});

test('newer minor versions and protocol options are negotiated down', async () => {
  const negotiate = async (version: number, params = {}): Promise<{ newest: number; options: string } | null> => {
    const client = await WireClient.open(harness.server.port);
    client.send(startupPacket({ version, params }));
    const messages = await client.messagesUntil('Z');
    client.close();
    assert.equal(messages.at(-1)?.type, 'Z');
    if (messages[0].type !== 'v') return null;
    const { body } = messages[0];
    assert.equal(body.readInt32BE(4), body.subarray(8).toString().split('\0').length - 1);
    return { newest: body.readInt32BE(0), options: body.subarray(8).toString() };
  };
  assert.equal(await negotiate(0x30000), null);
  assert.equal(await negotiate(0x30002), null);
  assert.deepEqual(await negotiate(0x3270f), { newest: 0x30002, options: '' });
  assert.deepEqual(await negotiate(0x30000, { '_pq_.grease': 'x', '_pq_.more': '' }), {
    newest: 0x30000,
    options: '_pq_.grease\0_pq_.more\0',
  });
});

test('the cancel key is 4 bytes in 3.0 and longer in 3.2', async () => {
  for (const [version, bytes] of [
    [0x30000, 4],
    [0x30002, 32],
  ]) {
    const client = await WireClient.open(harness.server.port);
    client.send(startupPacket({ version }));
    const key = (await client.messagesUntil('Z')).find(({ type }) => type === 'K');
    assert.equal(key?.body.length, 4 + bytes);
    client.close();
  }
});

test('other major versions, missing user, damaged packets: FATAL and closed', async () => {
  const fatal = async (packet: Buffer): Promise<string[]> => {
    const client = await WireClient.open(harness.server.port);
    client.send(packet);
    return client.untilClosed();
  };
  assert.deepEqual(await fatal(startupPacket({ version: 0x20000 })), [
    'E FATAL 0A000 unsupported frontend protocol 2.0: server supports 3.0 to 3.2',
  ]);
  assert.deepEqual(await fatal(Buffer.concat([int32(9, 0x30000), Buffer.from([0])])), [
    'E FATAL 28000 no PostgreSQL user name specified in startup packet',
  ]);
  assert.deepEqual(await fatal(Buffer.concat([int32(12, 0x30000), Buffer.from('user')])), [
    'E FATAL 08P01 invalid startup packet layout: expected terminator as last byte',
  ]);
  assert.deepEqual(await fatal(int32(0x7fffffff, 0x30000)), ['E FATAL 08P01 invalid length of startup packet']);
  assert.deepEqual(await fatal(int32(4)), ['E FATAL 08P01 invalid length of startup packet']);
  assert.deepEqual(await fatal(startupPacket({ params: { replication: 'database' } })), [
    'E FATAL 0A000 there is nothing to replicate',
  ]);
});

test('settings at startup: options, quoting, unknown names, bad values', async () => {
  const ask = async (params: Record<string, string>, name: string): Promise<string> => {
    const client = await WireClient.start(harness.server.port, params);
    client.send(serialize.query(`show ${name}`));
    const answer = await client.until('Z');
    client.close();
    return answer.filter((line) => line.startsWith('D'))[0];
  };
  assert.equal(
    await ask({ options: '-c statement_timeout=5s -cwork_mem=8MB --extra-float-digits=3' }, 'statement_timeout'),
    'D 5s',
  );
  assert.equal(await ask({ options: '--search_path=a,\\ b' }, 'search_path'), 'D a, b');
  assert.equal(await ask({ client_encoding: "'utf-8'" }, 'client_encoding'), 'D UTF8');
  assert.equal(await ask({ 'my.setting': 'x' }, 'my.setting'), 'D x');
  assert.equal(await ask({}, 'work_mem'), 'D 64MB');
  const answer = await start(startupPacket({ params: { nosuch_setting: 'x' } }));
  assert.ok(answer.includes('N 42704 unrecognized configuration parameter "nosuch_setting"'));
  const refused = async (params: Record<string, string>): Promise<string> =>
    (await start(startupPacket({ params })))[0];
  assert.equal(
    await refused({ client_encoding: 'LATIN1' }),
    'E FATAL 22023 invalid value for parameter "client_encoding": "LATIN1"',
  );
  assert.equal(await refused({ server_version: '1' }), 'E FATAL 55P02 parameter "server_version" cannot be changed');
  assert.equal(
    await refused({ options: 'x=y' }),
    'E FATAL 42601 invalid command-line argument for server process: x=y',
  );
});

test('too many connections: 53300', async () => {
  const small = await startHarness({ maxConnections: 1 });
  const first = await small.client();
  const client = await WireClient.open(small.server.port);
  client.send(startupPacket());
  assert.deepEqual(await client.untilClosed(), ['E FATAL 53300 sorry, too many clients already']);
  first.send(serialize.end());
  await first.untilClosed();
  const again = await small.client();
  again.close();
  await small.close();
});

test('a client that never starts up is cut off', async () => {
  const impatient = await startHarness({ startupTimeoutMs: 20 });
  const client = await WireClient.open(impatient.server.port);
  assert.deepEqual(await client.untilClosed(), []);
  await impatient.close();
});

test('TLS is not to be had without a certificate', async () => {
  const direct = await WireClient.open(harness.server.port);
  direct.send(Buffer.from([0x16, 3, 1, 0, 1, 0]));
  assert.deepEqual(await direct.untilClosed(), ['E FATAL 08P01 TLS is not available']);
});
