/**
 * Several clients whose statements take a long turn each, one after the other: what was said of one that still waits, while another had the turn, is heard in its own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type pg from 'pg';
import { Child, pause } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-waiting-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What the driver does not say that it has. */
interface Backend {
  processID: number;
  secretKey: number;
}

/** One turn, without an end that anybody waits for. */
const endless = (name: string) =>
  `CREATE MATERIALIZED VIEW ${name} AS SELECT count(*) FROM generate_series(1, 100000000) g`;

function outcomeOf(client: pg.Client, text: string): Promise<string> {
  return client.query(text).then(
    () => 'done',
    (error: { code?: string }) => error.code ?? 'lost',
  );
}

function cancelRequest(port: number, { processID, secretKey }: Backend): Promise<void> {
  const message = Buffer.alloc(16);
  for (const [i, n] of [16, 80877102, processID, secretKey].entries()) message.writeInt32BE(n, i * 4);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(message));
    socket.on('close', () => resolve());
  });
}

test('a signal ends all statements that wait for their turn, and the server in order', {
  timeout: 120_000,
}, async (t) => {
  for (let round = 0; round < 3; round++) {
    const child = await Child.start(join(root, `signal-${round}`));
    t.after(() => child.kill());
    const clients = await Promise.all([0, 1, 2].map(() => child.connect()));
    const outcomes = clients.map((client, i) => outcomeOf(client, endless(`w${i}`)));
    await pause(600);
    child.signal('SIGTERM');
    await child.ended();
    assert.deepEqual(await Promise.all(outcomes), ['57P01', '57P01', '57P01']);
    assert.match(child.output, /INFO +closed/);
  }
});

test('a cancel of a statement that waits for its turn ends it in that', { timeout: 60_000 }, async (t) => {
  const child = await Child.start(join(root, 'cancel'));
  t.after(() => child.kill());
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all([0, 1, 2].map(() => child.connect()));
    const outcomes = clients.map((client, i) => outcomeOf(client, endless(`w${i}`)));
    await pause(400);
    for (const client of clients as unknown as Backend[]) await cancelRequest(child.port, client);
    assert.deepEqual(await Promise.all(outcomes), ['57014', '57014', '57014']);
    for (const client of clients) {
      assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1);
      await client.end();
    }
  }
});
