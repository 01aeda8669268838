/**
 * Decompression of Kafka record batches. gzip is Node's own; the others are optional packages, loaded at the first need:
 *
 * | codec  | package            | trap                                                                              |
 * |--------|--------------------|-----------------------------------------------------------------------------------|
 * | snappy | snappy             | Java producers frame it as xerial streams: magic, two versions, blocks with lengths |
 * | lz4    | lz4-napi           | LZ4 frame format; read by a kernel (lz4.ts) as long as it is of some megabytes    |
 * | zstd   | node:zlib or zstddec | node:zlib has it from Node 22.15 on; frames come without their decompressed size |
 */
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import type { Arena } from '../../operators/batch/arena.ts';
import { unpackLz4 } from './lz4.ts';

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** By the number in a batch's attributes. */
export const CODECS: readonly (Codec | undefined)[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** A codec whose package is not installed. */
export class MissingCodec extends Error {
  constructor(codec: Codec, packageName: string) {
    super(
      `messages are compressed with ${codec}, which needs the package "${packageName}": npm install ${packageName}`,
    );
  }
}

const require = createRequire(import.meta.url);
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

interface Snappy {
  uncompressSync(data: Uint8Array): Buffer;
}
interface Lz4 {
  decompressFrameSync(data: Buffer): Buffer;
}
interface ZstdDecoder {
  init(): Promise<void>;
  decode(data: Uint8Array, size?: number): Uint8Array;
}

let snappy: Snappy | undefined;
let lz4: Lz4 | undefined;
let zstd: ((data: Buffer) => Uint8Array) | undefined;

/** Makes `codec` ready; throws MissingCodec. Call before decompress. */
export async function loadCodec(codec: Codec): Promise<void> {
  switch (codec) {
    case 'snappy':
      snappy ??= load<Snappy>(codec, 'snappy');
      return;
    case 'lz4':
      lz4 ??= load<Lz4>(codec, 'lz4-napi');
      return;
    case 'zstd':
      zstd ??= await loadZstd();
      return;
    default:
      return;
  }
}

/** True when decompress may be called for `codec` without loadCodec. */
export function codecReady(codec: Codec): boolean {
  switch (codec) {
    case 'snappy':
      return snappy !== undefined;
    case 'lz4':
      return lz4 !== undefined;
    case 'zstd':
      return zstd !== undefined;
    default:
      return true;
  }
}

function load<T>(codec: Codec, packageName: string): T {
  try {
    return require(packageName) as T;
  } catch {
    throw new MissingCodec(codec, packageName);
  }
}

async function loadZstd(): Promise<(data: Buffer) => Uint8Array> {
  const native = (zlib as { zstdDecompressSync?: (data: Buffer) => Buffer }).zstdDecompressSync;
  if (native !== undefined) return native;
  let decoder: ZstdDecoder;
  try {
    const loaded = (await import('zstddec/stream')) as { ZSTDDecoder: new () => ZstdDecoder };
    decoder = new loaded.ZSTDDecoder();
  } catch {
    throw new MissingCodec('zstd', 'zstddec');
  }
  await decoder.init();
  return (data) => decoder.decode(data);
}

/** The records of a batch: where they are, or in the arena, or in a buffer of their own. Throws on damaged data. */
export function unpack(codec: Codec, data: Buffer, arena: Arena): Uint8Array {
  return (codec === 'lz4' ? unpackLz4(data, arena) : null) ?? decompress(codec, data);
}

function decompress(codec: Codec, data: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return data;
    case 'gzip':
      return zlib.gunzipSync(data);
    case 'snappy':
      return unsnappy(data);
    case 'lz4':
      if (lz4 === undefined) throw new MissingCodec('lz4', 'lz4-napi');
      return lz4.decompressFrameSync(data);
    case 'zstd': {
      if (zstd === undefined) throw new MissingCodec('zstd', 'zstddec');
      const bytes = zstd(data);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
  }
}

function unsnappy(data: Buffer): Buffer {
  if (snappy === undefined) throw new MissingCodec('snappy', 'snappy');
  if (data.length < XERIAL_HEADER || !data.subarray(0, 8).equals(XERIAL_MAGIC)) return snappy.uncompressSync(data);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < data.length; ) {
    const length = data.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > data.length) throw new Error('damaged snappy block');
    blocks.push(snappy.uncompressSync(data.subarray(at, at + length)));
    at += length;
  }
  return blocks.length === 1 ? blocks[0] : Buffer.concat(blocks);
}
