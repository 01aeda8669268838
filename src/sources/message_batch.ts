/** Messages that lie in memory one by one, as a batch of one partition: of databases that are followed, topics of the library, and tests. The batch keeps bytes of its own, and no message. */
import type { Header, RawBatch } from './source.ts';

export interface Message {
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** Milliseconds since 1970; -1: it has none. */
  timestamp: number;
  headers: Header[];
}

/** `from`: the offset of the first. */
export function messageBatch(partition: number, from: number, messages: Message[]): RawBatch {
  const parts: Uint8Array[] = [];
  let at = 0;
  const place = (bytes: Uint8Array | null): [start: number, end: number] => {
    if (bytes === null) return [-1, -1];
    parts.push(bytes);
    at += bytes.length;
    return [at - bytes.length, at];
  };
  const keys = messages.map(({ key }) => place(key));
  const values = messages.map(({ value }) => place(value));
  const headers = messages.map((message) => message.headers);
  return {
    partition,
    baseOffset: BigInt(from),
    nextOffset: BigInt(from + messages.length),
    n: messages.length,
    bytes: Buffer.concat(parts),
    keyStart: Int32Array.from(keys, ([start]) => start),
    keyEnd: Int32Array.from(keys, ([, end]) => end),
    valueStart: Int32Array.from(values, ([start]) => start),
    valueEnd: Int32Array.from(values, ([, end]) => end),
    offset: Float64Array.from(messages, (_, i) => from + i),
    timestamp: Float64Array.from(messages, ({ timestamp }) => timestamp),
    headers: (i) => headers[i],
  };
}
