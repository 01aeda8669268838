/**
 * The records of one partition's fetched bytes, a piece at a time: batches are checked, unpacked and walked until a piece has enough bytes, so that what lies
 * unpacked is little however much was fetched.
 *
 *   a piece   one buffer: unpacked bytes of its batches | offsets | times | starts and ends of values and keys | starts of headers, an array each
 *
 * The buffer comes from `pool` and goes back with release(); without one it is fresh and the collector's. A cut last batch is normal. A batch that can't be read ends
 * the set before it, which its reader sees by nextOffset; only as the first of the set it throws. What throws gives the buffer back, and `position` stays before it.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { U8 } from '../../operators/batch/memory.ts';
import { type RawBatch, ZEROS_BEHIND } from '../sources/source.ts';
import type { Buffers } from './buffers.ts';
import { unpack } from './codecs.ts';
import {
  type AbortedTransaction,
  type BatchHeader,
  CorruptBatch,
  type Cursor,
  HEADER_BYTES,
  LENGTH_END,
  markerOf,
  readHeader,
  readHeaders,
  varint,
} from './record_batch.ts';

const SHORTEST_RECORD = 7;
/** Of the positions of one record. */
const RECORD_BYTES = 36;
const NONE = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);
const NO_BYTES = Buffer.alloc(0);

interface Unpacked {
  header: BatchHeader;
  /** Lie in the fetched bytes, or in the arena of the piece. */
  bytes: Uint8Array;
}

type KafkaBatch = RawBatch & { headerStart: Int32Array };

export class RecordSetReader {
  readonly #partition: number;
  readonly #bytes: Buffer;
  readonly #checkCrc: boolean;
  readonly #pool: Buffers | null;
  /** Aborted transactions that begin behind what was read. */
  readonly #pending: AbortedTransaction[];
  readonly #abortedProducers = new Set<bigint>();
  readonly #from: bigint;
  #next: bigint;
  #at = 0;

  /** Reads `bytes` from offset `from` on. */
  constructor(
    partition: number,
    bytes: Buffer,
    from: bigint,
    aborted: AbortedTransaction[],
    checkCrc: boolean,
    pool: Buffers | null,
  ) {
    this.#partition = partition;
    this.#bytes = bytes;
    this.#checkCrc = checkCrc;
    this.#pool = pool;
    this.#pending = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
    this.#from = from;
    this.#next = from;
  }

  /** The next batches, up to the one that makes their records `most` bytes or more; null behind the last. */
  async next(most: number): Promise<RawBatch | null> {
    const from = this.#next;
    const arena = new Arena();
    try {
      const pieces = await this.#unpacked(most, arena);
      if (this.#next === from) return null;
      return this.#walked(from, pieces);
    } catch (error) {
      this.#next = from;
      throw error;
    } finally {
      arena.release();
    }
  }

  /** Unpacks batches until there is enough; #next is the end of what was read. */
  async #unpacked(most: number, arena: Arena): Promise<Unpacked[]> {
    const pieces: Unpacked[] = [];
    let length = 0;
    while (length < most) {
      const header = await this.#header();
      if (header === null) break;
      if (this.#isLeftOut(header)) {
        this.#next = header.nextOffset;
        continue;
      }
      const unpacking = () => {
        const bytes = unpackRecords(this.#bytes, header, arena);
        pieces.push({ header, bytes });
        length += bytes.length;
      };
      if (!this.#isWhole(unpacking)) break;
      this.#next = header.nextOffset;
    }
    return pieces;
  }

  /** The next batch that reaches beyond what was read; null when there is no whole one, or it can't be read. */
  async #header(): Promise<BatchHeader | null> {
    const bytes = this.#bytes;
    while (this.#at + HEADER_BYTES <= bytes.length) {
      const at = this.#at;
      const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
      if (end > bytes.length || end < at + HEADER_BYTES) break;
      let header: BatchHeader;
      try {
        header = await readHeader(bytes, at, end, this.#checkCrc);
      } catch (error) {
        this.#end();
        if (this.#next > this.#from) return null;
        throw error;
      }
      this.#at = end;
      if (header.nextOffset > this.#next) return header;
    }
    return null;
  }

  /** Nothing behind is read. */
  #end(): void {
    this.#at = this.#bytes.length;
  }

  /** Markers, and what was aborted. */
  #isLeftOut(header: BatchHeader): boolean {
    const pending = this.#pending;
    const aborted = this.#abortedProducers;
    while (pending.length > 0 && pending[0].firstOffset < header.nextOffset) {
      aborted.add(pending[0].producerId);
      pending.shift();
    }
    if (!header.control) return header.transactional && aborted.has(header.producerId);
    if (markerOf(this.#bytes, header.start, header.end) === 'abort') aborted.delete(header.producerId);
    return true;
  }

  /** Runs a step of a batch; false when it is damaged: the set then ends before it. */
  #isWhole(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.#end();
      if (!(error instanceof CorruptBatch) || this.#next === this.#from) throw error;
      return false;
    }
  }

  /** Up to where the set was read. */
  get position(): bigint {
    return this.#next;
  }

  /** The batch of the pieces before the first damaged one; null when that is none. */
  #walked(from: bigint, pieces: Unpacked[]): RawBatch | null {
    const walker = new RecordWalker(this.#partition, from, this.#pool, pieces);
    const end = this.#next;
    this.#next = from;
    try {
      for (const piece of pieces) {
        if (!this.#isWhole(() => walker.walk(piece))) break;
        this.#next = piece.header.nextOffset;
      }
    } catch (error) {
      walker.batch.release?.();
      throw error;
    }
    if (this.#next === pieces.at(-1)?.header.nextOffset || pieces.length === 0) this.#next = end;
    walker.batch.nextOffset = this.#next;
    if (this.#next > from) return walker.batch;
    walker.batch.release?.();
    return null;
  }
}

/** All records of one partition's fetched bytes from offset `from` on, in one batch; null when there is no complete batch. */
export async function readRecordSet(
  partition: number,
  bytes: Buffer,
  from: bigint,
  aborted: AbortedTransaction[],
  checkCrc: boolean,
): Promise<RawBatch | null> {
  const reader = new RecordSetReader(partition, bytes, from, aborted, checkCrc, null);
  return await reader.next(Number.POSITIVE_INFINITY);
}

/** The header's count of records, as far as they fit: no record is shorter than its six one-byte fields and length. */
function mostRecords(header: BatchHeader, bytes: number): number {
  return Math.max(0, Math.min(header.records, Math.floor(bytes / SHORTEST_RECORD)));
}

function unpackRecords(bytes: Buffer, header: BatchHeader, arena: Arena): Uint8Array {
  try {
    return unpack(header.codec, bytes.subarray(header.start, header.end), arena);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorruptBatch(header.baseOffset, `${header.codec}: ${reason}`);
  }
}

class RecordWalker {
  readonly batch: KafkaBatch;
  readonly #from: number;
  /** Where the bytes of the next batch go. */
  #at = 0;

  constructor(partition: number, from: bigint, pool: Buffers | null, pieces: Unpacked[]) {
    this.#from = Number(from);
    const records = pieces.reduce((sum, { header, bytes }) => sum + mostRecords(header, bytes.length), 0);
    const length = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const columns = (length + ZEROS_BEHIND + 7) & ~7;
    const size = columns + records * RECORD_BYTES;
    const { buffer, address } = pool === null ? { buffer: new ArrayBuffer(size), address: undefined } : pool.take(size);
    const first = address ?? 0;
    let at = first + columns;
    const next = (bytes: number): number => {
      at += records * bytes;
      return at - records * bytes;
    };
    const doubles = () => new Float64Array(buffer, next(8), records);
    const words = () => new Int32Array(buffer, next(4), records);
    const batch: KafkaBatch = {
      partition,
      baseOffset: from,
      nextOffset: from,
      n: 0,
      bytes: Buffer.from(buffer, first, length),
      address,
      offset: doubles(),
      timestamp: doubles(),
      valueStart: words(),
      valueEnd: words(),
      keyStart: words(),
      keyEnd: words(),
      headerStart: words(),
      headers: (i) => readHeaders(batch.bytes, batch.headerStart[i]),
    };
    this.batch = batch;
    if (pool === null || buffer instanceof ArrayBuffer) return;
    if (address !== undefined) U8.fill(0, first + length, first + columns);
    batch.release = () => {
      empty(batch);
      pool.give(address ?? buffer);
    };
  }

  /** Takes the records of the next batch in; throws CorruptBatch, and has none of them then. */
  walk({ header, bytes }: Unpacked): void {
    const { batch } = this;
    const start = this.#at;
    const end = start + bytes.length;
    this.#at = end;
    // A memcpy of Node's: set() copies into shared memory word by word.
    if (bytes.length > 0) batch.bytes.fill(bytes, start, end);
    const before = batch.n;
    try {
      this.#records(header, start, end);
    } catch (error) {
      batch.n = before;
      throw error;
    }
  }

  #records(header: BatchHeader, start: number, end: number): void {
    const { batch } = this;
    const { bytes } = batch;
    const base = Number(header.baseOffset);
    const cursor: Cursor = { at: start };
    if (header.records !== mostRecords(header, end - start)) {
      throw new CorruptBatch(header.baseOffset, `${header.records} records do not fit in ${end - start} bytes`);
    }
    for (let i = 0; i < header.records; i++) {
      const length = varint(bytes, cursor);
      const recordEnd = cursor.at + length;
      if (length < 0 || recordEnd > end) throw new CorruptBatch(header.baseOffset, 'a record is longer than its batch');
      cursor.at++;
      const timeDelta = varint(bytes, cursor);
      const offset = base + varint(bytes, cursor);
      const keyLength = varint(bytes, cursor);
      const keyStart = keyLength < 0 ? -1 : cursor.at;
      if (keyLength > 0) cursor.at += keyLength;
      const keyEnd = cursor.at;
      const valueLength = varint(bytes, cursor);
      const valueStart = valueLength < 0 ? -1 : cursor.at;
      if (valueLength > 0) cursor.at += valueLength;
      if (cursor.at > recordEnd) throw new CorruptBatch(header.baseOffset, 'a value is longer than its record');
      if (offset >= this.#from) {
        const n = batch.n++;
        batch.offset[n] = offset;
        batch.timestamp[n] = header.appendTime
          ? header.maxTime
          : header.baseTime < 0
            ? -1
            : header.baseTime + timeDelta;
        batch.keyStart[n] = keyStart;
        batch.keyEnd[n] = keyEnd;
        batch.valueStart[n] = valueStart;
        batch.valueEnd[n] = cursor.at;
        batch.headerStart[n] = cursor.at;
      }
      cursor.at = recordEnd;
    }
  }
}

/** Leaves a batch without what another one may have now: who looks at it too late sees nothing, not the other's records. */
export function empty(batch: RawBatch): void {
  batch.bytes = NO_BYTES;
  batch.offset = NO_DOUBLES;
  batch.timestamp = NO_DOUBLES;
  batch.valueStart = NONE;
  batch.valueEnd = NONE;
  batch.keyStart = NONE;
  batch.keyEnd = NONE;
  batch.headerStart = NONE;
}
