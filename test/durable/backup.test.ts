/** Copies of a directory while a server writes to it: a beginning of what happened, with all that was acknowledged before, and a server of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child } from '../faults/child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));

const bin = fileURLToPath(new URL('../../bin/tidemark', import.meta.url));

function tidemark(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** The greatest number written, after a look that everything up to it is there, whole. */
async function prefix(child: Child): Promise<number> {
  const [[a, least, greatest, both, counted, sum]] = await child.rows(
    `SELECT (SELECT count(*) FROM t)::int, (SELECT min(i) FROM t), (SELECT max(i) FROM t),
      (SELECT count(*) FROM t JOIN u USING (i))::int, (SELECT sum(n) FROM v)::int, (SELECT count(*) FROM u)::int`,
  );
  assert.deepEqual([least, greatest, both, counted, sum], [1, a, a, a, a]);
  return a as number;
}

test('backups while a server writes and takes checkpoints', { timeout: 240_000 }, async (t) => {
  const data = join(root, 'data');
  const child = await Child.start(data);
  t.after(() => child.kill());
  const client = await child.connect();
  await client.query(`CREATE TABLE t (i int PRIMARY KEY, s text); CREATE TABLE u (i int);
    CREATE MATERIALIZED VIEW v AS SELECT i % 5 AS k, count(*)::int AS n FROM t JOIN u USING (i) GROUP BY 1`);
  let written = 0;
  let ends = false;
  const writer = (async () => {
    while (!ends) {
      const i = written + 1;
      await client.query(`INSERT INTO t VALUES (${i}, repeat('s${i}', 200)); INSERT INTO u VALUES (${i})`);
      written = i;
    }
  })();
  const checkpointer = (async () => {
    const other = await child.connect();
    while (!ends) await other.query('CHECKPOINT');
    await other.end();
  })();
  const copies: { to: string; least: number; most: number }[] = [];
  for (let n = 0; n < 4; n++) {
    const to = join(root, `copy${n}`);
    while (written < (n + 1) * 20) await new Promise((resolve) => setImmediate(resolve));
    const least = written;
    const done = await tidemark('backup', data, to);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /copy\d: tick \d+, \d+ bytes, checked/);
    copies.push({ to, least, most: written + 1 });
  }
  ends = true;
  await Promise.all([writer, checkpointer]);
  assert.ok(!readdirSync(data).some((name) => name.startsWith('backup')));
  for (const { to, least, most } of copies) {
    const doctor = await tidemark('doctor', to);
    assert.equal(doctor.code, 0, doctor.stdout);
    const copy = await Child.start(to);
    t.after(() => copy.kill());
    const i = await prefix(copy);
    assert.ok(i >= least && i <= most, `${least} <= ${i} <= ${most}`);
    const rows = await copy.connect();
    await rows.query(`INSERT INTO t VALUES (${i + 1}, 'of the copy'); INSERT INTO u VALUES (${i + 1}); CHECKPOINT`);
    await rows.end();
    await copy.kill('SIGTERM');
  }
  // What the copies did is theirs alone.
  assert.equal(await prefix(child), written);
  await client.end();
  await child.kill('SIGTERM');
  const doctor = await tidemark('doctor', data);
  assert.equal(doctor.code, 0, doctor.stdout);
  const stopped = await tidemark('backup', data, join(root, 'stopped'));
  assert.equal(stopped.code, 0, stopped.stderr);
  const again = await Child.start(join(root, 'stopped'));
  t.after(() => again.kill());
  assert.equal(await prefix(again), written);
  await again.kill('SIGTERM');
});

test('where nothing is copied from, or to', async () => {
  const full = join(root, 'full');
  mkdirSync(full);
  writeFileSync(join(full, 'something'), 'of the user');
  const none = await tidemark('backup', join(root, 'nowhere'), join(root, 'to'));
  assert.equal(none.code, 1);
  assert.match(none.stderr, /is not a data directory/);
  assert.ok(!existsSync(join(root, 'to')));
  const data = join(root, 'small');
  const child = await Child.start(data);
  await child.kill('SIGTERM');
  const refused = await tidemark('backup', data, full);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is not empty/);
  assert.deepEqual(readdirSync(full), ['something']);
  const inside = await tidemark('backup', data, join(data, 'copy'));
  assert.match(inside.stderr, /lies in/);
  assert.equal((await tidemark('backup', data)).code, 2);
});
