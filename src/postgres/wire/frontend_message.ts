/** The bodies of the messages that a client sends, read into fields. Names that are likely make no new text (MessageReader.cstring()). */
import type { FrontendMessage } from './frontend_decoder.ts';
import type { MessageReader } from './message_reader.ts';
import { protocolError } from './protocol.ts';

const NONE: number[] = [];

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
  /** Where the values lie, and how long they are: -1 is NULL. */
  bytes: Buffer;
  starts: number[];
  lengths: number[];
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
export function readString(message: FrontendMessage): string {
  const reader = message.read();
  const text = reader.cstring();
  reader.end();
  return text;
}

export function readParse(message: FrontendMessage): ParseMessage {
  const reader = message.read();
  const name = reader.cstring();
  const text = reader.cstring();
  const paramTypes: number[] = [];
  for (let n = reader.uint16(); n > 0; n--) paramTypes.push(reader.uint32());
  reader.end();
  return { name, text, paramTypes };
}

export function readBind(message: FrontendMessage, likely: string): BindMessage {
  const reader = message.read();
  const portal = reader.cstring();
  const statement = reader.cstring(likely);
  const paramFormats = readFormats(reader);
  const starts: number[] = [];
  const lengths: number[] = [];
  for (let n = reader.uint16(); n > 0; n--) {
    const length = reader.int32();
    if (length < -1) throw protocolError('insufficient data left in message');
    starts.push(length === -1 ? 0 : reader.skip(length));
    lengths.push(length);
  }
  const resultFormats = readFormats(reader);
  reader.end();
  return { portal, statement, paramFormats, bytes: reader.buffer, starts, lengths, resultFormats };
}

function readFormats(reader: MessageReader): number[] {
  const count = reader.uint16();
  if (count === 0) return NONE;
  const formats: number[] = [];
  for (let n = count; n > 0; n--) formats.push(reader.uint16());
  return formats;
}

export function readTarget(message: FrontendMessage, what: 'DESCRIBE' | 'CLOSE'): Target {
  const reader = message.read();
  const kind = reader.byte();
  const name = reader.cstring();
  reader.end();
  if (kind === 0x53) return { kind: 'statement', name };
  if (kind === 0x50) return { kind: 'portal', name };
  throw protocolError(`invalid ${what} message subtype ${kind}`);
}

export function readExecute(message: FrontendMessage): ExecuteMessage {
  const reader = message.read();
  const portal = reader.cstring();
  const maxRows = reader.int32();
  reader.end();
  return { portal, maxRows: Math.max(maxRows, 0) };
}
