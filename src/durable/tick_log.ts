/**
 * The tick log as the engine sees it: group commit.
 *
 *   append(record) -> writer (group_writer.ts, here or in a thread of its own): one write, one fdatasync a group -> durable(sequence) resolves
 *
 * The caller never waits to append. A full disk is met before it hurts: a reserve file holds RESERVE bytes, given up when a write finds no room, so
 * that what was appended before can still be written; meanwhile admit() refuses with 53100 and the reserve is made anew as soon as there is room. A record
 * larger than the reserve is admitted only when the disk has room for it.
 *
 * When the writer has failed, admit() and durable() answer 58030.
 */
import { SqlError } from '../../operators/errors.ts';
import type { MarkLink } from '../io/durable_mark.ts';
import type { Disk } from './disk.ts';
import { FRAME_HEADER, joinNext, makeFrame, nameFrame, RECORD } from './frame.ts';
import {
  GroupWriter,
  type LogState,
  type LogWriter,
  prepareFolder,
  type WriterEvents,
  type WriterSettings,
  type WriterStart,
} from './group_writer.ts';
import { type LogEnd, SEGMENT_HEADER, type Segment } from './segments.ts';

export interface TickLogOptions extends Partial<WriterSettings> {
  identity: bigint;
  disk: Disk;
  /** Told when writing stops or can go on. */
  onState?: (state: LogState, reason: string) => void;
  /** Makes the writer; default: one in this thread, on `disk`. */
  makeWriter?: (folder: string, start: WriterStart, settings: WriterSettings, events: WriterEvents) => LogWriter;
}

const SEGMENT_BYTES = 64 << 20;
const RESERVE_BYTES = 4 << 20;

interface Waiter {
  sequence?: bigint;
  tick?: bigint;
  resolve: () => void;
  reject: (error: SqlError) => void;
}

export class TickLog {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #reserveBytes: number;
  readonly #onState: NonNullable<TickLogOptions['onState']>;
  readonly #writer: LogWriter;
  #segments: readonly Segment[];
  #state: LogState;
  #failure: SqlError | null = null;
  #sequence: bigint;
  #tick: bigint;
  #appendedTick: bigint;
  #durable: bigint;
  #pending = 0;
  #waiters: Waiter[] = [];
  /** The records of a run that is not all there. */
  #run: Buffer[] = [];
  /** How many want what is appended to be one run. */
  #runs = 0;
  #drained: (() => void)[] = [];
  /** Groups written: with the records appended it tells how well group commit works. */
  groups = 0;
  /** Bytes of all records appended. */
  appendedBytes = 0;

  private constructor(folder: string, end: LogEnd, start: WriterStart, options: TickLogOptions) {
    this.#folder = folder;
    this.#disk = options.disk;
    this.#onState = options.onState ?? (() => undefined);
    this.#segments = start.segments;
    this.#state = start.state;
    this.#sequence = end.sequence;
    this.#durable = end.sequence;
    this.#tick = end.tick;
    this.#appendedTick = end.tick;
    const { identity, segmentBytes = SEGMENT_BYTES, reserveBytes = RESERVE_BYTES, aheadBytes = 0 } = options;
    this.#reserveBytes = reserveBytes;
    const make = options.makeWriter ?? ((...args) => new GroupWriter(options.disk, ...args));
    this.#writer = make(
      folder,
      start,
      { identity, segmentBytes, reserveBytes, aheadBytes },
      {
        written: (last, bytes) => this.#written(last, bytes),
        segments: (list) => {
          this.#segments = list;
        },
        state: (state, reason) => {
          if (state === 'failed') this.#fail(reason);
          else this.#setState(state, reason);
        },
      },
    );
    if (start.state === 'full') this.#onState('full', 'no space left on the device');
  }

  /** Goes on after the last whole record; what a crash left behind it is cut off. */
  static async open(folder: string, end: LogEnd, options: TickLogOptions): Promise<TickLog> {
    const start = await prepareFolder(options.disk, folder, end, options.reserveBytes ?? RESERVE_BYTES);
    return new TickLog(folder, end, start, options);
  }

  get state(): LogState {
    return this.#state;
  }

  /** Where another thread sees how far the log is on the disk; null: nowhere. */
  get mark(): MarkLink | null {
    return this.#writer.mark ?? null;
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
    nameFrame(frame, kind, sequence, tick);
    this.#pending += frame.length;
    this.appendedBytes += frame.length;
    this.#appendedTick = tick;
    if (this.#runs === 0) this.#writer.append(frame);
    else this.#run.push(frame);
    return sequence;
  }

  /** What is appended from now on is on the disk together or not at all. None of it is before endRun(), so nobody may wait for the disk in between. */
  beginRun(): void {
    this.#runs++;
  }

  endRun(): void {
    if (--this.#runs > 0) return;
    const run = this.#run.splice(0);
    for (const [i, frame] of run.entries()) {
      if (i < run.length - 1) joinNext(frame);
      this.#writer.append(frame);
    }
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
    this.checkOpen();
    while (this.#pending > 0 && this.#pending + bytes > this.#reserveBytes) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
      this.checkOpen();
    }
    if (bytes <= this.#reserveBytes / 2) return;
    const free = await this.#disk.freeBytes(this.#folder);
    this.checkOpen();
    if (free < bytes + SEGMENT_HEADER) throw diskFull(`${bytes} bytes are needed and ${free} are free`);
  }

  /** 53100 and 58030 where it cannot grow. */
  checkOpen(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#state === 'full') throw diskFull('the tick log cannot grow');
  }

  #written(last: { sequence: bigint; tick: bigint }, bytes: number): void {
    this.groups++;
    this.#pending -= bytes;
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

  #setState(state: LogState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onState(state, reason);
  }

  #fail(reason: string): void {
    this.#failure = new SqlError('58030', `the tick log could not be written: ${reason}`, {
      detail:
        'What was not acknowledged before may or may not be on the disk. No writes are accepted any more; reads go on.',
      hint: 'Look after the disk, then restart the server.',
    });
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
    for (const resolve of this.#drained.splice(0)) resolve();
    this.#setState('failed', reason);
  }

  /** Removes segments all of whose records have sequences below `sequence`: a checkpoint holds what they did. */
  truncateBefore(sequence: bigint): Promise<void> {
    return this.#writer.truncateBefore(sequence);
  }

  /** Writes what is appended (as far as there is room), says that the end was orderly, and closes the file. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.append(RECORD.closed, this.#appendedTick, makeFrame(0));
    await this.#writer.close();
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
