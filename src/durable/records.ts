/**
 * What the records of the tick log say (frame.ts has their frame).
 *
 *   tick        i64 now | varint streams, each: oid, flags, [watermark], [columns decoded], ranges (partition, from, to, records), [length, records (kept_records.ts)]
 *                       | varint tables, each: oid, length, batch (operators/batch/batch_codec.ts)
 *                       | [varint OIDs, each: oid]: what everybody sees from this tick on; left out where there is neither this nor the next
 *                       | [varint OIDs, each: oid]: what is dropped with this tick; left out where there is neither this nor the next
 *                       | [varint transactions, each: its number]: whose objects get their new names with this tick; left out where there is neither this nor the next
 *                       | [varint OIDs, each: oid]: whose comments, owners and privileges are from this tick on what a transaction has made of them; left out where there is none
 *   definition, opened, schema, file, script, delivered, leaving, staying, changing   JSON: they are rare
 *   sequence    i64 last | u8 whether that was given | varint oid
 *   filled      i64 now | varint length, definition as JSON | batch: CREATE TABLE AS is there whole or not at all, and so is ADD COLUMN with a volatile DEFAULT
 *
 * Of a stream only what changed is written. The watermark is that after the tick: it hangs on what the wall clock says of idle partitions, so
 * the result is kept and not the cause. Rows of tables and local streams are kept as they were given, before late ones are split off.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { encodedSize, readBatch, writeBatch } from '../../operators/batch/batch_codec.ts';
import { readVarint, varintSize, writeVarint } from '../../operators/batch/varint.ts';
import type { Inherited } from '../catalog/objects.ts';
import type { Change } from '../catalog/pending.ts';
import type { KnownSchema } from '../registry/schemas.ts';
import type { ListedFile } from '../sources/files/file_list.ts';
import { FRAME_HEADER, makeFrame } from './frame.ts';

export interface OffsetRange {
  partition: number;
  from: bigint;
  to: bigint;
  /** How many there were: fewer when they are read again says that compaction took some. Null in logs of before this was kept. */
  records: number | null;
}

/** What one tick took from one stream. */
export interface StreamInput {
  oid: number;
  ranges: OffsetRange[];
  /** The stream's watermark after the tick; undefined when it did not move. */
  watermark: bigint | undefined;
  /** Positions of the columns that are decoded from this tick on; undefined when they are those of before. */
  columns: number[] | undefined;
  /** The records themselves (kept_records.ts), of sources that give each once. */
  kept?: Buffer;
}

export interface TickRecord extends Ended {
  now: bigint;
  streams: StreamInput[];
  tables: { oid: number; batch: Batch }[];
}

/** What a transaction has done that counts from a tick on. */
export interface Ended {
  /** OIDs of what a transaction had made, and everybody sees from this tick on. */
  shown: number[];
  /** OIDs of what a transaction had dropped, and is gone from this tick on. */
  dropped: number[];
  /** Transactions whose new names everybody sees from this tick on. */
  renaming: number[];
  /** OIDs of what transactions have changed (comments, owners, privileges), and is changed for everybody from this tick on; 0: the database. */
  changed: number[];
}

/** Settings of the session that gave a statement, as far as the statement's meaning hangs on them. */
export interface StatementSettings {
  timeZone: string;
  dateStyle: string;
  intervalStyle: string;
  extraFloatDigits: number;
  byteaOutput: string;
  user: string;
  /** OID of the role that gave it; absent: the bootstrap superuser. */
  role?: number;
  /** Absent: the same. */
  sessionUser?: string;
  database: string;
  searchPath: string[];
}

export interface DefinitionRecord {
  sql: string;
  /** OID of what was made; 0 when nothing was. */
  made: number;
  /** OIDs of what was dropped. */
  dropped: number[];
  /** The transaction that has made it, and had not ended by then: until a tick shows it nobody else sees it, and it goes when no tick does. */
  open?: number;
  /** What `altered` is called when that transaction has committed. */
  named?: string;
  /** What it has made of `altered` (absent: of the database), which counts when it commits. */
  change?: Change;
  /** It has altered `altered` so that this counts when it commits. */
  alters?: true;
  /** With either: what must be there to do it again. */
  reads?: number[];
  /** OIDs of what that transaction drops when it commits, in the order in which it goes. */
  going?: number[];
  settings: StatementSettings;
  /** The clock at which it took effect, in microseconds since 2000-01-01. */
  now: string;
  /** Of a sink that was made: what it was given by chance. */
  identity?: string;
  /** Of what replaces another when its transaction commits: what it has of that. */
  inherited?: Inherited;
  /** Of a view with more columns than the one that it replaced at once: what reads it goes on seeing those of before. */
  keeps?: true;
  /** What an ALTER altered: with it, and with nothing else that it made, the statement goes. */
  altered?: number;
  /** Of an ALTER that changed the columns of a table's rows: the clock that their new values were made at. */
  clock?: string;
  /** Of one that gave them values of sequences which it made: the last value of each. */
  given?: [sequence: number, last: string][];
}

export interface StayingRecord {
  /** Of what was dropped in vain. */
  oids: number[];
  /** Of the names that the transaction has given, and of what else it has changed, that is left which is at these positions. */
  transaction?: number;
  names?: number[];
}

export interface OpenedRecord {
  oid: number;
  /** Of the source (a topic's id), where it has one. */
  identity?: string;
  offsets: [partition: number, offset: string][];
}

export interface SchemaRecord {
  /** Of the stream. */
  oid: number;
  id: number;
  schema: KnownSchema;
}

export interface FileRecord {
  /** Of the stream. */
  oid: number;
  number: number;
  file: ListedFile;
}

export interface ScriptRecord {
  /** SHA-256 of the script. */
  digest: string;
}

const HAS_WATERMARK = 1;
const HAS_COLUMNS = 2;
const HAS_RECORDS = 4;
const HAS_KEPT = 8;
const NOW_BYTES = 8;

export interface DeliveredRecord {
  oid: number;
  tick: string;
  /** Of a sink: why it has stopped. */
  stopped?: string;
}

/** What a sequence goes on from. */
export interface SequenceRecord {
  oid: number;
  last: bigint;
  called: boolean;
}

export function sequenceFrame({ oid, last, called }: SequenceRecord): Buffer {
  const frame = makeFrame(9 + varintSize(oid));
  frame.writeBigInt64LE(last, FRAME_HEADER);
  frame[FRAME_HEADER + 8] = called ? 1 : 0;
  writeVarint(frame, FRAME_HEADER + 9, oid);
  return frame;
}

export function readSequence(payload: Buffer): SequenceRecord {
  return { oid: readVarint(payload, 9).value, last: payload.readBigInt64LE(0), called: payload[8] !== 0 };
}

/** A tick that tables' rows went into, without its clock: sealed with stampNow once the tick has run. `shown`: what everybody sees from then on; `dropped`: what is gone; `renaming`: transactions whose new names count; `changed`: what is as a transaction has changed it. */
export function rowsFrame(deltas: Map<number, Batch>, { shown, dropped, renaming, changed }: Ended): Buffer {
  const all = [shown, dropped, renaming, changed];
  const lists = all.slice(0, all.findLastIndex((list) => list.length > 0) + 1);
  const ends = lists.flatMap((list) => [list.length, ...list]);
  let size = NOW_BYTES + varintSize(0) + varintSize(deltas.size);
  const sizes = new Map<number, number>();
  for (const [oid, batch] of deltas) {
    const bytes = encodedSize(batch);
    sizes.set(oid, bytes);
    size += varintSize(oid) + varintSize(bytes) + bytes;
  }
  size += ends.reduce((sum, value) => sum + varintSize(value), 0);
  const frame = makeFrame(size);
  let at = writeVarint(frame, FRAME_HEADER + NOW_BYTES, 0);
  at = writeVarint(frame, at, deltas.size);
  for (const [oid, batch] of deltas) {
    at = writeVarint(frame, at, oid);
    at = writeVarint(frame, at, sizes.get(oid) as number);
    at = writeBatch(batch, frame, at);
  }
  for (const value of ends) at = writeVarint(frame, at, value);
  return frame;
}

/** A table with its first rows, without the tick's clock. */
export function filledFrame(definition: DefinitionRecord, rows: Batch): Buffer {
  const json = Buffer.from(JSON.stringify(definition), 'utf8');
  const frame = makeFrame(NOW_BYTES + varintSize(json.length) + json.length + encodedSize(rows));
  const at = writeVarint(frame, FRAME_HEADER + NOW_BYTES, json.length);
  frame.set(json, at);
  writeBatch(rows, frame, at + json.length);
  return frame;
}

/** The rows lie in the arena. */
export function readFilled(payload: Buffer, arena: Arena): { now: bigint; definition: DefinitionRecord; rows: Batch } {
  const { value: length, end } = readVarint(payload, NOW_BYTES);
  const definition = readJson<DefinitionRecord>(payload.subarray(end, end + length));
  const read = readBatch(payload, end + length, arena);
  if (read.end !== payload.length) throw new Error(`damaged record: rows end at ${read.end}, not at ${payload.length}`);
  return { now: payload.readBigInt64LE(0), definition, rows: read.batch };
}

export function stampNow(frame: Buffer, now: bigint): void {
  frame.writeBigInt64LE(now, FRAME_HEADER);
}

/** A tick that streams' records went into. */
export function streamsFrame(now: bigint, streams: StreamInput[]): Buffer {
  let size = NOW_BYTES + varintSize(streams.length) + varintSize(0);
  for (const stream of streams) size += streamSize(stream);
  const frame = makeFrame(size);
  stampNow(frame, now);
  let at = writeVarint(frame, FRAME_HEADER + NOW_BYTES, streams.length);
  for (const stream of streams) at = writeStream(stream, frame, at);
  writeVarint(frame, at, 0);
  return frame;
}

function streamSize({ oid, ranges, watermark, columns, kept }: StreamInput): number {
  let size = varintSize(oid) + 1 + (watermark === undefined ? 0 : 8) + varintSize(ranges.length);
  if (columns !== undefined) {
    size += varintSize(columns.length);
    for (const column of columns) size += varintSize(column);
  }
  for (const { partition, from, to, records } of ranges)
    size += varintSize(partition) + varintSize(Number(from)) + varintSize(Number(to)) + varintSize(records ?? 0);
  if (kept !== undefined) size += varintSize(kept.length) + kept.length;
  return size;
}

function writeStream({ oid, ranges, watermark, columns, kept }: StreamInput, frame: Buffer, start: number): number {
  let at = writeVarint(frame, start, oid);
  const flags = (watermark === undefined ? 0 : HAS_WATERMARK) | (columns === undefined ? 0 : HAS_COLUMNS);
  frame[at++] = flags | HAS_RECORDS | (kept === undefined ? 0 : HAS_KEPT);
  if (watermark !== undefined) at = frame.writeBigInt64LE(watermark, at);
  if (columns !== undefined) {
    at = writeVarint(frame, at, columns.length);
    for (const column of columns) at = writeVarint(frame, at, column);
  }
  at = writeVarint(frame, at, ranges.length);
  for (const { partition, from, to, records } of ranges) {
    at = writeVarint(frame, at, partition);
    at = writeVarint(frame, at, Number(from));
    at = writeVarint(frame, at, Number(to));
    at = writeVarint(frame, at, records ?? 0);
  }
  if (kept === undefined) return at;
  at = writeVarint(frame, at, kept.length);
  frame.set(kept, at);
  return at + kept.length;
}

/** A tick's record; the rows of tables lie in the arena, those of tables that `wanted` refuses are left out. */
export function readTick(payload: Buffer, arena: Arena, wanted: (oid: number) => boolean = () => true): TickRecord {
  const now = payload.readBigInt64LE(0);
  let at = NOW_BYTES;
  const number = () => {
    const { value, end } = readVarint(payload, at);
    at = end;
    return value;
  };
  const list = <T>(item: () => T): T[] => {
    const count = number();
    // Every item has at least one byte.
    if (count > payload.length - at) throw new Error(`damaged record: ${count} items`);
    return Array.from({ length: count }, item);
  };
  const streams = list(() => {
    const oid = number();
    const flags = payload[at++];
    let watermark: bigint | undefined;
    if ((flags & HAS_WATERMARK) !== 0) {
      watermark = payload.readBigInt64LE(at);
      at += 8;
    }
    const columns = (flags & HAS_COLUMNS) !== 0 ? list(number) : undefined;
    const ranges = list(() => {
      const [partition, from, to] = [number(), BigInt(number()), BigInt(number())];
      return { partition, from, to, records: (flags & HAS_RECORDS) !== 0 ? number() : null };
    });
    if ((flags & HAS_KEPT) === 0) return { oid, ranges, watermark, columns };
    const end = number() + at;
    if (end > payload.length) throw new Error(`damaged record: records of ${oid} end at ${end}`);
    const kept = payload.subarray(at, end);
    at = end;
    return { oid, ranges, watermark, columns, kept };
  });
  const tables = list(() => {
    const oid = number();
    const end = number() + at;
    if (!wanted(oid)) {
      at = end;
      return null;
    }
    const read = readBatch(payload, at, arena);
    if (read.end !== end) throw new Error(`damaged record: rows of ${oid} end at ${read.end}, not at ${end}`);
    at = end;
    return { oid, batch: read.batch };
  });
  const shown = at === payload.length ? [] : list(number);
  const dropped = at === payload.length ? [] : list(number);
  const renaming = at === payload.length ? [] : list(number);
  const changed = at === payload.length ? [] : list(number);
  if (at !== payload.length) throw new Error(`damaged record: it has ${payload.length - at} bytes too many`);
  return { now, streams, tables: tables.filter((table) => table !== null), shown, dropped, renaming, changed };
}

export function jsonFrame(
  value: DefinitionRecord | StayingRecord | OpenedRecord | SchemaRecord | FileRecord | ScriptRecord | DeliveredRecord,
): Buffer {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  const frame = makeFrame(bytes.length);
  frame.set(bytes, FRAME_HEADER);
  return frame;
}

export function readJson<T>(payload: Buffer): T {
  return JSON.parse(payload.toString('utf8')) as T;
}
