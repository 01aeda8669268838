/** Raw batches on their way between threads: the bytes of most lie where both see them (src/kafka/buffers.ts), those of others are moved. Nothing is copied. */
import type { Transferable } from 'node:worker_threads';
import { readHeaders } from '../kafka/record_batch.ts';
import type { RawBatch } from '../sources/source.ts';

export interface SentBatch extends Omit<RawBatch, 'headers' | 'bytes' | 'release'> {
  bytes: Uint8Array;
  headerStart: Int32Array;
}

/** The batch may not be used afterwards. */
export function sendBatch(batch: RawBatch): { sent: SentBatch; transfer: Transferable[] } {
  const { headers, headerStart, release, ...plain } = batch;
  if (headerStart === undefined)
    throw new Error('a batch whose headers are not in its bytes cannot go to another thread');
  const sent: SentBatch = { ...plain, headerStart };
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

export function receivedBatch(sent: SentBatch): RawBatch {
  const bytes = Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength);
  return { ...sent, bytes, headers: (i) => readHeaders(bytes, sent.headerStart[i]) };
}
