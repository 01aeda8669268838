/** The tick log written by its thread: records of any size in order, one that cannot be written, segments that go. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { realDisk } from './disk.ts';
import { RECORD } from './frame.ts';
import type { LogState } from './group_writer.ts';
import { LogThread } from './log_thread.ts';
import { readLog } from './segments.ts';
import { frameOf, TickLog } from './tick_log.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-log-'));
after(() => rmSync(root, { recursive: true, force: true }));
const IDENTITY = 5n;

const payload = (i: number) => Buffer.alloc(i % 50 === 0 ? 200_000 : i % 300, i);

async function open(folder: string, segmentBytes: number, onState?: (state: LogState) => void): Promise<TickLog> {
  const end = await readLog(folder, IDENTITY, realDisk, 0n, () => undefined);
  return TickLog.open(folder, end, {
    disk: realDisk,
    identity: IDENTITY,
    segmentBytes,
    reserveBytes: 4096,
    aheadBytes: 4096,
    makeWriter: (...args) => new LogThread(...args),
    onState,
  });
}

test('records of any size come back in order, over ends and segments', async () => {
  const folder = join(root, 'order');
  await realDisk.makeFolder(folder);
  let i = 0;
  for (const life of [1, 2]) {
    const log = await open(folder, 100_000);
    for (; i < life * 200; i++) log.append(RECORD.tick, BigInt(i), frameOf(payload(i)));
    await log.durable(log.sequence);
    assert.equal(log.pendingBytes, 0);
    assert.ok(log.groups > 0);
    await log.close();
  }
  const found: Buffer[] = [];
  const end = await readLog(folder, IDENTITY, realDisk, 0n, (frame) => {
    if (frame.kind === RECORD.tick) found.push(Buffer.from(frame.payload));
  });
  assert.equal(end.torn, 0);
  assert.ok(end.segments.length > 2);
  assert.deepEqual(
    found,
    Array.from({ length: 400 }, (_, k) => payload(k)),
  );
  const log = await open(folder, 100_000);
  const newest = log.segments[log.segments.length - 1];
  await log.truncateBefore(newest.first);
  assert.deepEqual(log.segments, [newest]);
  assert.equal(readdirSync(folder).filter((name) => name.endsWith('.log')).length, 1);
  await log.close();
});

test('what cannot be written is said to everyone who waits', async () => {
  const folder = join(root, 'gone');
  await realDisk.makeFolder(folder);
  const states: LogState[] = [];
  const log = await open(folder, 1, (state) => states.push(state));
  await log.durable(log.append(RECORD.tick, 1n, frameOf(payload(1))));
  rmSync(folder, { recursive: true });
  const sequence = log.append(RECORD.tick, 2n, frameOf(payload(2)));
  await assert.rejects(log.durable(sequence), { sqlstate: '58030', message: /ENOENT/ });
  await assert.rejects(log.admit(1), { sqlstate: '58030' });
  assert.deepEqual(states, ['failed']);
  await log.close();
});
