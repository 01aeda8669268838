/**
 * The envelope of a change event:
 *
 *   {"before": row | null, "after": row | null, "op": "c" | "r" | "u" | "d" | "t", "source": {...}, ...}                   schemas.enable = false
 *   {"schema": {...}, "payload": {"before": ..., "after": ..., "op": ..., ...}}                                            schemas.enable = true
 *
 * c made, r read by a snapshot, u changed, d deleted, t all rows gone. No value, null or a null payload is a tombstone, which says to Kafka what the event before it said here.
 */
import { type JsonNode, type JsonObjectNode, parseJson } from '../../../operators/expr/json/parse.ts';
import { RowError } from '../row_error.ts';
import { type FieldSchema, memberOf, schemaOf, stringOf } from './field_schema.ts';

/** A row of the database. */
export interface Image {
  node: JsonObjectNode;
  schema: FieldSchema | null;
}

export interface ChangeEvent {
  op: 'set' | 'delete' | 'truncate';
  before: Image | null;
  after: Image | null;
  /** Written by a sink of ours: its values are those of format = 'json'. */
  ours: boolean;
}

/** The event in a message; null for a tombstone. Throws RowError, and SqlError for what is not JSON. */
export function eventOf(text: string): ChangeEvent | null {
  const node = parseJson(text);
  if (node.kind === 'null') return null;
  if (node.kind !== 'object') throw notAnEvent('the message is no JSON object');
  const payload = memberOf(node, 'payload');
  if (payload === undefined || memberOf(node, 'op') !== undefined) return eventIn(node, null);
  if (payload.kind === 'null') return null;
  if (payload.kind !== 'object') throw notAnEvent('the payload of the message is no JSON object');
  return eventIn(payload, schemaOf(memberOf(node, 'schema')));
}

function eventIn(payload: JsonObjectNode, schema: FieldSchema | null): ChangeEvent {
  const before = imageOf(memberOf(payload, 'before'), 'before', schema);
  const after = imageOf(memberOf(payload, 'after'), 'after', schema);
  const ours = memberOf(payload, 'tick') !== undefined && memberOf(payload, 'source') === undefined;
  const op = stringOf(memberOf(payload, 'op'));
  switch (op) {
    case 'c':
    case 'r':
    case 'u':
      if (after === null) throw notAnEvent(`a change with op "${op}" needs "after"`);
      return { op: 'set', before, after, ours };
    case 'd':
      if (before === null) throw notAnEvent('a change with op "d" needs "before"');
      return { op: 'delete', before, after: null, ours };
    case 't':
      return { op: 'truncate', before: null, after: null, ours };
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
