/** What the I/O thread is for: a dataflow thread that is deep in something does not keep clients from being heard. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { serialize } from 'pg-protocol';
import type { Datum } from '../../operators/datum.ts';
import type { PreparedStatement, Result, SessionContext } from '../engine.ts';
import { startPostgresServer } from '../postgres/server.ts';
import { FakeEngine } from '../postgres/testing/fake_engine.ts';
import { WireClient } from '../postgres/testing/wire_client.ts';
import { IoThread } from './io_thread.ts';

const PATIENCE_MS = 20_000;
const BLOCKED = 0;
const HEARD = 1;

/** Blocks its thread in the middle of a statement until the other client has been heard. */
class BlockingEngine extends FakeEngine {
  readonly flags = new Int32Array(new SharedArrayBuffer(8));
  outcome = '';

  override async execute(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    signal: AbortSignal,
  ): Promise<Result> {
    Atomics.store(this.flags, BLOCKED, 1);
    Atomics.notify(this.flags, BLOCKED);
    this.outcome = Atomics.wait(this.flags, HEARD, 0, PATIENCE_MS);
    return super.execute(prepared, params, session, signal);
  }
}

/** The second client, in a thread of its own: once the statement blocks, it asks for TLS, then sends the cancel request of the first. */
const SECOND_CLIENT = `
  const { connect } = require('node:net');
  const { parentPort, workerData: { port, cancel, flags } } = require('node:worker_threads');
  parentPort.postMessage('ready');
  Atomics.wait(flags, ${BLOCKED}, 0);
  const asking = connect(port, '127.0.0.1', () => asking.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
  asking.once('data', (answer) => {
    parentPort.postMessage(answer.toString());
    asking.destroy();
    const cancelling = connect(port, '127.0.0.1', () => cancelling.write(cancel));
    cancelling.resume().once('close', () => {
      Atomics.store(flags, ${HEARD}, 1);
      Atomics.notify(flags, ${HEARD});
    });
  });
`;

test('while a statement has the dataflow thread, a second client connects and its cancel request is taken', async () => {
  const io = new IoThread({ log: () => undefined, onFailure: (error) => assert.fail(error) });
  const engine = new BlockingEngine();
  engine.waits('select block');
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await startPostgresServer({ listen, engine, version: '0', listenThrough: io.listen });
  const client = await WireClient.start(server.port);
  const cancel = Buffer.alloc(12 + client.secret.length);
  cancel.writeInt32BE(cancel.length, 0);
  cancel.writeInt32BE(80877102, 4);
  cancel.writeInt32BE(client.pid, 8);
  client.secret.copy(cancel, 12);
  const second = new Worker(SECOND_CLIENT, {
    eval: true,
    workerData: { port: server.port, cancel, flags: engine.flags },
  });
  assert.deepEqual(await once(second, 'message'), ['ready']);
  const encryption = once(second, 'message');
  client.send(serialize.query('select block'));
  assert.deepEqual(await client.until('Z'), ['E 57014 canceling statement due to user request', 'Z I']);
  assert.equal(engine.outcome, 'ok');
  assert.deepEqual(await encryption, ['N']);
  client.close();
  await second.terminate();
  await server.close();
  await io.close();
});
