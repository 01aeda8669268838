/**
 * Messages of the output plugin pgoutput (manual, "Logical Replication Message Formats", protocol version 1) and what they become: records of tables.
 *
 *   key: the old row's primary key, where it may be another     value: the row's columns, as lines of COPY's text          {key: null, value: line}    INSERT, UPDATE
 *   a field \U: the value has not changed, and did not come                                                               {key: line, value: line}    UPDATE of the key
 *                                                                                                                          {key: line, value: null}    DELETE
 *                                                                                                                          {key: null, value: null}    TRUNCATE
 */
import { EPOCH_DIFF_MICROS, EPOCH_DIFF_MS } from '../../../operators/expr/datetime/calendar.ts';
import { ESCAPES } from '../../postgres/copy/text_fields.ts';
import type { MessageReader } from '../../postgres/wire/message_reader.ts';
import type { Message } from '../message_batch.ts';

/** A value that did not come, as it has not changed. */
const UNCHANGED = Symbol('unchanged');
export const UNCHANGED_FIELD = '\\U';

type Field = Buffer | null | typeof UNCHANGED;

/** Where a relation's columns are that a table reads. */
export interface FieldPlaces {
  fields: number[];
  key: number[];
}

export interface RelationMessage {
  oid: number;
  columns: { name: string; type: number; modifier: number }[];
}

const TAB = Buffer.from('\t');
const NULL_FIELD = Buffer.from('\\N');
const UNCHANGED_BYTES = Buffer.from(UNCHANGED_FIELD);
const BACKSLASH = 92;

/** Milliseconds since 1970. */
export function readTime(message: MessageReader): number {
  return Number((BigInt.asIntN(64, message.uint64()) + EPOCH_DIFF_MICROS) / 1000n);
}

export function readRelation(message: MessageReader): RelationMessage {
  const oid = message.uint32();
  message.cstring();
  message.cstring();
  message.byte();
  const columns = Array.from({ length: message.uint16() }, () => {
    message.byte();
    return { name: message.cstring(), type: message.uint32(), modifier: message.int32() };
  });
  return { oid, columns };
}

function readTuple(message: MessageReader): Field[] {
  return Array.from({ length: message.uint16() }, (): Field => {
    const kind = message.letter();
    if (kind === 'n') return null;
    return kind === 'u' ? UNCHANGED : message.bytes(message.int32());
  });
}

/** What an Insert, Update or Delete is, behind its relation's OID, to tables that read these columns. */
export function readChange(message: MessageReader, places: FieldPlaces[], timestamp: number): Message[] {
  let old: Field[] | null = null;
  let row: Field[] | null = null;
  while (message.remaining > 0) {
    if (message.letter() === 'N') row = readTuple(message);
    else old = readTuple(message);
  }
  // The old row has what has not changed, where it is whole, and of the key where that is long.
  if (old !== null && row !== null)
    for (const [i, field] of row.entries()) if (field === UNCHANGED && old[i] !== null) row[i] = old[i];
  return places.map(({ fields, key }) => ({
    timestamp,
    key: old === null ? null : line(old, key),
    value: row === null ? null : line(row, fields),
    headers: [],
  }));
}

/** The OIDs of the tables that a Truncate empties. */
export function readTruncated(message: MessageReader): number[] {
  const count = message.int32();
  message.byte();
  return Array.from({ length: count }, () => message.uint32());
}

function line(fields: Field[], places: number[]): Buffer {
  const parts: Buffer[] = [];
  places.forEach((place, i) => {
    if (i > 0) parts.push(TAB);
    const field = fields[place];
    if (field === null) parts.push(NULL_FIELD);
    else parts.push(field === UNCHANGED ? UNCHANGED_BYTES : escaped(field));
  });
  return Buffer.concat(parts);
}

function escaped(field: Buffer): Buffer {
  let count = 0;
  for (const byte of field) if (ESCAPES[byte] !== 0) count++;
  if (count === 0) return field;
  const out = Buffer.allocUnsafe(field.length + count);
  let at = 0;
  for (const byte of field) {
    const letter = ESCAPES[byte];
    if (letter !== 0) out[at++] = BACKSLASH;
    out[at++] = letter === 0 ? byte : letter;
  }
  return out;
}

/** A status update: all that is committed before there is kept. */
export function statusUpdate(received: bigint, kept: bigint): Buffer {
  const status = Buffer.alloc(34);
  status.write('r', 0, 'latin1');
  status.writeBigUInt64BE(received, 1);
  status.writeBigUInt64BE(kept, 9);
  status.writeBigUInt64BE(kept, 17);
  status.writeBigInt64BE(BigInt(Date.now() - EPOCH_DIFF_MS) * 1000n, 25);
  return status;
}
