/** One side of a join: the index of its rows by the join's keys, how to probe with its delta, and when its rows are dead. */
import type { Batch, Column } from './batch/batch.ts';
import { isValid } from './batch/builder.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import type { Expr } from './expr/ir.ts';
import type { IndexProvider } from './operator.ts';
import type { Watermarks } from './state/deadline.ts';
import { DeltaIndex } from './state/delta_index.ts';
import type { RowIndex } from './state/row_index.ts';
import type { ColType } from './types.ts';

export interface JoinSpec {
  leftKeys: number[];
  rightKeys: number[];
  nullSafe: boolean[];
  residual: Expr | null;
}

/** One side of a join: its index, how to probe with its delta, and where its columns lie in a joined row. */
export interface JoinSide {
  types: ColType[];
  keys: number[];
  /** Keys whose NULL matches nothing. */
  strictKeys: number[];
  index: RowIndex;
  /** This side's delta by key; built on demand. */
  grouped: DeltaIndex;
  copy: RowCopy;
  /** First column of this side in a joined row. */
  at: number;
}

/** Both sides of a join node; `nullKeys` also indexes rows with NULL keys. */
export function joinSides(
  spec: JoinSpec,
  inputTypes: ColType[][],
  indexes: IndexProvider,
  nullKeys = false,
): JoinSide[] {
  const withNulls = nullKeys || spec.nullSafe.includes(true);
  return [spec.leftKeys, spec.rightKeys].map((keys, i) => {
    const types = inputTypes[i];
    const side: Omit<JoinSide, 'index'> & { index?: RowIndex } = {
      types,
      keys,
      strictKeys: keys.filter((_, k) => !spec.nullSafe[k]),
      grouped: new DeltaIndex(types, keys),
      copy: rowCopy(types),
      at: i === 0 ? 0 : inputTypes[0].length,
    };
    indexes.index(i, keys, withNulls, (index) => {
      side.index = index;
    });
    return side as JoinSide;
  });
}

/** Frees of the indexes that a join reads what watermarks prove dead; all readers of an index agree on what that is. */
export function freeSides(sides: JoinSide[], watermarks: Watermarks): boolean {
  let done = true;
  for (const { index } of sides) {
    if (index.free?.(watermarks) === false) done = false;
  }
  return done;
}

/** True when a key column of the row is NULL and NULL matches nothing there. */
export function keyIsNull(side: JoinSide, delta: Batch, row: number): boolean {
  for (const c of side.strictKeys) if (!isValid(delta.columns[c], row)) return true;
  return false;
}

export function keyColumns({ keys }: JoinSide, delta: Batch): Column[] {
  const columns = new Array<Column>(keys.length);
  for (let i = 0; i < keys.length; i++) columns[i] = delta.columns[keys[i]];
  return columns;
}
