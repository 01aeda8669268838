/**
 * How many records are there when offsets are read again: fewer than the first time when compaction has taken some away since, which nothing else tells
 * (offsets of a compacted topic have gaps). Rows made of what is left would differ from those that others have.
 */
import { SqlError } from '../../operators/errors.ts';

export class RecordCounts {
  readonly #found = new Map<number, number>();

  add(partition: number, records: number): void {
    this.#found.set(partition, (this.#found.get(partition) ?? 0) + records);
  }

  /** 58P01 when a partition has had more. Null is not known. */
  check(what: string, wanted: ReadonlyMap<number, number | null>): void {
    for (const [partition, records] of wanted) {
      const found = this.#found.get(partition) ?? 0;
      if (records !== null && found !== records) throw compacted(what, partition, records, found);
    }
  }
}

export function compacted(what: string, partition: number, records: number, found: number): SqlError {
  return new SqlError(
    '58P01',
    `of ${records} records that ${what} read from partition ${partition}, ${found} are left`,
    {
      detail: 'Compaction takes records away for which there is a later one of their key. Views have seen them.',
      hint: 'Keep records for as long as they may be read again (min.compaction.lag.ms).',
    },
  );
}
