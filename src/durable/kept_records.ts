/**
 * Records of a source that gives each once, as the tick log has them: a start reads them here instead of asking the source.
 *
 *   varint batches, each: partition | first offset | covered | records, each: timestamp + 1, key, value | place        key, value: length + 1 and bytes; 0: none       place: as these
 *
 * The offsets of a batch's records count up from its first one. Headers are not kept: such sources have none.
 */
import { readVarint, varintSize, writeVarint } from '../../operators/batch/varint.ts';
import { messageBatch } from '../sources/message_batch.ts';
import type { RawBatch } from '../sources/source.ts';

export function keptRecords(batches: RawBatch[]): Buffer {
  const places = batches.map(({ place }) => (place === undefined ? null : Buffer.from(place)));
  let size = varintSize(batches.length);
  const bytesSize = (length: number) => varintSize(length + 1) + Math.max(0, length);
  batches.forEach((batch, b) => {
    size += varintSize(batch.partition) + varintSize(Number(batch.baseOffset));
    size += varintSize(Number(batch.nextOffset - batch.baseOffset)) + varintSize(batch.n);
    for (let i = 0; i < batch.n; i++) {
      size += varintSize(batch.timestamp[i] + 1);
      size += bytesSize(lengthOf(batch.keyStart[i], batch.keyEnd[i]));
      size += bytesSize(lengthOf(batch.valueStart[i], batch.valueEnd[i]));
    }
    size += bytesSize(places[b]?.length ?? -1);
  });
  const out = Buffer.allocUnsafe(size);
  let at = writeVarint(out, 0, batches.length);
  const put = (value: number) => {
    at = writeVarint(out, at, value);
  };
  const putBytes = (bytes: Buffer, start: number, end: number) => {
    put(lengthOf(start, end) + 1);
    if (start >= 0) at += bytes.copy(out, at, start, end);
  };
  batches.forEach((batch, b) => {
    put(batch.partition);
    put(Number(batch.baseOffset));
    put(Number(batch.nextOffset - batch.baseOffset));
    put(batch.n);
    for (let i = 0; i < batch.n; i++) {
      put(batch.timestamp[i] + 1);
      putBytes(batch.bytes, batch.keyStart[i], batch.keyEnd[i]);
      putBytes(batch.bytes, batch.valueStart[i], batch.valueEnd[i]);
    }
    const place = places[b];
    putBytes(place ?? out, place === null ? -1 : 0, place?.length ?? 0);
  });
  return out;
}

function lengthOf(start: number, end: number): number {
  return start < 0 ? -1 : end - start;
}

export function readKeptRecords(kept: Buffer): RawBatch[] {
  let at = 0;
  const number = () => {
    const { value, end } = readVarint(kept, at);
    at = end;
    return value;
  };
  const bytes = () => {
    const length = number() - 1;
    if (length < 0) return null;
    if (length > kept.length - at) throw new Error(`damaged record: ${length} bytes`);
    at += length;
    return kept.subarray(at - length, at);
  };
  /** Every item has at least one byte. */
  const count = () => {
    const value = number();
    if (value > kept.length - at) throw new Error(`damaged record: ${value} items`);
    return value;
  };
  const batches = Array.from({ length: count() }, () => {
    const [partition, from, covered] = [number(), number(), number()];
    const messages = Array.from({ length: count() }, () => {
      const timestamp = number() - 1;
      return { timestamp, key: bytes(), value: bytes(), headers: [] };
    });
    const batch = messageBatch(partition, from, messages);
    return { ...batch, nextOffset: BigInt(from + covered), place: bytes()?.toString() };
  });
  if (at !== kept.length) throw new Error(`damaged record: it has ${kept.length - at} bytes too many`);
  return batches;
}
