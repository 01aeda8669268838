/**
 * Kafka's Fetch request, version 11, over a kafkajs connection: kafkajs sends and matches the response, and gives us its bytes as they came.
 *
 *   request   replica -1 | max wait ms | min bytes | max bytes | isolation | session 0, epoch -1 | topics [partitions] | forgotten [] | rack
 *   response  throttle ms | error | session | topics [ partition | error | high watermark | last stable offset | log start |
 *             aborted transactions [producer, first offset] | preferred replica | record set ]
 */
import type { AbortedTransaction } from './record_batch.ts';

export interface FetchPartition {
  partition: number;
  offset: bigint;
  maxBytes: number;
}

export interface FetchSettings {
  topic: string;
  maxWaitMs: number;
  maxBytes: number;
  committedOnly: boolean;
}

export interface FetchedPartition {
  partition: number;
  errorCode: number;
  highWatermark: bigint;
  /** End for read committed; the high watermark for older brokers that do not say. */
  lastStableOffset: bigint;
  aborted: AbortedTransaction[];
  records: Buffer;
}

export interface FetchAnswer {
  throttleMs: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

export const FETCH_API = 1;
const FETCH_VERSION = 11;
const REQUEST_HEAD_BYTES = 25;
/** Up to the aborted transactions. */
export const PARTITION_HEAD_BYTES = 30;
export const ABORTED_BYTES = 16;

/** What kafkajs's connection.send wants of a request; `buf` and `buffer` are what it looks for in an encoder. */
export interface RawRequest {
  apiKey: number;
  apiVersion: number;
  apiName: string;
  encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
}

export function rawRequest(apiKey: number, apiVersion: number, apiName: string, buffer: Buffer): RawRequest {
  return { apiKey, apiVersion, apiName, encode: () => Promise.resolve({ buf: buffer, buffer }) };
}

export function fetchRequest(settings: FetchSettings, partitions: FetchPartition[]): RawRequest {
  return rawRequest(FETCH_API, FETCH_VERSION, 'Fetch', encodeFetch(settings, partitions));
}

/** What all versions of a request begin with, up to the topics. */
export function requestHead({ maxWaitMs, maxBytes, committedOnly }: FetchSettings): Buffer {
  const head = Buffer.alloc(REQUEST_HEAD_BYTES);
  let at = head.writeInt32BE(-1, 0);
  at = head.writeInt32BE(maxWaitMs, at);
  at = head.writeInt32BE(1, at);
  at = head.writeInt32BE(maxBytes, at);
  at = head.writeInt8(committedOnly ? 1 : 0, at);
  at = head.writeInt32BE(0, at);
  head.writeInt32BE(-1, at);
  return head;
}

/** What all versions of an answer say of a partition first. */
export function partitionHead(bytes: Buffer, at: number): Omit<FetchedPartition, 'aborted' | 'records'> {
  const highWatermark = bytes.readBigInt64BE(at + 6);
  const stable = bytes.readBigInt64BE(at + 14);
  return {
    partition: bytes.readInt32BE(at),
    errorCode: bytes.readInt16BE(at + 4),
    highWatermark,
    lastStableOffset: stable < 0n ? highWatermark : stable,
  };
}

export function abortedTransaction(bytes: Buffer, at: number): AbortedTransaction {
  return { producerId: bytes.readBigInt64BE(at), firstOffset: bytes.readBigInt64BE(at + 8) };
}

function encodeFetch(settings: FetchSettings, partitions: FetchPartition[]): Buffer {
  const topic = Buffer.from(settings.topic, 'utf8');
  const head = requestHead(settings);
  const buffer = Buffer.alloc(head.length + 4 + 2 + topic.length + 4 + partitions.length * 28 + 4 + 2);
  let at = head.copy(buffer);
  at = buffer.writeInt32BE(1, at);
  at = buffer.writeInt16BE(topic.length, at);
  at += topic.copy(buffer, at);
  at = buffer.writeInt32BE(partitions.length, at);
  for (const { partition, offset, maxBytes } of partitions) {
    at = buffer.writeInt32BE(partition, at);
    at = buffer.writeInt32BE(-1, at);
    at = buffer.writeBigInt64BE(offset, at);
    at = buffer.writeBigInt64BE(-1n, at);
    at = buffer.writeInt32BE(maxBytes, at);
  }
  at = buffer.writeInt32BE(0, at);
  buffer.writeInt16BE(0, at);
  return buffer;
}

/** The partitions of a Fetch response, or the error of the response as a whole. */
export function parseFetchResponse(bytes: Buffer): FetchAnswer {
  const throttleMs = bytes.readInt32BE(0);
  const errorCode = bytes.readInt16BE(4);
  const partitions: FetchedPartition[] = [];
  let at = 10;
  const topics = bytes.readInt32BE(at);
  at += 4;
  for (let t = 0; t < topics; t++) {
    at += 2 + bytes.readInt16BE(at);
    const count = bytes.readInt32BE(at);
    at += 4;
    for (let p = 0; p < count; p++) {
      const head = partitionHead(bytes, at);
      at += PARTITION_HEAD_BYTES;
      const aborted: AbortedTransaction[] = [];
      const transactions = bytes.readInt32BE(at);
      at += 4;
      for (let i = 0; i < transactions; i++, at += ABORTED_BYTES) aborted.push(abortedTransaction(bytes, at));
      const length = Math.max(0, bytes.readInt32BE(at + 4));
      at += 8;
      partitions.push({ ...head, aborted, records: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return { throttleMs, errorCode, partitions };
}
