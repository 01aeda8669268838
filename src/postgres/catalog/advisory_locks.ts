/**
 * Advisory locks: numbers that clients agree on, held by sessions, or by transactions until they end.
 *
 * Functions are computed at once and cannot wait: pg_advisory_lock of a number that another session holds is 55P03 where PostgreSQL
 * would wait. What a session held is free when the session, or the transaction that it was taken in, is gone; that is looked up when
 * somebody asks, so ended sessions need no clean-up.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Sessions } from './catalog_relation.ts';

/** pg_locks' three columns: the halves of an int8 with objsubid 1, or two int4 with objsubid 2. */
export interface LockName {
  classid: number;
  objid: number;
  objsubid: 1 | 2;
}

interface Holding extends LockName {
  pid: number;
  shared: boolean;
  /** Start of the transaction whose end frees it; null: the session's. */
  transaction: bigint | null;
  /** The session took it so many times. */
  count: number;
}

export interface LockMode {
  shared: boolean;
  /** Until the transaction ends. */
  transaction: boolean;
}

export class AdvisoryLocks {
  #holdings: Holding[] = [];
  readonly #sessions: () => Sessions | null;

  constructor(sessions: () => Sessions | null) {
    this.#sessions = sessions;
  }

  /** Takes the lock; false when another session has it in a way that excludes this one. */
  tryLock(pid: number, name: LockName, mode: LockMode): boolean {
    const here = this.held().filter((h) => sameName(h, name));
    if (here.some((h) => h.pid !== pid && !(h.shared && mode.shared))) return false;
    const transaction = mode.transaction ? this.#transactionOf(pid) : null;
    const own = here.find((h) => h.pid === pid && h.shared === mode.shared && h.transaction === transaction);
    if (own !== undefined) own.count++;
    else this.#holdings.push({ ...name, pid, shared: mode.shared, transaction, count: 1 });
    return true;
  }

  lock(pid: number, name: LockName, mode: LockMode): void {
    if (this.tryLock(pid, name, mode)) return;
    throw new SqlError('55P03', 'could not obtain advisory lock: another session holds it', {
      hint: 'Waiting for advisory locks is not supported. Use pg_try_advisory_lock and try again.',
    });
  }

  /** Gives back one session-level lock; false when the session does not have it. */
  unlock(pid: number, name: LockName, shared: boolean): boolean {
    const own = this.held().find(
      (h) => h.pid === pid && sameName(h, name) && h.shared === shared && h.transaction === null,
    );
    if (own === undefined) return false;
    own.count--;
    if (own.count === 0) this.#holdings = this.#holdings.filter((h) => h !== own);
    return true;
  }

  unlockAll(pid: number): void {
    this.#holdings = this.#holdings.filter((h) => h.pid !== pid || h.transaction !== null);
  }

  /** All that is held now. */
  held(): readonly Holding[] {
    const sessions = this.#sessions();
    if (sessions === null) return this.#holdings;
    const live = new Map(sessions.sessions().map((s) => [s.pid, s.transactionStart]));
    this.#holdings = this.#holdings.filter(
      (h) => live.has(h.pid) && (h.transaction === null || live.get(h.pid) === h.transaction),
    );
    return this.#holdings;
  }

  #transactionOf(pid: number): bigint {
    const session = this.#sessions()
      ?.sessions()
      .find((s) => s.pid === pid);
    return session?.transactionStart ?? 0n;
  }
}

function sameName(a: LockName, b: LockName): boolean {
  return a.classid === b.classid && a.objid === b.objid && a.objsubid === b.objsubid;
}
