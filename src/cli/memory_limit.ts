/**
 * --memory-limit: what the server may take for state, batches and what waits in queues (operators/batch/budget.ts).
 *
 * Default: half of the machine's memory, or of what the container may have, and never more than MOST: all of it lies in one shared memory of 4 GiB,
 * of which the last part is for what must not fail.
 */
import { totalmem } from 'node:os';
import { UsageError } from './arguments.ts';
import { parseByteSize } from './byte_size.ts';

export const MOST_BYTES = 3 * 2 ** 30;
export const LEAST_BYTES = 32 * 2 ** 20;
const SHARE = 0.5;

export function memoryLimit(text: string | null): number {
  if (text === null) {
    const container = process.constrainedMemory();
    const machine = container > 0 ? Math.min(container, totalmem()) : totalmem();
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(machine * SHARE)));
  }
  const bytes = parseByteSize(text);
  if (bytes === null) throw new UsageError(`--memory-limit wants a size such as 512MB or 2GB, not "${text}"`);
  if (bytes < LEAST_BYTES || bytes > MOST_BYTES)
    throw new UsageError(`--memory-limit must be between 32MB and 3GB: ${text} is not`);
  return bytes;
}
