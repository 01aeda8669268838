/**
 * What a transaction has done for itself alone comes to count for everybody, in the turn of one tick: at its COMMIT, before that with what is done at once (settle_at_once.ts), and from the log.
 *
 *   shown (open_objects.ts) -> dropped (drop_at_commit.ts) -> new names (rename_at_commit.ts) -> changed (change_at_commit.ts)
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Ended } from '../durable/records.ts';
import { checkAltered } from './alter_at_commit.ts';
import { applyChanges } from './change_at_commit.ts';
import { checkStillUnneeded, close, dropPended } from './drop_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import type { Closing } from './free_types.ts';
import { giveNames } from './rename_at_commit.ts';

/** Before any of it is done: nothing of it may fail then. */
export function checkEffect(
  engine: TidemarkEngine,
  dropped: number[],
  deltas: Map<number, Batch>,
  searchPath: string[],
): void {
  checkStillUnneeded(engine, dropped);
  checkAltered(engine, deltas, searchPath);
}

/** Gives what is left to do, as connections end afterwards. */
export function takeEffect(engine: TidemarkEngine, { shown, dropped, renaming, changed }: Ended): Closing[] {
  engine.show(shown);
  const closing = dropPended(engine, dropped);
  for (const transaction of renaming) giveNames(engine, transaction);
  applyChanges(engine, changed);
  return closing;
}

/** In a tick of its own, without rows. */
export function takeEffectNow(engine: TidemarkEngine, ended: Ended): void {
  budget.makeRoom(pages.usedBytes, () => engine.publishRows(new Map()));
  const closing = takeEffect(engine, ended);
  engine.journal?.ended(engine.loop, ended);
  void close(engine, closing);
}
