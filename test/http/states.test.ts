/** The HTTP thread before the server is ready, while it does not answer, and at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpThread } from '../../src/http/http_thread.ts';
import type { Health } from '../../src/http/messages.ts';
import { ask, type HttpServerForTest } from './http_client.ts';

const options = { timeout: 60_000 };
const lines: string[] = [];
const start = () =>
  HttpThread.start({ listen: { host: '127.0.0.1', port: 0 }, tls: null, auth: 'trust' }, (level, message) =>
    lines.push(`${level} ${message}`),
  );
const asked = (thread: HttpThread, path: string, body?: string) =>
  ask({ httpPort: thread.port } as HttpServerForTest, path, body === undefined ? {} : { method: 'POST', body });

test('a prober hears how far the server is', options, async () => {
  const thread = await start();
  assert.deepEqual((await asked(thread, '/health/live')).json, { status: 'live', state: 'starting' });
  const starting = await asked(thread, '/health/ready');
  assert.deepEqual([starting.status, starting.json], [503, { status: 'starting', reason: 'recovery is not over' }]);
  const early = await asked(thread, '/query', 'SELECT 1');
  assert.deepEqual([early.status, early.json.error.sqlstate, early.headers['retry-after']], [503, '57P03', '1']);
  const health: Health = {
    tick: '7',
    writable: false,
    held: [{ source: 's', partition: 0, status: 'held: memory' }],
    stopped: [{ sink: 'k', status: 'stopped', error: 'why' }],
  };
  let answer = (): Promise<Health | string> => Promise.resolve(health);
  thread.ready(() => answer());
  const ready = await asked(thread, '/health/ready');
  assert.equal(ready.status, 200);
  assert.deepEqual(ready.json, { status: 'ready', heldSources: 1, stoppedSinks: 1, ...health });
  answer = () => new Promise(() => undefined);
  const busy = await asked(thread, '/health/ready');
  assert.deepEqual([busy.status, busy.json.status], [503, 'busy']);
  answer = () => Promise.reject(new Error('a fault'));
  const broken = await asked(thread, '/health/ready');
  assert.equal(broken.status, 500);
  assert.doesNotMatch(broken.text, /a fault/);
  assert.ok(lines.includes('error http: a fault'), lines.join('\n'));
  thread.closing();
  const closing = await asked(thread, '/health/ready');
  assert.deepEqual([closing.status, closing.json.status], [503, 'closing']);
  await thread.close();
  await assert.rejects(asked(thread, '/health/live'), { code: 'ECONNREFUSED' });
});

test('a listener of Postgres clients that is not there cuts requests off, and they are answered', options, async () => {
  const thread = await start();
  thread.ready(() => Promise.resolve('x'));
  thread.streams.close();
  const { status, json } = await asked(thread, '/query', 'SELECT 1');
  assert.deepEqual([status, json.error.sqlstate], [503, '08006']);
  await thread.close();
});
