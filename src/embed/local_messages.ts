/**
 * Rows as the messages that a producer would have sent: one JSON object each, whatever the relation's format is; of keyed tables the key's columns are the message's
 * key. Columns of INCLUDE are what lies around the message.
 *
 * A value that is no value of its column makes a bad message, as in production: it is for tidemark.errors(). What names no column is refused.
 */
import { SqlError } from '../../operators/errors.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import type { SourceColumn } from '../formats/format.ts';
import type { Message } from '../sources/message_batch.ts';
import type { Header } from '../sources/source.ts';
import { jsonOf } from './json_text.ts';

type Row = Record<string, unknown>;

/** `now`: milliseconds since 1970, when the messages are sent. */
export function messagesOf(name: string, spec: ConnectorSpec, rows: Row[], deleted: boolean, now: number): Message[] {
  const { columns, upsertKey } = spec.decoder;
  if (deleted && upsertKey === undefined)
    throw new SqlError('42809', `"${name}" has no rows to delete: its messages are only appended`);
  const byName = new Map(columns.map((column) => [column.name, column]));
  const key = (upsertKey ?? []).map((c) => columns[c].name);
  return rows.map((row) => {
    for (const [column, value] of Object.entries(row))
      if (value !== undefined && !byName.has(column))
        throw new SqlError('42703', `column "${column}" of relation "${name}" does not exist`);
    return messageOf(name, columns, key, row, deleted, now);
  });
}

function messageOf(
  name: string,
  columns: SourceColumn[],
  key: string[],
  row: Row,
  deleted: boolean,
  now: number,
): Message {
  const message: Message = { key: null, value: null, timestamp: now, headers: [] };
  const fields: string[] = [];
  for (const { name: column, origin } of columns) {
    const value = row[column];
    if (key.includes(column)) {
      if (value !== null && value !== undefined) continue;
      throw new SqlError('23502', `null value in column "${column}" of relation "${name}", which is part of its key`);
    }
    if (value === undefined) continue;
    switch (origin.k) {
      case 'field':
        fields.push(`${JSON.stringify(origin.name)}:${jsonOf(value)}`);
        break;
      case 'timestamp':
        message.timestamp = millisecondsOf(column, value);
        break;
      case 'headers':
        message.headers = headersOf(column, value);
        break;
      case 'key':
        if (key.length === 0) {
          message.key = bytesOf(value);
          break;
        }
        throw notSaid(column, 'the key of the message is made of the primary key');
      default:
        throw notSaid(column, `it is the ${origin.k} of the message`);
    }
  }
  if (key.length > 0)
    message.key = Buffer.from(`{${key.map((column) => `${JSON.stringify(column)}:${jsonOf(row[column])}`).join()}}`);
  if (!deleted) message.value = Buffer.from(`{${fields.join()}}`);
  return message;
}

function notSaid(column: string, why: string): SqlError {
  return new SqlError('428C9', `column "${column}" cannot be inserted: ${why}`);
}

function bytesOf(value: unknown): Buffer | null {
  if (value === null) return null;
  return value instanceof Uint8Array
    ? Buffer.from(value)
    : Buffer.from(typeof value === 'string' ? value : jsonOf(value));
}

function millisecondsOf(column: string, value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number(value);
  if (!Number.isFinite(ms)) throw new SqlError('22007', `column "${column}" wants a Date, or a time that is one`);
  return ms;
}

function headersOf(column: string, value: unknown): Header[] {
  if (value === null) return [];
  if (typeof value !== 'object') throw new SqlError('22023', `column "${column}" wants an object of headers`);
  return Object.entries(value).map(([key, header]) => ({ key, value: bytesOf(header) }));
}
