/**
 * Raw batches on their way between threads: their arrays are moved, not copied. Only bytes of uncompressed records are copied once, out of the buffer of a
 * whole fetch response, which several batches share (docs/decisions/0092).
 */
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
  // The bytes of an uncompressed batch lie in the buffer of a whole fetch response.
  const apart = batch.bytes.buffer !== batch.offset.buffer;
  const bytes = apart ? new Uint8Array(batch.bytes) : batch.bytes;
  const sent: SentBatch = { ...plain, headerStart, bytes };
  const arrays = [
    bytes,
    sent.offset,
    sent.timestamp,
    sent.valueStart,
    sent.valueEnd,
    sent.keyStart,
    sent.keyEnd,
    headerStart,
  ];
  // Empty arrays may be shared constants.
  const buffers = arrays.filter((array) => array.length > 0).map((array) => array.buffer as ArrayBuffer);
  return { sent, transfer: [...new Set(buffers)] };
}

export function receivedBatch(sent: SentBatch): RawBatch {
  const bytes = Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength);
  return { ...sent, bytes, headers: (i) => readHeaders(bytes, sent.headerStart[i]) };
}
