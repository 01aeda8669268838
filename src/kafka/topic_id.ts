/**
 * The id that a cluster gives a topic when it is made: a topic of the same name made again has another. kafkajs does not know it, so this
 * is Kafka's Metadata request, version 10, over a kafkajs connection.
 *
 *   request   topics [ id, name, tags ] | create false | cluster rights false | topic rights false
 *   response  throttle ms | brokers [ node, host, port, rack, tags ] | cluster id | controller | topics [ error, name, id, ... ] ...
 */
import { CompactReader, compactLength, compactRequest } from './compact.ts';
import type { RawRequest } from './fetch.ts';

const METADATA_API = 3;
const METADATA_VERSION = 10;
export const ID_BYTES = 16;

/** True when a broker that supports these versions can tell. */
export function tellsTopicIds(versions: Record<number, { maxVersion: number }> | null): boolean {
  return (versions?.[METADATA_API]?.maxVersion ?? 0) >= METADATA_VERSION;
}

export function topicIdRequest(topic: string): RawRequest {
  const name = Buffer.from(topic, 'utf8');
  return compactRequest(METADATA_API, METADATA_VERSION, 'Metadata', [
    compactLength(1),
    Buffer.alloc(ID_BYTES),
    compactLength(name.length),
    name,
    Buffer.from([0, 0, 0, 0]),
  ]);
}

/** What topics have until all brokers of a cluster give ids (inter.broker.protocol.version before 2.8). */
const NO_ID = '0'.repeat(2 * ID_BYTES);

/** The id of the one topic asked for as hexadecimal digits; null when the broker does not know the topic, or the topic has none yet. */
export function parseTopicId(bytes: Buffer): string | null {
  const reader = new CompactReader(bytes);
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
  const error = bytes.readInt16BE(reader.skip(2));
  reader.skipText();
  const id = bytes.toString('hex', reader.at, reader.at + ID_BYTES);
  return error === 0 && id !== NO_ID ? id : null;
}
