/** The bodies of the messages that a client sends, read into fields. */
import { MessageReader } from './message_reader.ts';
import { protocolError } from './protocol.ts';

export interface ParseMessage {
  name: string;
  text: string;
  paramTypes: number[];
}

export interface BindMessage {
  portal: string;
  statement: string;
  /** 0 text, 1 binary: none, one for all, or one each. */
  paramFormats: number[];
  /** null is NULL. */
  values: (Buffer | null)[];
  resultFormats: number[];
}

/** What Describe and Close name. */
export interface Target {
  kind: 'statement' | 'portal';
  name: string;
}

export interface ExecuteMessage {
  portal: string;
  /** 0: no limit. */
  maxRows: number;
}

/** Query and CopyFail: one string. */
export function readString(body: Buffer): string {
  const reader = new MessageReader(body);
  const text = reader.cstring();
  reader.end();
  return text;
}

export function readParse(body: Buffer): ParseMessage {
  const reader = new MessageReader(body);
  const name = reader.cstring();
  const text = reader.cstring();
  const paramTypes: number[] = [];
  for (let n = reader.uint16(); n > 0; n--) paramTypes.push(reader.uint32());
  reader.end();
  return { name, text, paramTypes };
}

export function readBind(body: Buffer): BindMessage {
  const reader = new MessageReader(body);
  const portal = reader.cstring();
  const statement = reader.cstring();
  const paramFormats = readFormats(reader);
  const values: (Buffer | null)[] = [];
  for (let n = reader.uint16(); n > 0; n--) {
    const length = reader.int32();
    if (length < -1) throw protocolError('insufficient data left in message');
    values.push(length === -1 ? null : reader.bytes(length));
  }
  const resultFormats = readFormats(reader);
  reader.end();
  return { portal, statement, paramFormats, values, resultFormats };
}

function readFormats(reader: MessageReader): number[] {
  const formats: number[] = [];
  for (let n = reader.uint16(); n > 0; n--) formats.push(reader.uint16());
  return formats;
}

export function readTarget(body: Buffer, message: 'DESCRIBE' | 'CLOSE'): Target {
  const reader = new MessageReader(body);
  const kind = reader.byte();
  const name = reader.cstring();
  reader.end();
  if (kind === 0x53) return { kind: 'statement', name };
  if (kind === 0x50) return { kind: 'portal', name };
  throw protocolError(`invalid ${message} message subtype ${kind}`);
}

export function readExecute(body: Buffer): ExecuteMessage {
  const reader = new MessageReader(body);
  const portal = reader.cstring();
  const maxRows = reader.int32();
  reader.end();
  return { portal, maxRows: Math.max(maxRows, 0) };
}
