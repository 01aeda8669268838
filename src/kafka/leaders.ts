/** Questions to the leaders of partitions while these are being chosen: of a topic that was just made, or when a broker goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isNotReady, rootCause } from './errors.ts';

const PATIENCE_MS = 5000;
const PAUSE_MS = 100;
/** Of brokers that are no longer, or not yet, what the metadata says. */
const MOVING = ['NOT_LEADER_FOR_PARTITION', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'REPLICA_NOT_AVAILABLE'];

/** What `ask` gives after `refresh`, which are tried again for some seconds. A topic that is not there fails at once: `refresh` says so. */
export async function askLeaders<T>(refresh: () => Promise<void>, ask: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    await refresh();
    try {
      return await ask();
    } catch (error) {
      const isMoving = isNotReady(error) || MOVING.includes(rootCause(error).type ?? '');
      if (!isMoving || Date.now() > until) throw error;
    }
  }
}
