/**
 * A stream's history once more, for views that are made later and for reads of the stream: the records of its ticks are read from the source again and decoded at the
 * clock that they had, and the rows that were refused then are refused again.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import type { BatchBuilder } from '../../operators/batch/builder.ts';
import type { BadRow } from '../formats/format.ts';
import type { RawBatch, Source } from '../sources/source.ts';
import { eachRecord, without } from './late_rows.ts';
import type { RecordCounts } from './record_counts.ts';
import type { StreamColumns } from './stream_columns.ts';
import type { HistoryPiece, StreamHistory } from './stream_history.ts';

export interface ReplayedStream {
  source: Source;
  columns: StreamColumns;
  history: StreamHistory;
}

/** What has been decoded and not yet given. */
interface Gathered {
  builder: BatchBuilder;
  /** Columns that were decoded. */
  needed: number[];
  /** Rows that were refused. */
  late: number[];
  bytes: number;
}

/** What is gathered is given when it is so much. */
const REPLAYED_ROWS = 4096;
const REPLAYED_BYTES = 1 << 20;

/**
 * Accepted rows of a part of the history, in the relation's shape. Small pieces of the source come together: a view's step costs more than the decoding of few
 * rows. `arena`: where the next batch is to lie. `counts` is told how many records there are.
 */
export async function* replay(
  stream: ReplayedStream,
  piece: HistoryPiece,
  needed: number[],
  arena: () => Arena,
  counts: RecordCounts,
): AsyncGenerator<Batch> {
  const { source, columns, history } = stream;
  columns.need(needed);
  let gathered: Gathered | null = null;
  for await (const raw of source.readRange(piece.partition, piece.from, piece.to)) {
    counts.add(raw.partition, raw.n);
    columns.decoder();
    // Others may need more columns by now.
    if (gathered !== null && gathered.needed !== columns.list) {
      if (gathered.builder.n > 0) yield shaped(columns, gathered);
      gathered = null;
    }
    gathered ??= { builder: columns.builder(arena(), raw.n), needed: columns.list, late: [], bytes: 0 };
    const { builder, late } = gathered;
    const firstRow = builder.n;
    const bad = decodeAgain(stream, raw, builder);
    gathered.bytes += raw.bytes.length;
    const refused = new Set(history.lateIn(piece.partition, raw.baseOffset, raw.nextOffset));
    if (refused.size > 0) {
      eachRecord([{ raw, from: 0, to: raw.n, firstRow, bad }], (row, _partition, offset) => {
        if (refused.has(offset)) late.push(row);
      });
    }
    if (builder.n < REPLAYED_ROWS && gathered.bytes < REPLAYED_BYTES) continue;
    if (builder.n > 0) yield shaped(columns, gathered);
    gathered = null;
  }
  if (gathered !== null && gathered.builder.n > 0) yield shaped(columns, gathered);
}

function shaped(columns: StreamColumns, { builder, needed, late }: Gathered): Batch {
  const batch = builder.build();
  return columns.placed(late.length === 0 ? batch : without(batch, late, builder.arena), true, needed);
}

/** Every record at the clock at which it was taken in. */
function decodeAgain({ columns, history }: ReplayedStream, raw: RawBatch, builder: BatchBuilder): BadRow[] {
  const decoder = columns.decoder();
  const clocks = history.clocksIn(raw.partition, raw.baseOffset, raw.nextOffset);
  if (clocks.length === 0) return decoder.decode(raw, 0, raw.n, builder, 0n);
  const bad: BadRow[] = [];
  let from = 0;
  for (const { end, now } of clocks) {
    let to = from;
    while (to < raw.n && raw.offset[to] < end) to++;
    bad.push(...decoder.decode(raw, from, to, builder, now));
    from = to;
  }
  return bad;
}
