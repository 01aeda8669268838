/**
 * The rows of a table in another form, made beside it while ticks go on:
 *
 *   old rows, as of one tick   -- piece by piece -->  new rows, with the same indexes
 *   deltas of the ticks since  -- catchUp() ------->  added, before the new rows take the old ones' place
 *
 * Memory: both, until the old rows are given back; of rows that lie by a key what fits, the rest goes to disk. When it does not fit, the table stays as it was.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { detach } from '../../operators/batch/detach.ts';
import type { IndexShape } from '../../planner/catalog_reader.ts';
import type { TidemarkEngine } from './engine.ts';
import { ReadTurns } from './read_turns.ts';
import type { RowRewrite } from './row_rewrite.ts';
import { StoredRelation } from './stored_relation.ts';

const PIECE_ROWS = 4096;

/** Its indexes, and that of columns by which its rows lie, if they do. */
interface Keys {
  indexes: number[][];
  key: number[] | null;
  computed: IndexShape[];
}

export class RebuiltTable {
  readonly stored: StoredRelation;
  readonly #rewrite: RowRewrite;
  #waiting: { delta: Batch; arena: Arena }[] = [];
  readonly #stop: () => void;

  private constructor(
    { loop, chilling }: TidemarkEngine,
    oid: number,
    { indexes, key, computed }: Keys,
    rewrite: RowRewrite,
  ) {
    this.#rewrite = rewrite;
    this.stored = new StoredRelation(rewrite.types, indexes, false, key, true);
    this.stored.setComputed(computed);
    const stop = loop.observe(oid, {
      onTick: (_, delta) => {
        if (delta === null) return;
        const arena = new Arena();
        this.#waiting.push({ delta: detach(delta, arena), arena });
      },
    });
    chilling.filling.add(this.stored);
    this.#stop = () => {
      stop();
      chilling.filling.delete(this.stored);
    };
  }

  /** `signal`: the statement's cancellation. `rewrite` stays the caller's. */
  static async make(
    engine: TidemarkEngine,
    oid: number,
    keys: Keys,
    rewrite: RowRewrite,
    signal: AbortSignal,
  ): Promise<RebuiltTable> {
    const old = engine.loop.relations.get(oid);
    if (old === undefined) throw new Error(`relation ${oid} has no rows`);
    const made = new RebuiltTable(engine, oid, keys, rewrite);
    const scan = old.scan([]);
    const arena = new Arena();
    const turns = new ReadTurns(signal);
    try {
      for (let rows = scan.next(PIECE_ROWS, arena); rows !== null; rows = scan.next(PIECE_ROWS, arena)) {
        made.#add(rows, arena);
        arena.reset();
        engine.chilling.makeRoomToFill();
        await turns.pause();
      }
    } catch (error) {
      made.release();
      throw error;
    } finally {
      scan.close();
      arena.release();
    }
    return made;
  }

  #add(rows: Batch, arena: Arena): void {
    if (rows.n === 0) return;
    this.#rewrite.run(rows, arena, (rewritten) => {
      this.stored.checkComputed(rewritten);
      this.stored.apply(rewritten);
    });
    this.stored.endTick();
  }

  /** Adds what ticks have changed meanwhile: from here to the end of the turn the rows are those of now. */
  catchUp(): void {
    for (const { delta, arena } of this.#waiting.splice(0)) {
      try {
        this.#add(delta, arena);
      } finally {
        arena.release();
      }
    }
  }

  /** Its rows are the table's now. */
  taken(): void {
    this.#stop();
  }

  release(): void {
    this.#stop();
    for (const { arena } of this.#waiting.splice(0)) arena.release();
    this.stored.release();
  }
}
