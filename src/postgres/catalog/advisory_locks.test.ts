/** Advisory locks: who excludes whom, and when a lock is free again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import type { SessionInfo } from '../options.ts';
import { AdvisoryLocks, type LockName } from './advisory_locks.ts';

/** Sessions by pid with the start of their transaction. */
function locksOf(live: Map<number, bigint | null>): AdvisoryLocks {
  return new AdvisoryLocks(() => ({
    sessions: () => [...live].map(([pid, transactionStart]) => ({ pid, transactionStart }) as SessionInfo),
    session: () => null,
  }));
}

const NAME: LockName = { classid: 0, objid: 7, objsubid: 1 };
const EXCLUSIVE = { shared: false, transaction: false };
const SHARED = { shared: true, transaction: false };
const IN_TRANSACTION = { shared: false, transaction: true };

test('an exclusive lock excludes others, not its own session', () => {
  const locks = locksOf(
    new Map([
      [1, null],
      [2, null],
    ]),
  );
  assert.ok(locks.tryLock(1, NAME, EXCLUSIVE));
  assert.ok(locks.tryLock(1, NAME, EXCLUSIVE));
  assert.ok(!locks.tryLock(2, NAME, EXCLUSIVE));
  assert.ok(!locks.tryLock(2, NAME, SHARED));
  assert.ok(locks.tryLock(2, { ...NAME, objsubid: 2 }, EXCLUSIVE));
  assert.throws(
    () => locks.lock(2, NAME, EXCLUSIVE),
    (error: unknown) => error instanceof SqlError && error.sqlstate === '55P03',
  );
  // Taken twice, so given back twice.
  assert.ok(locks.unlock(1, NAME, false));
  assert.ok(!locks.tryLock(2, NAME, EXCLUSIVE));
  assert.ok(locks.unlock(1, NAME, false));
  assert.ok(!locks.unlock(1, NAME, false));
  assert.ok(locks.tryLock(2, NAME, EXCLUSIVE));
});

test('shared locks go together', () => {
  const locks = locksOf(
    new Map([
      [1, null],
      [2, null],
    ]),
  );
  assert.ok(locks.tryLock(1, NAME, SHARED));
  assert.ok(locks.tryLock(2, NAME, SHARED));
  assert.ok(!locks.tryLock(2, NAME, EXCLUSIVE));
  locks.unlockAll(1);
  assert.ok(locks.tryLock(2, NAME, EXCLUSIVE));
});

test('locks end with the session, or with the transaction', () => {
  const live = new Map<number, bigint | null>([
    [1, 100n],
    [2, null],
  ]);
  const locks = locksOf(live);
  assert.ok(locks.tryLock(1, NAME, IN_TRANSACTION));
  assert.ok(!locks.unlock(1, NAME, false));
  locks.unlockAll(1);
  assert.ok(!locks.tryLock(2, NAME, EXCLUSIVE));
  live.set(1, 200n);
  assert.ok(locks.tryLock(2, NAME, EXCLUSIVE));
  live.delete(2);
  assert.deepEqual(locks.held(), []);
});
