/**
 * The blocks of a cold file: 4 KiB each, with a checksum, written once.
 *
 *   +0 u32 CRC-32 of everything after it   +4 u32 number of the file   +8 u32 block in the file   +12 u32 stamp of the file   +16 4080 bytes: 255 units
 *
 * A block says which one it is, and the stamp is drawn when the file is made: a block of another file, of a file that had the same name, or at another place
 * is as damaged as one with a flipped bit.
 */
import { crc32 } from 'node:zlib';

export const BLOCK_BYTES = 4096;
export const BLOCK_HEADER = 16;
/** Places count in these. */
export const UNIT_BYTES = 16;
export const UNITS_A_BLOCK = (BLOCK_BYTES - BLOCK_HEADER) / UNIT_BYTES;

/** Which file a block belongs to. */
export interface FileMark {
  number: number;
  stamp: number;
}

/** Completes the block at `at`, whose data is there. */
export function sealBlock(bytes: Buffer, at: number, { number, stamp }: FileMark, block: number): void {
  bytes.writeUInt32LE(number, at + 4);
  bytes.writeUInt32LE(block, at + 8);
  bytes.writeUInt32LE(stamp, at + 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(at + 4, at + BLOCK_BYTES)), at);
}

/** True when the bytes at `at` are this block, whole. */
export function isBlock(bytes: Buffer, at: number, { number, stamp }: FileMark, block: number): boolean {
  return (
    bytes.readUInt32LE(at + 4) === number &&
    bytes.readUInt32LE(at + 8) === block &&
    bytes.readUInt32LE(at + 12) === stamp &&
    bytes.readUInt32LE(at) === crc32(bytes.subarray(at + 4, at + BLOCK_BYTES))
  );
}
