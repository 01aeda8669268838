/**
 * Messages of the output plugin pgoutput (manual, "Logical Replication Message Formats", protocol version 1) and what they become: records of tables.
 *
 *   key: the old row's primary key, where it may be another     value: the row's columns, as lines of COPY's text          {key: null, value: line}    INSERT, UPDATE
 *   a field \U: the value has not changed, and did not come                                                               {key: line, value: line}    UPDATE of the key
 *                                                                                                                          {key: line, value: null}    DELETE
 *                                                                                                                          {key: null, value: null}    TRUNCATE
 */
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
  identity: string;
  columns: { name: string; type: number; modifier: number }[];
}

/** Microseconds between 1970 and 2000. */
const EPOCH_MICROS = 946_684_800_000_000n;
const TAB = Buffer.from('\t');
const NULL_FIELD = Buffer.from('\\N');
const UNCHANGED_BYTES = Buffer.from(UNCHANGED_FIELD);
const BACKSLASH = 92;
const ESCAPES = new Map([
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [11, 'v'],
  [12, 'f'],
  [13, 'r'],
  [BACKSLASH, '\\'],
]);

/** Reads a message from its beginning on. */
export class MessageCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  letter(): string {
    return String.fromCharCode(this.#bytes[this.#at++]);
  }

  byte(): number {
    return this.#bytes[this.#at++];
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  /** OIDs go up to 2^32. */
  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  uint64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  /** Milliseconds since 1970. */
  time(): number {
    this.#at += 8;
    return Number((this.#bytes.readBigInt64BE(this.#at - 8) + EPOCH_MICROS) / 1000n);
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  relation(): RelationMessage {
    const oid = this.uint32();
    this.text();
    this.text();
    const identity = this.letter();
    const columns = Array.from({ length: this.int16() }, () => {
      this.byte();
      return { name: this.text(), type: this.uint32(), modifier: this.int32() };
    });
    return { oid, identity, columns };
  }

  #tuple(): Field[] {
    return Array.from({ length: this.int16() }, (): Field => {
      const kind = this.letter();
      if (kind === 'n') return null;
      if (kind === 'u') return UNCHANGED;
      const length = this.int32();
      this.#at += length;
      return this.#bytes.subarray(this.#at - length, this.#at);
    });
  }

  /** What an Insert, Update or Delete is, behind its relation's OID, to a table that reads these columns. */
  change(places: FieldPlaces[], timestamp: number): Message[] {
    let mark = this.letter();
    let old: Field[] | null = null;
    if (mark !== 'N') {
      old = this.#tuple();
      mark = this.#at < this.#bytes.length ? this.letter() : '';
    }
    const row = mark === 'N' ? this.#tuple() : null;
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
  truncated(): number[] {
    const count = this.int32();
    this.byte();
    return Array.from({ length: count }, () => this.uint32());
  }
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
  for (const byte of field) if (byte === BACKSLASH || (byte <= 13 && byte >= 8)) count++;
  if (count === 0) return field;
  const out = Buffer.allocUnsafe(field.length + count);
  let at = 0;
  for (const byte of field) {
    const letter = byte === BACKSLASH || byte <= 13 ? ESCAPES.get(byte) : undefined;
    if (letter === undefined) out[at++] = byte;
    else at += out.write(`\\${letter}`, at, 'latin1');
  }
  return out;
}

const EPOCH_MILLIS = Number(EPOCH_MICROS / 1000n);

/** A status update: all that is committed before there is kept. */
export function statusUpdate(received: bigint, kept: bigint): Buffer {
  const status = Buffer.alloc(34);
  status.write('r', 0, 'latin1');
  status.writeBigUInt64BE(received, 1);
  status.writeBigUInt64BE(kept, 9);
  status.writeBigUInt64BE(kept, 17);
  status.writeBigInt64BE(BigInt(Date.now() - EPOCH_MILLIS) * 1000n, 25);
  return status;
}
