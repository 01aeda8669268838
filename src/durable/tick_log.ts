/**
 * The tick log's writer: group commit.
 *
 *   append(record) -> queue --one write, one fdatasync--> segment file -> durable(sequence) resolves
 *                     while the disk works, the next records gather and make the next group
 *
 * The caller never waits to append. A full disk is met before it hurts: a reserve file holds RESERVE bytes, given up when a write finds no room, so
 * that what was appended before can still be written; meanwhile admit() refuses with 53100 and the reserve is made anew as soon as there is room. A record
 * larger than the reserve is admitted only when the disk has room for it.
 *
 * A failed fdatasync says that the disk has lost something that can't be known: nothing is written any more, admit() and
 * durable() answer 58030. (Another fdatasync on the same file would succeed and mean nothing.)
 */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { SqlError } from '../../operators/errors.ts';
import { type Disk, type DiskFile, isDiskFull, writeAll } from './disk.ts';
import { FRAME_HEADER, makeFrame, RECORD, sealFrame } from './frame.ts';
import { type LogEnd, listSegments, SEGMENT_HEADER, type Segment, segmentHeader, segmentName } from './segments.ts';

export type LogState = 'open' | 'full' | 'failed';

export interface TickLogOptions {
  disk: Disk;
  identity: bigint;
  /** A segment that has reached this length is followed by a new one. Default 64 MiB. */
  segmentBytes?: number;
  /** Length of the reserve file. Default 4 MiB. */
  reserveBytes?: number;
  /** Told when writing stops or can go on. */
  onState?: (state: LogState, reason: string) => void;
}

const GROUP_BYTES = 8 << 20;
const RETRY_MS = 200;

interface Queued {
  kind: number;
  tick: bigint;
  sequence: bigint;
  bytes: Buffer;
}

interface Waiter {
  sequence?: bigint;
  tick?: bigint;
  resolve: () => void;
  reject: (error: SqlError) => void;
}

export class TickLog {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #identity: bigint;
  readonly #segmentBytes: number;
  readonly #reserveBytes: number;
  readonly #onState: NonNullable<TickLogOptions['onState']>;
  readonly #segments: Segment[];
  #file: DiskFile | null = null;
  #length = 0;
  #state: LogState = 'open';
  #failure: SqlError | null = null;
  #sequence: bigint;
  #tick: bigint;
  #appendedTick: bigint;
  #durable: bigint;
  #queue: Queued[] = [];
  #pending = 0;
  #running: Promise<void> | null = null;
  #waiters: Waiter[] = [];
  #drained: (() => void)[] = [];
  #closing = false;
  #retryTimer: { end(): void } | null = null;
  /** Groups written: with the records appended it tells how well group commit works. */
  groups = 0;
  /** Bytes of all records appended. */
  appendedBytes = 0;

  private constructor(folder: string, end: LogEnd, options: TickLogOptions) {
    this.#folder = folder;
    this.#disk = options.disk;
    this.#identity = options.identity;
    this.#segmentBytes = options.segmentBytes ?? 64 << 20;
    this.#reserveBytes = options.reserveBytes ?? 4 << 20;
    this.#onState = options.onState ?? (() => undefined);
    this.#segments = [...end.segments];
    this.#sequence = end.sequence;
    this.#durable = end.sequence;
    this.#tick = end.tick;
    this.#appendedTick = end.tick;
  }

  /** Goes on after the last whole record; what a crash left behind it is cut off. */
  static async open(folder: string, end: LogEnd, options: TickLogOptions): Promise<TickLog> {
    const log = new TickLog(folder, end, options);
    const { disk } = options;
    for (const segment of await listSegments(folder, disk)) {
      if (segment.first > end.sequence && !end.segments.some((s) => s.path === segment.path))
        await disk.remove(segment.path);
    }
    const newest = end.segments.at(-1);
    if (newest !== undefined && end.length !== null) {
      log.#file = await disk.open(newest.path);
      log.#length = end.length;
      await log.#file.truncate(end.length);
      await log.#file.sync();
    }
    await disk.syncFolder(folder);
    await log.#makeReserve();
    return log;
  }

  get state(): LogState {
    return this.#state;
  }

  /** Sequence of the last record appended. */
  get sequence(): bigint {
    return this.#sequence;
  }

  /** Sequence of the last record that is on the disk. */
  get durableSequence(): bigint {
    return this.#durable;
  }

  /** This tick and those before it are on the disk. */
  get durableTickNow(): bigint {
    return this.#tick;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Bytes appended and not on the disk yet. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** More than this waits for the disk: whoever can should hold back. */
  get behind(): boolean {
    return this.#pending > this.#reserveBytes / 2;
  }

  /** Resolves when it is no longer behind, or never will be. */
  async caughtUp(): Promise<void> {
    while (this.behind && this.#state !== 'failed') await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Takes a frame made by makeFrame, and gives its sequence. Never waits. */
  append(kind: number, tick: bigint, frame: Buffer): bigint {
    const sequence = ++this.#sequence;
    if (this.#state === 'failed') return sequence;
    this.#queue.push({ kind, tick, sequence, bytes: frame });
    this.#pending += frame.length;
    this.appendedBytes += frame.length;
    this.#appendedTick = tick;
    this.#running ??= this.#run();
    return sequence;
  }

  /** Resolves when the record is on the disk; 58030 when it can never be known to be. */
  durable(sequence: bigint): Promise<void> {
    if (sequence <= this.#durable) return Promise.resolve();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }));
  }

  /** Resolves when this tick and those before it are on the disk, also if it is yet to come. */
  durableTick(tick: bigint): Promise<void> {
    if (tick <= this.#tick) return Promise.resolve();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ tick, resolve, reject }));
  }

  /** Resolves when a record of this size may be appended: there is room for it, and not too much waits for the disk. */
  async admit(bytes: number): Promise<void> {
    this.#checkOpen();
    while (this.#pending > 0 && this.#pending + bytes > this.#reserveBytes) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
      this.#checkOpen();
    }
    if (bytes <= this.#reserveBytes / 2) return;
    const free = await this.#disk.freeBytes(this.#folder);
    this.#checkOpen();
    if (free < bytes + SEGMENT_HEADER) throw diskFull(`${bytes} bytes are needed and ${free} are free`);
  }

  #checkOpen(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#state === 'full') throw diskFull('the tick log cannot grow');
  }

  async #run(): Promise<void> {
    // What else is appended in this turn of the event loop shares the group.
    await null;
    try {
      while (this.#queue.length > 0 && this.#state !== 'failed') await this.#writeGroup();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = null;
      this.#wakeUp();
    }
    if (this.#state === 'full' && !this.#closing) void this.#watchForRoom();
  }

  async #writeGroup(): Promise<void> {
    const group: Queued[] = [];
    let bytes = 0;
    for (const record of this.#queue) {
      if (group.length > 0 && bytes + record.bytes.length > GROUP_BYTES) break;
      group.push(record);
      bytes += record.bytes.length;
    }
    this.#queue.splice(0, group.length);
    if (this.#file === null || this.#length >= this.#segmentBytes) await this.#newSegment(group[0].sequence);
    group.forEach((record, i) => {
      sealFrame(record.bytes, record.kind, i === 0, record.sequence, record.tick);
    });
    const data = group.length === 1 ? group[0].bytes : Buffer.concat(group.map((record) => record.bytes));
    const file = this.#file as DiskFile;
    await this.#write(file, data, this.#length);
    await file.sync();
    this.groups++;
    this.#length += bytes;
    this.#pending -= bytes;
    const last = group[group.length - 1];
    this.#durable = last.sequence;
    this.#tick = last.tick;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const waiting: Waiter[] = [];
    for (const waiter of this.#waiters) {
      if ((waiter.sequence ?? 0n) <= this.#durable && (waiter.tick ?? 0n) <= this.#tick) waiter.resolve();
      else waiting.push(waiter);
    }
    this.#waiters = waiting;
    if (!this.behind) for (const resolve of this.#drained.splice(0)) resolve();
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
          await this.#disk.remove(this.#reservePath);
        } else await this.#pause();
      }
    }
  }

  async #newSegment(first: bigint): Promise<void> {
    const path = join(this.#folder, segmentName(first));
    const header = segmentHeader(first, this.#tick, this.#identity);
    let file: DiskFile | null = null;
    await this.#withRoom(async () => {
      file ??= await this.#disk.create(path);
      await writeAll(file, header, 0);
    });
    const made = file as DiskFile | null;
    if (made === null) throw new Error('no segment file');
    await made.sync();
    await this.#disk.syncFolder(this.#folder);
    await this.#file?.close();
    this.#file = made;
    this.#length = header.length;
    this.#segments.push({ path, first });
  }

  get #reservePath(): string {
    return join(this.#folder, 'reserve');
  }

  /** Lays the reserve down; without room for it the log is full. */
  async #makeReserve(): Promise<boolean> {
    await this.#disk.remove(this.#reservePath);
    const file = await this.#disk.create(this.#reservePath);
    try {
      // Random, so that no file system stores it in less.
      const block = randomFillSync(Buffer.allocUnsafe(Math.min(this.#reserveBytes, 1 << 20)));
      for (let at = 0; at < this.#reserveBytes; at += block.length)
        await writeAll(file, block.subarray(0, Math.min(block.length, this.#reserveBytes - at)), at);
      await file.sync();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#disk.remove(this.#reservePath);
      if (this.#state === 'open') {
        this.#setState('full', 'no space left on the device');
        void this.#watchForRoom();
      }
      return false;
    } finally {
      await file.close();
    }
    return true;
  }

  /** Everything is written: opens again as soon as the reserve fits. */
  async #watchForRoom(): Promise<void> {
    try {
      while (this.#state === 'full' && !this.#closing && this.#running === null) {
        await this.#pause();
        if (this.#closing || this.#running !== null) return;
        if ((await this.#disk.freeBytes(this.#folder)) < this.#reserveBytes) continue;
        if (await this.#makeReserve()) this.#setState('open', 'there is room again');
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
    this.#onState(state, reason);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = new SqlError('58030', `the tick log could not be written: ${reason}`, {
      detail:
        'What was not acknowledged before may or may not be on the disk. No writes are accepted any more; reads go on.',
      hint: 'Look after the disk, then restart the server.',
    });
    this.#queue = [];
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
    for (const resolve of this.#drained.splice(0)) resolve();
    this.#setState('failed', reason);
  }

  /** Removes segments all of whose records have sequences below `sequence`: a checkpoint holds what they did. */
  async truncateBefore(sequence: bigint): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[1].first <= sequence) {
      await this.#disk.remove(this.#segments[0].path);
      this.#segments.shift();
    }
    await this.#disk.syncFolder(this.#folder);
  }

  /** Writes what is appended (as far as there is room), says that the end was orderly, and closes the file. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.append(RECORD.closed, this.#appendedTick, makeFrame(0));
    this.#closing = true;
    this.#retryTimer?.end();
    await this.#running;
    await this.#file?.close();
    this.#file = null;
  }
}

function diskFull(detail: string): SqlError {
  return new SqlError('53100', 'could not write: the disk is full', {
    detail,
    hint: 'Writing goes on by itself when there is room again.',
  });
}

/** Payload bytes as a frame. */
export function frameOf(payload: Uint8Array): Buffer {
  const frame = makeFrame(payload.length);
  frame.set(payload, FRAME_HEADER);
  return frame;
}
