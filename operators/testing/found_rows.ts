/** What a keyed index has, as tests compare it. */
import type { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { I32 } from '../batch/memory.ts';
import type { Datum } from '../datum.ts';
import type { KeyedIndex } from '../state/keyed_index.ts';
import { RunCursor } from '../state/run_blocks.ts';
import { Bag } from './property.ts';

/** The rows of each key of `probes` with their weights, as texts. */
export function foundRows(index: KeyedIndex, probes: Datum[][], arena: Arena): string[][] {
  const { types } = index;
  const batch = batchFromRows(types, probes, arena);
  index.bindKeys(
    index.keyColumns.map((c) => batch.columns[c]),
    arena,
  );
  const cursor = new RunCursor();
  return probes.map((_, row) => {
    const slot = index.seek(row);
    const out = new BatchBuilder(types, arena);
    for (let at = cursor.begin(index, slot); at !== 0; at = cursor.next())
      index.loadRow(slot, at, out.columns, out.addRow(I32[(at + index.weightOffset) >>> 2]));
    const bag = new Bag();
    bag.addBatch(out.build());
    return bag.texts();
  });
}
