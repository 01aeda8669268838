/**
 * Kafka's Fetch request, version 13, which names the topic by its id: a topic of the same name made again is not read, not even between two looks at the metadata. Brokers from
 * 3.1 on know it; for others fetch.ts.
 *
 *   request   replica -1 | max wait ms | min bytes | max bytes | isolation | session 0, epoch -1 | topics [ id, partitions ] | forgotten [] | rack
 *   response  throttle ms | error | session | topics [ id, partitions [ partition | error | high watermark | last stable offset | log start |
 *             aborted transactions [producer, first offset] | preferred replica | record set ] ]
 */
import { CompactReader, compactLength, compactRequest, NO_TAGS } from './compact.ts';
import type { FetchAnswer, FetchedPartition, FetchPartition, FetchSettings, RawRequest } from './fetch.ts';
import type { AbortedTransaction } from './record_batch.ts';
import { ID_BYTES } from './topic_id.ts';

const FETCH_API = 1;
const FETCH_VERSION = 13;
const PARTITION_BYTES = 33;

/** True when a broker that supports these versions takes ids. */
export function fetchesById(versions: Record<number, { maxVersion: number }> | null): boolean {
  return (versions?.[FETCH_API]?.maxVersion ?? 0) >= FETCH_VERSION;
}

/** `id`: in hexadecimal digits. */
export function fetchByIdRequest(id: string, settings: FetchSettings, partitions: FetchPartition[]): RawRequest {
  const head = Buffer.alloc(25);
  let at = head.writeInt32BE(-1, 0);
  at = head.writeInt32BE(settings.maxWaitMs, at);
  at = head.writeInt32BE(1, at);
  at = head.writeInt32BE(settings.maxBytes, at);
  at = head.writeInt8(settings.committedOnly ? 1 : 0, at);
  at = head.writeInt32BE(0, at);
  head.writeInt32BE(-1, at);
  return compactRequest(FETCH_API, FETCH_VERSION, 'Fetch', [
    head,
    compactLength(1),
    Buffer.from(id, 'hex'),
    compactLength(partitions.length),
    ...partitions.map(encodePartition),
    NO_TAGS,
    compactLength(0),
    compactLength(0),
  ]);
}

/** Its last byte: no tags. */
function encodePartition({ partition, offset, maxBytes }: FetchPartition): Buffer {
  const bytes = Buffer.alloc(PARTITION_BYTES);
  let at = bytes.writeInt32BE(partition, 0);
  at = bytes.writeInt32BE(-1, at);
  at = bytes.writeBigInt64BE(offset, at);
  at = bytes.writeInt32BE(-1, at);
  at = bytes.writeBigInt64BE(-1n, at);
  bytes.writeInt32BE(maxBytes, at);
  return bytes;
}

export function parseFetchByIdResponse(bytes: Buffer): FetchAnswer {
  const reader = new CompactReader(bytes);
  const throttleMs = bytes.readInt32BE(reader.skip(4));
  const errorCode = bytes.readInt16BE(reader.skip(2));
  reader.skip(4);
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.length(); topics > 0; topics--) {
    reader.skip(ID_BYTES);
    for (let n = reader.length(); n > 0; n--) partitions.push(readPartition(reader));
    reader.skipTags();
  }
  return { throttleMs, errorCode, partitions };
}

function readPartition(reader: CompactReader): FetchedPartition {
  const { bytes } = reader;
  const at = reader.skip(30);
  const highWatermark = bytes.readBigInt64BE(at + 6);
  const stable = bytes.readBigInt64BE(at + 14);
  const aborted: AbortedTransaction[] = [];
  for (let n = reader.length(); n > 0; n--) {
    const transaction = reader.skip(16);
    aborted.push({
      producerId: bytes.readBigInt64BE(transaction),
      firstOffset: bytes.readBigInt64BE(transaction + 8),
    });
    reader.skipTags();
  }
  reader.skip(4);
  const length = Math.max(0, reader.length());
  const start = reader.skip(length);
  reader.skipTags();
  return {
    partition: bytes.readInt32BE(at),
    errorCode: bytes.readInt16BE(at + 4),
    highWatermark,
    lastStableOffset: stable < 0n ? highWatermark : stable,
    aborted,
    records: bytes.subarray(start, start + length),
  };
}
