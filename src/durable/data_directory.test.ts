/** Who may open a data directory, and which. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SqlError } from '../../operators/errors.ts';
import { openDirectory, ownerOf, releaseOf } from './data_directory.ts';
import { type Disk, realDisk } from './disk.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-directory-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a new directory is made, private to its owner, and found again', async () => {
  const path = join(root, 'new', 'deep');
  const first = await openDirectory(path);
  assert.ok(first.fresh);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'layout')).mode & 0o777, 0o600);
  assert.equal(ownerOf(path), process.pid);
  first.release();
  assert.equal(ownerOf(path), null);
  const second = await openDirectory(path);
  assert.equal(second.fresh, false);
  assert.equal(second.identity, first.identity);
  second.release();
});

test('a lock holds against other processes while its process lives, and not longer', async () => {
  const path = join(root, 'locked');
  (await openDirectory(path)).release();
  const module = new URL('./data_directory.ts', import.meta.url).href;
  const script = `const { openDirectory } = await import(${JSON.stringify(module)});
    await openDirectory(${JSON.stringify(path)});
    console.log('open');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(openDirectory(path), {
    sqlstate: '55006',
    message: `the data directory "${path}" is in use by process ${child.pid}`,
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(ownerOf(path), null);
  (await openDirectory(path)).release();
});

test('a directory that cannot be written into is named', async () => {
  const path = join(root, 'not ours');
  // Stands in for missing rights, which root does not miss.
  mkdirSync(join(path, `lock.${process.pid}.0`), { recursive: true });
  await assert.rejects(openDirectory(path), (error: SqlError) => {
    assert.equal(error.sqlstate, '58030');
    assert.ok(error.message.startsWith(`cannot write into the data directory "${path}": EISDIR`), error.message);
    return true;
  });
});

test('what helps is said by what the system says', async () => {
  const refusing = (code: string): Disk => ({
    ...realDisk,
    makeFolder: () => Promise.reject(Object.assign(new Error(`${code}: no`), { code })),
  });
  const hintFor = async (code: string) =>
    openDirectory(join(root, 'refused'), refusing(code)).then(
      () => assert.fail('it was opened'),
      ({ sqlstate, fields }: SqlError) => [sqlstate, fields.hint],
    );
  assert.deepEqual(await hintFor('EACCES'), ['58030', "It must belong to the server's user."]);
  assert.match(String(await hintFor('ENOSPC')), /^53100,Make room/);
  assert.match(String(await hintFor('EROFS')), /^58030,.*mounted read-only/);
  assert.deepEqual(await hintFor('ENOTDIR'), ['58030', undefined]);
});

test('the pid of a dead owner that another process has now does not keep anyone out', async () => {
  const path = join(root, 'recycled');
  (await openDirectory(path)).release();
  writeFileSync(join(path, 'lock'), JSON.stringify({ pid: process.ppid, started: '1', boot: null }));
  (await openDirectory(path)).release();
  writeFileSync(join(path, 'lock'), 'not a lock');
  (await openDirectory(path)).release();
  assert.deepEqual(readdirSync(path).sort(), ['layout', 'log']);
});

test('what is not a data directory, or one of another version, is left alone', async () => {
  const foreign = join(root, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'notes.txt'), 'mine');
  await assert.rejects(openDirectory(foreign), { sqlstate: '55000', message: /not empty and is not a data directory/ });
  assert.deepEqual(readdirSync(foreign), ['notes.txt']);
  const newer = join(root, 'newer');
  (await openDirectory(newer)).release();
  writeFileSync(join(newer, 'layout'), '{"version":2,"identity":"5"}\n');
  await assert.rejects(openDirectory(newer), { sqlstate: '55000', message: /layout version 2/ });
  writeFileSync(join(newer, 'layout'), '{"ver');
  await assert.rejects(openDirectory(newer), { sqlstate: 'XX001' });
});

test('a thread that has ended without letting others in is let go, and no other', async () => {
  const path = join(root, 'threads');
  const directory = await openDirectory(path);
  const lock = join(path, 'lock');
  const mine = JSON.parse(readFileSync(lock, 'utf8'));
  releaseOf(mine.thread + 1, path);
  assert.equal(ownerOf(path), process.pid);
  directory.release();
  writeFileSync(lock, JSON.stringify({ ...mine, thread: 99 }));
  await assert.rejects(openDirectory(path), { sqlstate: '55006', fields: { hint: 'Close that database first.' } });
  releaseOf(99, path);
  assert.equal(ownerOf(path), null);
  releaseOf(99, path);
  releaseOf(99, join(lock, 'below'));
});
