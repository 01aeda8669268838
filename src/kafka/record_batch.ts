/**
 * Kafka's record batch, version 2 of the message format: finds keys, values and headers of the records in a partition's fetched bytes as
 * positions, without an object a record.
 *
 *   header, 61 bytes: base offset 8 | length 4 | leader epoch 4 | magic 1 | crc 4 | attributes 2 | last offset delta 4 | base time 8 |
 *                     greatest time 8 | producer id 8 | producer epoch 2 | base sequence 4 | records 4
 *   then records, perhaps compressed as a whole: length | attributes 1 | time delta | offset delta | key | value | headers, with zigzag varints
 *
 *   attributes: bits 0-2 codec, 3 log append time, 4 transactional, 5 control
 *
 * read committed: a transactional batch of a producer that has an aborted transaction begun at or before it is left out, until that
 * producer's abort marker (a control batch). The fetch response lists the aborted transactions of its range.
 */
import type { Header, RawBatch } from '../sources/source.ts';
import { buffers } from './buffers.ts';
import { CODECS, type Codec, codecReady, loadCodec, MissingCodec, type Unpacked, unpack } from './codecs.ts';
import { crc32c } from './crc32c.ts';

const HEADER_BYTES = 61;
const LENGTH_END = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CRC_FROM = 21;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const SHORTEST_RECORD = 7;
const MAX_OFFSET = 2n ** 53n;
const NONE = new Int32Array(0);
const NO_BYTES = Buffer.alloc(0);

export interface AbortedTransaction {
  producerId: bigint;
  firstOffset: bigint;
}

/** A batch that cannot be read: bad checksum, unknown format, missing codec. */
export class CorruptBatch extends Error {
  readonly offset: bigint;

  constructor(offset: bigint, message: string) {
    super(message);
    this.offset = offset;
  }
}

interface BatchHeader {
  baseOffset: bigint;
  nextOffset: bigint;
  codec: Codec;
  control: boolean;
  transactional: boolean;
  producerId: bigint;
  appendTime: boolean;
  baseTime: number;
  maxTime: number;
  records: number;
  /** Position of the records (compressed or not) in the fetched bytes. */
  start: number;
  end: number;
}

/** Offset behind the last complete batch, from the batch headers alone; `from` when there is none. */
export function endOfRecordSet(bytes: Buffer, from: bigint): bigint {
  let next = from;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + HEADER_BYTES) break;
    const last = bytes.readBigInt64BE(at) + BigInt(bytes.readInt32BE(at + LAST_DELTA_AT));
    if (last >= next) next = last + 1n;
    at = end;
  }
  return next;
}

export interface BatchPlace {
  nextOffset: bigint;
  producerId: bigint;
  transactional: boolean;
  /** Of a control batch that ends a transaction: how. */
  marker: 'commit' | 'abort' | null;
}

/** The complete batches of fetched bytes that reach beyond `from`, from their headers alone. */
export function* batchesOf(bytes: Buffer, from: bigint): Generator<BatchPlace> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + HEADER_BYTES) return;
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
    const control = (attributes & 32) !== 0;
    const nextOffset = bytes.readBigInt64BE(at) + BigInt(bytes.readInt32BE(at + LAST_DELTA_AT)) + 1n;
    if (nextOffset > from) {
      yield {
        nextOffset,
        producerId: bytes.readBigInt64BE(at + 43),
        transactional: (attributes & 16) !== 0,
        marker: !control ? null : isAbortMarker(bytes, at + HEADER_BYTES) ? 'abort' : 'commit',
      };
    }
    at = end;
  }
}

/**
 * The records of one partition's fetched bytes from offset `from` on, in one RawBatch covering from .. the last complete batch's end;
 * null when there is no complete batch. A cut last batch is normal. Throws CorruptBatch only when the first batch can't be read.
 */
export async function readRecordSet(
  partition: number,
  bytes: Buffer,
  from: bigint,
  aborted: AbortedTransaction[],
  checkCrc: boolean,
): Promise<RawBatch | null> {
  const headers: BatchHeader[] = [];
  const pending = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const abortedProducers = new Set<bigint>();
  let next = from;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + HEADER_BYTES) break;
    let header: BatchHeader;
    try {
      header = await readHeader(bytes, at, end, checkCrc);
    } catch (error) {
      if (next > from) break;
      throw error;
    }
    at = end;
    if (header.nextOffset <= from) continue;
    while (pending.length > 0 && pending[0].firstOffset < header.nextOffset) {
      abortedProducers.add(pending[0].producerId);
      pending.shift();
    }
    next = header.nextOffset;
    if (header.control) {
      if (isAbortMarker(bytes, header.start)) abortedProducers.delete(header.producerId);
    } else if (!header.transactional || !abortedProducers.has(header.producerId)) {
      headers.push(header);
    }
  }
  if (next === from) return null;
  const records = new RecordWalker(partition, from, next);
  records.walk(bytes, headers);
  return records.batch;
}

async function readHeader(bytes: Buffer, at: number, end: number, checkCrc: boolean): Promise<BatchHeader> {
  const baseOffset = bytes.readBigInt64BE(at);
  if (bytes[at + MAGIC_AT] !== 2) {
    throw new CorruptBatch(
      baseOffset,
      `message format ${bytes[at + MAGIC_AT]} is not supported (Kafka 0.11 or newer writes 2)`,
    );
  }
  if (checkCrc && crc32c(bytes, at + CRC_FROM, end) !== bytes.readUInt32BE(at + CRC_AT)) {
    throw new CorruptBatch(baseOffset, 'the checksum of the record batch is wrong');
  }
  const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
  const codec = CODECS[attributes & 7];
  if (codec === undefined) throw new CorruptBatch(baseOffset, `unknown compression codec ${attributes & 7}`);
  if (!codecReady(codec)) {
    try {
      await loadCodec(codec);
    } catch (error) {
      if (error instanceof MissingCodec) throw new CorruptBatch(baseOffset, error.message);
      throw error;
    }
  }
  const nextOffset = baseOffset + BigInt(bytes.readInt32BE(at + LAST_DELTA_AT)) + 1n;
  if (nextOffset > MAX_OFFSET) throw new CorruptBatch(baseOffset, 'offsets from 2^53 on are not supported');
  return {
    baseOffset,
    nextOffset,
    codec,
    control: (attributes & 32) !== 0,
    transactional: (attributes & 16) !== 0,
    appendTime: (attributes & 8) !== 0,
    baseTime: Number(bytes.readBigInt64BE(at + 27)),
    maxTime: Number(bytes.readBigInt64BE(at + 35)),
    producerId: bytes.readBigInt64BE(at + 43),
    records: bytes.readInt32BE(at + 57),
    start: at + HEADER_BYTES,
    end,
  };
}

/** A control record's key is two int16: version, type; type 0 is abort. Before it stand length, attributes, two deltas, key length. */
function isAbortMarker(bytes: Buffer, start: number): boolean {
  const cursor = { at: start };
  varint(bytes, cursor);
  cursor.at++;
  varint(bytes, cursor);
  varint(bytes, cursor);
  varint(bytes, cursor);
  return bytes.readInt16BE(cursor.at + 2) === 0;
}

interface Cursor {
  at: number;
}

/** A zigzag varint; exact to 53 bits, enough for lengths, offset deltas and time deltas. */
function varint(bytes: Uint8Array, cursor: Cursor): number {
  let byte = bytes[cursor.at++];
  if (byte < 128) return (byte >>> 1) ^ -(byte & 1);
  let value = byte & 127;
  let unit = 128;
  do {
    byte = bytes[cursor.at++];
    value += (byte & 127) * unit;
    unit *= 128;
  } while (byte >= 128);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** The header's count of records, as far as they fit: no record is shorter than its six one-byte fields and length. */
function mostRecords(header: BatchHeader, bytes: number): number {
  return Math.max(0, Math.min(header.records, Math.floor(bytes / SHORTEST_RECORD)));
}

function unpacked(bytes: Buffer, header: BatchHeader): Unpacked {
  return orCorrupt(header, () => unpack(header.codec, bytes.subarray(header.start, header.end)));
}

function orCorrupt<T>(header: BatchHeader, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorruptBatch(header.baseOffset, `${header.codec}: ${reason}`);
  }
}

type KafkaBatch = RawBatch & { headerStart: Int32Array };

class RecordWalker {
  readonly batch: KafkaBatch;
  readonly #from: number;

  constructor(partition: number, from: bigint, next: bigint) {
    this.#from = Number(from);
    const batch: KafkaBatch = {
      partition,
      baseOffset: from,
      nextOffset: next,
      n: 0,
      bytes: NO_BYTES,
      valueStart: NONE,
      valueEnd: NONE,
      keyStart: NONE,
      keyEnd: NONE,
      offset: new Float64Array(0),
      timestamp: new Float64Array(0),
      headerStart: NONE,
      headers: (i) => readHeaders(batch.bytes, batch.headerStart[i]),
    };
    this.batch = batch;
  }

  /** Room for the records' positions, behind `length` bytes of theirs in one buffer, which is given: a batch then goes to another thread without a copy. */
  #makeRoom(records: number, length: number): Uint8Array {
    const { batch } = this;
    const start = (length + 7) & ~7;
    const buffer = buffers.take(start + records * 36);
    batch.release = () => buffers.give(buffer);
    let at = start;
    const next = (bytes: number): number => {
      at += records * bytes;
      return at - records * bytes;
    };
    const doubles = () => new Float64Array(buffer, next(8), records);
    const words = () => new Int32Array(buffer, next(4), records);
    batch.offset = doubles();
    batch.timestamp = doubles();
    batch.valueStart = words();
    batch.valueEnd = words();
    batch.keyStart = words();
    batch.keyEnd = words();
    batch.headerStart = words();
    return new Uint8Array(buffer, 0, length);
  }

  /**
   * Uncompressed batches are read where they stand; with a compressed one among them all are put in one buffer. A batch that can't be read
   * ends the set before it; the first one throws.
   */
  walk(bytes: Buffer, headers: BatchHeader[]): void {
    const { batch } = this;
    const pieces: Unpacked[] = [];
    const inPlace = headers.every((header) => header.codec === 'none');
    headers.every((header, i) => inPlace || this.#whole(headers, i, () => pieces.push(unpacked(bytes, header))));
    let count = inPlace ? headers.length : pieces.length;
    const lengths = headers
      .slice(0, count)
      .map((header, i) => (inPlace ? header.end - header.start : pieces[i].length));
    const records = lengths.reduce((sum, length, i) => sum + mostRecords(headers[i], length), 0);
    const together = this.#makeRoom(
      records,
      pieces.reduce((sum, piece) => sum + piece.length, 0),
    );
    let filled = 0;
    pieces.every((piece, i) => {
      const isWhole = this.#whole(headers, i, () => orCorrupt(headers[i], () => piece.copyTo(together, filled)));
      if (isWhole) filled += piece.length;
      else count = i;
      return isWhole;
    });
    batch.bytes = inPlace ? bytes : Buffer.from(together.buffer, 0, filled);
    let at = 0;
    headers.slice(0, count).every((header, i) => {
      const start = inPlace ? header.start : at;
      const end = start + lengths[i];
      at = end;
      return this.#whole(headers, i, () => this.#records(header, start, end));
    });
  }

  /** Runs a step of batch i; on damage the set ends before batch i, which is then false. */
  #whole(headers: BatchHeader[], i: number, step: () => void): boolean {
    const before = this.batch.n;
    try {
      step();
      return true;
    } catch (error) {
      if (i === 0 || !(error instanceof CorruptBatch)) throw error;
      this.batch.n = before;
      this.batch.nextOffset = headers[i - 1].nextOffset;
      return false;
    }
  }

  #records(header: BatchHeader, start: number, end: number): void {
    const { batch } = this;
    const { bytes } = batch;
    const base = Number(header.baseOffset);
    const cursor: Cursor = { at: start };
    if (header.records !== mostRecords(header, end - start)) {
      throw new CorruptBatch(header.baseOffset, `${header.records} records do not fit in ${end - start} bytes`);
    }
    for (let i = 0; i < header.records; i++) {
      const length = varint(bytes, cursor);
      const recordEnd = cursor.at + length;
      if (length < 0 || recordEnd > end) throw new CorruptBatch(header.baseOffset, 'a record is longer than its batch');
      cursor.at++;
      const timeDelta = varint(bytes, cursor);
      const offset = base + varint(bytes, cursor);
      const keyLength = varint(bytes, cursor);
      const keyStart = keyLength < 0 ? -1 : cursor.at;
      if (keyLength > 0) cursor.at += keyLength;
      const keyEnd = cursor.at;
      const valueLength = varint(bytes, cursor);
      const valueStart = valueLength < 0 ? -1 : cursor.at;
      if (valueLength > 0) cursor.at += valueLength;
      if (cursor.at > recordEnd) throw new CorruptBatch(header.baseOffset, 'a value is longer than its record');
      if (offset >= this.#from) {
        const n = batch.n++;
        batch.offset[n] = offset;
        batch.timestamp[n] = header.appendTime
          ? header.maxTime
          : header.baseTime < 0
            ? -1
            : header.baseTime + timeDelta;
        batch.keyStart[n] = keyStart;
        batch.keyEnd[n] = keyEnd;
        batch.valueStart[n] = valueStart;
        batch.valueEnd[n] = cursor.at;
        batch.headerStart[n] = cursor.at;
      }
      cursor.at = recordEnd;
    }
  }
}

/** Headers from position `start` on. */
export function readHeaders(bytes: Buffer, start: number): Header[] {
  const cursor: Cursor = { at: start };
  const headers: Header[] = [];
  for (let left = varint(bytes, cursor); left > 0 && cursor.at < bytes.length; left--) {
    const keyLength = varint(bytes, cursor);
    const key = bytes.toString('utf8', cursor.at, cursor.at + keyLength);
    cursor.at += keyLength;
    const valueLength = varint(bytes, cursor);
    const value = valueLength < 0 ? null : bytes.subarray(cursor.at, cursor.at + valueLength);
    if (valueLength > 0) cursor.at += valueLength;
    headers.push({ key, value });
  }
  return headers;
}
