/**
 * An index of a relation with many rows, filled in slices while ticks go on.
 *
 *   pin, scan of the rows as of the pin's tick -> index, piece by piece between ticks | deltas since the tick -> index | `live` in the same turn
 *
 * The index lies apart until it has everything: who reads or writes the relation meanwhile does not see it. What has come goes to disk as other state does, where memory is short.
 * Memory beside it: what ticks change meanwhile.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { turn } from '../../operators/turn.ts';
import { ComputedIndex } from './computed_index.ts';
import type { TidemarkEngine } from './engine.ts';
import { changesSince } from './pins.ts';
import { ReadTurns } from './read_turns.ts';
import type { StoredRelation } from './stored_relation.ts';

const PIECE_ROWS = 2048;

export async function fillIndex(
  { loop, chilling, replay }: TidemarkEngine,
  relation: { oid: number; stored: StoredRelation; index: KeyedIndex | ComputedIndex },
  signal: AbortSignal,
  steps: {
    /** The index has taken these rows in, of which one over expressions has what is computed of them, too. */
    taken(index: KeyedIndex, rows: Batch, arena: Arena): void;
    /** Throws when the index may not become part of the relation any more. */
    check(): void;
    /** In the same turn: the index has all rows of the present tick. It is the callee's. */
    live(): void;
  },
): Promise<void> {
  const { oid, stored, index } = relation;
  const keyed = index instanceof ComputedIndex ? index.index : index;
  // What was taken in once is so again, whatever has come for which an expression fails.
  const whatFails = replay === null ? 'thrown' : 'left out';
  const pin = loop.pin();
  const scan = stored.scan([]);
  const arena = new Arena();
  const turns = new ReadTurns(signal);
  const take = (rows: Batch | undefined) => {
    if (rows !== undefined && rows.n > 0) {
      const own = index instanceof ComputedIndex ? turn.of(signal, () => index.rows.of(rows, arena, whatFails)) : rows;
      keyed.apply(own, arena);
      steps.taken(keyed, own, arena);
      keyed.endTick();
    }
    arena.reset();
    chilling.makeRoomToFill();
  };
  const filled = { coldStates: () => [keyed] };
  chilling.filling.add(filled);
  try {
    for (let piece = scan.next(PIECE_ROWS, arena); piece !== null; piece = scan.next(PIECE_ROWS, arena)) {
      take(piece);
      await turns.pause();
    }
    for (const { deltas, late } of changesSince(pin)) {
      take(deltas.get(oid));
      if (!late) await turns.pause();
    }
    steps.check();
  } catch (error) {
    index.release();
    throw error;
  } finally {
    chilling.filling.delete(filled);
    scan.close();
    loop.unpin(pin);
    arena.release();
  }
  steps.live();
}
