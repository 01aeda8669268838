/**
 * An entry of a change log as bytes: what one tick changed in one relation.
 *
 *   +0 u32 CRC-32 of everything after it   +4 u32 magic   +8 u32 length of the payload   +12 u32 OID of the relation
 *   +16 u64 sequence in the log   +24 u64 tick   +32 i64 the tick's clock   +40 payload: the delta (operators/batch/batch_codec.ts)
 *
 * A segment begins with an entry of another magic: its sequence, tick and clock are those of the last entry before the segment, its payload is the
 * identity of the data directory. The checksum is zlib's, which costs a tenth of one in JavaScript; an entry gets it when it is about to be written to a file.
 */
import { crc32 } from 'node:zlib';
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { decodeBatch, encodedSize, writeBatch } from '../../operators/batch/batch_codec.ts';

const ENTRY_HEADER = 40;
const ENTRY_MAGIC = 0x43474d54;
const SEGMENT_MAGIC = 0x53474d54;
/** A segment's first entry. */
export const SEGMENT_HEADER = ENTRY_HEADER + 8;

/** A tick and its clock, in microseconds since 2000-01-01. */
export interface Moment {
  tick: bigint;
  clock: bigint;
}

export interface Entry extends Moment {
  sequence: bigint;
  /** With its header. */
  bytes: Buffer;
}

/** Whose entry it is, and where in the log. */
interface Place extends Moment {
  oid: number;
  sequence: bigint;
}

/** Bytes of an entry with its header. */
export function entrySize(batch: Batch): number {
  return ENTRY_HEADER + encodedSize(batch);
}

/** Writes an entry of `length` bytes, which entrySize() has given, at `at`; without its checksum. */
export function writeEntry(batch: Batch, place: Place, to: Buffer, at: number, length: number): void {
  writeBatch(batch, to, at + ENTRY_HEADER);
  writeHeader(to, at, length, ENTRY_MAGIC, place);
}

/** Without its checksum. */
export function encodeSegmentHeader(identity: bigint, place: Place): Buffer {
  const bytes = Buffer.allocUnsafe(SEGMENT_HEADER);
  bytes.writeBigUInt64LE(identity, ENTRY_HEADER);
  writeHeader(bytes, 0, SEGMENT_HEADER, SEGMENT_MAGIC, place);
  return bytes;
}

function writeHeader(to: Buffer, at: number, length: number, magic: number, place: Place): void {
  const { oid, sequence, tick, clock } = place;
  to.writeUInt32LE(magic, at + 4);
  to.writeUInt32LE(length - ENTRY_HEADER, at + 8);
  to.writeUInt32LE(oid, at + 12);
  to.writeBigUInt64LE(sequence, at + 16);
  to.writeBigUInt64LE(tick, at + 24);
  to.writeBigInt64LE(clock, at + 32);
}

/** Gives what writeEntry() or encodeSegmentHeader() made its checksum. */
export function seal(bytes: Buffer): void {
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
}

/** Bytes of the entry at `at`, as its header says; null when not even the header is there. */
export function entryLength(bytes: Buffer, at: number): number | null {
  return at + ENTRY_HEADER > bytes.length ? null : ENTRY_HEADER + bytes.readUInt32LE(at + 8);
}

/** The entry at `at`, or null when it is damaged, not whole, or another relation's. */
export function readEntry(bytes: Buffer, at: number, oid: number): Entry | null {
  return read(bytes, at, oid, ENTRY_MAGIC);
}

/** What a segment's first entry says; null when it is damaged or belongs to another relation or directory. */
export function readSegmentHeader(bytes: Buffer, oid: number, identity: bigint): Entry | null {
  const entry = read(bytes, 0, oid, SEGMENT_MAGIC);
  return entry?.bytes.length === SEGMENT_HEADER && entry.bytes.readBigUInt64LE(ENTRY_HEADER) === identity
    ? entry
    : null;
}

function read(all: Buffer, at: number, oid: number, magic: number): Entry | null {
  const length = entryLength(all, at);
  if (length === null || at + length > all.length) return null;
  const bytes = all.subarray(at, at + length);
  if (bytes.readUInt32LE(4) !== magic || bytes.readUInt32LE(12) !== oid) return null;
  return bytes.readUInt32LE(0) === crc32(bytes.subarray(4)) ? entryOf(bytes) : null;
}

/** The entry that writeEntry() has made, sealed or not. */
export function entryOf(bytes: Buffer): Entry {
  return {
    sequence: bytes.readBigUInt64LE(16),
    tick: bytes.readBigUInt64LE(24),
    clock: bytes.readBigInt64LE(32),
    bytes,
  };
}

export function batchOf({ bytes }: Entry, arena: Arena): Batch {
  return decodeBatch(bytes.subarray(ENTRY_HEADER), arena);
}
