/**
 * A piece of a file as a batch of records: their bytes, then the file's name, which is the key of each, and an empty list of headers, as Kafka writes it. The
 * timestamp is the time of the file's last change. Lies where src/kafka/buffers.ts has room.
 */
import { U8 } from '../../../operators/batch/memory.ts';
import type { Buffers } from '../../kafka/buffers.ts';
import { readHeaders } from '../../kafka/record_batch.ts';
import { empty } from '../../kafka/record_set.ts';
import { type RawBatch, ZEROS_BEHIND } from '../source.ts';
import type { ListedFile } from './file_list.ts';
import type { Piece } from './pieces.ts';

/** The one of a stream of files. */
export const PARTITION = 0;
/** Of the positions of one record. */
const RECORD_BYTES = 36;

export interface BatchForm {
  /** The key is the record itself: a keyed table finds its key there. */
  keyed: boolean;
  /** Where it is to lie; null: it is the collector's. */
  pool: Buffers | null;
}

/** `first`: the offset of the piece's first record. */
export function rawBatch(piece: Piece, file: ListedFile, first: number, { keyed, pool }: BatchForm): RawBatch {
  const { n } = piece;
  const name = Buffer.from(file.path);
  const from = piece.starts[0];
  const taken = piece.bytes.subarray(from, piece.ends[n - 1]);
  const length = taken.length + name.length + 1;
  const columns = (length + ZEROS_BEHIND + 7) & ~7;
  const size = columns + n * RECORD_BYTES;
  const { buffer, address } = pool === null ? { buffer: new ArrayBuffer(size), address: undefined } : pool.take(size);
  const start = address ?? 0;
  const bytes = Buffer.from(buffer, start, length);
  // A memcpy of Node's: set() copies into shared memory word by word.
  if (taken.length > 0) bytes.fill(taken, 0, taken.length);
  bytes.fill(name, taken.length, length - 1);
  bytes[length - 1] = 0;
  let at = start + columns;
  const next = (width: number): number => {
    at += n * width;
    return at - n * width;
  };
  const doubles = () => new Float64Array(buffer, next(8), n);
  const words = () => new Int32Array(buffer, next(4), n);
  const batch: RawBatch & { headerStart: Int32Array } = {
    partition: PARTITION,
    baseOffset: BigInt(first),
    nextOffset: BigInt(first + n),
    n,
    bytes,
    address,
    offset: doubles(),
    timestamp: doubles().fill(file.mtime),
    valueStart: words(),
    valueEnd: words(),
    keyStart: words().fill(taken.length),
    keyEnd: words().fill(length - 1),
    headerStart: words().fill(length - 1),
    headers: (i) => readHeaders(batch.bytes, batch.headerStart[i]),
  };
  for (let i = 0; i < n; i++) {
    batch.offset[i] = first + i;
    batch.valueStart[i] = piece.starts[i] - from;
    batch.valueEnd[i] = piece.ends[i] - from;
  }
  if (keyed) {
    batch.keyStart.set(batch.valueStart);
    batch.keyEnd.set(batch.valueEnd);
  }
  if (pool === null || buffer instanceof ArrayBuffer) return batch;
  if (address !== undefined) U8.fill(0, start + length, start + columns);
  batch.release = () => {
    empty(batch);
    pool.give(address ?? buffer);
  };
  return batch;
}
