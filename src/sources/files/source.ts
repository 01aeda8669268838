/**
 * Files as a source: one partition, whose offsets count the records of all files one behind the other (file_list.ts).
 *
 *   look at the folders -> found -> open the next one -> begun -> pieces (bytes of some records) -> batches, a few ahead -> poll()        -> ended
 *
 * Each step of a file is an event before the batches that hang on it. A file must stay what it was when it was begun: its size and time of change are looked at
 * before each batch is given. What cannot be read, has changed or is gone is told (event `files`) and tried again, and nothing behind it is read meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { OutOfMemory, SqlError } from '../../../operators/errors.ts';
import { buffers } from '../../kafka/buffers.ts';
import { Arrivals } from '../arrivals.ts';
import type { RawBatch, Source, SourceEvent } from '../source.ts';
import { FileList, type ListedFile, type SavedFiles } from './file_list.ts';
import { type FoundFile, fileStat, filesOf } from './glob.ts';
import type { FileSourceOptions } from './options.ts';
import type { FileReader, Piece } from './pieces.ts';
import { PARTITION, rawBatch } from './raw_batch.ts';
import { TextFile } from './text_file.ts';

/** Between two tries of what went wrong. */
const PAUSE_MS = 1000;
/** Batches that are read before the engine asks for them. */
const BATCHES_AHEAD = 2;

type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface FileColumns {
  names: string[];
  /** Types of them. */
  oids: number[];
  /** The stream is a keyed table. */
  keyed: boolean;
}

/** What is wrong with a file. */
class FileTrouble extends Error {
  constructor(path: string, what: string) {
    super(`file "${path}" ${what}`);
  }
}

export async function openFile(
  path: string,
  size: number,
  options: FileSourceOptions,
  columns: FileColumns,
): Promise<FileReader> {
  if (options.format !== 'parquet') return new TextFile(path, size, options, columns.names);
  const { ParquetReader } = await import('../../parquet/thread.ts');
  const { names, oids } = columns;
  return ParquetReader.open(path, size, 'records', { names, oids });
}

export class FilesSource implements Source {
  readonly #options: FileSourceOptions;
  readonly #columns: FileColumns;
  readonly #log: Log;
  readonly #files = new FileList();
  readonly #arrivals = new Arrivals();
  readonly #closing = new AbortController();
  #queue: RawBatch[] = [];
  #buffered = 0;
  #paused = false;
  /** As of poll(). */
  #position: number | null = null;
  /** Up to where records have been read. */
  #end = 0;
  /** Moves with open(): what an earlier one had begun ends. */
  #epoch = 0;
  #reading: Promise<void> = Promise.resolve();
  /** Lets the reading go on that waits for a batch to be taken. */
  #goOn: (() => void) | null = null;
  #trouble: string | null = null;
  /** Bytes of files that have not been read to their end, and how many of those are read. */
  #unread = 0;
  #read = 0;
  /** As was told last. */
  #told: bigint | null = null;
  /** As the last look saw those that may still be written. */
  #seen = new Map<string, FoundFile>();

  constructor(options: FileSourceOptions, columns: FileColumns, log: Log) {
    this.#options = options;
    this.#columns = columns;
    this.#log = log;
  }

  /** The list of files of before, as JSON: what they were then is all that is read of their names. */
  expect(files: string): void {
    this.#files.load(JSON.parse(files) as SavedFiles);
    this.#count();
  }

  #count(): void {
    this.#unread = 0;
    for (let i = 0; i < this.#files.length; i++) {
      const { rows, size } = this.#files.get(i);
      if (rows < 0) this.#unread += size;
    }
  }

  partitions(): Promise<number[]> {
    return Promise.resolve([PARTITION]);
  }

  startOffsets(): Promise<Map<number, bigint>> {
    return Promise.resolve(new Map([[PARTITION, 0n]]));
  }

  open(offsets: Map<number, bigint>): void {
    const offset = offsets.get(PARTITION);
    if (offset === undefined) return;
    const epoch = ++this.#epoch;
    this.#drop();
    this.#position = Number(offset);
    this.#end = this.#position;
    this.#goOn?.();
    this.#reading = this.#reading.then(() => this.#run(epoch));
  }

  #drop(): void {
    for (const batch of this.#queue) batch.release?.();
    this.#queue = [];
    this.#buffered = 0;
  }

  /** Reads file after file; ends when all is read and nobody watches. */
  async #run(epoch: number): Promise<void> {
    while (this.#goesOn(epoch)) {
      try {
        const number = this.#files.next(this.#end);
        const isThere = number < this.#files.length;
        const isMore = isThere || (await this.#look());
        this.#tellLeft();
        if (isThere) await this.#file(number, epoch);
        else if (!isMore && this.#files.length > 0 && !this.#options.watch) return;
        else if (!isMore) await this.#pause(this.#options.watchMs);
        this.#tell(null);
      } catch (error) {
        if (!this.#goesOn(epoch)) return;
        this.#tell(error instanceof Error ? error.message : String(error));
        await this.#pause(PAUSE_MS);
      }
    }
  }

  #goesOn(epoch: number): boolean {
    return epoch === this.#epoch && !this.#closing.signal.aborted;
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  /** What is left may have become another number, or known, without a batch or an event. */
  #tellLeft(): void {
    const left = this.left();
    if (left === this.#told) return;
    this.#told = left;
    this.#arrivals.ready();
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#arrivals.tell({ kind: 'files', message: trouble });
  }

  /** Finds files that are not in the list. Where nobody watches, those that are there at the first look are all. */
  async #look(): Promise<boolean> {
    const { path, watch, watchMs } = this.#options;
    if (!watch && this.#files.length > 0) return false;
    const known = new Set(this.#files.save().map(([name]) => name));
    const found = (await filesOf(path)).filter((file) => !known.has(file.path));
    const seen = this.#seen;
    this.#seen = new Map();
    const before = this.#files.length;
    for (const file of found) {
      const last = seen.get(file.path);
      const isStill = last?.size === file.size && last.mtime === file.mtime;
      if (watch && !isStill && Math.abs(Date.now() - file.mtime) < watchMs) this.#seen.set(file.path, file);
      else {
        this.#unread += file.size;
        this.#put(this.#files.length, { ...file, base: -1, rows: -1 });
      }
    }
    return this.#files.length > before;
  }

  #put(number: number, file: ListedFile): void {
    this.#files.put(number, file);
    this.#arrivals.tell({ kind: 'file', number, file });
  }

  /** Reads a file from #end to its end. */
  async #file(number: number, epoch: number): Promise<void> {
    const listed = this.#files.get(number);
    let file = listed;
    let reader: FileReader;
    if (listed.base < 0) {
      const there = await fileStat(listed.path);
      this.#unread -= listed.size;
      file = { ...listed, size: 0, ...there, base: this.#end };
      if (there === null) {
        this.#log('warn', `file "${listed.path}" went before it was read`);
        this.#put(number, { ...file, rows: 0 });
        return;
      }
      this.#unread += file.size;
      reader = await this.#open(file);
      if (!this.#goesOn(epoch)) {
        reader.close();
        return;
      }
      this.#put(number, file);
    } else {
      await checkSame(file);
      reader = await this.#open(file);
    }
    this.#read = 0;
    for await (const piece of this.#pieces(reader, file, this.#end - file.base)) {
      if (!(await this.#room(epoch))) return;
      await checkSame(file);
      await this.#deliver(piece, file, epoch);
      if (!this.#goesOn(epoch)) return;
    }
    await checkSame(file);
    if (!this.#goesOn(epoch)) return;
    this.#unread -= file.size;
    this.#read = 0;
    this.#put(number, { ...file, rows: this.#end - file.base });
  }

  async #open(file: ListedFile): Promise<FileReader> {
    try {
      return await openFile(file.path, file.size, this.#options, this.#columns);
    } catch (error) {
      throw unreadable(file, error);
    }
  }

  /** Closes the reader. */
  async *#pieces(reader: FileReader, file: ListedFile, from: number): AsyncGenerator<Piece> {
    try {
      yield* reader.pieces(from);
    } catch (error) {
      throw unreadable(file, error);
    } finally {
      reader.close();
    }
  }

  async #deliver(piece: Piece, file: ListedFile, epoch: number): Promise<void> {
    const { keyed } = this.#columns;
    for (;;) {
      try {
        const batch = rawBatch(piece, file, this.#end, { keyed, pool: buffers });
        this.#end += piece.n;
        this.#read = piece.read;
        this.#queue.push(batch);
        this.#buffered += batch.bytes.length;
        this.#arrivals.ready();
        return;
      } catch (error) {
        if (!(error instanceof OutOfMemory)) throw error;
        this.#log('error', 'files: reading waits for memory');
        await this.#pause(PAUSE_MS);
        if (!this.#goesOn(epoch)) return;
      }
    }
  }

  /** Waits until another batch may be read; false when it is none of ours any more. */
  async #room(epoch: number): Promise<boolean> {
    while (this.#goesOn(epoch) && this.#queue.length >= BATCHES_AHEAD)
      await new Promise<void>((goOn) => (this.#goOn = goOn));
    return this.#goesOn(epoch);
  }

  poll(): RawBatch | null {
    if (this.#paused) return null;
    const batch = this.#queue.shift();
    if (batch === undefined) return null;
    this.#buffered -= batch.bytes.length;
    this.#position = Number(batch.nextOffset);
    this.#goOn?.();
    return batch;
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(callback, this.#queue.length > 0 && !this.#paused);
  }

  takeEvents(): SourceEvent[] {
    return this.#arrivals.takeEvents();
  }

  position(partition: number): bigint | undefined {
    return partition === PARTITION && this.#position !== null ? BigInt(this.#position) : undefined;
  }

  /** How many records have been found so far: nobody knows how many there are in files that are not read. */
  highWatermark(partition: number): bigint | undefined {
    return partition === PARTITION && this.#position !== null ? BigInt(this.#end) : undefined;
  }

  left(): bigint {
    return BigInt(Math.max(0, this.#unread - this.#read));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#queue.length > 0) this.#arrivals.ready();
  }

  bufferedBytes(): number {
    return this.#buffered;
  }

  /** Ends before `to` where the list of files does: what comes behind may be known later. */
  async *readRange(_partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    const end = Number(to);
    for (let next = Number(from); next < end; ) {
      const number = this.#files.holding(next);
      if (number === null) return;
      const file = this.#files.get(number);
      for await (const batch of this.#again(file, next, end)) {
        next = Number(batch.nextOffset);
        yield batch;
      }
      if (file.rows < 0) return;
      if (next < end && next < file.base + file.rows)
        throw gone(
          new FileTrouble(file.path, `ends at row ${next - file.base}, and had ${file.rows} rows when it was read`),
        );
    }
  }

  async *#again(file: ListedFile, from: number, to: number): AsyncGenerator<RawBatch> {
    let next = from;
    try {
      await checkSame(file);
      const reader = await this.#open(file);
      for await (const piece of this.#pieces(reader, file, from - file.base)) {
        await checkSame(file);
        const n = Math.min(piece.n, to - next);
        yield rawBatch({ ...piece, n }, file, next, { keyed: this.#columns.keyed, pool: null });
        next += n;
        if (next === to) return;
      }
    } catch (error) {
      throw error instanceof FileTrouble ? gone(error) : error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#arrivals.close();
    this.#goOn?.();
    await this.#reading;
    this.#drop();
  }
}

function unreadable(file: ListedFile, error: unknown): unknown {
  if (error instanceof FileTrouble || error instanceof OutOfMemory) return error;
  return new FileTrouble(file.path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}

/** Throws unless the file is what it was when it was begun. */
async function checkSame({ path, size, mtime }: ListedFile): Promise<void> {
  const there = await fileStat(path);
  if (there === null) throw new FileTrouble(path, 'is gone, and has not been read to its end');
  if (there.size !== size || there.mtime !== mtime) {
    const when = (milliseconds: number) => new Date(milliseconds).toISOString();
    const before = `it had ${size} bytes of ${when(mtime)} and has ${there.size} bytes of ${when(there.mtime)}`;
    throw new FileTrouble(path, `has changed since its reading began: ${before}`);
  }
}

function gone({ message }: FileTrouble): SqlError {
  return new SqlError('58P01', message, {
    hint: 'The rows that were read of it cannot be made again without it. Put it back as it was, time of change and all.',
  });
}
