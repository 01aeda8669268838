/**
 * SIGKILL while files are read: csv, packed JSON and Parquet, by a server with an I/O thread. After the last start every row of every file was counted once, and a
 * watermark has let the same rows through as in a server that was never killed: all of them, as times only grow.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seeded } from '../engine/harness.ts';
import { Child, pause, progress, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-file-kills-'));
after(() => rmSync(root, { recursive: true, force: true }));

const ROWS = rounds(30_000, 300_000);
const FILES = 3;
const FORMATS = ['csv', 'parquet', 'json'];

test('every row of files is read once', { timeout: 3_600_000 }, async () => {
  const { random } = seeded('kills while files are read');
  const data = join(root, 'data');
  const folder = join(root, 'in');
  mkdirSync(folder);
  let child = await Child.start(data);
  const client = await child.connect();
  for (let i = 0; i < FILES; i++) {
    const query = `SELECT g::int AS id, timestamp '2026-01-01' + g * interval '1 second' AS at, 'text ' || g AS s FROM generate_series(${i * ROWS}, ${(i + 1) * ROWS - 1}) g`;
    for (const format of ['csv', 'parquet'])
      await client.query(`COPY (${query}) TO '${folder}/${i}.${format}' (FORMAT ${format})`);
    const lines = `${folder}/lines`;
    await client.query(`COPY (SELECT to_jsonb(q)::text FROM (${query}) q) TO '${lines}'`);
    writeFileSync(`${folder}/${i}.json.gz`, gzipSync(readFileSync(lines)));
    unlinkSync(lines);
  }
  for (const format of FORMATS)
    await client.query(
      `CREATE STREAM ${format} (id int, at timestamp, s text, WATERMARK FOR at AS at - INTERVAL '0 seconds') WITH (connector = 'files', path = '${folder}/*.${format}*', format = '${format}')`,
    );
  const all = FORMATS.map((format) => `SELECT '${format}' AS format, id, s FROM ${format}`).join(' UNION ALL ');
  await client.query(
    `CREATE MATERIALIZED VIEW sums AS SELECT format, count(*) AS n, count(DISTINCT id) AS ids, sum(id::int8) AS s, sum(length(s)) AS l FROM (${all}) x GROUP BY format`,
  );
  await client.end();
  const total = ROWS * FILES * FORMATS.length;
  const count = async () => Number((await child.rows('SELECT sum(n) FROM sums'))[0][0] ?? 0);
  let during = 0;
  for (let kills = rounds(4, 20); kills > 0; kills--) {
    const before = await count();
    if (before === total) break;
    progress(`kills while files are read: ${kills} to go, ${before} of ${total} rows`);
    for (let n = before; n === before; n = await count()) await pause(5);
    await pause(random(150));
    await child.kill();
    child = await Child.start(data);
    const again = await count();
    if (again < total) during++;
    assert.ok(again >= before, `${again} rows after a kill, ${before} before`);
  }
  assert.ok(during > 0, 'no kill came while files were read');
  while ((await count()) < total) await pause(50);
  const ids = ROWS * FILES;
  const length = (await child.rows(`SELECT sum(length('text ' || g)) FROM generate_series(0, ${ids - 1}) g`))[0][0];
  const sum = String((ids * (ids - 1)) / 2);
  assert.deepEqual(
    await child.rows('SELECT format, n, ids, s::text, l FROM sums ORDER BY format'),
    [...FORMATS].sort().map((format) => [format, String(ids), String(ids), sum, length]),
  );
  assert.deepEqual(
    await child.rows('SELECT name, late, errors, lag, status FROM tidemark.sources ORDER BY name'),
    [...FORMATS].sort().map((name) => [name, '0', '0', '0', 'running']),
  );
  // And once more from what the last server has left.
  await child.kill();
  child = await Child.start(data);
  assert.equal(await count(), total);
  await child.kill();
});
