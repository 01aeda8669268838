/**
 * The manifest: what one checkpoint consists of. It names every page's place and checksum, so that it vouches for the page files, and is itself one
 * checksummed file that appears by rename.
 *
 *   +0 u32 CRC-32 of everything after it   +4 u32 magic   +8 u32 layout version   +12 u32 number of the checkpoint
 *   +16 u64 tick   +24 u64 sequence of the last log record in it   +32 u64 identity of the data directory
 *   +40 u32 files   +44 u32 pages   +48 u32 bytes of metadata   +52 u32 first page and +56 u32 end of the pages this thread may use
 *   +60 u32 cold files
 *   +64 files:    u32 number, u32 pages in it
 *       pages:    u32 page, u32 file, u32 place in the file, u32 CRC-32
 *       cold:     u32 number, u32 slot, u32 stamp, u32 blocks, u32 live units (src/cold/cold_files.ts)
 *       metadata: v8.serialize of the saved state
 */
import { crc32 } from 'node:zlib';
import { ownPages } from '../../operators/batch/pages.ts';

/** Changes whenever bytes of state memory or saved data of an earlier version could be misread. */
export const LAYOUT_VERSION = 25;

const MAGIC = 0x504b4354;
const HEADER = 64;
const FILE_BYTES = 8;
const PAGE_ENTRY = 16;
const COLD_BYTES = 20;

export interface Place {
  file: number;
  /** In pages from the file's beginning. */
  index: number;
  checksum: number;
}

/** A cold file as it is at a checkpoint. */
export interface NamedFile {
  number: number;
  /** Where its places are. */
  slot: number;
  /** Stands in each of its blocks. */
  stamp: number;
  /** Whole blocks in it: what comes behind them is nothing to the checkpoint. */
  blocks: number;
  /** Units of it that are alive. */
  live: number;
}

export interface Manifest {
  /** Counts up; page files made for this checkpoint have the same number. */
  number: number;
  tick: bigint;
  /** The log's records up to this one are in the state. */
  sequence: bigint;
  identity: bigint;
  /** Pages in each page file that this checkpoint uses. */
  files: Map<number, number>;
  pages: Map<number, Place>;
  cold: NamedFile[];
  metadata: Uint8Array;
}

/** Why a checkpoint cannot be used. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}

export function encodeManifest(manifest: Manifest): Buffer {
  const { files, pages, cold, metadata } = manifest;
  const lists = files.size * FILE_BYTES + pages.size * PAGE_ENTRY + cold.length * COLD_BYTES;
  const bytes = Buffer.alloc(HEADER + lists + metadata.length);
  const numbers: [number, number][] = [
    [4, MAGIC],
    [8, LAYOUT_VERSION],
    [12, manifest.number],
    [40, files.size],
    [44, pages.size],
    [48, metadata.length],
    [52, ownPages.start],
    [56, ownPages.end],
    [60, cold.length],
  ];
  for (const [at, value] of numbers) bytes.writeUInt32LE(value, at);
  bytes.writeBigUInt64LE(manifest.tick, 16);
  bytes.writeBigUInt64LE(manifest.sequence, 24);
  bytes.writeBigUInt64LE(manifest.identity, 32);
  let at = HEADER;
  const put = (value: number) => {
    at = bytes.writeUInt32LE(value, at);
  };
  for (const [file, count] of files) for (const value of [file, count]) put(value);
  for (const [page, { file, index, checksum }] of pages) for (const value of [page, file, index, checksum]) put(value);
  for (const { number, slot, stamp, blocks, live } of cold)
    for (const value of [number, slot, stamp, blocks, live]) put(value);
  bytes.set(metadata, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** Throws Unusable for damage, another layout or another directory. */
export function decodeManifest(bytes: Buffer, identity: bigint): Manifest {
  if (bytes.length < HEADER || bytes.readUInt32LE(4) !== MAGIC || bytes.readUInt32LE(0) !== crc32(bytes.subarray(4)))
    throw new Unusable('its manifest is damaged');
  const version = bytes.readUInt32LE(8);
  if (version !== LAYOUT_VERSION)
    throw new Unusable(
      `it has layout version ${version}, this program has ${LAYOUT_VERSION} (a server of its version leaves a copy for all versions when it ends in order)`,
    );
  if (bytes.readBigUInt64LE(32) !== identity) throw new Unusable('it belongs to another data directory');
  const [first, end] = [bytes.readUInt32LE(52), bytes.readUInt32LE(56)];
  if (first !== ownPages.start || end !== ownPages.end)
    throw new Unusable(`its pages are ${first} to ${end}, this program has ${ownPages.start} to ${ownPages.end}`);
  const manifest: Manifest = {
    number: bytes.readUInt32LE(12),
    tick: bytes.readBigUInt64LE(16),
    sequence: bytes.readBigUInt64LE(24),
    identity,
    files: new Map(),
    pages: new Map(),
    cold: [],
    metadata: bytes.subarray(bytes.length - bytes.readUInt32LE(48)),
  };
  let at = HEADER;
  const take = () => {
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  for (let left = bytes.readUInt32LE(40); left > 0; left--) manifest.files.set(take(), take());
  for (let left = bytes.readUInt32LE(44); left > 0; left--)
    manifest.pages.set(take(), { file: take(), index: take(), checksum: take() });
  for (let left = bytes.readUInt32LE(60); left > 0; left--)
    manifest.cold.push({ number: take(), slot: take(), stamp: take(), blocks: take(), live: take() });
  return manifest;
}
