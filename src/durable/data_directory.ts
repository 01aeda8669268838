/**
 * The directory of --data: who owns it, and which layout it has.
 *
 *   layout      one line of JSON: version and the directory's identity, written when the directory is new
 *   lock        the process that has it open
 *   log/        segments of the tick log (tick_log.ts)
 *   checkpoints/  the newest checkpoints (src/checkpoint/store.ts)
 *   changes/    segments of the change logs (src/changes/change_log.ts)
 *   cold/       state that does not fit in memory (src/cold/cold_files.ts)
 *
 * One process at a time: the lock names a process by its pid, start time and boot, so that a pid that was given to another process, or a crash with or
 * without a reboot, does not keep anyone out. Taking over a dead lock moves it aside first, which only one of several can do.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { SqlError } from '../../operators/errors.ts';
import { type Disk, isDiskFull, realDisk, replaceFile } from './disk.ts';

/** Changes when files of an earlier version could be misread. */
export const LAYOUT_VERSION = 1;

interface Owner {
  pid: number;
  /** Clock ticks from boot to the process's start; null where the system does not tell. */
  started: string | null;
  boot: string | null;
  /** Which of its threads; absent in locks of earlier versions. */
  thread?: number;
}

const NOT_OURS = "It must belong to the server's user.";
/** By the system's code: what helps. */
const HINTS: Record<string, string | undefined> = {
  EACCES: NOT_OURS,
  EPERM: NOT_OURS,
  EROFS: 'Its file system is mounted read-only, which some do by themselves after an error of the disk.',
};

/** Directories that this thread has open. */
const ours = new Set<string>();

export interface DataDirectory {
  path: string;
  logFolder: string;
  checkpointFolder: string;
  changeFolder: string;
  coldFolder: string;
  /** Tells segments of this directory from copies of others. */
  identity: bigint;
  disk: Disk;
  /** True when it was made now. */
  fresh: boolean;
  /** Lets others in. */
  release(): void;
}

/** Opens a directory, making it when missing. 55006 when another process has it, 53100 on a full disk, 58030 where it cannot be written. */
export async function openDirectory(path: string, disk: Disk = realDisk): Promise<DataDirectory> {
  const full = resolve(path);
  try {
    await disk.makeFolder(full);
  } catch (error) {
    throw unusable(`cannot make the data directory "${path}"`, error as NodeJS.ErrnoException);
  }
  try {
    lock(full, path);
  } catch (error) {
    if (error instanceof SqlError) throw error;
    throw unusable(`cannot write into the data directory "${path}"`, error as NodeJS.ErrnoException);
  }
  try {
    const known = await readLayout(full, disk);
    if (known === null && (await disk.list(full)).some((name) => !isLeftover(name))) {
      throw new SqlError('55000', `"${path}" is not empty and is not a data directory of Tidemark`);
    }
    const identity = known ?? randomBytes(8).readBigUInt64LE();
    const logFolder = join(full, 'log');
    await disk.makeFolder(logFolder);
    if (known === null) {
      const text = `${JSON.stringify({ version: LAYOUT_VERSION, identity: String(identity) })}\n`;
      await replaceFile(disk, join(full, 'layout'), Buffer.from(text));
    }
    const checkpointFolder = join(full, 'checkpoints');
    return {
      path: full,
      logFolder,
      checkpointFolder,
      changeFolder: join(full, 'changes'),
      coldFolder: join(full, 'cold'),
      identity,
      disk,
      fresh: known === null,
      release: () => unlock(full),
    };
  } catch (error) {
    unlock(full);
    throw error;
  }
}

function unusable(what: string, error: NodeJS.ErrnoException): SqlError {
  const message = `${what}: ${error.message}`;
  if (isDiskFull(error)) return new SqlError('53100', message, { hint: 'Make room: a start writes before it reads.' });
  return new SqlError('58030', message, { hint: HINTS[error.code ?? ''] });
}

/** What a first start that was interrupted leaves. */
function isLeftover(name: string): boolean {
  return name.startsWith('lock') || name === 'log' || name === 'layout.new';
}

/** The identity in the layout file; null when there is none. 55000 for a version that this program does not know. */
export async function readLayout(path: string, disk: Disk = realDisk): Promise<bigint | null> {
  let text: string;
  try {
    text = (await disk.read(join(path, 'layout'))).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const match = /^\{"version":(\d+),"identity":"(\d{1,20})"\}\n$/.exec(text);
  if (match === null) throw new SqlError('XX001', `the file "${join(path, 'layout')}" is damaged`);
  if (Number(match[1]) !== LAYOUT_VERSION) {
    throw new SqlError(
      '55000',
      `"${path}" has layout version ${match[1]}; this program reads version ${LAYOUT_VERSION}`,
    );
  }
  return BigInt(match[2]);
}

function myself(): Owner {
  return { pid: process.pid, started: statusOf(process.pid)?.[19] ?? null, boot: bootId(), thread: threadId };
}

/** A thread of this process has ended; if it had the directory open and could not let others in, they come in now. */
export function releaseOf(thread: number, path: string): void {
  const file = join(resolve(path), 'lock');
  const owner = readOwner(file);
  if (owner !== null && JSON.stringify(owner) === JSON.stringify({ ...myself(), thread }))
    rmSync(file, { force: true });
}

/** The process that holds the lock of a directory now; null when nobody does. */
export function ownerOf(path: string): number | null {
  const owner = readOwner(join(resolve(path), 'lock'));
  return owner !== null && alive(owner) ? owner.pid : null;
}

function lock(full: string, shown: string): void {
  const file = join(full, 'lock');
  const mine = JSON.stringify(myself());
  if (ours.has(full)) throw inUse(shown, process.pid);
  for (;;) {
    try {
      // The content must be there when the name appears, so the file is made beside and linked.
      const beside = `${file}.${process.pid}.${threadId}`;
      writeFileSync(beside, mine, { mode: 0o600 });
      try {
        linkSync(beside, file);
      } finally {
        rmSync(beside, { force: true });
      }
      ours.add(full);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readOwner(file);
    if (owner !== null && alive(owner)) throw inUse(shown, owner.pid);
    moveAside(file, owner);
  }
}

/** Takes a dead process's lock away, unless another process has just replaced it by its own. */
function moveAside(file: string, dead: Owner | null): void {
  const aside = `${file}.dead.${process.pid}.${threadId}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readOwner(aside);
  if (JSON.stringify(moved) !== JSON.stringify(dead)) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function unlock(full: string): void {
  if (!ours.delete(full)) return;
  rmSync(join(full, 'lock'), { force: true });
}

function inUse(path: string, pid: number): SqlError {
  return new SqlError('55006', `the data directory "${path}" is in use by process ${pid}`, {
    hint: pid === process.pid ? 'Close that database first.' : 'End that server, or give another --data.',
  });
}

/** Null when the file is gone or is not readable as a lock. */
function readOwner(file: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : null;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function alive(owner: Owner): boolean {
  if (owner.boot !== null && owner.boot !== bootId()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const status = statusOf(owner.pid);
  if (status !== null && ENDED.includes(status[0])) return false;
  return owner.started === null || owner.started === (status?.[19] ?? null);
}

/** States of a process that has ended and waits for its parent to notice. */
const ENDED = ['Z', 'X'];

/** Fields of /proc/PID/stat from the third (state) on; the command's name before it may hold spaces and brackets. */
function statusOf(pid: number): string[] | null {
  const text = readProc(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function bootId(): string | null {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such process, or a system without /proc.
    return null;
  }
}
