/** pg_advisory_lock and its relatives. */
import { type Datum, pgArray } from '../../../../operators/datum.ts';
import { OID } from '../../../../operators/types.ts';
import type { LockMode, LockName } from '../advisory_locks.ts';
import type { Moment } from '../catalog_relation.ts';
import { type CatalogFunctions, numberOf } from './catalog_function.ts';

/** One int8 or two int4. */
function lockName(args: Datum[]): LockName {
  if (args.length === 2) return { classid: numberOf(args[0]) >>> 0, objid: numberOf(args[1]) >>> 0, objsubid: 2 };
  const key = BigInt.asUintN(64, args[0] as bigint);
  return { classid: Number(key >> 32n), objid: Number(key & 0xffffffffn), objsubid: 1 };
}

function pidOf({ context }: Moment): number {
  return context.session?.backendPid() ?? 0;
}

function lock(mode: LockMode): CatalogFunctions[string] {
  return (args, moment) => {
    moment.locks.lock(pidOf(moment), lockName(args), mode);
    return '';
  };
}

function tryLock(mode: LockMode): CatalogFunctions[string] {
  return (args, moment) => moment.locks.tryLock(pidOf(moment), lockName(args), mode);
}

function unlock(shared: boolean): CatalogFunctions[string] {
  return (args, moment) => moment.locks.unlock(pidOf(moment), lockName(args), shared);
}

export const LOCK_FUNCTIONS: CatalogFunctions = {
  pg_advisory_lock: lock({ shared: false, transaction: false }),
  pg_advisory_lock_shared: lock({ shared: true, transaction: false }),
  pg_advisory_xact_lock: lock({ shared: false, transaction: true }),
  pg_advisory_xact_lock_shared: lock({ shared: true, transaction: true }),
  pg_try_advisory_lock: tryLock({ shared: false, transaction: false }),
  pg_try_advisory_lock_shared: tryLock({ shared: true, transaction: false }),
  pg_try_advisory_xact_lock: tryLock({ shared: false, transaction: true }),
  pg_try_advisory_xact_lock_shared: tryLock({ shared: true, transaction: true }),
  pg_advisory_unlock: unlock(false),
  pg_advisory_unlock_shared: unlock(true),
  pg_advisory_unlock_all: (_args, moment) => {
    moment.locks.unlockAll(pidOf(moment));
    return '';
  },
  // Nothing ever waits for a lock.
  pg_blocking_pids: () => pgArray(OID.int4, []),
  pg_safe_snapshot_blocking_pids: () => pgArray(OID.int4, []),
};
