/**
 * The envelope of a change event:
 *
 *   {"before": row | null, "after": row | null, "op": "c" | "r" | "u" | "d" | "t", "source": {...}, ...}                   schemas.enable = false
 *   {"schema": {...}, "payload": {"before": ..., "after": ..., "op": ..., ...}}                                            schemas.enable = true
 *
 * c made, r read by a snapshot, u changed, d deleted, t all rows gone. No value, null or a null payload is a tombstone, which says to Kafka what the event before it said here.
 */
import { SqlError } from '../../../operators/errors.ts';
import { type JsonNode, type JsonObjectNode, parseJson } from '../../../operators/expr/json/parse.ts';
import { RowError, textOf } from '../row_error.ts';
import { type FieldSchema, memberOf, schemaOf, stringOf } from './field_schema.ts';

const CLOSE_BRACE = 125;
/** What has fewer brackets that open is far from too deep for the parser. */
const FEW_BRACKETS = 500;

/** A row of the database. */
export interface Image {
  node: JsonObjectNode;
  schema: FieldSchema | null;
}

export interface ChangeEvent {
  /** What the places of the nodes are in. */
  text: string;
  op: 'set' | 'delete' | 'truncate';
  before: Image | null;
  after: Image | null;
  /** Written by a sink of ours: its values are those of format = 'json'. */
  ours: boolean;
}

/**
 * Reads messages one after the other. The schema is most of a message and the same in all: what stands before the payload is read again only when it is another one.
 */
export class EnvelopeReader {
  /** Up to the payload of the last message with a schema; empty: there was none. */
  #prefix = Buffer.alloc(0);
  #schema: FieldSchema | null = null;

  /** The event in a message; null for a tombstone. Throws RowError, and SqlError for what is not JSON. */
  read(message: Buffer): ChangeEvent | null {
    return this.#afterPrefix(message) ?? this.#whole(textOf(message));
  }

  /** Null when it is not the prefix and one value in a bracket: then the whole says what it is. */
  #afterPrefix(message: Buffer): ChangeEvent | null {
    const { length } = this.#prefix;
    const end = message.length - 1;
    if (length === 0 || end < length || message[end] !== CLOSE_BRACE) return null;
    if (this.#prefix.compare(message, 0, length) !== 0) return null;
    const text = textOf(message.subarray(length, end));
    // A level less deep than in the whole, it could be read where the whole is refused.
    if (text.length > FEW_BRACKETS && mayBeDeep(text)) return null;
    let payload: JsonNode;
    try {
      payload = parseJson(text);
    } catch (error) {
      if (error instanceof SqlError) return null;
      throw error;
    }
    return payload.kind === 'object' ? eventIn(payload, text, this.#schema) : null;
  }

  #whole(text: string): ChangeEvent | null {
    const node = parseJson(text);
    if (node.kind === 'null') return null;
    if (node.kind !== 'object') throw notAnEvent('the message is no JSON object');
    const payload = memberOf(node, 'payload');
    if (payload === undefined || memberOf(node, 'op') !== undefined) return eventIn(node, text, null);
    if (payload.kind === 'null') return null;
    if (payload.kind !== 'object') throw notAnEvent('the payload of the message is no JSON object');
    const schema = schemaOf(memberOf(node, 'schema'));
    const names = node.entries.map(({ key }) => key.raw);
    if (names.length === 2 && names[0] === 'schema' && names[1] === 'payload') {
      this.#prefix = Buffer.from(text.slice(0, payload.start));
      this.#schema = schema;
    }
    return eventIn(payload, text, schema);
  }
}

function mayBeDeep(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length && open < FEW_BRACKETS; at++) {
    const c = text.charCodeAt(at);
    if (c === 91 || c === 123) open++;
  }
  return open === FEW_BRACKETS;
}

function eventIn(payload: JsonObjectNode, text: string, schema: FieldSchema | null): ChangeEvent {
  const before = imageOf(memberOf(payload, 'before'), 'before', schema);
  const after = imageOf(memberOf(payload, 'after'), 'after', schema);
  const ours = memberOf(payload, 'tick') !== undefined && memberOf(payload, 'source') === undefined;
  const op = stringOf(memberOf(payload, 'op'));
  switch (op) {
    case 'c':
    case 'r':
    case 'u':
      if (after === null) throw notAnEvent(`a change with op "${op}" needs "after"`);
      return { text, op: 'set', before, after, ours };
    case 'd':
      if (before === null) throw notAnEvent('a change with op "d" needs "before"');
      return { text, op: 'delete', before, after: null, ours };
    case 't':
      return { text, op: 'truncate', before: null, after: null, ours };
    case null:
      throw notAnEvent('the message has no "op", so it is no change event');
    default:
      throw notAnEvent(`unknown op "${op}"`);
  }
}

function imageOf(node: JsonNode | undefined, name: string, schema: FieldSchema | null): Image | null {
  if (node === undefined || node.kind === 'null') return null;
  if (node.kind !== 'object') throw notAnEvent(`"${name}" is no JSON object`);
  return { node, schema: schema?.fields?.get(name) ?? null };
}

function notAnEvent(message: string): RowError {
  return new RowError('22023', message, null);
}
