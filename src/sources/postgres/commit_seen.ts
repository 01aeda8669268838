/**
 * Waits until others see what a transaction has committed.
 *
 *   commit is in the log -> it is decoded and sent -> (here) -> others see it -> its locks go
 *
 * So what has just been sent of a transaction may have another catalog than a look at the catalog shows: one with ALTER TABLE would be followed as if it had none. A transaction holds the lock of its
 * own number until others see it (PostgreSQL manual, pg_locks).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamSession } from './session.ts';

const PAUSE_MS = 2;

/** `xid`: of a transaction that has committed, as Begin says it. */
export async function commitSeen(session: UpstreamSession, xid: number): Promise<void> {
  const held = `SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND transactionid::text = '${xid}'`;
  while ((await session.query(held)).length > 0) await sleep(PAUSE_MS);
}
