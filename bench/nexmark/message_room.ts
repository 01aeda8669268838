/**
 * Where the messages of a chunk lie: in pages of the shared memory that are not the engine's, as those of Kafka do (src/kafka/buffers.ts). More than fit there
 * lie in a buffer, and the engine copies them.
 */
import { BYTES, memory, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { ownPages, PageAllocator, pages } from '../../operators/batch/pages.ts';
import { ZEROS_BEHIND } from '../../src/sources/source.ts';

const PAGES = 2048;
const end = ownPages.end - 1;
const first = end - PAGES;
const own = new PageAllocator(first, end);
if (!pages.lend(first * PAGE_BYTES, PAGES)) throw new Error('the end of the memory is in use');

export interface MessageRoom {
  bytes: Buffer;
  /** Missing: the bytes lie elsewhere. */
  address?: number;
  release(): void;
}

/** The bytes in room of their own. */
export function messageRoom(bytes: Buffer): MessageRoom {
  const { length } = bytes;
  const count = Math.ceil((length + ZEROS_BEHIND) / PAGE_BYTES);
  const address = own.tryAllocate(count);
  if (address === null) return { bytes: Buffer.from(bytes), release: () => undefined };
  BYTES.fill(0, address + length, address + length + ZEROS_BEHIND);
  bytes.copy(BYTES, address);
  return { bytes: Buffer.from(memory.buffer, address, length), address, release: () => own.release(address, count) };
}
