/**
 * Kafka's newer ("flexible") encoding of requests and answers: lengths are unsigned varints one more than the length, 0 is null, and every structure ends in tags. kafkajs
 * speaks it nowhere: its headers lack their tags, which are then the first byte of the body.
 */
import { type RawRequest, rawRequest } from './fetch.ts';

/** What stands where there are no tags. */
export const NO_TAGS = Buffer.from([0]);

export function compactLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let left = length + 1; ; left >>>= 7) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left & 127) | 128);
  }
}

/** `parts` with the tags of the header before them and those of the body behind. */
export function compactRequest(apiKey: number, apiVersion: number, apiName: string, parts: Buffer[]): RawRequest {
  return rawRequest(apiKey, apiVersion, apiName, Buffer.concat([NO_TAGS, ...parts, NO_TAGS]));
}

export class CompactReader {
  readonly bytes: Buffer;
  at = 0;

  /** Behind the tags of the header. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.skipTags();
  }

  /** Where what is skipped began. */
  skip(count: number): number {
    this.at += count;
    return this.at - count;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.at++);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  /** Length of an array, text or bytes; -1 for null. */
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
