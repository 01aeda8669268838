/**
 * A source of files as the engine has it: keeps the list of files, which the engine's log and checkpoints save, and tells the source, which may run in another
 * thread and begins anew with each start.
 *
 * While a log is replayed the list grows as the log is read, so a range is read as far as the list goes, and further when more is known.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { RawBatch, Source, SourceEvent, StartPosition } from '../source.ts';
import { FileList, type ListedFile, type SavedFiles } from './file_list.ts';

/** The list, as the engine's saved state has it. */
export class KnownFiles {
  readonly list = new FileList();
  /** The source has not been told. */
  isNew = false;

  add(number: number, file: ListedFile): void {
    this.list.put(number, file);
    this.isNew = true;
  }

  save(): SavedFiles {
    return this.list.save();
  }

  load(saved: SavedFiles): void {
    this.list.load(saved);
    this.isNew = saved.length > 0;
  }

  placeOf(offset: number): { path: string; row: number } | null {
    return this.list.placeOf(offset);
  }
}

export class KnownFilesSource implements Source {
  readonly files = new KnownFiles();
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  #tell(): void {
    if (!this.files.isNew) return;
    this.files.isNew = false;
    this.#source.expect?.(JSON.stringify(this.files.save()));
  }

  takeEvents(): SourceEvent[] {
    const events = this.#source.takeEvents();
    for (const event of events) if (event.kind === 'file') this.files.list.put(event.number, event.file);
    return events;
  }

  open(offsets: Map<number, bigint>): void {
    this.#tell();
    this.#source.open(offsets);
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    for (let next = from; next < to; ) {
      const before = next;
      this.#tell();
      for await (const batch of this.#source.readRange(partition, next, to)) {
        next = batch.nextOffset;
        yield batch;
      }
      if (next === before && !this.files.isNew)
        throw new SqlError('58P01', `the files that were read have no row ${before} of the stream`);
    }
  }

  partitions(): Promise<number[]> {
    return this.#source.partitions();
  }

  startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    return this.#source.startOffsets(start);
  }

  poll(): RawBatch | null {
    return this.#source.poll();
  }

  onReady(callback: () => void): void {
    this.#source.onReady(callback);
  }

  position(partition: number): bigint | undefined {
    return this.#source.position(partition);
  }

  highWatermark(partition: number): bigint | undefined {
    return this.#source.highWatermark(partition);
  }

  left(): bigint | undefined {
    return this.#source.left?.();
  }

  pause(partition: number): void {
    this.#source.pause(partition);
  }

  resume(partition: number): void {
    this.#source.resume(partition);
  }

  bufferedBytes(): number {
    return this.#source.bufferedBytes();
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
