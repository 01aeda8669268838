/** A server of the command that is killed: who follows a view over HTTP has each change once. And its order at SIGTERM. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bin, ended, root, startCommand } from '../cli/started_command.ts';
import { until } from '../clients/server.ts';
import { ask, EventReader, type HttpServerForTest, open, post } from './http_client.ts';

type Started = HttpServerForTest & { child: ChildProcess; output(): string };

async function start(data: string): Promise<Started> {
  const { child, port, output } = await startCommand(root, process.execPath, [
    bin,
    'start',
    ...['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--data', data],
  ]);
  const httpPort = Number(/http: http:\/\/127\.0\.0\.1:(\d+)\//.exec(output())?.[1]);
  return { child, port, httpPort, output } as unknown as Started;
}

async function kill(server: Started): Promise<void> {
  const gone = ended(server.child);
  server.child.kill('SIGKILL');
  await gone;
}

test('each change once over kills', { timeout: 120_000 }, async () => {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-http-killed-'));
  let server = await start(data);
  try {
    await post(server, 'CREATE TABLE t (a int PRIMARY KEY)');
    await post(server, 'CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n, sum(a) AS sum FROM t');
    const rows = new Map<string, number>();
    let lastEventId: string | null = null;
    let inserted = 0;
    for (let round = 0; round < 4; round++) {
      const reader = await EventReader.open(server, 'SUBSCRIBE sums', lastEventId);
      // The last of them may or may not be acknowledged when the server dies.
      const going = (async () => {
        for (let n = 0; n < 20; n++) {
          const { status } = await post(server, `INSERT INTO t SELECT coalesce(max(a), 0) + 1 FROM t`);
          if (status === 200) inserted++;
        }
      })().catch(() => undefined);
      await until('some changes', () => reader.changes.length > 5);
      if (round === 3) {
        await going;
        // There may be more than were acknowledged.
        const [[last]] = (await post(server, 'TABLE sums')).json.rows;
        await until('the last one', () => reader.changes.some(([, diff, [n]]) => diff === 1 && n === last));
        reader.close();
      } else {
        await kill(server);
        await Promise.all([going, until('the end', () => reader.ended)]);
        server = await start(data);
      }
      for (const [, diff, row] of reader.changes) {
        const key = JSON.stringify(row);
        const weight = (rows.get(key) ?? 0) + diff;
        if (weight === 0) rows.delete(key);
        else rows.set(key, weight);
      }
      lastEventId = reader.lastEventId;
    }
    const { json } = await post(server, 'TABLE sums');
    assert.deepEqual([...rows], [[JSON.stringify(json.rows[0]), 1]]);
    assert.ok(Number(json.rows[0][0]) >= inserted, 'nothing that was acknowledged is lost');
  } finally {
    await kill(server);
    rmSync(data, { recursive: true, force: true });
  }
});

test('SIGTERM: who waits is told, and the server ends in order', { timeout: 60_000 }, async () => {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-http-ended-'));
  const server = await start(data);
  const sleeping = post(server, 'SELECT pg_sleep(600)');
  const stuck = await open(server, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', Accept: 'text/csv' },
    body: "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)",
  });
  stuck.on('error', () => undefined).pause();
  await until('it runs', async () => {
    const { json } = await post(server, "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'http'");
    return json.rows[0][0] === 3;
  });
  const gone = ended(server.child);
  server.child.kill('SIGTERM');
  const { status, json } = await sleeping;
  assert.deepEqual([status, json.error.sqlstate], [503, '57P01']);
  assert.equal(await gone, 0, server.output());
  assert.match(server.output(), /closed\n$/);
  assert.doesNotMatch(server.output(), /ERROR/);
  await assert.rejects(ask(server, '/health/live'), { code: 'ECONNREFUSED' });
  rmSync(data, { recursive: true, force: true });
});
