/**
 * A record of the tick log as bytes in a segment file.
 *
 *   +0  u32 CRC-32 of everything after it      +4  u32 magic       +8  u32 payload length
 *   +12 u8 kind   +13 u8 flags   +14 u16 0     +16 u64 sequence    +24 u64 tick         +32 payload, zeros up to a multiple of 8
 *
 *   segment file = header (same layout, kind 0, payload: layout version, the log's identity) then records
 *
 * Records are written in groups, one write and one fdatasync each, and a group begins only when the one before is on the disk. The first record of
 * a group says so (flag 1). So after a crash only the last group can be torn: a damaged record followed anywhere by the start of a later
 * group was once on the disk, and its damage is not a crash's.
 *
 * Records that are there together or not at all, as those of a DROP TYPE CASCADE, are a run: each but the last says that it goes on with the next (flag 2). A run is in one group,
 * and a torn one is read as if none of it had come.
 *
 * The checksum is zlib's. Logs of before have another magic and CRC-32C, which costs twenty times as much in JavaScript: they are read still.
 */
import { crc32 } from 'node:zlib';
import { crc32c } from '../kafka/crc32c.ts';

export const FRAME_HEADER = 32;
const MAGIC = 0x324c4d54;
const MAGIC_CRC32C = 0x474c4d54;
const BEGINS_GROUP = 1;
const GOES_ON = 2;

export const RECORD = {
  segment: 0,
  /** A tick with what went into it, which may be nothing but the clock. */
  tick: 1,
  /** A statement that changed the catalog. */
  definition: 2,
  /** A stream began to read at these offsets. */
  opened: 3,
  /** An --init script ran to its end. */
  script: 4,
  /** A sink has written everything up to a tick. */
  delivered: 5,
  /** The server ended in order: everything before was on the disk. */
  closed: 6,
  /** A statement that made a table with its first rows, and the tick that these went into. */
  filled: 7,
  /** Of the portable copy (portable.ts) only: its header, rows of an object, what else is known of one. */
  portable: 8,
  rows: 9,
  facts: 10,
  /** A durable subscription's changes up to a tick are acknowledged. */
  acknowledged: 11,
  /** Values of a sequence up to one are as good as given. */
  sequence: 12,
  /** What a schema id that records of a stream name means. */
  schema: 13,
  /** A transaction that has not ended has dropped objects, or renamed one: for itself alone. */
  leaving: 14,
  /** It has done so in vain. */
  staying: 15,
  /** What is known of a file that a stream reads. */
  file: 16,
  /** A transaction that has not ended has changed comments, the owner or privileges of something: for itself alone. */
  changing: 17,
} as const;

export interface Frame {
  kind: number;
  beginsGroup: boolean;
  /** It is nothing without the next. */
  goesOn: boolean;
  sequence: bigint;
  tick: bigint;
  payload: Buffer;
}

export function frameSize(payload: number): number {
  return (FRAME_HEADER + payload + 7) & ~7;
}

/** Room for a frame whose payload the caller writes from FRAME_HEADER on; nameFrame and sealFrame make it valid. */
export function makeFrame(payload: number): Buffer {
  const size = frameSize(payload);
  const bytes = Buffer.allocUnsafe(size);
  bytes.fill(0, 0, FRAME_HEADER);
  bytes.fill(0, FRAME_HEADER + payload, size);
  bytes.writeUInt32LE(payload, 8);
  return bytes;
}

/** Says what a frame's payload is. */
export function nameFrame(bytes: Buffer, kind: number, sequence: bigint, tick: bigint): void {
  bytes.writeUInt32LE(MAGIC, 4);
  bytes[12] = kind;
  bytes.writeBigUInt64LE(sequence, 16);
  bytes.writeBigUInt64LE(tick, 24);
}

/** Says of a frame that it is nothing without the next. */
export function joinNext(bytes: Buffer): void {
  bytes[13] |= GOES_ON;
}

export function goesOn(bytes: Buffer): boolean {
  return (bytes[13] & GOES_ON) !== 0;
}

/** Makes a named frame valid. */
export function sealFrame(bytes: Buffer, beginsGroup: boolean): void {
  if (beginsGroup) bytes[13] |= BEGINS_GROUP;
  bytes.writeUInt32LE(crc32(bytes.subarray(4, FRAME_HEADER + bytes.readUInt32LE(8))), 0);
}

export function sequenceOf(frame: Buffer): bigint {
  return frame.readBigUInt64LE(16);
}

export function tickOf(frame: Buffer): bigint {
  return frame.readBigUInt64LE(24);
}

/** The frame at `at`, or null when there is none or it is damaged. */
export function readFrame(bytes: Buffer, at: number): { frame: Frame; end: number } | null {
  if (at + FRAME_HEADER > bytes.length) return null;
  const magic = bytes.readUInt32LE(at + 4);
  if (magic !== MAGIC && magic !== MAGIC_CRC32C) return null;
  const length = bytes.readUInt32LE(at + 8);
  const end = at + FRAME_HEADER + length;
  if (at + frameSize(length) > bytes.length) return null;
  const checksum = magic === MAGIC ? crc32(bytes.subarray(at + 4, end)) : crc32c(bytes, at + 4, end);
  if (checksum !== bytes.readUInt32LE(at)) return null;
  const frame: Frame = {
    kind: bytes[at + 12],
    beginsGroup: (bytes[at + 13] & BEGINS_GROUP) !== 0,
    goesOn: (bytes[at + 13] & GOES_ON) !== 0,
    sequence: bytes.readBigUInt64LE(at + 16),
    tick: bytes.readBigUInt64LE(at + 24),
    payload: bytes.subarray(at + FRAME_HEADER, end),
  };
  return { frame, end: at + frameSize(length) };
}
