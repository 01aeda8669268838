/**
 * Raw batches on their way between threads: their arrays are moved, not copied. Only the bytes are copied once, out of the buffer of a whole
 * fetch response, which several batches share (docs/decisions/0092).
 */
import type { Transferable } from 'node:worker_threads';
import { readHeaders } from '../kafka/record_batch.ts';
import type { RawBatch } from '../sources/source.ts';

export interface SentBatch extends Omit<RawBatch, 'headers' | 'bytes'> {
  bytes: Uint8Array;
  headerStart: Int32Array;
}

/** The batch may not be used afterwards. */
export function sendBatch(batch: RawBatch): { sent: SentBatch; transfer: Transferable[] } {
  const { headers, headerStart, ...plain } = batch;
  if (headerStart === undefined)
    throw new Error('a batch whose headers are not in its bytes cannot go to another thread');
  const sent: SentBatch = { ...plain, headerStart, bytes: new Uint8Array(batch.bytes) };
  const arrays = [sent.bytes, sent.valueStart, sent.valueEnd, sent.keyStart, sent.keyEnd, headerStart];
  // Empty arrays may be shared constants.
  const filled = [...arrays, sent.offset, sent.timestamp].filter((array) => array.length > 0);
  return { sent, transfer: filled.map((array) => array.buffer as ArrayBuffer) };
}

export function receivedBatch(sent: SentBatch): RawBatch {
  const bytes = Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength);
  return { ...sent, bytes, headers: (i) => readHeaders(bytes, sent.headerStart[i]) };
}
