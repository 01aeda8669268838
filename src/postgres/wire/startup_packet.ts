/**
 * The packets that open a connection: startup (protocol 3.x and its parameters), encryption requests, cancel requests.
 *
 * The `options` parameter is a command line: `-c name=value`, `-cname=value` or `--name=value`, split at blanks that no
 * backslash protects.
 */
import { SqlError } from '../../../operators/errors.ts';
import { MessageReader } from './message_reader.ts';
import { CANCEL_REQUEST, fatalProtocol, GSSENC_REQUEST, PROTOCOL_3_2, SSL_REQUEST } from './protocol.ts';

export type StartupPacket =
  | { kind: 'ssl' }
  | { kind: 'gssenc' }
  | { kind: 'cancel'; pid: number; secret: Buffer }
  | StartupMessage;

export interface StartupMessage {
  kind: 'startup';
  /** The version that the client asks for: major << 16 | minor. */
  version: number;
  user: string;
  database: string;
  replication: string | null;
  /** Settings, from the packet's own parameters and from `options`, in order. */
  settings: [name: string, value: string][];
  /** `_pq_.` protocol options, none of which is known. */
  protocolOptions: string[];
}

/** Throws FATAL errors only. `body` is the packet without its length. */
export function readStartupPacket(body: Buffer): StartupPacket {
  const code = body.readInt32BE(0);
  if (code === SSL_REQUEST) return { kind: 'ssl' };
  if (code === GSSENC_REQUEST) return { kind: 'gssenc' };
  if (code === CANCEL_REQUEST) {
    if (body.length < 12 || body.length > 264) throw fatalProtocol('invalid length of query cancel packet');
    return { kind: 'cancel', pid: body.readInt32BE(4), secret: Buffer.from(body.subarray(8)) };
  }
  const major = code >>> 16;
  if (major !== 3) {
    throw new SqlError('0A000', `unsupported frontend protocol ${major}.${code & 0xffff}: server supports 3.0 to 3.2`, {
      severity: 'FATAL',
    });
  }
  return readParameters(code, body);
}

function readParameters(version: number, body: Buffer): StartupMessage {
  const message: StartupMessage = {
    kind: 'startup',
    version,
    user: '',
    database: '',
    replication: null,
    settings: [],
    protocolOptions: [],
  };
  const reader = new MessageReader(body.subarray(4));
  const parameters: [string, string][] = [];
  try {
    for (;;) {
      const name = reader.cstring();
      if (name === '') break;
      parameters.push([name, reader.cstring()]);
    }
    reader.end();
  } catch (cause) {
    if (cause instanceof SqlError && cause.sqlstate === '22021') {
      throw new SqlError('22021', cause.message, { severity: 'FATAL' });
    }
    throw fatalProtocol('invalid startup packet layout: expected terminator as last byte');
  }
  for (const [name, value] of parameters) {
    if (name === 'user') message.user = value;
    else if (name === 'database') message.database = value;
    else if (name === 'replication') message.replication = value;
    else if (name === 'options') message.settings.push(...readOptions(value));
    else if (name.startsWith('_pq_.')) message.protocolOptions.push(name);
    else message.settings.push([name, value]);
  }
  if (message.user === '') {
    throw new SqlError('28000', 'no PostgreSQL user name specified in startup packet', { severity: 'FATAL' });
  }
  if (message.database === '') message.database = message.user;
  return message;
}

/** The version to speak with a client that asks for `version`. */
export function negotiatedVersion(version: number): number {
  return Math.min(version, PROTOCOL_3_2);
}

function splitOptions(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (c === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i];
    else word = (word ?? '') + c;
  }
  if (word !== null) words.push(word);
  return words;
}

function readOptions(text: string): [string, string][] {
  const settings: [string, string][] = [];
  const words = splitOptions(text);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    let assignment: string;
    if (word === '-c') assignment = words[++i] ?? '';
    else if (word.startsWith('-c')) assignment = word.slice(2);
    else if (word.startsWith('--')) assignment = word.slice(2);
    else throw badOption(word);
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw badOption(word);
    settings.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
  }
  return settings;
}

function badOption(word: string): SqlError {
  return new SqlError('42601', `invalid command-line argument for server process: ${word}`, { severity: 'FATAL' });
}
