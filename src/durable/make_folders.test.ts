/** Folders are made with those above them, and what cannot be made is an error at once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolders } from './make_folders.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-folders-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('folders above are made, and what is there stays', async () => {
  const path = join(root, 'a', 'b', 'c');
  await makeFolders(path, 0o700);
  await makeFolders(path, 0o755);
  for (const made of [path, join(root, 'a')]) assert.equal(statSync(made).mode & 0o777, 0o700);
});

test('several at once make the same folder', async () => {
  const path = join(root, 'many', 'at', 'once');
  await Promise.all(Array.from({ length: 8 }, () => makeFolders(path, 0o700)));
  assert.ok(statSync(path).isDirectory());
});

test('a file in the way is an error', async () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  await assert.rejects(makeFolders(file, 0o700), { code: 'EEXIST' });
  await assert.rejects(makeFolders(join(file, 'x', 'y'), 0o700), { code: 'ENOTDIR' });
});

test('in a directory that was removed it is an error, not an endless loop', () => {
  const gone = join(root, 'gone');
  mkdirSync(gone);
  const module = new URL('./make_folders.ts', import.meta.url).href;
  const script = `import { rmdirSync } from 'node:fs';
    const { makeFolders } = await import(${JSON.stringify(module)});
    process.chdir(${JSON.stringify(gone)});
    rmdirSync(${JSON.stringify(gone)});
    await makeFolders('x/y', 0o700).catch((error) => console.log(error.code));`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(stdout.trim(), 'ENOENT');
});
