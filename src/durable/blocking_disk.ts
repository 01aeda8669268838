/** The real disk for a thread that has nothing to do but wait for it: writes and syncs take no turns with the file system's threads, nor with an event loop. */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { type Disk, type DiskFile, FILE_MODE, realDisk } from './disk.ts';

class BlockingFile implements DiskFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return writeSync(this.#descriptor, bytes, 0, bytes.length, position);
  }

  async sync(): Promise<void> {
    fdatasyncSync(this.#descriptor);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return readSync(this.#descriptor, into, 0, into.length, position);
  }

  async truncate(length: number): Promise<void> {
    ftruncateSync(this.#descriptor, length);
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
  }
}

export const blockingDisk: Disk = {
  ...realDisk,
  create: async (path) => new BlockingFile(openSync(path, 'wx', FILE_MODE)),
  open: async (path) => new BlockingFile(openSync(path, 'r+')),
};
