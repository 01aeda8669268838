/**
 * Which rows of one side of a join have a match on the other, as a delta: the pads of outer joins, semi and anti joins.
 *
 *   seen(a) = a has a match (or: has none)
 *   d{a : seen(a)} = dA x seen_old  +  A' x (seen_new - seen_old)          the second term only for keys in dB
 *
 * The number of matches of a is counted in B' up to the first that decides; the number before the tick is that minus the matches in dB.
 * So nothing is stored beside the two shared indexes, each row leaves at most once a tick, and nothing flickers.
 * Cost: O(|dA|) and, for each key of dB whose rows may gain or lose their last match, O(its rows); a residual predicate is tested for
 * every row of the key against the key's changed rows.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import type { Residual } from './join_residual.ts';
import { type JoinSide, keyColumns, keyIsNull } from './join_side.ts';
import type { Tick } from './operator.ts';
import { RunCursor } from './state/run_blocks.ts';
import { turn } from './turn.ts';
import type { ColType } from './types.ts';

/** Takes the rows that come (+) and go (-). */
export interface MatchOutput {
  /** Row of this side's delta. */
  fromDelta(row: number, weight: number): void;
  /** Row of this side's index. */
  fromIndex(slot: number, entry: number, weight: number): void;
}

/** Whether a row had a match before the tick and has one now. */
interface Matches {
  old: boolean;
  now: boolean;
}

export class MatchChange {
  readonly #own: JoinSide;
  readonly #other: JoinSide;
  readonly #residual: Residual | null;
  /** seen(a): true when it has a match, or when it has none. */
  readonly #wanted: boolean;
  readonly #joinedTypes: ColType[];
  readonly #ownEntries = new RunCursor();
  readonly #otherEntries = new RunCursor();
  #pair: BatchBuilder | null = null;
  #now = 0;

  /** `own`: the side whose rows are asked for. The residual reads own and other at the columns given by their `at`. */
  constructor(own: JoinSide, other: JoinSide, residual: Residual | null, wanted: 'matched' | 'unmatched') {
    this.#own = own;
    this.#other = other;
    this.#residual = residual;
    this.#wanted = wanted === 'matched';
    this.#joinedTypes = own.at === 0 ? [...own.types, ...other.types] : [...other.types, ...own.types];
  }

  emit(ownDelta: Batch, otherDelta: Batch, output: MatchOutput, tick: Tick): void {
    this.#pair = new BatchBuilder(this.#joinedTypes, tick.arena, 1);
    this.#pair.addRow(1);
    this.#other.grouped.build(otherDelta, tick.arena);
    this.#fromDelta(ownDelta, otherDelta, output, tick);
    if (!tick.first) this.#fromIndex(otherDelta, output, tick);
    this.#other.grouped.clear();
  }

  #fromDelta(delta: Batch, otherDelta: Batch, output: MatchOutput, tick: Tick): void {
    const own = this.#own;
    const other = this.#other;
    const keys = keyColumns(own, delta);
    other.index.bindKeys(keys, tick.arena);
    other.grouped.bindKeys(keys);
    own.copy.bind(delta.columns);
    const weights = delta.weights >>> 2;
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0) continue;
      if (this.#residual !== null) turn.look();
      let matched = false;
      if (!keyIsNull(own, delta, row)) {
        const slot = other.index.seek(row);
        const group = otherDelta.n === 0 ? -1 : other.grouped.find(row);
        if (this.#residual !== null) own.copy.copy(row, this.#ownColumns(), 0);
        const matches = this.#matches(slot, group, otherDelta, tick);
        // In the first tick nothing was shown before, so rows are shown as they are now.
        matched = tick.first ? matches.now : matches.old;
      }
      if (matched === this.#wanted) output.fromDelta(row, weight);
    }
  }

  #fromIndex(otherDelta: Batch, output: MatchOutput, tick: Tick): void {
    const own = this.#own;
    const other = this.#other;
    const keys = keyColumns(other, otherDelta);
    own.index.bindKeys(keys, tick.arena);
    other.index.bindKeys(keys, tick.arena);
    const { weightOffset } = own.index;
    const cursor = this.#ownEntries;
    for (let group = 0; group < other.grouped.groups; group++) {
      const row = other.grouped.first[group];
      if (keyIsNull(other, otherDelta, row)) continue;
      const ownSlot = own.index.seek(row);
      if (ownSlot === 0) continue;
      const slot = other.index.seek(row);
      let matches = this.#residual === null ? this.#matches(slot, group, otherDelta, tick) : null;
      if (matches !== null && matches.old === matches.now) continue;
      for (let at = cursor.begin(own.index, ownSlot); at !== 0; at = cursor.next()) {
        if (this.#residual !== null) {
          turn.look();
          own.index.loadRow(ownSlot, at, this.#ownColumns(), 0);
          matches = this.#matches(slot, group, otherDelta, tick);
          if (matches.old === matches.now) continue;
        }
        const sign = matches?.now === this.#wanted ? 1 : -1;
        output.fromIndex(ownSlot, at, sign * I32[(at + weightOffset) >>> 2]);
      }
    }
  }

  #ownColumns() {
    return this.#pair!.columns.slice(this.#own.at, this.#own.at + this.#own.types.length);
  }

  #otherColumns() {
    return this.#pair!.columns.slice(this.#other.at, this.#other.at + this.#other.types.length);
  }

  /** Matches of the key (with a residual: of the row in #pair) among the other side's rows. */
  #matches(slot: number, group: number, otherDelta: Batch, tick: Tick): Matches {
    const change = group < 0 ? 0 : this.#changed(group, otherDelta, tick);
    const decided = this.#atLeast(slot, Math.max(0, change) + 1, tick);
    if (decided) return { old: true, now: true };
    return { old: this.#now - change > 0, now: this.#now > 0 };
  }

  /** Weight of the matching rows in the other side's delta. */
  #changed(group: number, otherDelta: Batch, tick: Tick): number {
    const other = this.#other;
    if (this.#residual === null) return other.grouped.sum[group];
    const weights = otherDelta.weights >>> 2;
    const columns = this.#otherColumns();
    let sum = 0;
    other.copy.bind(otherDelta.columns);
    for (let row = other.grouped.first[group]; row >= 0; row = other.grouped.next(row)) {
      other.copy.copy(row, columns, 0);
      if (this.#residual.passes(this.#pair!.columns, 0, 0, tick)) sum += I32[weights + row];
    }
    return sum;
  }

  /** Whether at least `wanted` rows of the key match now; otherwise #now is their number. */
  #atLeast(slot: number, wanted: number, tick: Tick): boolean {
    const { index } = this.#other;
    const { weightOffset } = index;
    const cursor = this.#otherEntries;
    const columns = this.#residual === null ? null : this.#otherColumns();
    this.#now = 0;
    for (let at = cursor.begin(index, slot); at !== 0; at = cursor.next()) {
      if (columns !== null) {
        index.loadRow(slot, at, columns, 0);
        if (!this.#residual!.passes(this.#pair!.columns, 0, 0, tick)) continue;
      }
      this.#now += I32[(at + weightOffset) >>> 2];
      if (this.#now >= wanted) return true;
    }
    return false;
  }
}
