/** The file operations that durability rests on, as one small interface: tests put a disk in its place that fills up, tears writes or lies. */
import {
  closeSync,
  constants,
  fdatasync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { makeFolders } from './make_folders.ts';

export interface DiskFile {
  /** Writes at a position; gives how many bytes were written, which may be fewer. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>;
  /** Reads from a position as far as the file goes; gives how many bytes were read. */
  read(into: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A file that is read and written without waiting, in the middle of a tick. */
export interface NowFile {
  writeNow(bytes: Uint8Array, position: number): number;
  readNow(into: Uint8Array, position: number): number;
  sync(): Promise<void>;
  /** Nothing more is written. */
  endWrites(): void;
  closeNow(): void;
}

export interface Disk {
  /** Makes a file that must not exist, readable by its owner only. */
  create(path: string): Promise<DiskFile>;
  open(path: string): Promise<DiskFile>;
  read(path: string): Promise<Buffer>;
  list(folder: string): Promise<string[]>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when there is no such file. */
  remove(path: string): Promise<void>;
  /** Makes created, renamed and removed names of the folder last. */
  syncFolder(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
  createNow(path: string): NowFile;
  openNow(path: string): NowFile;
  removeNow(path: string): void;
  renameNow(from: string, to: string): void;
  freeBytesNow(path: string): number;
}

/** Files hold what users wrote, passwords of connectors among it. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

class RealFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, position)).bytesWritten;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

const datasync = promisify(fdatasync);

/** What is written past the system's cache lies at a multiple of so many bytes, in memory and in the file, and has a multiple of them. */
const DIRECT_BYTES = 4096;

class RealNowFile implements NowFile {
  readonly #descriptor: number;
  /** The same file, for writing past the system's cache; -1: it cannot be. */
  #direct: number;

  constructor(descriptor: number, direct = -1) {
    this.#descriptor = descriptor;
    this.#direct = direct;
  }

  writeNow(bytes: Uint8Array, position: number): number {
    if (this.#direct < 0 || position % DIRECT_BYTES !== 0 || bytes.length % DIRECT_BYTES !== 0)
      return writeSync(this.#descriptor, bytes, 0, bytes.length, position);
    try {
      return writeSync(this.#direct, bytes, 0, bytes.length, position);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      this.endWrites();
      return this.writeNow(bytes, position);
    }
  }

  endWrites(): void {
    if (this.#direct >= 0) closeSync(this.#direct);
    this.#direct = -1;
  }

  readNow(into: Uint8Array, position: number): number {
    return readSync(this.#descriptor, into, 0, into.length, position);
  }

  sync(): Promise<void> {
    return datasync(this.#descriptor);
  }

  closeNow(): void {
    this.endWrites();
    closeSync(this.#descriptor);
  }
}

/** Opens a file for writing past the system's cache; -1 where that cannot be done: then it is written as others are. */
function openDirect(path: string): number {
  const { O_WRONLY, O_DIRECT } = constants;
  if (O_DIRECT === undefined) return -1;
  try {
    return openSync(path, O_WRONLY | O_DIRECT);
  } catch {
    return -1;
  }
}

export const realDisk: Disk = {
  create: async (path) => new RealFile(await open(path, 'wx', FILE_MODE)),
  open: async (path) => new RealFile(await open(path, 'r+')),
  read: (path) => readFile(path),
  list: (folder) => readdir(folder),
  makeFolder: (path) => makeFolders(path, FOLDER_MODE),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  createNow(path) {
    const descriptor = openSync(path, 'wx+', FILE_MODE);
    return new RealNowFile(descriptor, openDirect(path));
  },
  openNow: (path) => new RealNowFile(openSync(path, 'r')),
  removeNow: (path) => rmSync(path, { force: true }),
  renameNow: (from, to) => renameSync(from, to),
  freeBytesNow(path) {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
};

/** Writes all of it, also when a call writes a part. Gives the end. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<number> {
  for (let done = 0; done < bytes.length; ) done += await file.write(bytes.subarray(done), position + done);
  return position + bytes.length;
}

/** Fills all of it; false when the file ends before. */
export async function readAll(file: DiskFile, into: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < into.length; ) {
    const read = await file.read(into.subarray(done), position + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

/** The same at once. */
export function writeAllNow(file: NowFile, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += file.writeNow(bytes.subarray(done), position + done);
}

/** The same at once. */
export function readAllNow(file: NowFile, into: Uint8Array, position: number): boolean {
  for (let done = 0; done < into.length; ) {
    const read = file.readNow(into.subarray(done), position + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

/** A small file that is either the old or the new one after a crash: written beside, synced, renamed. */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.new`;
  await disk.remove(beside);
  const file = await disk.create(beside);
  try {
    await writeAll(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(beside, path);
  await disk.syncFolder(dirname(path));
}

/** True for the error of a full disk or quota. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What is told of an error of writing: the reason, in words for who runs the server. */
export function diskTrouble(error: unknown): string {
  if (isDiskFull(error)) return 'the disk is full';
  return error instanceof Error ? error.message : String(error);
}
