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
import type { Header } from '../sources/source.ts';
import { CODECS, type Codec, codecReady, loadCodec, MissingCodec } from './codecs.ts';
import { crc32c } from './crc32c.ts';

export const HEADER_BYTES = 61;
export const LENGTH_END = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CRC_FROM = 21;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const MAX_OFFSET = 2n ** 53n;

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

export interface BatchHeader {
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
        marker: control ? markerOf(bytes, at + HEADER_BYTES, end) : null,
      };
    }
    at = end;
  }
}

export async function readHeader(bytes: Buffer, at: number, end: number, checkCrc: boolean): Promise<BatchHeader> {
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

/**
 * How a control batch ends its producer's transaction. The record's key is two int16: version, type; type 0 is abort. Before it stand length, attributes, two deltas, key
 * length. Null: compaction took the record away, and what it told of before it, and left the header for the producer's epoch.
 */
export function markerOf(bytes: Buffer, start: number, end: number): BatchPlace['marker'] {
  if (start === end) return null;
  const cursor = { at: start };
  varint(bytes, cursor);
  cursor.at++;
  varint(bytes, cursor);
  varint(bytes, cursor);
  varint(bytes, cursor);
  return bytes.readInt16BE(cursor.at + 2) === 0 ? 'abort' : 'commit';
}

export interface Cursor {
  at: number;
}

/** A zigzag varint; exact to 53 bits, enough for lengths, offset deltas and time deltas. */
export function varint(bytes: Uint8Array, cursor: Cursor): number {
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
