/**
 * Null-aware anti join: x NOT IN (subquery) with three-valued logic.
 *
 *   right side is empty            every left row             (also a NULL one)
 *   right side has a NULL          no left row
 *   otherwise                      left rows with a key that is not NULL and has no match
 *
 * State: the two shared indexes and two counters. O(changed rows + rows of keys that flip); when the right side becomes empty or not, or gets or loses
 * its last NULL, all left rows are looked at once.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, isValid } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { type JoinSide, type JoinSpec, joinSides, keyColumns } from './join_side.ts';
import { MatchChange } from './match_change.ts';
import type { IndexProvider, Operator, Tick } from './operator.ts';
import { RunCursor } from './state/run_blocks.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type Mode = 'empty' | 'null' | 'plain';

export class NotInOperator implements Operator {
  readonly #types: ColType[];
  readonly #left: JoinSide;
  readonly #right: JoinSide;
  readonly #change: MatchChange;
  #rightRows = 0;
  #rightNulls = 0;

  constructor(spec: JoinSpec, inputTypes: ColType[][], indexes: IndexProvider) {
    this.#types = inputTypes[0];
    [this.#left, this.#right] = joinSides(spec, inputTypes, indexes, true);
    this.#change = new MatchChange(this.#left, this.#right, null, 'unmatched');
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [left, right] = inputs;
    const out = new BatchBuilder(this.#types, tick.arena, left.n + right.n);
    const before = this.#mode();
    this.#count(right);
    const mode = this.#mode();
    this.#left.copy.bind(left.columns);
    if (before !== mode) this.#switch(left, right, before, mode, out, tick);
    else if (mode === 'empty') {
      for (let row = 0; row < left.n; row++) this.#copy(left, row, out);
    } else if (mode === 'plain') this.#plain(left, right, out, tick);
    return out.build();
  }

  #mode(): Mode {
    return this.#rightRows === 0 ? 'empty' : this.#rightNulls > 0 ? 'null' : 'plain';
  }

  #count(right: Batch): void {
    const key = right.columns[this.#right.keys[0]];
    for (let row = 0; row < right.n; row++) {
      const weight = I32[(right.weights >>> 2) + row];
      this.#rightRows += weight;
      if (!isValid(key, row)) this.#rightNulls += weight;
    }
  }

  #copy(left: Batch, row: number, out: BatchBuilder): void {
    const weight = I32[(left.weights >>> 2) + row];
    if (weight !== 0) this.#left.copy.copy(row, out.columns, out.addRow(weight));
  }

  #plain(left: Batch, right: Batch, out: BatchBuilder, tick: Tick): void {
    const key = left.columns[this.#left.keys[0]];
    this.#change.emit(
      left,
      right,
      {
        fromDelta: (row) => {
          if (isValid(key, row)) this.#copy(left, row, out);
        },
        fromIndex: (slot, entry, weight) => this.#left.index.loadRow(slot, entry, out.columns, out.addRow(weight)),
      },
      tick,
    );
  }

  /** dA x seen_old + A' x (seen_new - seen_old), over all rows. */
  #switch(left: Batch, right: Batch, before: Mode, mode: Mode, out: BatchBuilder, tick: Tick): void {
    const { index } = this.#left;
    const { grouped } = this.#right;
    const other = this.#right.index;
    grouped.build(right, tick.arena);
    const seen = (now: Mode, isNull: boolean, matched: boolean) =>
      now === 'empty' || (now === 'plain' && !isNull && !matched);
    const oldMatched = (row: number): boolean => {
      const group = grouped.find(row);
      return weightOfKey(other.seek(row), other) - (group < 0 ? 0 : grouped.sum[group]) > 0;
    };
    const keys = keyColumns(this.#left, left);
    other.bindKeys(keys, tick.arena);
    grouped.bindKeys(keys);
    for (let row = 0; row < left.n; row++) {
      if (seen(before, !isValid(keys[0], row), before === 'plain' && oldMatched(row))) this.#copy(left, row, out);
    }
    const scratch = new BatchBuilder(this.#types, tick.arena, 1);
    scratch.addRow(1);
    const key = scratch.columns[this.#left.keys[0]];
    other.bindKeys([key], tick.arena);
    grouped.bindKeys([key]);
    index.forEach(tick.arena, (slot, entry, weight) => {
      index.loadRow(slot, entry, scratch.columns, 0);
      const isNull = !isValid(key, 0);
      const was = seen(before, isNull, before === 'plain' && oldMatched(0));
      const is = seen(mode, isNull, mode === 'plain' && other.seek(0) !== 0);
      if (was !== is) index.loadRow(slot, entry, out.columns, out.addRow(is ? weight : -weight));
    });
    grouped.clear();
  }

  endTick(): void {
    // The indexes are the graph's.
  }

  state() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return { rightRows: this.#rightRows, rightNulls: this.#rightNulls };
  }

  load(saved: Saved): void {
    const { rightRows, rightNulls } = saved as ReturnType<typeof this.save>;
    this.#rightRows = rightRows;
    this.#rightNulls = rightNulls;
  }

  release(): void {
    // The indexes are the graph's.
  }
}

/** Sum of the weights of a key's rows. */
function weightOfKey(slot: number, index: JoinSide['index']): number {
  let sum = 0;
  const cursor = new RunCursor();
  for (let at = cursor.begin(index, slot); at !== 0; at = cursor.next()) sum += I32[(at + index.weightOffset) >>> 2];
  return sum;
}
