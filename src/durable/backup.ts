/**
 * A copy of a data directory, of a server that runs or of one that has ended. The server is not asked and does not wait.
 *
 *   pin     hard links in DIR/backup.PID to the newest checkpoint, its page files and cold files, and the log after it: what is linked stays, whatever the server removes.
 *           (and the change logs). A file that is gone before it was linked was replaced by a newer one: all again from the listing
 *   copy    page files and checkpoints, which are never changed, and cold files, which only their server makes longer, as links where TO is on the same
 *           file system; the logs byte by byte, for a server cuts and appends to them. A record that was being written is left out
 *   check   layout last; then the doctor reads all of it
 *
 * The copy has every transaction that was acknowledged before it began, and a beginning of those of the meantime: a log ends somewhere.
 * It keeps the identity of the directory, and so of its sinks (docs/data-directory.md).
 */
import { constants, copyFile, link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { SqlError } from '../../operators/errors.ts';
import { pageFileName } from '../checkpoint/page_file.ts';
import { findCheckpoints, manifestName } from '../checkpoint/store.ts';
import { coldFileName } from '../cold/names.ts';
import { readLayout } from './data_directory.ts';
import { realDisk, replaceFile } from './disk.ts';
import { examine } from './doctor.ts';
import { listSegments, readLog } from './segments.ts';

export interface BackupReport {
  /** Of the last record in the copy. */
  tick: bigint;
  bytes: number;
}

/** The server replaces its checkpoint once a minute or so; it will not do it so often while a few links are made. */
const MOST_TRIES = 100;
const FOLDERS = ['checkpoints', 'cold', 'changes', 'log'];
const PIN = /^backup\.(\d+)$/;

/** Something was removed between the listing and the link. */
class Gone extends Error {}

export async function backup(from: string, to: string): Promise<BackupReport> {
  const identity = await readLayout(from);
  if (identity === null) throw new SqlError('58P01', `"${from}" is not a data directory of Tidemark`);
  await checkTarget(from, to);
  const pin = join(from, `backup.${process.pid}`);
  await removeLeftovers(from);
  try {
    await pinFiles(from, pin, identity);
    await realDisk.makeFolder(to);
    const bytes = await copyTree(pin, to);
    const end = await readLog(join(to, 'log'), identity, realDisk, await covered(to, identity), async () => undefined);
    await cutTorn(join(to, 'log'), end);
    await replaceFile(realDisk, join(to, 'layout'), await realDisk.read(join(from, 'layout')));
    const damage = (await examine(to)).filter(({ level }) => level === 'problem');
    if (damage.length > 0)
      throw new SqlError('XX001', `the copy is not whole: ${damage[0].text}`, {
        hint: `"tidemark doctor ${from}" tells more.`,
      });
    const [newest] = (await findCheckpoints(realDisk, join(to, 'checkpoints'), identity)).flatMap((found) =>
      'manifest' in found ? [found.manifest.tick] : [],
    );
    return { tick: newest !== undefined && newest > end.tick ? newest : end.tick, bytes };
  } catch (error) {
    await removeCopy(to);
    throw error;
  } finally {
    await rm(pin, { recursive: true, force: true });
  }
}

async function checkTarget(from: string, to: string): Promise<void> {
  const inside = relative(resolve(from), resolve(to));
  if (inside === '' || !inside.startsWith('..')) throw new SqlError('22023', `"${to}" lies in "${from}"`);
  const names = await readdir(to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SqlError('58030', `cannot use "${to}": ${error.message}`);
  });
  if (names.length > 0) throw new SqlError('55000', `"${to}" is not empty`);
}

/** What backups left that were killed. */
async function removeLeftovers(from: string): Promise<void> {
  for (const name of await readdir(from)) {
    const match = PIN.exec(name);
    if (match !== null && !isRunning(Number(match[1]))) await rm(join(from, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function pinFiles(from: string, pin: string, identity: bigint): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await rm(pin, { recursive: true, force: true });
      for (const folder of ['.', ...FOLDERS]) await mkdir(join(pin, folder), { mode: 0o700 });
      await linkAll(from, pin, identity);
      return;
    } catch (error) {
      if (!(error instanceof Gone) || tries === MOST_TRIES) throw error;
    }
  }
}

async function linkAll(from: string, pin: string, identity: bigint): Promise<void> {
  const found = await findCheckpoints(realDisk, join(from, 'checkpoints'), identity);
  for (const candidate of found) {
    if ('reason' in candidate) continue;
    const names = [...candidate.manifest.files.keys()].map(pageFileName);
    for (const name of [manifestName(candidate.number), ...names])
      await linkOne(join(from, 'checkpoints', name), join(pin, 'checkpoints', name));
    for (const name of candidate.manifest.cold.map(({ number }) => coldFileName(number)))
      await linkOne(join(from, 'cold', name), join(pin, 'cold', name));
    break;
  }
  for (const name of await realDisk.list(from)) {
    if (/^portable-\d+$/.test(name)) await linkOne(join(from, name), join(pin, name));
  }
  // Change logs are longer than the checkpoint knows, which a start cuts back.
  for (const name of await namesIn(join(from, 'changes')))
    await linkOne(join(from, 'changes', name), join(pin, 'changes', name));
  const segments = await listSegments(join(from, 'log'), realDisk);
  for (const { path } of segments) await linkOne(path, join(pin, relative(from, path)));
  // A checkpoint that came meanwhile lets go of what the one before needs.
  if (segments.length > 0 && segments[0].first > (await covered(pin, identity)) + 1n) throw new Gone(segments[0].path);
}

/** None where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return realDisk.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function linkOne(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Gone(from);
    throw error;
  }
}

/** The last record that the checkpoint, or the copy for other versions, has; 0 without one. */
async function covered(directory: string, identity: bigint): Promise<bigint> {
  const found = await findCheckpoints(realDisk, join(directory, 'checkpoints'), identity);
  for (const candidate of found) if ('manifest' in candidate) return candidate.manifest.sequence;
  const copies = (await realDisk.list(directory)).flatMap((name) => /^portable-(\d+)$/.exec(name)?.[1] ?? []);
  return copies.reduce((last, name) => (BigInt(name) > last ? BigInt(name) : last), 0n);
}

/** Copies a pinned directory; gives its bytes. */
async function copyTree(pin: string, to: string): Promise<number> {
  let bytes = 0;
  for (const folder of [...FOLDERS, '.']) {
    const target = join(to, folder);
    await realDisk.makeFolder(target);
    for (const entry of await readdir(join(pin, folder), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(target, entry.name);
      if (folder === 'log' || folder === 'changes')
        await copyFile(join(pin, folder, entry.name), path, constants.COPYFILE_EXCL);
      else await linkOrCopy(join(pin, folder, entry.name), path);
      await sync(path);
      bytes += (await stat(path)).size;
    }
    await realDisk.syncFolder(target);
  }
  return bytes;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK' && code !== 'ENOTSUP') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

async function sync(path: string): Promise<void> {
  const file = await realDisk.open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The copy ends with a whole record. */
async function cutTorn(folder: string, end: Awaited<ReturnType<typeof readLog>>): Promise<void> {
  const whole = new Set(end.segments.map(({ path }) => path));
  for (const { path } of await listSegments(folder, realDisk)) if (!whole.has(path)) await realDisk.remove(path);
  const newest = end.segments.at(-1);
  if (newest === undefined || end.length === null) return;
  const file = await realDisk.open(newest.path);
  try {
    await file.truncate(end.length);
    await file.sync();
  } finally {
    await file.close();
  }
  await realDisk.syncFolder(folder);
}

/** What was begun and is not whole. */
async function removeCopy(to: string): Promise<void> {
  for (const name of await readdir(to).catch(() => [])) await rm(join(to, name), { recursive: true, force: true });
}
