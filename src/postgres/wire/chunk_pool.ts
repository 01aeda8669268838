/**
 * Buffers of 64 KiB that outputs write into, lent and given back, so that an idle connection holds none and a streaming one does
 * not make garbage. At most POOLED buffers wait here; the rest is left to the collector.
 */
export const CHUNK_BYTES = 65536;
const POOLED = 64;
const free: Buffer[] = [];

export function takeChunk(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
}

/** Gives back a chunk; larger buffers (made for one long row) are dropped. */
export function returnChunk(chunk: Buffer): void {
  if (chunk.length === CHUNK_BYTES && free.length < POOLED) free.push(chunk);
}
