/**
 * Writes what a change log has in memory to the files of its segments, oldest first, and removes files of segments that are no more.
 *
 *   segment: file .... written | tail .... length          a tail goes to its file when it is long, when the log has a newer segment, or when the tails of all logs are too long
 *
 * A file that the newest checkpoint names, or one that is being taken, stays until there is a checkpoint that does not: a start from it goes through what
 * has happened since again, as far as that is on the disk, and finds what it needs. A full disk ends that.
 *
 * Nothing waits for it but sync(), which a checkpoint calls; so that this finds little to do, and the tick log's syncs do not wait behind it, what is
 * written is synced now and then before. A full disk leaves all of it in memory (`isStuck`) and is tried again; another failure loses the log.
 *
 * What was written last stays in memory as long as the log has readers: one that waits for the tick log to have a tick on the disk is behind a tail that
 * a checkpoint has had written meanwhile, and would have to read it from the file, behind that checkpoint's own reads and writes.
 */
import { join } from 'node:path';
import { type Disk, type DiskFile, isDiskFull, writeAll } from '../durable/disk.ts';
import { type Block, closeBlock, contents } from './block.ts';
import type { LogHost } from './change_log.ts';
import type { Moment } from './entry.ts';
import { segmentFile } from './segment_file.ts';

export interface Segment {
  number: number;
  /** The last entry before it, or where the log began. */
  after: Moment;
  last: Moment;
  /** Of the last entry before it. */
  sequence: bigint;
  /** Bytes with those of the tail. */
  length: number;
  /** Bytes in the file, and how many of them are synced. */
  written: number;
  synced: number;
  /** What follows after `written`. */
  tail: Block[];
}

/** The log whose segments they are. */
export interface SegmentOwner {
  readonly oid: number;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  /** Somebody reads it. */
  readonly isRead: boolean;
  /** It can be written again after isStuck, or is stuck now. */
  told(state: 'stuck' | 'well', reason: string): void;
  /** Writing has failed for good: what is there is lost. */
  lose(error: Error): void;
}

/** A tail of this length is written: opening a file and writing costs as much as these bytes. */
const WRITE_BYTES = 256 << 10;
/** The same while the tails of all logs together are longer than this; beyond twice of it every tail is written. */
const CROWDED_WRITE_BYTES = 64 << 10;
const CROWDED_BYTES = 32 << 20;
/** Shorter blocks are written together; longer ones need no copy. */
const TOGETHER_BYTES = 256 << 10;
/** So much of a file is not on the disk at the most. */
const SYNC_BYTES = 2 << 20;
const RETRY_MS = 500;

export class SegmentWriter {
  readonly #owner: SegmentOwner;
  readonly #host: LogHost;
  /** Files of segments that are no more. */
  readonly #doomed: number[] = [];
  /** The same, but a checkpoint names them. */
  readonly #held: number[] = [];
  /** The segments that the last checkpoint names, done or not. */
  #named = { first: 0, last: 0 };
  /** What was written last. */
  #recent: { number: number; blocks: Block[] } | null = null;
  #running: Promise<void> | null = null;
  /** So many want all tails to be written. */
  #forced = 0;
  #stuck: Error | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(owner: SegmentOwner, host: LogHost) {
    this.#owner = owner;
    this.#host = host;
  }

  get isStuck(): boolean {
    return this.#stuck !== null;
  }

  path(number: number): string {
    if (this.#host.folder === null) throw new Error('a log without a folder has no files');
    return join(this.#host.folder.path, segmentFile(this.#owner.oid, number));
  }

  /** The file of a segment that is no more goes. */
  remove(number: number): void {
    (number <= this.#named.last ? this.#held : this.#doomed).push(number);
  }

  /** A checkpoint that is being taken, or was read, names these segments. */
  named(first: number, last: number): void {
    this.#named = { first, last };
  }

  /** That checkpoint is there, and those before it do not count any more. */
  checkpointed(): void {
    const { first } = this.#named;
    for (const number of this.#held.splice(0)) (number < first ? this.#doomed : this.#held).push(number);
    if (this.#doomed.length > 0) this.work();
  }

  /** No checkpoint keeps a file any more. */
  letGo(): void {
    this.#named = { first: 0, last: 0 };
    this.#doomed.push(...this.#held.splice(0));
  }

  /** Writes what is long enough. */
  work(): void {
    if (this.#host.folder === null || this.#closed) return;
    this.#running ??= this.#run(this.#host.folder.disk);
  }

  /** The same, but what is stuck is left to its next try. */
  write(): void {
    if (this.#stuck === null) this.work();
  }

  /** The tail of the newest segment has grown. */
  grown(newest: Segment): void {
    if (newest.length - newest.written >= this.#longEnough) this.write();
  }

  get #longEnough(): number {
    const { pending } = this.#host;
    if (pending > 2 * CROWDED_BYTES) return 1;
    return pending > CROWDED_BYTES ? CROWDED_WRITE_BYTES : WRITE_BYTES;
  }

  async #run(disk: Disk): Promise<void> {
    // What else this turn of the event loop appends is written together.
    await null;
    try {
      for (;;) {
        for (let number = this.#doomed.shift(); number !== undefined; number = this.#doomed.shift()) {
          await disk.remove(this.path(number));
          this.#host.written();
        }
        const segment = this.#owner.segments.find((s) => s.tail.length > 0 && this.#isDue(s));
        if (segment === undefined) break;
        await this.#write(disk, segment);
      }
      if (this.#stuck !== null) {
        this.#stuck = null;
        this.#owner.told('well', 'there is room again');
        this.#host.written();
      }
      // In the same turn in which nothing was left to do, so that no call is missed.
      this.#running = null;
    } catch (error) {
      this.#running = null;
      if (isDiskFull(error)) this.#wait(error as Error);
      else {
        this.#owner.lose(error as Error);
        this.#host.written();
      }
    }
  }

  #isDue(segment: Segment): boolean {
    const newest = this.#owner.segments.at(-1);
    return this.#forced > 0 || segment !== newest || segment.length - segment.written >= this.#longEnough;
  }

  async #write(disk: Disk, segment: Segment): Promise<void> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (const block of segment.tail) {
      if (parts.length > 0 && bytes + block.length > TOGETHER_BYTES) break;
      closeBlock(block);
      parts.push(contents(block));
      bytes += block.length;
    }
    const data = parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes);
    const path = this.path(segment.number);
    const file = segment.written === 0 ? await fresh(disk, path) : await disk.open(path);
    const unsynced = segment.written + bytes - segment.synced;
    try {
      await writeAll(file, data, segment.written);
      if (unsynced >= SYNC_BYTES) await file.sync();
    } finally {
      await file.close();
    }
    // Given up meanwhile: its file is among the doomed by now, or among the held.
    if (!this.#owner.segments.includes(segment)) return;
    this.#written(segment.number, segment.tail.splice(0, parts.length));
    segment.written += bytes;
    if (unsynced >= SYNC_BYTES) segment.synced = segment.written;
    this.#host.pending -= bytes;
    this.#host.written();
  }

  #written(number: number, blocks: Block[]): void {
    this.forget();
    if (this.#owner.isRead) this.#recent = { number, blocks };
    else this.#give(blocks);
  }

  #give(blocks: Block[]): void {
    for (const { memory } of blocks) this.#host.pool.give(memory);
  }

  /** What was written last, if it has what lies at `at`; else null. Valid in this turn. */
  recent(number: number, at: number): Block[] | null {
    if (this.#recent?.number !== number) return null;
    const first = this.#recent.blocks.findLastIndex((block) => block.at <= at);
    return first < 0 ? null : this.#recent.blocks.slice(first);
  }

  /** Nobody reads what was written last. */
  forget(): void {
    if (this.#recent !== null) this.#give(this.#recent.blocks);
    this.#recent = null;
  }

  /** A full disk: all of it stays in memory, sources are held back, and it is tried again. */
  #wait(error: Error): void {
    if (this.#stuck === null) this.#owner.told('stuck', 'the disk is full');
    this.#stuck = error;
    if (this.#closed) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.work(), RETRY_MS);
  }

  /** Resolves when all that was appended so far is in the files. */
  async #flush(): Promise<void> {
    const wanted = this.#owner.segments.map((segment) => ({ segment, length: segment.length }));
    this.#forced++;
    try {
      for (const { segment, length } of wanted) {
        while (segment.written < length && this.#owner.segments.includes(segment)) {
          if (this.#closed) throw new Error('the log is closed');
          await this.#running;
          this.work();
          await this.#running;
          if (this.#stuck !== null) throw this.#stuck;
        }
      }
    } finally {
      this.#forced--;
    }
  }

  /** Resolves when all that was appended so far is in the files and on the disk. */
  async sync(): Promise<void> {
    const { folder } = this.#host;
    if (folder === null) return;
    const wanted = [...this.#owner.segments];
    await this.#flush();
    for (const segment of wanted) {
      if (segment.synced === segment.written || !this.#isThere(segment)) continue;
      const { written } = segment;
      const file = await folder.disk.open(this.path(segment.number)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' && !this.#isThere(segment)) return null;
        throw error;
      });
      if (file === null) continue;
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      segment.synced = written;
    }
  }

  #isThere(segment: Segment): boolean {
    return this.#owner.segments.includes(segment);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#running;
  }
}

/** A segment's file; one that a write which failed has left is made anew. */
async function fresh(disk: Disk, path: string): Promise<DiskFile> {
  await disk.remove(path);
  return disk.create(path);
}
