/**
 * The messages that are not rows, as bytes. Built with pg-protocol's Writer, which frames any message; what goes out with every
 * statement (the constants, CommandComplete, ReadyForQuery) is constant bytes or written straight into the Output.
 */
import { Writer } from 'pg-protocol/dist/buffer-writer.js';
import type { SqlError } from '../../../operators/errors.ts';
import { typeByOid } from '../../../planner/types/catalog.ts';
import type { ResultColumn } from '../../engine.ts';
import type { Output } from './output.ts';
import { BACKEND } from './protocol.ts';

const bare = (type: number): Buffer => Buffer.from([type, 0, 0, 0, 4]);

export const PARSE_COMPLETE = bare(BACKEND.parseComplete);
export const BIND_COMPLETE = bare(BACKEND.bindComplete);
export const CLOSE_COMPLETE = bare(BACKEND.closeComplete);
export const NO_DATA = bare(BACKEND.noData);
export const EMPTY_QUERY = bare(BACKEND.emptyQuery);
export const PORTAL_SUSPENDED = bare(BACKEND.portalSuspended);
export const COPY_DONE = bare(BACKEND.copyDone);
export const AUTHENTICATION_OK = Buffer.from([BACKEND.authentication, 0, 0, 0, 8, 0, 0, 0, 0]);

/** Steps of AuthenticationSASL. */
export const AUTHENTICATE_SASL = { begin: 10, goOn: 11, end: 12 } as const;

export function authenticationSasl(step: number, data: Buffer): Buffer {
  return new Writer(16 + data.length).addInt32(step).add(data).flush(BACKEND.authentication);
}

export type TransactionStatus = 'I' | 'T' | 'E';

const READY: Record<TransactionStatus, Buffer> = {
  I: Buffer.from([BACKEND.readyForQuery, 0, 0, 0, 5, 0x49]),
  T: Buffer.from([BACKEND.readyForQuery, 0, 0, 0, 5, 0x54]),
  E: Buffer.from([BACKEND.readyForQuery, 0, 0, 0, 5, 0x45]),
};

export function readyForQuery(status: TransactionStatus): Buffer {
  return READY[status];
}

export function writeCommandComplete(out: Output, tag: string): void {
  out.begin(BACKEND.commandComplete);
  out.text(tag);
  out.reserve(1);
  out.buf[out.pos++] = 0;
  out.end();
}

const selects: Buffer[] = [];

/** CommandComplete of a SELECT of a few rows. */
export function selectComplete(rows: number): Buffer {
  let message = selects[rows];
  if (message === undefined) {
    message = new Writer().addCString(`SELECT ${rows}`).flush(BACKEND.commandComplete);
    selects[rows] = message;
  }
  return message;
}

export function parameterStatus(name: string, value: string): Buffer {
  return new Writer().addCString(name).addCString(value).flush(BACKEND.parameterStatus);
}

export function backendKeyData(pid: number, secret: Buffer): Buffer {
  return new Writer().addInt32(pid).add(secret).flush(BACKEND.backendKeyData);
}

export function negotiateProtocolVersion(newest: number, unknownOptions: string[]): Buffer {
  const writer = new Writer().addInt32(newest).addInt32(unknownOptions.length);
  for (const option of unknownOptions) writer.addCString(option);
  return writer.flush(BACKEND.negotiateProtocolVersion);
}

export function notification(pid: number, channel: string, payload: string): Buffer {
  return new Writer().addInt32(pid).addCString(channel).addCString(payload).flush(BACKEND.notification);
}

/** Formats of result columns from a Bind list: none is all text, one holds for all. */
export function formatOf(formats: number[], column: number): number {
  return formats.length === 0 ? 0 : formats.length === 1 ? formats[0] : formats[column];
}

export function rowDescription(columns: ResultColumn[], formats: number[]): Buffer {
  const writer = new Writer(64 + columns.length * 32).addInt16(columns.length);
  columns.forEach((column, i) => {
    writer
      .addCString(column.name)
      .addInt32(column.relation)
      .addInt16(column.attnum)
      .addInt32(column.type.oid)
      .addInt16(typeByOid(column.type.oid)?.len ?? -1)
      .addInt32(column.type.typmod)
      .addInt16(formatOf(formats, i));
  });
  return writer.flush(BACKEND.rowDescription);
}

export function parameterDescription(types: number[]): Buffer {
  const writer = new Writer(16 + types.length * 4).addInt16(types.length);
  for (const type of types) writer.addInt32(type);
  return writer.flush(BACKEND.parameterDescription);
}

/** CopyInResponse or CopyOutResponse. */
export function copyResponse(direction: 'in' | 'out', binary: boolean, columns: number): Buffer {
  const format = binary ? 1 : 0;
  const writer = new Writer().add(Buffer.from([format])).addInt16(columns);
  for (let i = 0; i < columns; i++) writer.addInt16(format);
  return writer.flush(direction === 'in' ? BACKEND.copyIn : BACKEND.copyOut);
}

/** Both sides send from now on. */
export function copyBothResponse(): Buffer {
  return new Writer()
    .add(Buffer.from([0]))
    .addInt16(0)
    .flush(BACKEND.copyBoth);
}

/** A row of texts. */
export function dataRow(values: (string | null)[]): Buffer {
  const writer = new Writer().addInt16(values.length);
  for (const value of values) {
    if (value === null) writer.addInt32(-1);
    else writer.addInt32(Buffer.byteLength(value)).addString(value);
  }
  return writer.flush(BACKEND.dataRow);
}

export function errorResponse(error: SqlError): Buffer {
  return report(BACKEND.error, error.fields.severity ?? 'ERROR', error.sqlstate, error.message, error.fields);
}

export interface NoticeFields {
  detail?: string;
  hint?: string;
}

export function noticeResponse(severity: string, sqlstate: string, message: string, fields: NoticeFields = {}): Buffer {
  return report(BACKEND.notice, severity, sqlstate, message, fields);
}

function report(type: number, severity: string, sqlstate: string, message: string, fields: SqlError['fields']): Buffer {
  const writer = new Writer();
  const add = (field: string, value: string | number | undefined): void => {
    if (value !== undefined) writer.addString(field).addCString(String(value).replaceAll('\0', ''));
  };
  add('S', severity);
  add('V', severity);
  add('C', sqlstate);
  add('M', message);
  add('D', fields.detail);
  add('H', fields.hint);
  add('P', fields.position);
  add('W', fields.context);
  add('s', fields.schema);
  add('t', fields.table);
  add('c', fields.column);
  add('d', fields.dataType);
  add('n', fields.constraint);
  return writer.add(Buffer.from([0])).flush(type);
}
