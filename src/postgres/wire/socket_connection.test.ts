import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { SocketConnection } from './socket_connection.ts';

test('short answers to a client that does not read are told to have left when they have', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const connection = new SocketConnection(
    socket,
    { address: null, port: null, localAddress: null, localPort: null, tls: null },
    1 << 20,
  );
  let sent = 0;
  let left = 0;
  const answer = () => {
    const bytes = Buffer.alloc(4000, sent++ % 251);
    const took = () => {
      left++;
    };
    if (!connection.writeAtOnce(bytes, took)) return false;
    took();
    return true;
  };
  while (answer());
  assert.equal(left, sent - 1, 'the answer that found no room has not left');
  for (let more = 0; more < 3; more++) assert.equal(answer(), false);
  assert.equal(left, sent - 4);
  let received = 0;
  client.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte !== Math.floor(received++ / 4000) % 251) assert.fail('bytes in another order');
  });
  while (left < sent || received < sent * 4000) await once(client, 'data');
  assert.equal(answer(), true);
  const gone = new Promise((resolve) => socket.once('close', resolve));
  client.destroy();
  await gone;
  assert.equal(connection.writeAtOnce(Buffer.alloc(1), assert.fail), true, 'nobody waits for a client that is gone');
  server.close();
});
