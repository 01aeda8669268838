/** Bytes that every encoder puts down: lengths, and values copied out of the shared memory. */
import { BYTES, U8 } from '../../../operators/batch/memory.ts';

/** Shorter values are copied byte by byte: a call into native code costs more. */
const LOOP_COPY_BYTES = 24;

/** Copies `length` bytes of the shared memory at `address` to `pos`. */
export function copyFromMemory(buf: Buffer, pos: number, address: number, length: number): void {
  if (length <= LOOP_COPY_BYTES) for (let i = 0; i < length; i++) buf[pos + i] = U8[address + i];
  else BYTES.copy(buf, pos, address, address + length);
}

export function putLength(buf: Buffer, pos: number, length: number): void {
  buf[pos] = length >>> 24;
  buf[pos + 1] = length >>> 16;
  buf[pos + 2] = length >>> 8;
  buf[pos + 3] = length;
}
