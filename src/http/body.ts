/**
 * What a client wants to have run: `text/plain` is the SQL itself, `application/json` is {"sql": "...", "params": [...]}.
 *
 * Parameters go as texts whose types the server infers. A number of JSON keeps its digits: it is taken as it is written, for JSON.parse would make a double of it.
 */

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ClientGone } from './answer.ts';
import { HttpError } from './errors.ts';

export interface QueryRequest {
  sql: string;
  params: (string | null)[];
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** As in the protocol of Postgres. */
const MOST_PARAMS = 65_535;

/** Throws 413 for one that is too long, 400 for one that is no UTF-8. */
async function readText(request: IncomingMessage): Promise<string> {
  const tooLong = () =>
    new HttpError(413, `a request may have up to ${MAX_BODY_BYTES} bytes`, {
      sqlstate: '54000',
      headers: { Connection: 'close' },
    });
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLong();
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_BODY_BYTES) throw tooLong();
      parts.push(part);
    }
  } catch (error) {
    // Who leaves in the midst of it is no fault of ours, and nothing for the log.
    throw error instanceof HttpError ? error : new ClientGone();
  }
  const bytes = Buffer.concat(parts);
  if (!isUtf8(bytes)) throw new HttpError(400, 'the request is not UTF-8', { sqlstate: '22021' });
  return bytes.toString('utf8');
}

export async function readQuery(request: IncomingMessage): Promise<QueryRequest> {
  const [type, ...parameters] = (request.headers['content-type'] ?? 'text/plain').toLowerCase().split(';');
  const charset = parameters.map((word) => word.trim()).find((word) => word.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset))
    throw new HttpError(415, `${charset} is not read: send UTF-8`, { sqlstate: '0A000' });
  switch (type.trim()) {
    case 'text/plain':
    case 'application/sql':
      return checked({ sql: await readText(request), params: [] });
    case 'application/json':
      return checked(fromJson(await readText(request)));
    default:
      throw new HttpError(415, `a request of the type "${type.trim()}" is not read`, {
        sqlstate: '0A000',
        hint: 'Send the SQL as text/plain, or {"sql": "...", "params": [...]} as application/json.',
      });
  }
}

/** Text that a message of the protocol has room for. */
export function checked(query: QueryRequest): QueryRequest {
  if (query.sql.includes('\0'))
    throw new HttpError(400, 'invalid byte sequence for encoding "UTF8": 0x00', { sqlstate: '22021' });
  return query;
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function fromJson(text: string): QueryRequest {
  const bad = (message: string, hint?: string) => new HttpError(400, message, { sqlstate: '22023', hint });
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch (error) {
    throw bad(`the request is not JSON: ${(error as Error).message}`);
  }
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) throw bad('the request is not an object');
  const { sql, params = [], ...others } = plain as { sql?: unknown; params?: unknown };
  if (typeof sql !== 'string') throw bad('"sql" is missing, or no string');
  if (!Array.isArray(params)) throw bad('"params" is not a list');
  if (params.length > MOST_PARAMS)
    throw bad(`there are ${params.length} parameters; a statement has ${MOST_PARAMS} at most`);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(`"${unknown}" is not known`, 'There are "sql" and "params".');
  params.forEach((value, i) => {
    if (typeof value === 'object' && value !== null)
      throw bad(
        `parameter $${i + 1} is ${Array.isArray(value) ? 'a list' : 'an object'}`,
        'Send JSON documents and arrays as strings, as PostgreSQL reads them.',
      );
  });
  // JSON can say half of a surrogate pair, UTF-8 cannot: another character would stand for it without a word.
  if (![sql, ...params].every((value) => typeof value !== 'string' || value.isWellFormed()))
    throw new HttpError(400, 'a text of the request has half of a surrogate pair', { sqlstate: '22021' });
  // The same with each number as a string.
  const exact = JSON.parse(text.replace(STRING_OR_NUMBER, (word) => (word[0] === '"' ? word : `"${word}"`)));
  return {
    sql,
    params: params.map((value, i) => {
      if (value === null) return null;
      return typeof value === 'number' ? (exact.params[i] as string) : String(value);
    }),
  };
}
