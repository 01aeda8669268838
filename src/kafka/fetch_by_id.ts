/**
 * Kafka's Fetch request, version 13, which names the topic by its id: a topic of the same name made again is not read, not even between two looks at the metadata. Brokers from
 * 3.1 on know it; for others fetch.ts.
 *
 *   request   replica -1 | max wait ms | min bytes | max bytes | isolation | session 0, epoch -1 | topics [ id, partitions ] | forgotten [] | rack
 *   response  throttle ms | error | session | topics [ id, partitions [ partition | error | high watermark | last stable offset | log start |
 *             aborted transactions [producer, first offset] | preferred replica | record set ] ]
 */
import { CompactReader, compactLength, compactRequest, NO_TAGS } from './compact.ts';
import {
  ABORTED_BYTES,
  abortedTransaction,
  FETCH_API,
  type FetchAnswer,
  type FetchedPartition,
  type FetchPartition,
  type FetchSettings,
  PARTITION_HEAD_BYTES,
  partitionHead,
  type RawRequest,
  requestHead,
} from './fetch.ts';
import type { AbortedTransaction } from './record_batch.ts';
import { ID_BYTES } from './topic_id.ts';

const FETCH_VERSION = 13;
const PARTITION_BYTES = 33;

/** True when a broker that supports these versions takes ids. */
export function fetchesById(versions: Record<number, { maxVersion: number }> | null): boolean {
  return (versions?.[FETCH_API]?.maxVersion ?? 0) >= FETCH_VERSION;
}

/** `id`: in hexadecimal digits. */
export function fetchByIdRequest(id: string, settings: FetchSettings, partitions: FetchPartition[]): RawRequest {
  return compactRequest(FETCH_API, FETCH_VERSION, 'Fetch', [
    requestHead(settings),
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
  const head = partitionHead(bytes, reader.skip(PARTITION_HEAD_BYTES));
  const aborted: AbortedTransaction[] = [];
  for (let n = reader.length(); n > 0; n--) {
    aborted.push(abortedTransaction(bytes, reader.skip(ABORTED_BYTES)));
    reader.skipTags();
  }
  reader.skip(4);
  const length = Math.max(0, reader.length());
  const start = reader.skip(length);
  reader.skipTags();
  return { ...head, aborted, records: bytes.subarray(start, start + length) };
}
