/** Changes as rows for a client: tick bigint, [progress boolean,] diff bigint, then the relation's columns, which are shared and not copied. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { weightOf } from '../../operators/batch/builder.ts';
import { I32, I64, U8 } from '../../operators/batch/memory.ts';
import { type ColType, colType, OID, PHYS_WIDTH, physOf } from '../../operators/types.ts';
import type { ResultColumn } from '../engine.ts';
import { resultColumn } from '../runtime/prepared.ts';

/** The columns before the relation's own. */
export function leadingColumns(progress: boolean): ResultColumn[] {
  return [
    resultColumn('tick', OID.int8),
    ...(progress ? [resultColumn('progress', OID.bool)] : []),
    resultColumn('diff', OID.int8),
  ];
}

/** The delta of one tick. */
export function changeRows(delta: Batch, tick: bigint, progress: boolean, arena: Arena): Batch {
  const { n } = delta;
  const ticks = bigints(n, arena);
  const diffs = bigints(n, arena);
  for (let row = 0; row < n; row++) {
    I64[ticks.data / 8 + row] = tick;
    I64[diffs.data / 8 + row] = BigInt(weightOf(delta, row));
  }
  const columns = progress ? [ticks, booleans(n, false, arena), diffs] : [ticks, diffs];
  return { n, columns: [...columns, ...delta.columns], weights: ones(n, arena) };
}

/** The row that says that a tick is complete. */
export function progressRow(tick: bigint, types: ColType[], arena: Arena): Batch {
  const ticks = bigints(1, arena);
  I64[ticks.data / 8] = tick;
  const nulls = [colType(OID.int8), ...types].map((type) => nullColumn(type, arena));
  return { n: 1, columns: [ticks, booleans(1, true, arena), ...nulls], weights: ones(1, arena) };
}

function bigints(n: number, arena: Arena): Column {
  return { type: colType(OID.int8), phys: physOf(OID.int8), data: arena.alloc(n * 8), valid: 0 };
}

function booleans(n: number, value: boolean, arena: Arena): Column {
  const data = arena.alloc(n);
  U8.fill(value ? 1 : 0, data, data + n);
  return { type: colType(OID.bool), phys: physOf(OID.bool), data, valid: 0 };
}

function nullColumn(type: ColType, arena: Arena): Column {
  const phys = physOf(type.oid);
  return { type, phys, data: arena.allocZeroed(PHYS_WIDTH[phys]), valid: arena.allocZeroed(1) };
}

function ones(n: number, arena: Arena): number {
  const weights = arena.alloc(n * 4);
  I32.fill(1, weights >>> 2, (weights >>> 2) + n);
  return weights;
}
