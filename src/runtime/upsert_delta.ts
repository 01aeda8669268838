/**
 * Envelope upsert: commands by key become changes of the kept rows.
 *
 *   commands of a tick -> the last one of each key -> - the row that the key has now, + the new row, or nothing when it is a removal
 *
 * Of commands that empty the table the last one counts: all stored rows go, and what came before it is void.
 * The old row is looked up by the primary key. O(commands), and O(rows) where the table is emptied. A command that keeps columns of a row (partial_commands.ts) which is not there is refused.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import { PHYS_WIDTH } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { ALL_GONE, type PartialRow } from '../formats/format.ts';
import { PartialCommands } from './partial_commands.ts';
import type { StoredRelation } from './stored_relation.ts';

const NOTHING: Batch = { n: 0, columns: [], weights: 0 };

/**
 * `commands` has a row of weight 1 for each row set, one that is not above 0 for each key removed, one of weight ALL_GONE where the table is emptied, and one above 1 for each row of which `partials` says what it keeps; `refuse` is
 * called for those of the last that have nothing to keep.
 */
export function upsertDelta(
  relation: Relation,
  commands: Batch,
  partials: PartialRow[],
  stored: StoredRelation | undefined,
  refuse: (partial: PartialRow) => void,
  arena: Arena,
): Batch {
  const { key } = relation;
  if (key === null || stored === undefined) throw new Error(`${relation.name} has no key`);
  const types = relation.columns.map((c) => c.type);
  const last = new RowTable(
    key.map((c) => types[c]),
    8,
    'sql',
  );
  const keyColumns = key.map((c) => commands.columns[c]);
  const first = afterEmptied(commands);
  const old = first === 0 ? null : stored.snapshot(arena);
  const storedRow = (row: number) => {
    if (old !== null) return NOTHING;
    const one = keyColumns.map((column) => oneRow(column, row));
    return stored.lookup(key, { n: 1, columns: one, weights: 0 }, arena);
  };
  try {
    const partial = new PartialCommands(commands, partials);
    const out = new BatchBuilder(types, arena, commands.n * 2);
    if (old !== null) for (let i = 0; i < old.n; i++) out.copyRow(old, i, -weightOf(old, i));
    last.bind(keyColumns);
    const wordOf = (row: number) => (last.findOrInsert(row) + last.payloadOffset) >>> 2;
    /** Whether the key of `keeper`, whose last command is `had` - 1, has what the command keeps. */
    const keep = (row: number, keeper: number, kept: PartialRow, had: number): boolean => {
      if (had > 0) return partial.follow(row, kept, had - 1);
      if (storedRow(keeper).n === 0) return false;
      partial.begin(row, kept, keeper);
      return true;
    };
    /** `had` of the command before. */
    let replaced = 0;
    for (let row = first; row < commands.n; row++) {
      const word = wordOf(row);
      const had = I32[word];
      const kept = partial.of(row);
      if (kept !== null) {
        // A new key that has a row already had this event before.
        const found = keep(row, row, kept, had) || (kept.moved && keep(row, row - 1, kept, replaced));
        if (!found) {
          refuse(kept);
          // Nor does the old key go.
          if (kept.moved) I32[wordOf(row - 1)] = replaced;
          continue;
        }
      }
      replaced = had;
      I32[word] = row + 1;
    }
    last.forEach((slot) => {
      const row = I32[(slot + last.payloadOffset) >>> 2] - 1;
      if (row < 0) return;
      const had = storedRow(row);
      for (let i = 0; i < had.n; i++) out.copyRow(had, i, -weightOf(had, i));
      if (weightOf(commands, row) <= 0) return;
      out.copyRow(commands, row, 1);
      partial.complete(row, storedRow, out);
    });
    return out.build();
  } finally {
    last.release();
  }
}

/** The first command that counts: those before the table was emptied last do not. */
function afterEmptied(commands: Batch): number {
  for (let row = commands.n - 1; row >= 0; row--) if (weightOf(commands, row) === ALL_GONE) return row + 1;
  return 0;
}

/** The column as if row `row` were its only one. */
function oneRow(column: Column, row: number): Column {
  return {
    ...column,
    data: column.data + row * PHYS_WIDTH[column.phys],
    valid: column.valid === 0 ? 0 : column.valid + row,
  };
}
