/**
 * Records of streams for ticks that are done again. One reader a partition runs ahead over all that the log will ask for, and is cut where the
 * ticks were cut: a read from Kafka for every tick would fetch most bytes many times.
 */
import { SqlError } from '../../operators/errors.ts';
import { compacted } from '../runtime/record_counts.ts';
import type { StreamRuntime } from '../runtime/stream.ts';
import type { RawBatch, Source } from '../sources/source.ts';
import type { OffsetRange, StreamInput } from './records.ts';
import type { Survey } from './survey.ts';

interface Reader {
  batches: AsyncIterator<RawBatch>;
  /** Up to where it has been asked to read. */
  at: bigint;
  /** The batch that the next range begins in. */
  current: RawBatch | null;
}

export class RangeFeed {
  readonly #survey: Survey;
  readonly #readers = new Map<string, Reader>();

  constructor(survey: Survey) {
    this.#survey = survey;
  }

  /** The records of each range of a tick. */
  async read(source: Source, input: StreamInput): Promise<RawBatch[][]> {
    const out: RawBatch[][] = [];
    for (const range of input.ranges) out.push(await this.#range(source, input.oid, range));
    return out;
  }

  async #range(source: Source, oid: number, { partition, from, to, records }: OffsetRange): Promise<RawBatch[]> {
    const key = `${oid}/${partition}`;
    let reader = this.#readers.get(key);
    if (reader === undefined || reader.at !== from) {
      await reader?.batches.return?.();
      const end = this.#survey.extents.get(oid)?.get(partition)?.to ?? to;
      reader = {
        batches: source.readRange(partition, from, end > to ? end : to)[Symbol.asyncIterator](),
        at: from,
        current: null,
      };
      this.#readers.set(key, reader);
    }
    const out: RawBatch[] = [];
    while (reader.at < to) {
      if (reader.current === null) {
        const next = await reader.batches.next();
        if (next.done === true) throw gone(oid, partition, reader.at, to, 'the source gave fewer');
        reader.current = next.value;
      }
      const batch: RawBatch = reader.current;
      out.push(cut(batch, from, to));
      if (batch.nextOffset > to) reader.at = to;
      else {
        reader.at = batch.nextOffset;
        reader.current = null;
      }
    }
    const found = out.reduce((n, batch) => n + batch.n, 0);
    if (records !== null && found !== records) throw compacted(`the stream with OID ${oid}`, partition, records, found);
    return out;
  }

  /** Refuses when the beginning of what will be read is no longer there; names all partitions. */
  async checkThere(stream: StreamRuntime): Promise<void> {
    const extents = this.#survey.extents.get(stream.oid);
    if (extents === undefined) return;
    const earliest = await stream.source.startOffsets({ k: 'earliest' });
    const missing: string[] = [];
    for (const [partition, { from, to }] of [...extents].sort(([a], [b]) => a - b)) {
      const first = earliest.get(partition);
      if (first === undefined) missing.push(`partition ${partition}, offsets ${from} to ${to - 1n}: no such partition`);
      else if (first > from) {
        const last = first < to ? first - 1n : to - 1n;
        missing.push(`partition ${partition}, offsets ${from} to ${last}: it begins at ${first}`);
      }
    }
    if (missing.length === 0) return;
    const what = stream.spec.options.topic === undefined ? 'source' : `topic "${stream.spec.options.topic}"`;
    throw new SqlError('58P01', `${what} of "${stream.relation.name}" no longer has what the log refers to`, {
      detail: `${missing.join('; ')}.`,
      hint: 'The views cannot be made again without these records. Keep them for longer than checkpoints are apart, or begin with a new data directory.',
    });
  }

  close(): void {
    for (const reader of this.#readers.values()) void reader.batches.return?.();
    this.#readers.clear();
  }
}

function gone(oid: number, partition: number, from: bigint, to: bigint, why: string): SqlError {
  return new SqlError('58P01', `offsets ${from} to ${to - 1n} of partition ${partition} are gone: ${why}`, {
    detail: `Stream with OID ${oid}.`,
  });
}

/** The records with from <= offset < to. */
function cut(batch: RawBatch, from: bigint, to: bigint): RawBatch {
  const low = Number(from);
  const high = Number(to);
  let first = 0;
  while (first < batch.n && batch.offset[first] < low) first++;
  let last = batch.n;
  while (last > first && batch.offset[last - 1] >= high) last--;
  if (first === 0 && last === batch.n) return batch;
  return {
    ...batch,
    baseOffset: batch.baseOffset > from ? batch.baseOffset : from,
    nextOffset: batch.nextOffset < to ? batch.nextOffset : to,
    n: last - first,
    valueStart: batch.valueStart.subarray(first, last),
    valueEnd: batch.valueEnd.subarray(first, last),
    keyStart: batch.keyStart.subarray(first, last),
    keyEnd: batch.keyEnd.subarray(first, last),
    offset: batch.offset.subarray(first, last),
    timestamp: batch.timestamp.subarray(first, last),
    headers: (i) => batch.headers(first + i),
  };
}
