/**
 * A disk in memory that misbehaves on demand: fills up in the middle of a write, fails a sync, crashes with any part of what was not synced kept.
 *
 *   file = bytes as written + bytes as of the last sync; names count at once (the log syncs folders; what that costs is not simulated)
 */
import type { Disk, DiskFile, NowFile } from '../disk.ts';

interface Stored {
  bytes: Buffer;
  synced: Buffer;
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Stored>();
  /** Bytes that files may have in all. */
  capacity = Number.POSITIVE_INFINITY;
  /** The next syncs fail with this code. */
  failSync: string | null = null;
  /** Writes take at most so many bytes a call. */
  writeBytes = Number.POSITIVE_INFINITY;
  syncs = 0;

  get used(): number {
    let bytes = 0;
    for (const file of this.files.values()) bytes += file.bytes.length;
    return bytes;
  }

  /** The disk after a power cut: of what was not synced, `keep` says for each file how many bytes of the changed end are there. */
  crash(keep: (path: string, unsynced: number) => number): MemoryDisk {
    const after = new MemoryDisk();
    for (const [path, { bytes, synced }] of this.files) {
      const unsynced = Math.max(0, bytes.length - synced.length);
      const left = bytes.subarray(0, Math.min(bytes.length, synced.length + keep(path, unsynced)));
      after.files.set(path, { bytes: Buffer.from(left), synced: Buffer.from(left) });
    }
    return after;
  }

  #file(path: string): DiskFile & NowFile {
    const disk = this;
    const stored = this.files.get(path);
    if (stored === undefined) throw failure('ENOENT');
    const writeNow = (bytes: Uint8Array, position: number): number => {
      const wanted = Math.min(bytes.length, disk.writeBytes);
      const growth = Math.max(0, position + wanted - stored.bytes.length);
      const room = disk.capacity - disk.used;
      const short = growth > room ? growth - Math.max(0, room) : 0;
      const count = wanted - short;
      if (count <= 0) throw failure('ENOSPC');
      const end = position + count;
      if (end > stored.bytes.length)
        stored.bytes = Buffer.concat([stored.bytes, Buffer.alloc(end - stored.bytes.length)]);
      stored.bytes.set(bytes.subarray(0, count), position);
      return count;
    };
    const readNow = (into: Uint8Array, position: number): number => {
      const part = stored.bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    };
    return {
      writeNow,
      readNow,
      write: async (bytes, position) => writeNow(bytes, position),
      read: async (into, position) => readNow(into, position),
      endWrites() {
        // Nothing is held.
      },
      closeNow() {
        // Nothing is held.
      },
      async sync() {
        disk.syncs++;
        if (disk.failSync !== null) throw failure(disk.failSync);
        stored.synced = Buffer.from(stored.bytes);
      },
      async truncate(length) {
        stored.bytes = Buffer.from(stored.bytes.subarray(0, length));
      },
      async close() {
        // Nothing is held.
      },
    };
  }

  async create(path: string): Promise<DiskFile> {
    return this.createNow(path);
  }

  createNow(path: string): DiskFile & NowFile {
    if (this.files.has(path)) throw failure('EEXIST');
    this.files.set(path, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) });
    return this.#file(path);
  }

  openNow(path: string): NowFile {
    return this.#file(path);
  }

  removeNow(path: string): void {
    this.files.delete(path);
  }

  freeBytesNow(): number {
    return Math.max(0, this.capacity - this.used);
  }

  async open(path: string): Promise<DiskFile> {
    return this.#file(path);
  }

  async read(path: string): Promise<Buffer> {
    const stored = this.files.get(path);
    if (stored === undefined) throw failure('ENOENT');
    return Buffer.from(stored.bytes);
  }

  async list(folder: string): Promise<string[]> {
    const prefix = `${folder}/`;
    return [...this.files.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  }

  async makeFolder(): Promise<void> {
    // Folders are names only.
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameNow(from, to);
  }

  renameNow(from: string, to: string): void {
    const stored = this.files.get(from);
    if (stored === undefined) throw failure('ENOENT');
    this.files.delete(from);
    this.files.set(to, stored);
  }

  async remove(path: string): Promise<void> {
    this.removeNow(path);
  }

  async syncFolder(): Promise<void> {
    // See the head comment.
  }

  async freeBytes(): Promise<number> {
    return this.freeBytesNow();
  }
}
