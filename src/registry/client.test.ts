/** The registry client against a server on loopback: logins, several addresses, answers that are none. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { SchemaRegistry } from './client.ts';
import { parseRegistryOptions } from './options.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end();
const server = createServer((request, response) => answer(request, response));
let url = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

function client(options: Record<string, string>): SchemaRegistry {
  const parsed = parseRegistryOptions(options);
  assert.ok(parsed);
  return new SchemaRegistry(parsed, 'AVRO');
}

const never = new AbortController().signal;

test('a login goes with each question', async () => {
  const seen: (string | undefined)[] = [];
  answer = ({ headers, url: path }, response) => {
    seen.push(headers.authorization, path);
    response.end('{"schema":"\\"int\\""}');
  };
  const registry = client({
    schema_registry: `${url}/base/`,
    schema_registry_username: 'me',
    schema_registry_password: 'p:w',
  });
  assert.deepEqual(await registry.schema(7, never), { texts: ['"int"'] });
  assert.deepEqual(seen, [`Basic ${Buffer.from('me:p:w').toString('base64')}`, '/base/schemas/ids/7']);
});

test('another address is asked when the first does not answer', async () => {
  let asked = 0;
  answer = (_request, response) => {
    asked++;
    response.end('{"schema":"\\"int\\""}');
  };
  const registry = client({ schema_registry: `http://127.0.0.1:1, ${url}` });
  assert.deepEqual(await registry.schema(7, never), { texts: ['"int"'] });
  assert.deepEqual(await registry.schema(8, never), { texts: ['"int"'] });
  assert.equal(asked, 2);
  for (const host of ['127.0.0.1', 'localhost'])
    await assert.rejects(client({ schema_registry: `http://${host}:1` }).schema(7, never), {
      sqlstate: '08001',
      message: /ECONNREFUSED/,
    });
});

test('what is no answer of a registry is a failure, and never says that a schema is missing', async () => {
  const registry = client({ schema_registry: url });
  const said = async (status: number, body: string) => {
    answer = (_request, response) => {
      response.statusCode = status;
      response.end(body);
    };
    return registry.schema(7, never).catch(({ sqlstate }: { sqlstate: string }) => sqlstate);
  };
  assert.deepEqual(await said(404, '{"error_code":40403}'), { missing: 'the schema registry has no schema 7' });
  for (const [status, body] of [
    [404, 'not found'],
    [404, '{"error_code":404}'],
    [200, '{}'],
    [200, '<html>'],
    [200, '{"schema":7}'],
    [200, '{"schema":"\\"int\\"","schemaType":["AVRO"]}'],
    [200, '{"schema":"\\"int\\"","references":7}'],
    [200, '{"schema":"\\"int\\"","references":[null]}'],
    [200, '{"schema":"\\"int\\"","references":[{"subject":"a","version":"1/../.."}]}'],
    [200, 'null'],
    [301, ''],
    [500, '{"error_code":50001}'],
  ] as const) {
    assert.equal(await said(status, body), '08001', `${status} ${body}`);
  }
  assert.equal(await said(401, ''), '28P01');
  assert.equal(await said(403, ''), '28P01');
  answer = ({ socket }) => socket.write('HTTP/1.1 101 Other\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  await assert.rejects(registry.schema(7, never), { sqlstate: '08001' });
  answer = (request) => request.socket.destroy();
  await assert.rejects(registry.schema(7, never), { sqlstate: '08001' });
  answer = (_request, response) => {
    const piece = Buffer.alloc(1 << 20, 32);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  };
  await assert.rejects(registry.schema(7, never), /more than 16777216 bytes/);
});

test('null says no more than nothing does; references that go in circles, and that are too long', async () => {
  const registry = client({ schema_registry: url });
  answer = (_request, response) => response.end('{"schema":"\\"int\\"","schemaType":null,"references":null}');
  assert.deepEqual(await registry.schema(7, never), { texts: ['"int"'] });
  const circle = { schema: '"int"', references: [{ name: 'a', subject: 'a', version: 1 }] };
  answer = (_request, response) => response.end(JSON.stringify(circle));
  assert.deepEqual(await registry.schema(7, never), { texts: ['"int"', '"int"'] });
  let asked = 0;
  answer = (_request, response) => {
    const schema = ' '.repeat(8e6);
    response.end(JSON.stringify({ schema, references: [{ name: 'a', subject: `a${asked++}`, version: 1 }] }));
  };
  const long = await registry.schema(7, never);
  assert.match('missing' in long ? long.missing : '', /more than 16777216 characters/);
  assert.equal(asked, 4);
});

test('a question ends when it is not wanted any more', async () => {
  answer = () => undefined;
  const stop = new AbortController();
  const asked = client({ schema_registry: url }).schema(7, stop.signal);
  stop.abort();
  await assert.rejects(asked, { sqlstate: '08001' });
});

test('options', () => {
  assert.equal(parseRegistryOptions({}), null);
  assert.throws(() => parseRegistryOptions({ schema_registry_username: 'me' }), /"schema_registry"/);
  for (const text of [
    '',
    'localhost:8081',
    'http://a?b',
    'http://a,,http://b',
    'http://me:secret@a',
    'ftp://me:secret@a',
    'http://a?b,http://me:secret@b',
  ]) {
    assert.throws(
      () => parseRegistryOptions({ schema_registry: text }),
      (error: Error) =>
        /invalid value for option "schema_registry"/.test(error.message) && !/secret/.test(error.message),
      text,
    );
  }
});
