/**
 * Lets the calling thread go before the dataflow thread, where the system allows that: threads that have little to do between waits (sockets, the tick
 * log) otherwise wait for the end of its slice, some milliseconds, each time they wake up on a machine with few processors (docs/decisions/0323).
 */
import { getPriority, setPriority } from 'node:os';

/** How much nicer other threads are. */
const BEFORE = 5;
const LEAST = -20;

/** Of the calling thread: on Linux a process has no priority of its own. Without the right to it (CAP_SYS_NICE, RLIMIT_NICE) nothing changes. */
export function goFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.max(LEAST, getPriority() - BEFORE));
  } catch (error) {
    const { code, info } = error as NodeJS.ErrnoException & { info?: { code?: string } };
    if (!['EACCES', 'EPERM'].includes(info?.code ?? code ?? '')) throw error;
  }
}
