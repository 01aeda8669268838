/**
 * What a tick takes of a stream's source, until it has passed or is taken back.
 *
 *   polled    batches of the source            records   of them, those that became rows            ranges   their offsets
 *
 * The same objects in each tick: one of a few messages would make more of them than rows (docs/decisions/0554).
 */
import { KeptList } from '../../operators/lists.ts';
import type { OffsetRange } from '../durable/records.ts';
import type { BadRow } from '../formats/format.ts';
import type { RawBatch } from '../sources/source.ts';
import type { DecodedRecords } from './late_rows.ts';

/** A batch of the source and its first record that no tick has taken. */
export interface Pending {
  raw: RawBatch;
  next: number;
}

/** Records that became rows of a tick. */
export interface Decoded extends DecodedRecords {
  /** Of their values. */
  bytes: number;
  /** The bounds of their times that are not NULL; null: there is none, or nobody asks. */
  least: bigint | null;
  greatest: bigint | null;
}

const NO_BAD: BadRow[] = [];

/** In the place of a batch that was let go: what a source has given can be large. */
export const NO_BATCH: RawBatch = {
  partition: 0,
  baseOffset: 0n,
  nextOffset: 0n,
  n: 0,
  bytes: Buffer.alloc(0),
  valueStart: new Int32Array(0),
  valueEnd: new Int32Array(0),
  keyStart: new Int32Array(0),
  keyEnd: new Int32Array(0),
  offset: new Float64Array(0),
  timestamp: new Float64Array(0),
  headers: () => [],
};

export const nothingPending = (): Pending => ({ raw: NO_BATCH, next: 0 });

const nothingDecoded = (): Decoded => ({
  raw: NO_BATCH,
  from: 0,
  to: 0,
  firstRow: 0,
  bad: NO_BAD,
  bytes: 0,
  least: null,
  greatest: null,
});

const noRange = (): OffsetRange => ({ partition: 0, from: 0n, to: 0n, records: 0 });

export class Taken {
  readonly records = new KeptList(nothingDecoded);
  /** Who keeps one beyond the tick copies it. */
  readonly ranges = new KeptList(noRange);
  /** Batches that the tick has taken of, and from where: they come again when the tick is taken back. */
  readonly polled = new KeptList(nothingPending);

  addPolled(raw: RawBatch, next: number): void {
    const polled = this.polled.next();
    polled.raw = raw;
    polled.next = next;
  }

  addRange(partition: number, from: bigint, to: bigint, records: number | null): void {
    const range = this.ranges.next();
    range.partition = partition;
    range.from = from;
    range.to = to;
    range.records = records;
  }

  /** Whether some record has a time before this one. */
  hasBefore(time: bigint): boolean {
    for (let i = 0; i < this.records.length; i++) {
      const { least } = this.records.at(i);
      if (least !== null && least < time) return true;
    }
    return false;
  }

  /** What was polled is the source's again, but for what is not read to its end. */
  release(unread: RawBatch | undefined): void {
    for (let i = 0; i < this.polled.length; i++) {
      const { raw } = this.polled.at(i);
      if (raw !== unread) raw.release?.();
    }
  }

  clear(): void {
    for (let i = 0; i < this.polled.length; i++) this.polled.at(i).raw = NO_BATCH;
    for (let i = 0; i < this.records.length; i++) {
      const record = this.records.at(i);
      record.raw = NO_BATCH;
      record.bad = NO_BAD;
    }
    this.polled.clear();
    this.records.clear();
    this.ranges.clear();
  }
}
