/** Type bytes and codes of protocol 3, and its two ways to fail. */
import { SqlError } from '../../../operators/errors.ts';

const code = (letter: string): number => letter.charCodeAt(0);

/** Messages from a client. */
export const FRONTEND = {
  query: code('Q'),
  parse: code('P'),
  bind: code('B'),
  describe: code('D'),
  execute: code('E'),
  close: code('C'),
  sync: code('S'),
  flush: code('H'),
  terminate: code('X'),
  password: code('p'),
  copyData: code('d'),
  copyDone: code('c'),
  copyFail: code('f'),
  functionCall: code('F'),
} as const;

/** Messages to a client. */
export const BACKEND = {
  authentication: code('R'),
  parameterStatus: code('S'),
  backendKeyData: code('K'),
  readyForQuery: code('Z'),
  rowDescription: code('T'),
  dataRow: code('D'),
  commandComplete: code('C'),
  emptyQuery: code('I'),
  noData: code('n'),
  error: code('E'),
  notice: code('N'),
  parseComplete: code('1'),
  bindComplete: code('2'),
  closeComplete: code('3'),
  parameterDescription: code('t'),
  portalSuspended: code('s'),
  notification: code('A'),
  copyIn: code('G'),
  copyOut: code('H'),
  copyBoth: code('W'),
  copyData: code('d'),
  copyDone: code('c'),
  negotiateProtocolVersion: code('v'),
} as const;

export const PROTOCOL_3_2 = 0x30002;
export const CANCEL_REQUEST = 80877102;
export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;

/** The stream of messages cannot be read further: the connection ends with FATAL. */
export function fatalProtocol(message: string): SqlError {
  return new SqlError('08P01', message, { severity: 'FATAL' });
}

/** One message is wrong but framed: an ERROR, and the session goes on. */
export function protocolError(message: string): SqlError {
  return new SqlError('08P01', message);
}
