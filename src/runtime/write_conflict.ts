/** What a transaction cannot go on with, as others have published something else meanwhile: other rows, other columns. */
import { SqlError } from '../../operators/errors.ts';
import type { StoredRelation } from './stored_relation.ts';

/** What was written does not fit what others have published meanwhile: nothing was published. */
export class WriteConflict extends SqlError {
  static of({ sqlstate, message, fields }: SqlError): WriteConflict {
    return new WriteConflict(sqlstate, message, fields);
  }
}

/** Does it; what it throws is a WriteConflict. */
export function orConflict(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof SqlError ? WriteConflict.of(error) : error;
  }
}

/** Throws when the rows have other columns than at the tick that was seen. */
export function checkUnaltered(stored: StoredRelation | undefined, seen: bigint): void {
  if (stored === undefined || stored.altered === null || stored.altered.tick <= seen) return;
  throw alteredMeanwhile(stored.altered.name);
}

export function alteredMeanwhile(table: string): WriteConflict {
  return new WriteConflict('40001', `could not serialize access: the columns of "${table}" were altered meanwhile`, {
    hint: 'Run the transaction again.',
  });
}

/** What was to be read has gone before it was. */
export function droppedMeanwhile(): WriteConflict {
  return new WriteConflict('40001', 'could not serialize access: a relation was dropped meanwhile', {
    hint: 'Run the transaction again.',
  });
}
