/**
 * A stream without a connector that has a WATERMARK: rows that INSERT and COPY bring are accepted or late like those of a topic.
 *
 * Late is decided by the watermark before the tick that publishes the rows; the tick then moves it.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder, isValid, weightOf } from '../../operators/batch/builder.ts';
import { I64 } from '../../operators/batch/memory.ts';
import type { Undo } from '../../operators/state/undo.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { lateColumns } from './late_rows.ts';
import { RecentRows, type SavedRecentRows } from './recent_rows.ts';
import { timeBounds } from './time_bounds.ts';

export type SavedLocalStream = {
  watermark: bigint | null;
  lateCount: bigint;
  late: SavedRecentRows;
};

export class LocalStream {
  readonly relation: Relation;
  readonly late: RecentRows;
  readonly #column: number;
  readonly #delay: bigint;
  #watermark: bigint | null = null;
  lateCount = 0n;

  constructor(relation: Relation) {
    if (relation.watermark === undefined) throw new Error(`${relation.name} has no watermark`);
    this.relation = relation;
    this.#column = relation.watermark.column;
    this.#delay = relation.watermark.delay;
    this.late = new RecentRows(lateColumns(relation).map((c) => c.type));
  }

  get watermark(): bigint | null {
    return this.#watermark;
  }

  keepIn(undo: Undo): void {
    const watermark = this.#watermark;
    const lateCount = this.lateCount;
    this.late.keepIn(undo);
    undo.restore(() => {
      this.#watermark = watermark;
      this.lateCount = lateCount;
    });
  }

  /** The rows of a tick that are not late; the late ones go to the ledger. */
  accept(delta: Batch, arena: Arena): Batch {
    const times = delta.columns[this.#column];
    const watermark = this.#watermark;
    const bounds = timeBounds(times, 0, delta.n, arena);
    if (bounds === null) return delta;
    const moved = bounds.greatest - this.#delay;
    if (watermark === null || moved > watermark) this.#watermark = moved;
    if (watermark === null || bounds.least >= watermark) return delta;
    const late = Array.from(
      { length: delta.n },
      (_, row) => isValid(times, row) && I64[times.data / 8 + row] < watermark,
    );
    return this.#split(delta, late, watermark, arena);
  }

  #split(delta: Batch, late: boolean[], watermark: bigint | null, arena: Arena): Batch {
    const kept = new BatchBuilder(
      delta.columns.map((c) => c.type),
      arena,
      delta.n,
    );
    const ledger = new BatchBuilder(this.late.types, arena, delta.n);
    const width = delta.columns.length;
    for (let row = 0; row < delta.n; row++) {
      const to = late[row] ? ledger : kept;
      const at = to.addRow(weightOf(delta, row));
      for (let c = 0; c < width; c++) to.copySlot(c, at, delta.columns[c], row);
      if (!late[row]) continue;
      ledger.setDatum(width, at, watermark);
      this.lateCount += BigInt(weightOf(delta, row));
    }
    this.late.apply(ledger.build());
    return kept.build();
  }

  /** The tick has passed. */
  endTick(): void {
    this.late.endTick();
  }

  save(): SavedLocalStream {
    return { watermark: this.#watermark, lateCount: this.lateCount, late: this.late.save() };
  }

  load(saved: SavedLocalStream): void {
    this.#watermark = saved.watermark;
    this.lateCount = saved.lateCount;
    this.late.load(saved.late);
  }

  /** As a portable copy has it; the late rows are loaded beside. */
  restore(watermark: bigint | null, lateCount: bigint): void {
    this.#watermark = watermark;
    this.lateCount = lateCount;
  }

  release(): void {
    this.late.release();
  }
}
