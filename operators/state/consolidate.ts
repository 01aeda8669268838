/**
 * Adds up the weights of equal rows of a delta and drops rows whose weight is 0: each distinct row stands at most once afterwards.
 *
 * Open addressing over row numbers in scratch memory of the arena; O(n). Rows that are equal exactly when their packed bytes are (key_batch.ts) are packed
 * and compared by a kernel, from some rows on.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { gatherColumn } from '../batch/gather.ts';
import { I32, U32 } from '../batch/memory.ts';
import { fittingWeight } from '../batch/weight.ts';
import { TooManyEqualRows } from '../errors.ts';
import { kernels } from '../kernels/index.ts';
import { KEYS_ODD, ODD_SPECIAL } from '../kernels/key_layout.ts';
import type { ColType } from '../types.ts';
import { homeOf } from './home.ts';
import { canPack, KeyRecord } from './key_batch.ts';
import { rowOps } from './row_ops.ts';

/** Fewer rows than this are not worth packing. */
const KERNEL_ROWS = 16;

/** The rows that stand for their equals, with the sums of their weights. */
function summed(keys: number, delta: Batch, capacity: number, arena: Arena): Batch {
  const { n } = delta;
  const rows = arena.alloc(n * 4);
  const sums = arena.alloc(n * 4);
  const table = arena.allocZeroed(capacity * 4);
  const count = kernels.sumEqual(keys, delta.weights, table, capacity - 1, arena.alloc(n * 4), rows, sums);
  if (count < 0) throw new TooManyEqualRows();
  if (count === n) return { n, columns: delta.columns, weights: sums, net: true };
  const columns = delta.columns.map((column) => gatherColumn(column, rows >>> 2, count, arena));
  return { n: count, columns, weights: sums, net: true };
}

/** Consolidation for one list of column types. The result may be the delta itself. */
export function consolidator(types: ColType[]): (delta: Batch, arena: Arena) => Batch {
  const ops = rowOps(types, 'identity');
  const packs = canPack(types, 'identity');
  const record = new KeyRecord(ops.layout, 'identity');
  return (delta, arena) => {
    const n = delta.n;
    const weights = delta.weights >>> 2;
    if (delta.net === true || n === 0 || (n === 1 && I32[weights] !== 0)) return delta;
    let capacity = 4;
    while (capacity < n * 2) capacity *= 2;
    if (packs && n >= KERNEL_ROWS) {
      const keys = record.write(delta.columns, n, 0, arena);
      kernels.packKeys(keys);
      if ((U32[(keys + KEYS_ODD) >>> 2] & ODD_SPECIAL) === 0) return summed(keys, delta, capacity, arena);
    }
    // table[i] is a row number + 1; sums[row] is the total weight of a row that stands for its equals.
    const table = arena.allocZeroed(capacity * 4) >>> 2;
    const hashes = arena.alloc(n * 4) >>> 2;
    const sums = arena.allocZeroed(n * 4) >>> 2;
    ops.bind(delta.columns);
    for (let row = 0; row < n; row++) {
      const hash = ops.hash(row) | 0;
      I32[hashes + row] = hash;
      let index = homeOf(hash, capacity - 1);
      for (;;) {
        const found = I32[table + index];
        if (found === 0) {
          I32[table + index] = row + 1;
          I32[sums + row] = I32[weights + row];
          break;
        }
        if (I32[hashes + found - 1] === hash && ops.same(row, found - 1)) {
          I32[sums + found - 1] = fittingWeight(I32[sums + found - 1] + I32[weights + row]);
          break;
        }
        index = (index + 1) & (capacity - 1);
      }
    }
    let kept = 0;
    for (let row = 0; row < n; row++) if (I32[sums + row] !== 0) kept++;
    if (kept === n) return { n, columns: delta.columns, weights: sums * 4, net: true };
    const out = new BatchBuilder(types, arena, kept);
    for (let row = 0; row < n; row++) {
      if (I32[sums + row] === 0) continue;
      const to = out.addRow(I32[sums + row]);
      for (let c = 0; c < types.length; c++) out.copySlot(c, to, delta.columns[c], row);
    }
    return out.buildNet();
  };
}
