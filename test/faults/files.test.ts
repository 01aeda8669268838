/**
 * SIGKILL while files are read that come into a folder: csv, packed JSON and Parquet, by a server with an I/O thread. After the last start every row of every file was counted once, and a
 * watermark has let the same rows through as in a server that was never killed: all of them, as times only grow.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seeded } from '../engine/harness.ts';
import { Child, pause, progress, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-file-kills-'));
after(() => rmSync(root, { recursive: true, force: true }));

const KILLS = rounds(3, 20);
const FORMATS = ['csv', 'json', 'parquet'];

test('every row of files is read once', { timeout: 3_600_000 }, async () => {
  const { random } = seeded('kills while files are read');
  const data = join(root, 'data');
  const folder = join(root, 'in');
  mkdirSync(folder);
  let child = await Child.start(data);
  let files = 0;
  let ids = 0;
  const add = async (rows: number) => {
    const client = await child.connect();
    const query = `SELECT g::int AS id, timestamp '2026-01-01' + g * interval '1 second' AS at, 'text ' || g AS s FROM generate_series(${ids}, ${ids + rows - 1}) g`;
    const lines = `${folder}/lines`;
    await client.query(`COPY (SELECT to_jsonb(q)::text FROM (${query}) q) TO '${lines}'`);
    const number = String(files++).padStart(4, '0');
    for (const format of ['csv', 'parquet'])
      await client.query(`COPY (${query}) TO '${folder}/${number}.${format}' (FORMAT ${format})`);
    writeFileSync(`${folder}/packing`, gzipSync(readFileSync(lines)));
    renameSync(`${folder}/packing`, `${folder}/${number}.json.gz`);
    unlinkSync(lines);
    await client.end();
    ids += rows;
  };
  const client = await child.connect();
  for (const format of FORMATS)
    await client.query(
      `CREATE STREAM ${format} (id int, at timestamp, s text, WATERMARK FOR at AS at - INTERVAL '0 seconds') WITH (connector = 'files', path = '${folder}/*.${format}*', format = '${format}', watch = 'true', watch_interval = '50')`,
    );
  const all = FORMATS.map((format) => `SELECT '${format}' AS format, id, s FROM ${format}`).join(' UNION ALL ');
  await client.query(
    `CREATE MATERIALIZED VIEW sums AS SELECT format, count(*) AS n, count(DISTINCT id) AS ids, sum(id::int8) AS s, sum(length(s)) AS l FROM (${all}) x GROUP BY format`,
  );
  await client.end();
  const count = async () => Number((await child.rows('SELECT sum(n) FROM sums'))[0][0] ?? 0);
  // So many that a kill finds some unread, on whatever machine this is.
  let rows = 20_000;
  for (let kills = KILLS; kills > 0; ) {
    const before = await count();
    progress(`kills while files are read: ${kills} to go, ${before} rows`);
    await add(rows);
    for (let n = before; n === before; n = await count());
    await pause(random(20));
    await child.kill();
    child = await Child.start(data);
    const again = await count();
    // What was seen last may not have been on the disk.
    assert.ok(again >= before, `${again} rows after a kill, ${before} before`);
    if (again < ids * FORMATS.length) kills--;
    else rows *= 2;
  }
  while ((await count()) < ids * FORMATS.length) await pause(50);
  // A server that has just started looks first.
  while ((await child.rows('SELECT count(*) FROM tidemark.sources WHERE lag = 0'))[0][0] !== '3') await pause(20);
  const length = (await child.rows(`SELECT sum(length('text ' || g)) FROM generate_series(0, ${ids - 1}) g`))[0][0];
  const sum = String((ids * (ids - 1)) / 2);
  assert.deepEqual(
    await child.rows('SELECT format, n, ids, s::text, l FROM sums ORDER BY format'),
    FORMATS.map((format) => [format, String(ids), String(ids), sum, length]),
  );
  assert.deepEqual(
    await child.rows('SELECT name, late, errors, lag, status FROM tidemark.sources ORDER BY name'),
    FORMATS.map((name) => [name, '0', '0', '0', 'running']),
  );
  // And once more from what the last server has left.
  await child.kill();
  child = await Child.start(data);
  assert.equal(await count(), ids * FORMATS.length);
  await child.kill();
});
