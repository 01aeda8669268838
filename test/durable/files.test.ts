/** Streams of files over crashes: every row once, whatever came into the folder or went from it meanwhile; a file that has changed is not read. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { CheckpointSettings } from '../../src/checkpoint/schedule.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { otherLayout } from './other_layout.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-durable-files-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

class Server {
  readonly folder = join(root, `in${folders++}`);
  readonly #data = join(root, `data${folders}`);
  readonly #checkpoints: CheckpointSettings | null;
  disk = new MemoryDisk();
  engine!: TidemarkEngine;

  constructor(checkpoints: CheckpointSettings | null) {
    this.#checkpoints = checkpoints;
    mkdirSync(this.folder);
    mkdirSync(this.#data);
  }

  async start(): Promise<void> {
    this.engine = await openEngine({ clock: () => 0n, tickRows: 3 });
    const settings = { path: this.#data, disk: this.disk, segmentBytes: 2000, checkpoints: this.#checkpoints };
    await openData(this.engine, settings);
  }

  /** Between two ticks. */
  async crash(): Promise<void> {
    const disk = this.disk.crash(() => 0);
    await this.engine.close();
    this.disk = disk;
  }

  async create(path: string, more = ''): Promise<void> {
    await sql(
      this.engine,
      `CREATE STREAM s (a int, b text) INCLUDE OFFSET AS o, KEY AS file WITH (connector = 'files', path = '${this.folder}/${path}'${more});
       CREATE MATERIALIZED VIEW v AS SELECT * FROM s`,
    );
  }

  put(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
    utimesSync(join(this.folder, name), 1_700_000_000, 1_700_000_000);
  }

  /** Runs single ticks until the answer satisfies. */
  async until(query: string, satisfies: (rows: (string | null)[][]) => boolean): Promise<(string | null)[][]> {
    for (const end = Date.now() + 20_000; ; await sleep(2)) {
      this.engine.sourceTicks.pump();
      const rows = await sql(this.engine, query);
      if (satisfies(rows)) return rows;
      assert.ok(Date.now() < end, JSON.stringify([rows, await sql(this.engine, 'SELECT * FROM tidemark.sources')]));
    }
  }

  state(): Promise<(string | null)[][]> {
    return sql(
      this.engine,
      `SELECT o::text, a::text, b, file FROM v UNION ALL SELECT "offset"::text, NULL, reason, topic FROM tidemark.errors('s') ORDER BY 1, 2, 4`,
    );
  }
}

async function crashes(name: string, checkpoints: CheckpointSettings | null): Promise<void> {
  const { random } = seeded(name);
  const server = new Server(checkpoints);
  const wanted: string[] = [];
  let number = 0;
  const add = (watched: number) => {
    for (let i = 0; i < watched; i++) {
      // Later names are not later files.
      const file = `${random(1000)}-${number++}.json${random(3) === 0 ? '.gz' : ''}`;
      const rows = Array.from({ length: random(12) }, () =>
        random(8) === 0 ? '{"a":' : `{"a":${wanted.length},"b":"x"}`,
      );
      const text = rows.map((row) => `${row}\n`).join('');
      wanted.push(...rows.map((row, at) => `${file} ${at} ${row.endsWith('}') ? row.slice(5, -9) : 'bad'}`));
      server.put(file, file.endsWith('.gz') ? gzipSync(text) : text);
    }
  };
  add(4);
  await server.start();
  await server.create('*.json*', ", watch = 'true', watch_interval = '10'");
  const rowCount = "SELECT (SELECT count(*) FROM v) + (SELECT count(*) FROM tidemark.errors('s'))";
  for (let round = 0; round < 8; round++) {
    const [[from]] = await sql(server.engine, rowCount);
    if (round % 2 === 1) add(2);
    const goal = Math.min(wanted.length, Number(from) + 1 + random(20));
    await server.until(rowCount, ([[n]]) => Number(n) >= goal);
    if (checkpoints !== null && random(2) === 0) await server.engine.checkpoints?.take();
    const before = await server.state();
    await server.crash();
    await server.start();
    assert.deepEqual(await server.state(), before, `round ${round}`);
  }
  await server.until(rowCount, ([[n]]) => Number(n) === wanted.length);
  const values = await sql(server.engine, 'SELECT o, a FROM v ORDER BY o');
  assert.equal(new Set(values.map(([o]) => o)).size, values.length);
  const found = await sql(server.engine, `SELECT topic, "offset" FROM tidemark.errors('s')`);
  const bad = wanted.filter((row) => row.endsWith('bad')).map((row) => row.split(' '));
  assert.deepEqual(
    found.map(([file, row]) => `${file} ${row}`).sort(),
    bad.map(([file, at]) => `${server.folder}/${file} ${Number(at) + 1}`).sort(),
  );
  const rows = await sql(server.engine, `SELECT replace(file, '${server.folder}/', '') || ' ' || a FROM v`);
  assert.deepEqual(
    rows.map(([row]) => row).sort(),
    wanted
      .filter((row) => !row.endsWith('bad'))
      .map((row) => row.replace(/ \d+ /, ' '))
      .sort(),
  );
  // The same of a view that is made now, and by a server of another version.
  await sql(server.engine, 'CREATE MATERIALIZED VIEW w AS SELECT o, a FROM s');
  assert.deepEqual(await sql(server.engine, 'SELECT * FROM w ORDER BY 1'), values);
  await server.engine.close();
  if (checkpoints !== null) {
    otherLayout(server.disk);
    await server.start();
    assert.deepEqual(await sql(server.engine, 'SELECT o, a FROM v ORDER BY o'), values);
    add(1);
    await server.until(rowCount, ([[n]]) => Number(n) === wanted.length);
    await server.engine.close();
  }
}

test('files: the log alone', () => crashes('files: log', null));

test('files: with checkpoints', () => crashes('files: checkpoints', { seconds: 1e6, logBytes: 1e9 }));

test('a file that has changed or is gone is not read on, and read when it is what it was', async () => {
  const server = new Server({ seconds: 1e6, logBytes: 1e9 });
  const text = Array.from({ length: 20 }, (_, i) => `{"a":${i}}\n`).join('');
  server.put('1.json', text);
  server.put('2.json', '{"a":100}\n');
  await server.start();
  await server.create('*.json');
  const count = 'SELECT count(*) FROM v';
  await server.until(count, ([[n]]) => Number(n) >= 5);
  await server.engine.checkpoints?.take();
  const before = await server.state();
  await server.crash();
  const path = join(server.folder, '1.json');
  appendFileSync(path, '{"a":99}\n');
  await server.start();
  const status = 'SELECT status FROM tidemark.sources';
  const [[changed]] = await server.until(status, ([[s]]) => s !== 'running');
  const { size } = statSync(path);
  assert.ok(
    changed?.startsWith(
      `files: file "${path}" has changed since its reading began: it had ${text.length} bytes of 2023-11-14T22:13:20.000Z and has ${size} bytes`,
    ),
    String(changed),
  );
  assert.deepEqual(await server.state(), before);
  rmSync(path);
  const [[gone]] = await server.until(status, ([[s]]) => s !== changed);
  assert.equal(gone, `files: file "${path}" is gone, and has not been read to its end`);
  server.put('1.json', text);
  await server.until(count, ([[n]]) => Number(n) === 21);
  assert.deepEqual(await sql(server.engine, status), [['running']]);
  // What the log needs and is gone: no start, and no wrong rows.
  await server.crash();
  rmSync(path);
  await assert.rejects(server.start(), { sqlstate: '58P01', message: new RegExp(`file "${path}" is gone`) });
});
