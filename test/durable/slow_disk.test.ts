/** A checkpoint on a disk that is slower than statements change pages: the copies of these pages do not take the memory that statements need. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { openEngine, sql } from '../engine/harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-slow-'));
after(() => {
  rmSync(path, { recursive: true, force: true });
  budget.limit = Number.POSITIVE_INFINITY;
});

/** Writes of page files wait until they are let through. */
class SlowDisk extends MemoryDisk {
  #waiting: (() => void)[] = [];
  isOpen = false;

  override async create(path: string): ReturnType<MemoryDisk['create']> {
    const file = await super.create(path);
    if (!path.includes('pages-')) return file;
    const write = file.write.bind(file);
    file.write = async (bytes, position) => {
      if (!this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return write(bytes, position);
    };
    return file;
  }

  letThrough(): void {
    for (const write of this.#waiting.splice(0)) write();
  }
}

/** Whether it has ended after some turns of the event loop. */
async function endsSoon(work: Promise<unknown>): Promise<boolean> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  work.then(end, end);
  for (let turn = 0; turn < 3000 && !ended; turn++) await new Promise((resolve) => setImmediate(resolve));
  return ended;
}

test('statements wait for the copies of a slow checkpoint where memory is short', { timeout: 120_000 }, async () => {
  const disk = new SlowDisk();
  const engine = await openEngine({ automatic: true });
  await openData(engine, { path, disk, checkpoints: { seconds: 1e6, logBytes: 1e9 } });
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, s text)');
  for (let from = 0; from < 8000; from += 1000)
    await sql(engine, `INSERT INTO t SELECT i, i || repeat('x', 1000) FROM generate_series(${from}, ${from + 999}) i`);
  budget.limit = pages.usedBytes + budget.outsideBytes + (9 << 20);
  const checkpoint = engine.checkpoints?.take();
  for (let i = 0; i < 20; i++) {
    const update = sql(engine, `UPDATE t SET s = id || repeat('y', 1000) WHERE id % 100 = ${i}`);
    while (!(await endsSoon(update))) disk.letThrough();
    await update;
  }
  disk.isOpen = true;
  disk.letThrough();
  await checkpoint;
  assert.deepEqual(await sql(engine, "SELECT count(*) FROM t WHERE s LIKE '%y'"), [[`${(8000 / 100) * 20}`]]);
  await engine.close();
});
