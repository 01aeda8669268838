/**
 * The changes of one relation: the delta of every tick that changed it, for as long as its retention says.
 *
 *   segment 3 | segment 4 | segment 5 ....... tail        rows at tick t  =  rows now  -  changes after t
 *   after ^ floor                     ^ file   ^ memory   changes after t are here for every t >= floor.tick
 *
 * append() encodes and returns. With a folder the tail is written to the newest segment's file once it is long enough (segment_writer.ts); nothing is
 * synced but for a checkpoint (sync()), for what a crash takes away the tick log does again. Whole segments go, oldest first. Without a folder all of
 * it is tail.
 *
 * Damage is found by checksums when entries are read: nothing before it can be used any more, so the floor moves behind it.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { SqlError } from '../../operators/errors.ts';
import { type Disk, readAll } from '../durable/disk.ts';
import { addEntries, type Block, hasRoom, newBlock, openBytes } from './block.ts';
import type { BufferPool } from './buffer_pool.ts';
import { ChangeReader } from './change_reader.ts';
import { type Entry, encodeSegmentHeader, entrySize, type Moment, SEGMENT_HEADER, writeEntry } from './entry.ts';
import type { Retention } from './retention.ts';
import { readEntries, segmentFile } from './segment_file.ts';
import { type Segment, SegmentWriter } from './segment_writer.ts';

/** Where the files of all logs lie. */
export interface ChangeFolder {
  disk: Disk;
  path: string;
  identity: bigint;
}

/** What the logs of one engine have in common. */
export interface LogHost {
  /** Null: changes are kept in memory. */
  folder: ChangeFolder | null;
  /** Bytes of tails, of all logs. */
  pending: number;
  /** Bytes of all logs. */
  bytes: number;
  readonly pool: BufferPool;
  /** Less waits to be written than before, or a log that was stuck is not any more; not to be called when nothing has changed. */
  written(): void;
  /** A log cannot be written for now, or can again. */
  told(log: ChangeLog, state: 'stuck' | 'well' | 'lost', reason: string): void;
}

export interface SavedSegment {
  number: number;
  after: Moment;
  last: Moment;
  sequence: bigint;
  length: number;
}

export interface SavedLog {
  oid: number;
  sequence: bigint;
  segments: SavedSegment[];
}

const GREATEST_SEGMENT = 64 << 20;
const LEAST_SEGMENT = 4 << 10;
/** So many segments hold what the retention asks for, about. */
const SEGMENTS = 16;
/** Before all ticks. */
const NONE = -1n;
/** Without a folder: bytes of one log, and of all. */
const MEMORY_BYTES = 16 << 20;
const ALL_MEMORY_BYTES = 512 << 20;
/** Open readers hold entries until there are so many times the bytes that are kept without them. */
const READERS_MAY_HOLD = 4;

export class ChangeLog {
  readonly oid: number;
  readonly #host: LogHost;
  readonly #name: () => string;
  #retention: Retention;
  #sequence = 0n;
  #segments: Segment[] = [];
  #bytes = 0;
  readonly #writer: SegmentWriter;
  /** Its relation is no more: what is here is for those who are reading it. */
  #removed = false;
  /** Of a removed log without readers: where it ended. */
  #end: { after: Moment };
  readonly #readers = new Set<ChangeReader>();
  /** The segment with which it began again (an ALTER TABLE), and the tick of the last entry before. Not kept over a restart of the server. */
  #again: { number: number; last: bigint } | null = null;

  /** A log that begins at `from`. `name`: of the relation, for messages. */
  constructor(oid: number, name: () => string, retention: Retention, host: LogHost, from: Moment) {
    this.oid = oid;
    this.#name = name;
    this.#retention = retention;
    this.#host = host;
    this.#end = { after: from };
    const log = this;
    this.#writer = new SegmentWriter(
      {
        oid,
        get segments() {
          return log.#segments;
        },
        get isRead() {
          return log.#readers.size > 0;
        },
        told: (state, reason) => host.told(this, state, reason),
        lose: (error) => this.#lose(error),
      },
      host,
    );
    this.#begin(1, from);
  }

  /** The log of a checkpoint. `names`: the files there are; segments that are not among them, and those before, are given up. */
  static async load(
    saved: SavedLog,
    name: () => string,
    retention: Retention,
    host: LogHost,
    names: ReadonlySet<string>,
    problem: (text: string) => void,
  ): Promise<ChangeLog> {
    const newest = saved.segments[saved.segments.length - 1];
    const log = new ChangeLog(saved.oid, name, retention, host, newest.last);
    log.#forget();
    log.#writer.named(saved.segments[0].number, newest.number);
    log.#sequence = saved.sequence;
    for (const segment of saved.segments) {
      const { number, length, last } = segment;
      const whole = names.has(segmentFile(saved.oid, number)) && (await log.#cut(number, length, segment === newest));
      if (!whole) {
        problem(
          `changes of "${name()}" up to tick ${last.tick} are not there any more: ${segmentFile(saved.oid, number)}`,
        );
        for (const { number: gone } of log.#forget()) log.#writer.remove(gone);
        log.#writer.remove(number);
        continue;
      }
      log.#segments.push({ ...segment, written: length, synced: length, tail: [] });
      log.#bytes += length;
      host.bytes += length;
    }
    if (log.#segments.at(-1)?.number !== newest.number) log.#begin(newest.number + 1, newest.last);
    log.#writer.work();
    return log;
  }

  get name(): string {
    return this.#name();
  }

  /** Changes after this are here. */
  get floor(): Moment {
    return (this.#segments[0] ?? this.#end).after;
  }

  /** After which tick a reader begins who has every entry up to `after`: the floor where none was between, as before a log's first. */
  startAfter(after: bigint): bigint {
    const [first] = this.#segments;
    if (first === undefined || after >= first.after.tick) return after;
    const last = first.number === 1 ? NONE : first.number === this.#again?.number ? this.#again.last : null;
    return last !== null && after >= last ? first.after.tick : after;
  }

  /** False when a segment was given up. */
  has(number: number): boolean {
    return this.#segments.some((segment) => segment.number === number);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get retention(): Retention {
    return this.#retention;
  }

  set retention(retention: Retention) {
    this.#retention = retention;
  }

  get isStuck(): boolean {
    return this.#writer.isStuck;
  }

  append(batch: Batch, { tick, clock }: Moment): void {
    const segment = this.#segmentFor(clock);
    const place = { oid: this.oid, sequence: ++this.#sequence, tick, clock };
    const length = entrySize(batch);
    const block = this.#blockFor(segment, length);
    writeEntry(batch, place, block.memory, block.length, length);
    this.#grow(segment, block, length);
    segment.last = { tick, clock };
    this.#retain(clock);
    this.#writer.grown(segment);
  }

  /** The newest segment, or a new one when it holds its share of the retention. */
  #segmentFor(clock: bigint): Segment {
    const newest = this.#newest;
    const { micros } = this.#retention;
    const most = Math.min(GREATEST_SEGMENT, Math.max(LEAST_SEGMENT, Math.floor(this.#mostBytes / SEGMENTS)));
    const spans = micros !== null && clock - newest.after.clock > micros / BigInt(SEGMENTS);
    if (newest.length < most && !(spans && newest.length > SEGMENT_HEADER)) return newest;
    return this.#begin(newest.number + 1, newest.last);
  }

  get #newest(): Segment {
    return this.#segments[this.#segments.length - 1];
  }

  get #mostBytes(): number {
    const bytes = this.#retention.bytes ?? Number.POSITIVE_INFINITY;
    return this.#host.folder === null ? Math.min(bytes, MEMORY_BYTES) : bytes;
  }

  #begin(number: number, after: Moment): Segment {
    const sequence = this.#sequence;
    const segment: Segment = { number, after, last: after, sequence, length: 0, written: 0, synced: 0, tail: [] };
    this.#segments.push(segment);
    const identity = this.#host.folder?.identity ?? 0n;
    const { tick, clock } = after;
    const header = encodeSegmentHeader(identity, { oid: this.oid, sequence, tick, clock });
    const block = this.#blockFor(segment, header.length);
    header.copy(block.memory);
    this.#grow(segment, block, header.length);
    return segment;
  }

  /** The block of the tail that has room for an entry. */
  #blockFor(segment: Segment, length: number): Block {
    const { tail } = segment;
    const last = tail.at(-1);
    if (last !== undefined && hasRoom(last, length)) return last;
    const block = newBlock(segment.length, length, openBytes(tail), this.#host.pool);
    tail.push(block);
    return block;
  }

  #grow(segment: Segment, block: Block, length: number): void {
    block.length += length;
    segment.length += length;
    this.#bytes += length;
    this.#host.bytes += length;
    this.#host.pending += length;
  }

  /** Gives up whole segments beyond the retention; never the newest, nor what a reader still has to read unless it is far behind. */
  #retain(now: bigint): void {
    const { micros } = this.#retention;
    const host = this.#host;
    while (this.#segments.length > 1) {
      const [oldest] = this.#segments;
      const old = micros !== null && oldest.last.clock < now - micros;
      const crowded = host.folder === null && host.bytes > ALL_MEMORY_BYTES;
      if (!old && this.#bytes <= this.#mostBytes && !crowded) break;
      if (this.#bytes <= this.#mostBytes * READERS_MAY_HOLD && this.#isRead(oldest.number)) break;
      this.#giveUp(oldest);
    }
  }

  #isRead(number: number): boolean {
    for (const reader of this.#readers) if (reader.number <= number) return true;
    return false;
  }

  #giveUp(segment: Segment): void {
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#bytes -= segment.length;
    this.#host.bytes -= segment.length;
    this.#host.pending -= segment.length - segment.written;
    if (this.#host.folder === null) {
      for (const { memory } of segment.tail) this.#host.pool.give(memory);
      return;
    }
    this.#writer.remove(segment.number);
    this.#writer.work();
  }

  /** All segments, which are not the log's any more. */
  #forget(): Segment[] {
    const gone = this.#segments;
    this.#segments = [];
    this.#bytes = 0;
    for (const { length, written } of gone) {
      this.#host.bytes -= length;
      this.#host.pending -= length - written;
    }
    return gone;
  }

  /** True when the file has `length` bytes; what the newest has behind them is cut off. */
  async #cut(number: number, length: number, newest: boolean): Promise<boolean> {
    const file = await (this.#host.folder as ChangeFolder).disk.open(this.#writer.path(number));
    try {
      if (!(await readAll(file, Buffer.alloc(1), length - 1))) return false;
      if (newest) await file.truncate(length);
      return true;
    } finally {
      await file.close();
    }
  }

  /** The disk fails: the log begins again, now. */
  #lose(error: Error): void {
    if (this.#segments.length === 0) {
      this.#host.told(this, 'lost', error.message);
      return;
    }
    const { number, last } = this.#newest;
    for (const { number: gone } of this.#forget()) this.#writer.remove(gone);
    this.#begin(number + 1, last);
    this.#host.told(this, 'lost', error.message);
  }

  /** Gives up all that is there and begins at `from`; `goesOn`: nothing of what happened until then is missing in what was there. */
  restart(from: Moment, goesOn = false): void {
    const { number } = this.#newest;
    this.#again = goesOn ? { number: number + 1, last: this.#lastEntry } : null;
    for (const { number: gone } of this.#forget()) this.#writer.remove(gone);
    this.#begin(number + 1, from);
    this.#writer.work();
  }

  /** The tick of the last entry, or one after which there is none. */
  get #lastEntry(): bigint {
    const { number, last, length } = this.#newest;
    const isEmpty = this.#segments.length === 1 && length === SEGMENT_HEADER;
    if (!isEmpty) return last.tick;
    if (number === 1) return NONE;
    return number === this.#again?.number ? this.#again.last : last.tick;
  }

  /** Writes what is due; how much that is hangs on all logs together. */
  write(): void {
    this.#writer.write();
  }

  /** Resolves when all that was appended so far is in the files and on the disk. */
  sync(): Promise<void> {
    return this.#writer.sync();
  }

  /** For a checkpoint. */
  save(): SavedLog {
    this.#writer.named(this.#segments[0].number, this.#newest.number);
    const segments = this.#segments.map(({ number, after, last, sequence, length }) => ({
      number,
      after,
      last,
      sequence,
      length,
    }));
    return { oid: this.oid, sequence: this.#sequence, segments };
  }

  /** The checkpoint that it was saved for last is there. */
  checkpointed(): void {
    this.#writer.checkpointed();
  }

  /** Files that stay for a checkpoint alone go: there is no room for them. */
  letGo(): void {
    this.#writer.letGo();
    this.#writer.write();
  }

  /** Reads entries after tick `after`; close() it. 55000 when they are not all here. `removed` is called when the log's relation is no more. */
  reader(after: bigint, removed: () => void = () => undefined): ChangeReader {
    if (this.#removed || after < this.floor.tick) throw this.behind(after);
    const start = this.#segments.findLast((segment) => segment.after.tick <= after) as Segment;
    const reader = new ChangeReader(this, after, start.number, removed, () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#writer.forget();
      if (this.#removed && this.#readers.size === 0) void this.#discard();
    });
    this.#readers.add(reader);
    return reader;
  }

  /** True when nothing will be added. */
  get isRemoved(): boolean {
    return this.#removed;
  }

  /** The last tick in the log that was over at `clock`; null when it is older than what is kept. */
  async tickAt(clock: bigint): Promise<bigint | null> {
    const start = this.#segments.findLast((segment) => segment.after.clock <= clock);
    if (start === undefined) return null;
    let found = start.after.tick;
    const reader = new ChangeReader(
      this,
      found,
      start.number,
      () => undefined,
      () => undefined,
    );
    for (;;) {
      const entries = await reader.next();
      if (entries.length === 0) return found;
      for (const entry of entries) {
        if (entry.clock > clock) return found;
        found = entry.tick;
      }
    }
  }

  behind(after: bigint): SqlError {
    if (this.#removed) return new SqlError('55000', `changes of "${this.name}" are not kept any more`);
    return new SqlError('55000', `changes of "${this.name}" after tick ${after} are no longer kept`, {
      detail: `The oldest tick to be had is ${this.floor.tick}.`,
      hint: `Read the rows as they are, or AS OF ${this.floor.tick}, and follow the changes after that; or keep changes for longer: WITH (retention = '...').`,
    });
  }

  /** For readers: entries of a segment from `at` on, and where to go on; null when the segment is gone. */
  async piece(number: number, at: number): Promise<{ entries: Entry[]; number: number; at: number } | null> {
    const segment = this.#segments.find((s) => s.number === number);
    if (segment === undefined) return null;
    if (at >= segment.length) {
      const following = this.#segments.find((s) => s.number > number);
      return following === undefined
        ? { entries: [], number, at }
        : { entries: [], number: following.number, at: SEGMENT_HEADER };
    }
    const recent = at >= segment.written ? [] : this.#writer.recent(number, at);
    if (recent !== null) {
      const first = Math.max(
        0,
        segment.tail.findLastIndex((block) => block.at <= at),
      );
      const entries: Entry[] = [];
      for (const block of recent) addEntries(block, at, entries);
      for (let i = first; i < segment.tail.length; i++) addEntries(segment.tail[i], at, entries);
      return { entries, number, at: segment.length };
    }
    const entries = await this.#fromFile(segment, at);
    if (!this.#segments.includes(segment)) return null;
    if (entries === null) throw this.#damaged(segment);
    return { entries, number, at: entries.reduce((sum, { bytes }) => sum + bytes.length, at) };
  }

  isAtEnd(number: number, at: number): boolean {
    const newest = this.#segments.at(-1);
    return newest !== undefined && number === newest.number && at >= newest.length;
  }

  async #fromFile({ number, sequence, written }: Segment, at: number): Promise<Entry[] | null> {
    const { folder } = this.#host;
    if (folder === null) throw new Error('a log without a folder has no files');
    const { disk, identity } = folder;
    return readEntries(disk, this.#writer.path(number), { oid: this.oid, identity, sequence, written }, at);
  }

  #damaged(segment: Segment): SqlError {
    const { last } = segment;
    for (const old of this.#segments.filter((s) => s.number <= segment.number)) this.#giveUp(old);
    if (this.#segments.length === 0) this.#begin(segment.number + 1, last);
    this.#host.told(this, 'lost', `${segmentFile(this.oid, segment.number)} is damaged`);
    return new SqlError('XX001', `the changes of "${this.name}" up to tick ${last.tick} are damaged`, {
      detail: `The file is ${segmentFile(this.oid, segment.number)}. The oldest tick to be had is ${this.floor.tick}.`,
      hint: `Read the rows as they are, or AS OF ${this.floor.tick} or later.`,
    });
  }

  /** The log ends, and its files go; those who read it now can still read what is there. */
  async remove(): Promise<void> {
    this.#removed = true;
    for (const reader of this.#readers) reader.removed();
    if (this.#readers.size === 0) await this.#discard();
  }

  async #discard(): Promise<void> {
    this.#end = { after: this.#newest.last };
    for (const { number } of this.#forget()) this.#writer.remove(number);
    this.#writer.letGo();
    this.#writer.work();
    await this.close();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
