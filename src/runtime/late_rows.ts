/**
 * Rows that a stream refuses because they are behind its watermark: what their ledger keeps of them, which records they came in, and batches without them.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder, isValid, weightOf } from '../../operators/batch/builder.ts';
import { I64 } from '../../operators/batch/memory.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { BadRow } from '../formats/format.ts';
import type { RawBatch } from '../sources/source.ts';

/** Records of a batch that became rows from `firstRow` on, except the bad ones. */
export interface DecodedRecords {
  raw: RawBatch;
  from: number;
  to: number;
  firstRow: number;
  bad: BadRow[];
}

/** Rows whose time is before the watermark. */
export function rowsBefore(times: Column, n: number, watermark: bigint): number[] {
  const late: number[] = [];
  for (let row = 0; row < n; row++) if (isValid(times, row) && I64[times.data / 8 + row] < watermark) late.push(row);
  return late;
}

/** Calls back for every record that gave a row, and for every one that gave none. */
export function eachRecord(
  pieces: DecodedRecords[],
  visit: (row: number, partition: number, offset: number) => void,
  visitBad?: (partition: number, offset: number) => void,
): void {
  for (const { raw, from, to, firstRow, bad } of pieces) {
    let row = firstRow;
    let nextBad = 0;
    for (let i = from; i < to; i++) {
      if (bad[nextBad]?.index === i) {
        nextBad++;
        visitBad?.(raw.partition, raw.offset[i]);
      } else visit(row++, raw.partition, raw.offset[i]);
    }
  }
}

/** The batch without these rows, which are in order. */
export function without(batch: Batch, rows: number[], arena: Arena): Batch {
  const kept = new BatchBuilder(
    batch.columns.map((c) => c.type),
    arena,
    batch.n - rows.length + 1,
  );
  let next = 0;
  for (let row = 0; row < batch.n; row++) {
    if (row === rows[next]) next++;
    else kept.copyRow(batch, row, weightOf(batch, row));
  }
  return kept.build();
}

/** Columns of tidemark.late(stream): the stream's, then the watermark that the row was behind. */
export function lateColumns(relation: Relation): { name: string; type: ColType }[] {
  const time =
    relation.watermark === undefined ? colType(OID.timestamp) : relation.columns[relation.watermark.column].type;
  return [...relation.columns.map((c) => ({ name: c.name, type: c.type })), { name: 'tidemark_watermark', type: time }];
}
