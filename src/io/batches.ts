/**
 * Raw batches on their way between threads: most lie where both see them (src/kafka/buffers.ts), the bytes of others are moved. Nothing is copied. A view of the
 * WebAssembly memory cannot be sent, so of a batch that lies there it is told where.
 */
import type { Transferable } from 'node:worker_threads';
import { memory } from '../../operators/batch/memory.ts';
import type { Place } from '../kafka/buffers.ts';
import { readHeaders } from '../kafka/record_batch.ts';
import type { RawBatch } from '../sources/source.ts';

interface MovedBatch extends Omit<RawBatch, 'headers' | 'bytes' | 'release' | 'address'> {
  bytes: Uint8Array;
  headerStart: Int32Array;
}

interface PlacedBatch extends Pick<RawBatch, 'partition' | 'baseOffset' | 'nextOffset' | 'n'> {
  /** Of the bytes, and how many they are. */
  address: number;
  length: number;
  /** Addresses of the arrays. */
  doubles: Record<(typeof DOUBLES)[number], number>;
  words: Record<(typeof WORDS)[number], number>;
}

export type SentBatch = MovedBatch | PlacedBatch;

const DOUBLES = ['offset', 'timestamp'] as const;
const WORDS = ['valueStart', 'valueEnd', 'keyStart', 'keyEnd', 'headerStart'] as const;

/** The batch may not be used afterwards. */
export function sendBatch(batch: RawBatch): { sent: SentBatch; transfer: Transferable[] } {
  const { headers, headerStart, release, address, ...plain } = batch;
  if (headerStart === undefined)
    throw new Error('a batch whose headers are not in its bytes cannot go to another thread');
  if (address !== undefined) return { sent: placed(batch, address), transfer: [] };
  const sent: MovedBatch = { ...plain, headerStart };
  const arrays = [
    sent.bytes,
    sent.offset,
    sent.timestamp,
    sent.valueStart,
    sent.valueEnd,
    sent.keyStart,
    sent.keyEnd,
    headerStart,
  ];
  // Empty arrays may be shared constants.
  const buffers = arrays.filter((array) => array.length > 0).map(({ buffer }) => buffer);
  return { sent, transfer: [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer) };
}

function placed(batch: RawBatch, address: number): PlacedBatch {
  const { partition, baseOffset, nextOffset, n, bytes } = batch;
  const addresses = (names: readonly (keyof RawBatch)[]) =>
    Object.fromEntries(names.map((name) => [name, (batch[name] as Int32Array).byteOffset]));
  return {
    partition,
    baseOffset,
    nextOffset,
    n,
    address,
    length: bytes.length,
    doubles: addresses(DOUBLES) as PlacedBatch['doubles'],
    words: addresses(WORDS) as PlacedBatch['words'],
  };
}

/** Where a batch lies that is to be given back when it has been read; null: it is the collector's. */
export function placeOf(sent: SentBatch): Place | null {
  if ('address' in sent) return sent.address;
  return sent.offset.buffer instanceof SharedArrayBuffer ? sent.offset.buffer : null;
}

export function receivedBatch(sent: SentBatch): RawBatch {
  if ('address' in sent) return batchAt(sent);
  const bytes = Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength);
  return { ...sent, bytes, headers: (i) => readHeaders(bytes, sent.headerStart[i]) };
}

function batchAt({ address, length, doubles, words, ...plain }: PlacedBatch): RawBatch {
  const { n } = plain;
  const bytes = Buffer.from(memory.buffer, address, length);
  const doublesAt = (at: number) => new Float64Array(memory.buffer, at, n);
  const wordsAt = (at: number) => new Int32Array(memory.buffer, at, n);
  const headerStart = wordsAt(words.headerStart);
  return {
    ...plain,
    bytes,
    address,
    offset: doublesAt(doubles.offset),
    timestamp: doublesAt(doubles.timestamp),
    valueStart: wordsAt(words.valueStart),
    valueEnd: wordsAt(words.valueEnd),
    keyStart: wordsAt(words.keyStart),
    keyEnd: wordsAt(words.keyEnd),
    headerStart,
    headers: (i) => readHeaders(bytes, headerStart[i]),
  };
}
