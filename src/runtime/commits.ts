/** What a transaction (transaction.ts) asks of the engine. */
import type { Batch } from '../../operators/batch/batch.ts';
import type { ForeignKey } from '../catalog/objects.ts';
import type { PendingChange } from '../catalog/pending.ts';

/** Whether the foreign key of a table (its OID) is looked at at COMMIT. */
export type IsDeferred = (table: number, key: ForeignKey) => boolean;

/** What a transaction leaves when it commits. */
export interface Work {
  deltas: Map<number, Batch>;
  /** OIDs of what everybody sees from then on. */
  made: number[];
  /** OIDs of what goes, in this order. */
  dropped: number[];
  /** Its number, if it has given objects of before new names, or has changed them otherwise. */
  changing: number | null;
}

/** What the engine does for a transaction that has written. */
export interface Commits {
  /** Throws WriteConflict when these deltas do not fit the live rows. `isDeferred`: foreign keys that were not looked at. */
  checkFit(deltas: Map<number, Batch>, seen: Seen, isDeferred: IsDeferred, searchPath: string[]): void;
  /** Throws when these deltas break one of these foreign keys. */
  checkDeferred(deltas: Map<number, Batch>, isDeferred: IsDeferred, searchPath: string[]): void;
  /** Applies deltas as one tick after `check` has passed in the same turn; gives who waits for the disk. `signal` ends it before that has happened. */
  publish(work: Work, check: () => void, signal: AbortSignal | null): Promise<() => Promise<void>>;
  /** Whether the end of a transaction takes the rows of a table away that it has written. */
  isEmptied(relation: number): boolean;
  /** All that was told to the tick log so far is on the disk. */
  durable(): Promise<void>;
  /** What is made from now on has no smaller OID. */
  nextOid(): number;
  newOid(): number;
  /** What the transaction has made: OIDs. */
  madeBy(transaction: number): number[];
  /** Takes back what the transaction has made since this OID. */
  undo(transaction: number, from: number): void;
  /** What the transaction has dropped stays. */
  stay(oids: number[]): void;
  /** What the transaction has changed of objects of before. */
  pending(transaction: number): PendingChange[];
  /** Of that only this is left. */
  keepPending(transaction: number, kept: PendingChange[]): void;
  /** Throws when something that stays needs what the transaction has dropped, or rows do not fit what it has altered. */
  checkEffect(dropped: number[], deltas: Map<number, Batch>, searchPath: string[]): void;
}

/** What deltas were made with: the rows of a tick, and what they had to fit (TickLoop.constraints). */
export interface Seen {
  tick: bigint;
  constraints: number;
}
