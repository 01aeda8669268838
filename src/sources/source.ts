/**
 * What the engine asks of anything that rows come from: Kafka, files, a database, the Nexmark generator, a counter.
 *
 *   engine (owns offsets)  -- open({partition: offset}) -->  source (fetches ahead, up to a bound of bytes)
 *                          <-- poll() : RawBatch | null --
 *                          <-- takeEvents()             --
 *
 * The engine pulls; a source that is not polled stops fetching when its buffer is full, so back-pressure needs no call. Offsets of one
 * partition grow strictly; a batch covers [baseOffset, nextOffset) although fewer than nextOffset - baseOffset records may be in it
 * (compaction, transaction markers, aborted records). To have read a batch means: the next one starts at its nextOffset. The engine writes these
 * ranges in the tick log, and readRange gives exactly the same records again.
 *
 * Nothing here throws because a broker is away: that is an event, and the source keeps trying.
 */
import type { KnownSchema, Schemas } from '../registry/schemas.ts';
import type { ListedFile } from './files/file_list.ts';
import type { KnownFiles } from './files/known_files.ts';

/** Where a reader starts. `at` names partitions; those not named start at the earliest offset. */
export type StartPosition =
  | { k: 'earliest' }
  | { k: 'latest' }
  /** Milliseconds since 1970: the first record with this timestamp or a later one. */
  | { k: 'timestamp'; ms: number }
  | { k: 'at'; offsets: Map<number, bigint> };

export interface Header {
  key: string;
  value: Uint8Array | null;
}

/** Zeros behind the bytes of a batch that has an address: readers may look so far beyond the end. */
export const ZEROS_BEHIND = 80;

/** Records of one partition as byte ranges in one buffer. Arrays are at least `n` long. */
export interface RawBatch {
  partition: number;
  /** First offset covered. */
  baseOffset: bigint;
  /** One past the last offset covered: where the next batch starts. */
  nextOffset: bigint;
  n: number;
  /** Holds keys, values and headers. Not changed until release(). */
  bytes: Buffer;
  /** Where `bytes` begins in the shared memory, with ZEROS_BEHIND: rows are read where it lies. Missing: it lies elsewhere, and what is read of it is copied. */
  address?: number;
  /** Value of record i: bytes[valueStart[i] .. valueEnd[i]); valueStart -1 is a null value (a tombstone). */
  valueStart: Int32Array;
  valueEnd: Int32Array;
  /** Key of record i; keyStart -1 is a null key. */
  keyStart: Int32Array;
  keyEnd: Int32Array;
  /** Offset of record i (exact: below 2^53). */
  offset: Float64Array;
  /** Milliseconds since 1970; -1 when the record has none. */
  timestamp: Float64Array;
  /** Headers of record i, read on demand. */
  headers(i: number): Header[];
  /** Where the headers of record i begin in `bytes`, in Kafka's form: what makes a batch plain data that can go to another thread. */
  headerStart?: Int32Array;
  /** All that is here has been read: the arrays may be used for another batch. Called at most once; who does not call it leaves them to the collector. */
  release?: () => void;
  /** Where its source is when it has been read; of sources with Moments. */
  place?: string;
}

/**
 * What sources share that give each record once and whole transactions only. None of their records can be read again, so the tick log keeps them, and a tick takes
 * all that poll() gives.
 */
export interface Moments {
  /** While held, as one of the sources may not be read, nothing more is admitted. */
  held: boolean;
  /** Lets poll() give what is here: the next transactions, `rows` records of them and at least one. */
  admit(rows: number): void;
  /** What was polled and of which its source was not told settle() was not taken: it comes again when it is admitted again. */
  giveBack(): void;
}

export type SourceEvent =
  /** No broker answers; retried for ever with growing pauses. Sent once until `recovered`. */
  | { kind: 'unreachable'; message: string }
  | { kind: 'recovered' }
  /** The partition's offset is gone (retention, truncation, topic recreated). It stands still until open() names a new offset. */
  | {
      kind: 'offset_out_of_range';
      partition: number;
      offset: bigint;
      earliest: bigint;
      latest: bigint;
      message: string;
    }
  /** Not read until open() names it. */
  | { kind: 'partition_added'; partition: number; earliest: bigint }
  /** The topic is gone, or its identity changed. */
  | { kind: 'topic_missing'; message: string }
  /** A batch that can't be read: bad checksum, missing codec. The partition stands still. */
  | { kind: 'corrupt'; partition: number; offset: bigint; message: string }
  /** Access refused by the broker. Retried. */
  | { kind: 'denied'; message: string }
  /** The schema registry cannot be asked, which is tried for ever; null: it answers again. */
  | { kind: 'registry'; message: string | null }
  /** What a schema id means that records name from now on. */
  | { kind: 'schema'; id: number; schema: KnownSchema }
  /** A file cannot be read, which is tried for ever; null: it can, or is done without. */
  | { kind: 'files'; message: string | null }
  /** What is known from now on of the file with this number. */
  | { kind: 'file'; number: number; file: ListedFile }
  /** A database cannot be read on, or a table of it never will be; null: it can. */
  | { kind: 'database'; message: string | null }
  /** The rows that a table of a database has are being read, before its changes. */
  | { kind: 'copying'; on: boolean };

export interface Source {
  /** Partition numbers known now, ascending. */
  partitions(): Promise<number[]>;
  /** What tells the source from another of its name that is made later (a topic's id), once startOffsets() has asked; null where nobody can tell. */
  readonly identity?: string | null;
  /** The format of its records where it is not the one of the relation's options. */
  readonly form?: 'json';
  /** Those that its records name, where they do. */
  readonly schemas?: Schemas;
  /** Those that it reads, where it reads files. */
  readonly files?: KnownFiles;
  /** Where each record comes once. */
  readonly moments?: Moments;
  /** Where it is after the last batch that was taken in for good; null: nowhere. Of sources with Moments. */
  readonly place?: string | null;
  /** Batches with these places are taken in for good, in order, and so are those before them; after a restart: were. */
  settle?(places: string[]): void;
  /** The relation is gone for good: nobody will go on from here. Called after close(). */
  forget?(): Promise<void>;
  /** After a restart: the identity of what was read before. Anything else of the name is not read. */
  expect?(identity: string): void;
  /** The first offset to read of every partition. */
  startOffsets(start: StartPosition): Promise<Map<number, bigint>>;
  /** Starts (or moves) these partitions at these offsets; others stay as they are. Buffered batches of a moved partition are dropped. */
  open(offsets: Map<number, bigint>): void;
  /** The next batch in arrival order, or null when none is here now. Paused partitions are passed over. */
  poll(): RawBatch | null;
  /** Calls back once, as soon as poll() or takeEvents() has something; at once when that is so already. */
  onReady(callback: () => void): void;
  /** Events since the last call, oldest first. */
  takeEvents(): SourceEvent[];
  /** Offset that the next batch of the partition starts at, as far as poll() has handed out. */
  position(partition: number): bigint | undefined;
  /** End of the partition as last seen (for read_committed: the last stable offset); undefined before the first answer. */
  highWatermark(partition: number): bigint | undefined;
  /** Bytes that it has to read still, where records that are not read cannot be counted. */
  left?(): bigint | undefined;
  /** Stops and resumes delivery of a partition that runs ahead in event time. Buffered batches are kept. */
  pause(partition: number): void;
  resume(partition: number): void;
  /** Bytes fetched and not polled yet. */
  bufferedBytes(): number;
  /** Exactly the records with from <= offset < to, for replay and backfill; ends after `to` is covered. Throws SqlError when they are gone. */
  readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch>;
  close(): Promise<void>;
}
