/** What is read of a request before anything is done for it. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { fromJson } from './body.ts';
import { statusOf } from './errors.ts';
import { checkPage, loginOf } from './guard.ts';
import { leadingWord } from './leading_word.ts';
import type { HttpSettings } from './messages.ts';
import { subscription } from './subscribe.ts';

const trust: HttpSettings = { listen: { host: 'db.example', port: 1 }, tls: null, auth: 'trust' };
const scram: HttpSettings = { ...trust, auth: 'scram' };

function request(headers: Record<string, string>, remoteAddress = '127.0.0.1'): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

const status = (act: () => unknown): number => {
  try {
    act();
    return 200;
  } catch (error) {
    return (error as { status: number }).status;
  }
};

test('parameters of JSON keep their digits', () => {
  const { sql, params } = fromJson(
    '{"sql": "select \\"1\\", 2", "params": [9007199254740993, -0.10, 1e400, "7", true, null, "a\\"1\\\\"]}',
  );
  assert.equal(sql, 'select "1", 2');
  assert.deepEqual(params, ['9007199254740993', '-0.10', '1e400', '7', 'true', null, 'a"1\\']);
  for (const bad of [
    '[]',
    '{}',
    '{"sql":1}',
    '{"sql":"","params":{}}',
    '{"sql":"","params":[[1]]}',
    '{"sql":"","x":1}',
    '{',
    '{"sql":"select \\ud800"}',
    '{"sql":"","params":["\\udc00\\ud800"]}',
  ])
    assert.equal(
      status(() => fromJson(bad)),
      400,
      bad,
    );
});

test('the first word of a statement stands behind comments and brackets', () => {
  assert.equal(leadingWord(' -- a\n /* b /* c */ */ (( SELECT 1))'), 'select');
  assert.equal(leadingWord('/* never ends /*'), '');
  assert.equal(leadingWord('-- only'), '');
  assert.equal(leadingWord('with x as (select 1) table x'), 'with');
  // Time that grows faster than the text would show here.
  assert.equal(leadingWord('/**/ '.repeat(200_000) + '!'), '');
});

test('a SUBSCRIBE is made of a query or of itself', () => {
  assert.deepEqual(subscription('select 1 -- x ; ;\n;', null), {
    text: 'SUBSCRIBE (select 1 -- x\n)\nWITH (snapshot = true, progress = true)',
    before: 11,
  });
  assert.deepEqual(subscription('subscribe to v;', '7'), {
    text: 'subscribe to v\nWITH (snapshot = false, progress = true) AS OF 7',
    before: 0,
  });
});

test('Host: without passwords no name but our own; Origin and Sec-Fetch-Site: only our pages', () => {
  const host = (name: string) => status(() => checkPage(request({ host: name }), '/query', trust));
  for (const good of ['127.0.0.1:80', '[::1]:80', '[::1]', '10.0.0.7', 'localhost:7', 'LOCALHOST.', 'db.example:9'])
    assert.equal(host(good), 200, good);
  for (const other of ['evil.example', 'localhost.evil.example:80', '127.0.0.1.evil.example', '1.2.3.4.5'])
    assert.equal(host(other), 421, other);
  for (const none of ['', 'a b', 'x@127.0.0.1', '[::1', ':80', 'a/b']) assert.equal(host(none), 400, none);
  assert.equal(
    status(() => checkPage(request({}), '/', trust)),
    400,
  );
  assert.equal(
    status(() => checkPage(request({ host: 'any.example' }), '/', scram)),
    200,
  );
  const page = (headers: Record<string, string>, path = '/query') =>
    status(() => checkPage(request({ host: '127.0.0.1:8080', ...headers }), path, trust));
  assert.equal(page({ origin: 'http://127.0.0.1:8080' }), 200);
  assert.equal(page({ origin: 'http://127.0.0.1:8081' }), 403);
  assert.equal(page({ origin: 'null' }), 403);
  assert.equal(page({ origin: 'http://evil.example' }), 403);
  assert.equal(page({ 'sec-fetch-site': 'same-origin' }), 200);
  assert.equal(page({ 'sec-fetch-site': 'none' }), 200);
  assert.equal(page({ 'sec-fetch-site': 'cross-site' }), 403);
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  assert.equal(page(link, '/'), 200);
  assert.equal(page(link, '/subscribe'), 403);
});

test('passwords: Basic, and not in clear from another machine', () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  assert.deepEqual(loginOf(request(basic('ann:a:b\u00e4')), scram), { user: 'ann', password: 'a:b\u00e4' });
  assert.deepEqual(loginOf(request(basic('ann:')), trust), { user: 'ann', password: '' });
  assert.deepEqual(loginOf(request({}), trust), { user: 'tidemark', password: null });
  assert.equal(
    status(() => loginOf(request({}), scram)),
    401,
  );
  for (const bad of [':x', 'ann', 'ann\0user\0tidemark:x'])
    assert.equal(
      status(() => loginOf(request(basic(bad)), scram)),
      401,
      bad,
    );
  assert.equal(
    status(() => loginOf(request({ authorization: 'Bearer x' }), scram)),
    401,
  );
  assert.equal(
    status(() => loginOf(request(basic('ann:x'), '10.0.0.1'), scram)),
    403,
  );
  assert.equal(
    status(() => loginOf(request({}, '10.0.0.1'), scram)),
    403,
  );
  const secured = { ...scram, tls: { cert: '', key: '' } };
  assert.equal(
    status(() => loginOf(request(basic('ann:x'), '10.0.0.1'), secured)),
    200,
  );
});

test('statuses by SQLSTATE', () => {
  const expected = { '42601': 400, '42501': 403, '28P01': 401, '28000': 403, '23505': 409, '40001': 409, '57014': 504 };
  for (const [sqlstate, http] of Object.entries(expected)) assert.equal(statusOf(sqlstate), http, sqlstate);
  assert.equal(statusOf('53200'), 503);
  assert.equal(statusOf('XX000'), 500);
});
