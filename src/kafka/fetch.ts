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

const FETCH_API = 1;
const FETCH_VERSION = 11;

/** What kafkajs's connection.send wants of a request; `buf` and `buffer` are what it looks for in an encoder. */
export interface RawRequest {
  apiKey: number;
  apiVersion: number;
  apiName: string;
  encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
}

export function fetchRequest(settings: FetchSettings, partitions: FetchPartition[]): RawRequest {
  const encode = () => {
    const buffer = encodeFetch(settings, partitions);
    return Promise.resolve({ buf: buffer, buffer });
  };
  return { apiKey: FETCH_API, apiVersion: FETCH_VERSION, apiName: 'Fetch', encode };
}

function encodeFetch(settings: FetchSettings, partitions: FetchPartition[]): Buffer {
  const topic = Buffer.from(settings.topic, 'utf8');
  const buffer = Buffer.alloc(25 + 4 + 2 + topic.length + 4 + partitions.length * 28 + 4 + 2);
  let at = 0;
  at = buffer.writeInt32BE(-1, at);
  at = buffer.writeInt32BE(settings.maxWaitMs, at);
  at = buffer.writeInt32BE(1, at);
  at = buffer.writeInt32BE(settings.maxBytes, at);
  at = buffer.writeInt8(settings.committedOnly ? 1 : 0, at);
  at = buffer.writeInt32BE(0, at);
  at = buffer.writeInt32BE(-1, at);
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
      const partition = bytes.readInt32BE(at);
      const error = bytes.readInt16BE(at + 4);
      const highWatermark = bytes.readBigInt64BE(at + 6);
      const stable = bytes.readBigInt64BE(at + 14);
      at += 30;
      const aborted: AbortedTransaction[] = [];
      const transactions = bytes.readInt32BE(at);
      at += 4;
      for (let i = 0; i < transactions; i++, at += 16) {
        aborted.push({ producerId: bytes.readBigInt64BE(at), firstOffset: bytes.readBigInt64BE(at + 8) });
      }
      const length = Math.max(0, bytes.readInt32BE(at + 4));
      at += 8;
      const records = bytes.subarray(at, at + length);
      at += length;
      const lastStableOffset = stable < 0n ? highWatermark : stable;
      partitions.push({ partition, errorCode: error, highWatermark, lastStableOffset, aborted, records });
    }
  }
  return { throttleMs, errorCode, partitions };
}
