/**
 * The transaction of a session: what ReadyForQuery shows, and what BEGIN, COMMIT, ROLLBACK and SAVEPOINT move.
 *
 *   idle (I) --statement--> implicit (I) --Sync, end of Query--> idle
 *   idle, implicit --BEGIN--> block (T) --COMMIT, ROLLBACK--> idle
 *   block --error--> failed (E) --ROLLBACK, COMMIT--> idle      failed --ROLLBACK TO--> block
 *
 * Settings, notifications and whatever else takes part in a transaction follow the engine's transaction through `Participant`.
 * Savepoints have unique names towards the engine: PostgreSQL allows a name twice, the later hiding the earlier.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Engine, Transaction } from '../../engine.ts';
import type { TransactionStatus } from '../wire/control_message.ts';

/** State of the session that transactions undo. */
export interface Participant<Mark> {
  mark(): Mark;
  rollbackTo(mark: Mark): void;
  commit(): void;
  rollback(): void;
}

interface Savepoint {
  name: string;
  /** Its name towards the engine. */
  id: string;
  undo: () => void;
}

export class TransactionBlock {
  /** True between BEGIN and its end. */
  explicit = false;
  /** True after an error in a block. */
  failed = false;
  /** now() of the transaction; null when there is none. */
  startedAt: bigint | null = null;
  /** The tick of the transaction that ended last, until somebody has taken it. */
  #endedAt: bigint | null = null;
  readonly #engine: Engine;
  readonly #participants: Participant<unknown>[];
  readonly #clock: () => bigint;
  #transaction: Transaction | null = null;
  #savepoints: Savepoint[] = [];
  #savepointCount = 0;

  constructor(engine: Engine, participants: Participant<unknown>[], clock: () => bigint) {
    this.#engine = engine;
    this.#participants = participants;
    this.#clock = clock;
  }

  get status(): TransactionStatus {
    return this.failed ? 'E' : this.explicit ? 'T' : 'I';
  }

  get open(): boolean {
    return this.startedAt !== null;
  }

  /** True when its end has something to publish. */
  get wrote(): boolean {
    return this.#transaction?.wrote === true;
  }

  /** The tick that the open transaction shows, or that the last one did since it was asked; null: there was none. */
  takeTick(): bigint | null {
    const tick = this.#transaction?.shownTick ?? this.#endedAt;
    this.#endedAt = null;
    return tick;
  }

  /** The engine's transaction; begun when there is none. */
  get transaction(): Transaction {
    if (this.#transaction === null) {
      this.#transaction = this.#engine.begin();
      this.startedAt ??= this.#clock();
    }
    return this.#transaction;
  }

  /** Starts the transaction that a statement outside a block runs in; its clock stands from here. */
  ensure(): void {
    this.startedAt ??= this.#clock();
  }

  /** BEGIN: what ran in the implicit transaction so far belongs to the block. */
  beginBlock(): void {
    this.ensure();
    this.explicit = true;
  }

  /** Publishes; on failure, and when `signal` ends it before, everything is rolled back and the error is thrown. `failed` must be false. */
  async commit(durable: boolean, signal: AbortSignal | null = null): Promise<void> {
    if (!this.open) return;
    const transaction = this.#transaction;
    try {
      await transaction?.commit(durable, signal);
    } catch (cause) {
      this.rollback();
      throw cause;
    }
    this.#endedAt = transaction?.shownTick ?? null;
    this.#reset();
    for (const participant of this.#participants) participant.commit();
  }

  /** Ends a transaction that has nothing to publish in this turn. False, and nothing done: commit() it. */
  commitNow(): boolean {
    if (!this.open) return true;
    if (this.#transaction !== null && this.#transaction.commitNow?.() !== true) return false;
    this.#endedAt = this.#transaction?.shownTick ?? null;
    this.#reset();
    for (const participant of this.#participants) participant.commit();
    return true;
  }

  rollback(): void {
    if (!this.open) return;
    const transaction = this.#transaction;
    this.#reset();
    transaction?.rollback();
    for (const participant of this.#participants) participant.rollback();
  }

  #reset(): void {
    this.#transaction = null;
    this.#savepoints = [];
    this.explicit = false;
    this.failed = false;
    this.startedAt = null;
  }

  /** An error has ended a statement: an implicit transaction ends, a block waits for ROLLBACK. */
  fail(): void {
    if (!this.open) return;
    if (!this.explicit) {
      this.rollback();
      return;
    }
    this.failed = true;
    if (this.#savepoints.length > 0) return;
    this.#transaction?.rollback();
    this.#transaction = null;
    for (const participant of this.#participants) participant.rollback();
  }

  savepoint(name: string): void {
    if (!this.explicit) throw notInBlock('SAVEPOINT');
    const id = `${++this.#savepointCount}`;
    this.transaction.savepoint(id);
    this.#savepoints.push({ name, id, undo: this.mark() });
  }

  /** Gives what takes back what is done from now on to all but the engine's transaction, in which this moment is a savepoint. */
  mark(): () => void {
    const marks = this.#participants.map((participant) => participant.mark());
    return () =>
      this.#participants.forEach((participant, i) => {
        participant.rollbackTo(marks[i]);
      });
  }

  release(name: string): void {
    if (!this.explicit) throw notInBlock('RELEASE SAVEPOINT');
    const at = this.#find(name);
    this.transaction.release(this.#savepoints[at].id);
    this.#savepoints.length = at;
  }

  rollbackTo(name: string): void {
    if (!this.explicit) throw notInBlock('ROLLBACK TO SAVEPOINT');
    const at = this.#find(name);
    const savepoint = this.#savepoints[at];
    this.transaction.rollbackTo(savepoint.id);
    savepoint.undo();
    this.#savepoints.length = at + 1;
    this.failed = false;
  }

  #find(name: string): number {
    const at = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (at < 0) throw new SqlError('3B001', `savepoint "${name}" does not exist`);
    return at;
  }
}

export function notInBlock(command: string): SqlError {
  return new SqlError('25P01', `${command} can only be used in transaction blocks`);
}
