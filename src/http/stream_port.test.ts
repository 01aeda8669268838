/** Streams between threads behave as sockets do: order, back-pressure, the end, the loss. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { StreamPort } from './stream_port.ts';

const PEER = { address: '192.0.2.1', port: 4711, localAddress: '192.0.2.2', localPort: 443, tls: null };

async function pair(t: TestContext): Promise<{ here: Duplex; there: Duplex; again(): Duplex; close(): void }> {
  const { port1, port2 } = new MessageChannel();
  const opened = new Promise<Duplex>((resolve) => {
    new StreamPort(port2, (stream, peer) => {
      assert.deepEqual(peer, PEER);
      resolve(stream);
    });
  });
  const here = new StreamPort(port1);
  t.after(() => here.close());
  return { here: here.open(PEER), there: await opened, again: () => here.open(PEER), close: () => here.close() };
}

test('bytes come in order and whole, also from memory that all threads see', async (t) => {
  const { here, there } = await pair(t);
  const shared = Buffer.from(new SharedArrayBuffer(100_000));
  const parts: Buffer[] = [];
  there.on('data', (part: Buffer) => parts.push(part));
  for (let n = 0; n < 50; n++) {
    shared.fill(n);
    // As of a socket the bytes are the caller's again when they were taken.
    await new Promise<void>((resolve) => here.write(shared.subarray(0, 1000 * n), () => resolve()));
  }
  here.end();
  await once(there, 'end');
  const all = Buffer.concat(parts);
  let at = 0;
  for (let n = 0; n < 50; n++) {
    assert.ok(all.subarray(at, at + 1000 * n).every((byte) => byte === n));
    at += 1000 * n;
  }
  assert.equal(all.length, at);
  // The other way is open still.
  there.end('bye');
  let said = '';
  for await (const part of here) said += part;
  assert.equal(said, 'bye');
});

test('who is not read from is held up, and goes on', async (t) => {
  const { here, there } = await pair(t);
  let written = 0;
  const chunk = Buffer.alloc(64 * 1024, 1);
  const writing = (async () => {
    for (let n = 0; n < 100; n++) {
      const more = here.write(chunk);
      written++;
      if (!more) await once(here, 'drain');
    }
    here.end();
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(written < 20, `${written} chunks were written though nobody reads`);
  let read = 0;
  for await (const part of there) read += (part as Buffer).length;
  await writing;
  assert.equal(read, 100 * chunk.length);
});

test('a stream that is destroyed gives back the memory of what waits', async (t) => {
  const { here } = await pair(t);
  const chunk = Buffer.alloc(64 * 1024);
  let given = 0;
  for (let n = 0; n < 20; n++) here.write(chunk, () => given++);
  here.on('error', () => undefined);
  here.destroy();
  await once(here, 'close');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(given, 20);
});

test('a stream that is destroyed is so on the other side, and all are when the port closes', async (t) => {
  const one = await pair(t);
  one.here.destroy();
  await once(one.there, 'close');
  const two = await pair(t);
  two.close();
  await Promise.all([once(two.here, 'close'), once(two.there, 'close')]);
  // And one that is opened then.
  await once(two.again(), 'close');
});
