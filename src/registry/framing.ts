/**
 * Where a message names its schema: Confluent's wire format.
 *
 *   0x00 | schema id, 4 bytes big endian | the message in Avro, or which message of the schema and the message in Protobuf
 */
export const FRAMING_BYTES = 5;

/** The id in bytes[start, end); -1 when they do not begin as they must. */
export function schemaIdAt(bytes: Buffer, start: number, end: number): number {
  if (end - start < FRAMING_BYTES || bytes[start] !== 0) return -1;
  return bytes.readUInt32BE(start + 1);
}
