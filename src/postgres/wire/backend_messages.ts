/**
 * What a server says, as the clients that are part of this program read it (src/http, src/embed, src/sources/postgres): bytes -> pg-protocol's parser -> messages, each of the type that its name says.
 *
 * Trap: the parser trusts its server. What clients send is read with care (frontend_decoder.ts).
 */
import type {
  CommandCompleteMessage,
  DatabaseError,
  MessageName,
  ParameterDescriptionMessage,
  ParameterStatusMessage,
  BackendMessage as Parsed,
  ReadyForQueryMessage,
  RowDescriptionMessage,
} from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';

/** Of the others nobody here reads more than their name. */
interface Bodies {
  authenticationMD5Password: { salt: Buffer };
  authenticationSASL: { mechanisms: string[] };
  authenticationSASLContinue: { data: string };
  authenticationSASLFinal: { data: string };
  commandComplete: CommandCompleteMessage;
  /** Lies in the parser's memory, as long as no more bytes are parsed. */
  copyData: { chunk: Buffer };
  dataRow: { fields: (string | null)[] };
  error: DatabaseError;
  parameterDescription: ParameterDescriptionMessage;
  parameterStatus: ParameterStatusMessage;
  readyForQuery: ReadyForQueryMessage;
  rowDescription: RowDescriptionMessage;
}

type Named<N extends MessageName> = { name: N } & (N extends keyof Bodies ? Omit<Bodies[N], 'name'> : unknown);

export type BackendMessage = { [N in MessageName]: Named<N> }[MessageName];

/** What an ErrorResponse says; all but code and message may be missing, and a position is digits. */
export type ErrorMessage = Named<'error'>;

export class BackendParser {
  readonly #parser = new Parser();

  /** `take` gets each message that these bytes complete. They belong to the parser from then on, which may write to them. */
  parse(bytes: Uint8Array, take: (message: BackendMessage) => void): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#parser.parse(chunk, take as (message: Parsed) => void);
  }
}
