/**
 * The id that a cluster gives a topic when it is made: a topic of the same name made again has another. kafkajs does not know it, so this
 * is Kafka's Metadata request, version 10, over a kafkajs connection.
 *
 *   request   tags | topics [ id, name, tags ] | create false | cluster rights false | topic rights false | tags
 *   response  tags | throttle ms | brokers [ node, host, port, rack, tags ] | cluster id | controller | topics [ error, name, id, ... ] ...
 *
 * Both headers of this version end in tags, which kafkajs does not write or read: they are the first byte here. Lengths are unsigned varints, one more
 * than the length; 0 is null.
 */
import type { RawRequest } from './fetch.ts';

const METADATA_API = 3;
const METADATA_VERSION = 10;
const ID_BYTES = 16;

/** True when a broker that supports these versions can tell. */
export function tellsTopicIds(versions: Record<number, { maxVersion: number }> | null): boolean {
  return (versions?.[METADATA_API]?.maxVersion ?? 0) >= METADATA_VERSION;
}

export function topicIdRequest(topic: string): RawRequest {
  const name = Buffer.from(topic, 'utf8');
  const buffer = Buffer.concat([
    Buffer.from([0, 2]),
    Buffer.alloc(ID_BYTES),
    varint(name.length + 1),
    name,
    Buffer.from([0, 0, 0, 0, 0]),
  ]);
  const encode = () => Promise.resolve({ buf: buffer, buffer });
  return { apiKey: METADATA_API, apiVersion: METADATA_VERSION, apiName: 'Metadata', encode };
}

/** The id of the one topic asked for as hexadecimal digits; null when the broker does not know the topic. */
export function parseTopicId(bytes: Buffer): string | null {
  const reader = new Reader(bytes);
  reader.skipTags();
  reader.skip(4);
  for (let n = reader.length(); n > 0; n--) {
    reader.skip(4);
    reader.skipText();
    reader.skip(4);
    reader.skipText();
    reader.skipTags();
  }
  reader.skipText();
  reader.skip(4);
  if (reader.length() < 1) return null;
  const error = bytes.readInt16BE(reader.at);
  reader.skip(2);
  reader.skipText();
  return error === 0 ? bytes.toString('hex', reader.at, reader.at + ID_BYTES) : null;
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >>> 7]);
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.at += count;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.at++);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  /** Length of an array or text; -1 for null. */
  length(): number {
    return this.#varint() - 1;
  }

  skipText(): void {
    this.skip(Math.max(0, this.length()));
  }

  skipTags(): void {
    for (let n = this.#varint(); n > 0; n--) {
      this.#varint();
      this.skip(this.#varint());
    }
  }
}
