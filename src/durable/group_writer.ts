/**
 * The files of the tick log: records come one by one and go to the disk in groups.
 *
 *   append(frame) -> queue --one write, one fdatasync--> segment file -> written(last record)
 *                    while the disk works, the next records gather and make the next group
 *
 *   segment file: records | zeros         a small group is written over zeros that are on the disk already: its sync changes no metadata, so it does not
 *                                        wait for the file system's journal, where the files of checkpoints are
 *
 * It runs in a thread of its own, where that only waits for the disk (log_thread.ts), or in that of the engine. A full disk costs the reserve file first and
 * then waiting; a failed fdatasync says that the disk has lost something that can't be known: nothing is written any more. (Another fdatasync on the same
 * file would succeed and mean nothing.)
 */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import type { MarkLink } from '../io/durable_mark.ts';
import { type Disk, type DiskFile, isDiskFull, writeAll } from './disk.ts';
import { goesOn, sealFrame, sequenceOf, tickOf } from './frame.ts';
import { type LogEnd, listSegments, type Segment, segmentHeader, segmentName } from './segments.ts';

export type LogState = 'open' | 'full' | 'failed';

export interface WriterSettings {
  identity: bigint;
  /** A segment that has reached this length is followed by a new one. */
  segmentBytes: number;
  /** Length of the reserve file. */
  reserveBytes: number;
  /** Zeros that are written ahead of small groups; 0: none. */
  aheadBytes: number;
}

/** What the log hears of its writer. */
export interface WriterEvents {
  /** All records up to this one are on the disk: so many bytes more. */
  written(last: { sequence: bigint; tick: bigint }, bytes: number): void;
  segments(list: readonly Segment[]): void;
  state(state: LogState, reason: string): void;
}

export interface LogWriter {
  /** Where another thread sees how far it is; absent: nowhere. */
  readonly mark?: MarkLink;
  /** Takes a frame made by nameFrame. Never waits. */
  append(frame: Buffer): void;
  /** Removes segments all of whose records have sequences below `sequence`. */
  truncateBefore(sequence: bigint): Promise<void>;
  /** Writes what is appended, as far as there is room, and closes the file. */
  close(): Promise<void>;
}

/** Where writing goes on. */
export type WriterStart = Pick<LogEnd, 'segments' | 'length' | 'tick'> & { state: LogState };

const GROUP_BYTES = 8 << 20;
const RETRY_MS = 200;
/** Up to this length a group costs its sync, not its bytes. */
const SMALL_GROUP = 16 << 10;
/** Zeros take no room that others may need: there must be so many times as much. */
const ROOM_FOR_ZEROS = 16;

/** Makes a folder ready to be written after the last whole record: what a crash left behind it is cut off, the reserve is laid down. */
export async function prepareFolder(
  disk: Disk,
  folder: string,
  end: LogEnd,
  reserveBytes: number,
): Promise<WriterStart> {
  for (const segment of await listSegments(folder, disk)) {
    if (segment.first > end.sequence && !end.segments.some((s) => s.path === segment.path))
      await disk.remove(segment.path);
  }
  const newest = end.segments.at(-1);
  if (newest !== undefined && end.length !== null) {
    const file = await disk.open(newest.path);
    try {
      await file.truncate(end.length);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await disk.syncFolder(folder);
  const { segments, length, tick } = end;
  return { segments, length, tick, state: (await makeReserve(disk, folder, reserveBytes)) ? 'open' : 'full' };
}

function reservePath(folder: string): string {
  return join(folder, 'reserve');
}

/** Lays the reserve down; false where there is no room for it. */
async function makeReserve(disk: Disk, folder: string, bytes: number): Promise<boolean> {
  const path = reservePath(folder);
  await disk.remove(path);
  const file = await disk.create(path);
  try {
    // Random, so that no file system stores it in less.
    const block = randomFillSync(Buffer.allocUnsafe(Math.min(bytes, 1 << 20)));
    for (let at = 0; at < bytes; at += block.length)
      await writeAll(file, block.subarray(0, Math.min(block.length, bytes - at)), at);
    await file.sync();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await disk.remove(path);
    return false;
  } finally {
    await file.close();
  }
  return true;
}

export class GroupWriter implements LogWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #settings: WriterSettings;
  readonly #events: WriterEvents;
  readonly #segments: Segment[];
  /** Null before the first group. */
  #file: DiskFile | null = null;
  /** Of the newest segment; null where there is none. */
  #length: number | null;
  /** Where the zeros after it end. */
  #zeroed = 0;
  /** Of the last record on the disk. */
  #tick: bigint;
  #state: LogState;
  #queue: Buffer[] = [];
  /** Those of the queue that may be written: the run of the others is not all there. */
  #whole = 0;
  #running: Promise<void> | null = null;
  #closing = false;
  #retryTimer: { end(): void } | null = null;

  /** In a folder that is prepared. */
  constructor(disk: Disk, folder: string, start: WriterStart, settings: WriterSettings, events: WriterEvents) {
    this.#disk = disk;
    this.#folder = folder;
    this.#settings = settings;
    this.#events = events;
    this.#segments = [...start.segments];
    this.#length = start.length;
    this.#tick = start.tick;
    this.#state = start.state;
    if (start.state === 'full') void this.#watchForRoom();
  }

  append(frame: Buffer): void {
    if (this.#state === 'failed') return;
    this.#queue.push(frame);
    if (goesOn(frame)) return;
    this.#whole = this.#queue.length;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What else is appended in this turn of the event loop shares the group.
    await null;
    try {
      while (this.#whole > 0 && this.#state !== 'failed') await this.#writeGroup();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = null;
    }
    if (this.#state === 'full' && !this.#closing) void this.#watchForRoom();
  }

  async #writeGroup(): Promise<void> {
    const group: Buffer[] = [];
    let bytes = 0;
    for (const frame of this.#queue.slice(0, this.#whole)) {
      const last = group.at(-1);
      if (last !== undefined && !goesOn(last) && bytes + frame.length > GROUP_BYTES) break;
      group.push(frame);
      bytes += frame.length;
    }
    this.#queue.splice(0, group.length);
    this.#whole -= group.length;
    const file = await this.#fileFor(sequenceOf(group[0]));
    const length = this.#length as number;
    group.forEach((frame, i) => {
      sealFrame(frame, i === 0);
    });
    await this.#write(file, group.length === 1 ? group[0] : Buffer.concat(group), length);
    await file.sync();
    this.#length = length + bytes;
    const last = group[group.length - 1];
    this.#tick = tickOf(last);
    this.#events.written({ sequence: sequenceOf(last), tick: this.#tick }, bytes);
    if (bytes <= SMALL_GROUP) await this.#zeroAhead(file, this.#length);
  }

  async #zeroAhead(file: DiskFile, length: number): Promise<void> {
    const { aheadBytes, reserveBytes } = this.#settings;
    const from = Math.max(length, this.#zeroed);
    if (from - length >= aheadBytes / 4 || this.#state !== 'open') return;
    if ((await this.#disk.freeBytes(this.#folder)) < ROOM_FOR_ZEROS * aheadBytes + reserveBytes) return;
    try {
      await writeAll(file, Buffer.alloc(aheadBytes), from);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#cutZeros(length);
      return;
    }
    await file.sync();
    this.#zeroed = from + aheadBytes;
  }

  /** What zeros remain are no harm: the reader knows them. */
  async #cutZeros(length: number): Promise<void> {
    await this.#file?.truncate(length);
    this.#zeroed = 0;
  }

  /** The newest segment's file, or that of a new one which begins with this record. */
  async #fileFor(first: bigint): Promise<DiskFile> {
    if (this.#length === null || this.#length >= this.#settings.segmentBytes) return this.#newSegment(first);
    this.#file ??= await this.#disk.open((this.#segments.at(-1) as Segment).path);
    return this.#file;
  }

  /** Writes all of it, waiting for room where there is none. A part that was written stays; the rest follows behind it. */
  async #write(file: DiskFile, data: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < data.length; ) {
      await this.#withRoom(async () => {
        done += await file.write(data.subarray(done), position + done);
      });
    }
  }

  /** Runs a write; a full disk costs the reserve first and then waiting. */
  async #withRoom(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!isDiskFull(error) || this.#closing) throw error;
        if (this.#state === 'open') {
          this.#setState('full', 'no space left on the device');
          await this.#disk.remove(reservePath(this.#folder));
        } else await this.#pause();
      }
    }
  }

  async #newSegment(first: bigint): Promise<DiskFile> {
    const path = join(this.#folder, segmentName(first));
    const header = segmentHeader(first, this.#tick, this.#settings.identity);
    let file: DiskFile | null = null;
    await this.#withRoom(async () => {
      file ??= await this.#disk.create(path);
      await writeAll(file, header, 0);
    });
    const made = file as DiskFile | null;
    if (made === null) throw new Error('no segment file');
    await made.sync();
    await this.#disk.syncFolder(this.#folder);
    if (this.#zeroed > 0) await this.#cutZeros(this.#length as number);
    await this.#file?.close();
    this.#file = made;
    this.#length = header.length;
    this.#segments.push({ path, first });
    this.#events.segments([...this.#segments]);
    return made;
  }

  /** Everything is written: opens again as soon as the reserve fits. */
  async #watchForRoom(): Promise<void> {
    const { reserveBytes } = this.#settings;
    try {
      while (this.#state === 'full' && !this.#closing && this.#running === null) {
        await this.#pause();
        if (this.#closing || this.#running !== null) return;
        if ((await this.#disk.freeBytes(this.#folder)) < reserveBytes) continue;
        if (await makeReserve(this.#disk, this.#folder, reserveBytes)) this.#setState('open', 'there is room again');
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#retryTimer = {
        end() {
          clearTimeout(timer);
          resolve();
        },
      };
    });
  }

  #setState(state: LogState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#events.state(state, reason);
  }

  #fail(error: unknown): void {
    this.#queue = [];
    this.#whole = 0;
    this.#setState('failed', error instanceof Error ? error.message : String(error));
  }

  async truncateBefore(sequence: bigint): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[1].first <= sequence) {
      await this.#disk.remove(this.#segments[0].path);
      this.#segments.shift();
    }
    this.#events.segments([...this.#segments]);
    await this.#disk.syncFolder(this.#folder);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#retryTimer?.end();
    await this.#running;
    if (this.#zeroed > 0 && this.#state === 'open') await this.#cutZeros(this.#length as number);
    await this.#file?.close();
    this.#file = null;
  }
}
