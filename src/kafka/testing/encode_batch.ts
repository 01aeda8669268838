/** Record batches as a broker would give them, for tests of what reads them. */
import { gzipSync } from 'node:zlib';
import { crc32c } from '../crc32c.ts';

export interface TestRecord {
  offset: number;
  time?: number;
  key?: string | null;
  value?: string | null;
  headers?: [string, string | null][];
}

export interface TestBatch {
  base: number;
  /** Offset of the last record of the batch, which compaction may have removed. */
  last?: number;
  records: TestRecord[];
  gzip?: boolean;
  producer?: bigint;
  transactional?: boolean;
  control?: 'commit' | 'abort';
  appendTime?: boolean;
  maxTime?: number;
}

export const BASE_TIME = 1_700_000_000_000;

export function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n)); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}

function sized(text: Buffer | string | null | undefined): Buffer {
  if (text === null || text === undefined) return varintOf(-1);
  const bytes = Buffer.from(text);
  return Buffer.concat([varintOf(bytes.length), bytes]);
}

export function encodeBatch(batch: TestBatch): Buffer {
  const control = batch.control === undefined ? null : Buffer.from([0, 0, 0, batch.control === 'commit' ? 1 : 0]);
  const records = batch.records.map((r) => {
    const headers = (r.headers ?? []).flatMap(([key, value]) => [sized(key), sized(value)]);
    const body = Buffer.concat([
      Buffer.from([0]),
      varintOf(r.time ?? 0),
      varintOf(r.offset - batch.base),
      sized(control ?? r.key),
      sized(r.value),
      varintOf(r.headers?.length ?? 0),
      ...headers,
    ]);
    return Buffer.concat([varintOf(body.length), body]);
  });
  const plain = Buffer.concat(records);
  const payload = batch.gzip ? gzipSync(plain) : plain;
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(batch.base), 0);
  header.writeInt32BE(49 + payload.length, 8);
  header[16] = 2;
  const flags = (batch.gzip ? 1 : 0) | (batch.appendTime ? 8 : 0) | (batch.transactional ? 16 : 0) | (control ? 32 : 0);
  header.writeInt16BE(flags, 21);
  header.writeInt32BE((batch.last ?? batch.records.at(-1)?.offset ?? batch.base) - batch.base, 23);
  header.writeBigInt64BE(BigInt(BASE_TIME), 27);
  header.writeBigInt64BE(BigInt(batch.maxTime ?? BASE_TIME), 35);
  header.writeBigInt64BE(batch.producer ?? -1n, 43);
  header.writeInt32BE(batch.records.length, 57);
  const whole = Buffer.concat([header, payload]);
  whole.writeUInt32BE(crc32c(whole, 21, whole.length), 17);
  return whole;
}
