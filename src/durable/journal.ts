/**
 * What the engine tells the tick log, in the order in which it happened; recovery.ts does it again.
 *
 *   transaction   admitRows -> tick runs -> committed -> durable     the client hears COMMIT after `durable`
 *   sources       tick runs -> pumped                                nobody waits
 *   CREATE, DROP  admit -> takes effect -> defined -> durable         CREATE TABLE AS: admitFilled, filled
 */
import type { Batch } from '../../operators/batch/batch.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { BOOTSTRAP } from '../catalog/roles.ts';
import type { KnownSchema } from '../registry/schemas.ts';
import type { ListedFile } from '../sources/files/file_list.ts';
import type { DataDirectory } from './data_directory.ts';
import { RECORD } from './frame.ts';
import type { LogState } from './group_writer.ts';
import {
  type DefinitionRecord,
  type Ended,
  filledFrame,
  jsonFrame,
  rowsFrame,
  type SequenceRecord,
  type StatementSettings,
  type StayingRecord,
  type StreamInput,
  sequenceFrame,
  stampNow,
  streamsFrame,
} from './records.ts';
import type { TickLog } from './tick_log.ts';

/** More than a statement's record needs. */
const DEFINITION_BYTES = 64 << 10;

/** The part of the tick loop that every record has. */
export interface Moment {
  tick: bigint;
  now: bigint;
}

export class Journal {
  readonly log: TickLog;
  readonly directory: DataDirectory;

  constructor(log: TickLog, directory: DataDirectory) {
    this.log = log;
    this.directory = directory;
  }

  get state(): LogState {
    return this.log.state;
  }

  /** True when sources should wait: the disk is full, has failed, or has too much to do. */
  get holdsBack(): boolean {
    return this.log.state !== 'open' || this.log.behind;
  }

  /** Rows of a transaction and what else of it counts from then on, as a record; resolves when the log has room for it. */
  async admitRows(deltas: Map<number, Batch>, ended: Ended): Promise<Buffer> {
    const frame = rowsFrame(deltas, ended);
    await this.log.admit(frame.length);
    return frame;
  }

  admitDefinition(): Promise<void> {
    return this.log.admit(DEFINITION_BYTES);
  }

  /** The tick of a transaction has run. Gives the record's sequence. */
  committed({ tick, now }: Moment, frame: Buffer): bigint {
    stampNow(frame, now);
    return this.log.append(RECORD.tick, tick, frame);
  }

  /** A tick has run from which on this counts of what transactions have done. Its record is short: it waits for no room. */
  ended(moment: Moment, ended: Ended): void {
    this.committed(moment, rowsFrame(new Map(), ended));
  }

  /** A transaction that has not ended has dropped, renamed or changed something. */
  definedAlone({ tick, now }: Moment, definition: Omit<DefinitionRecord, 'now'>): void {
    const kind = definition.change === undefined && definition.alters === undefined ? RECORD.leaving : RECORD.changing;
    this.log.append(kind, tick, jsonFrame({ ...definition, now: String(now) }));
  }

  /** It has done so in vain. */
  staying({ tick }: Moment, what: StayingRecord): void {
    this.log.append(RECORD.staying, tick, jsonFrame(what));
  }

  /** A tick of what sources gave (or of the clock alone) has run. */
  pumped({ tick, now }: Moment, streams: StreamInput[]): void {
    this.log.append(RECORD.tick, tick, streamsFrame(now, streams));
  }

  /** A tick has run in which something of one session became live, which nobody will miss after a restart. */
  passed(moment: Moment): void {
    this.pumped(moment, []);
  }

  defined({ tick, now }: Moment, definition: Omit<DefinitionRecord, 'now'>): void {
    this.log.append(RECORD.definition, tick, jsonFrame({ ...definition, now: String(now) }));
  }

  /** What makes a table with its first rows, as a record; resolves when the log has room for it. */
  async admitFilled(definition: Omit<DefinitionRecord, 'now'>, rows: Batch): Promise<Buffer> {
    const frame = filledFrame({ ...definition, now: '0' }, rows);
    await this.log.admit(frame.length);
    return frame;
  }

  /** The table is there, and the tick of its first rows has run. */
  filled({ tick, now }: Moment, frame: Buffer): void {
    stampNow(frame, now);
    this.log.append(RECORD.filled, tick, frame);
  }

  /** A statement with what the tick that has just run gave the rows of the table that it altered. */
  definedWith({ tick, now }: Moment, definition: Omit<DefinitionRecord, 'now'>, rows: Batch): void {
    const frame = filledFrame({ ...definition, now: '0' }, rows);
    stampNow(frame, now);
    this.log.append(RECORD.filled, tick, frame);
  }

  opened({ tick }: Moment, oid: number, offsets: Map<number, bigint>, identity: string | null): void {
    const list = [...offsets].map(([partition, offset]): [number, string] => [partition, String(offset)]);
    this.log.append(RECORD.opened, tick, jsonFrame({ oid, offsets: list, identity: identity ?? undefined }));
  }

  /** What a schema id of a stream's records means; said before the tick that reads the first of them. */
  learned({ tick }: Moment, oid: number, id: number, schema: KnownSchema): void {
    this.log.append(RECORD.schema, tick, jsonFrame({ oid, id, schema }));
  }

  /** What is known of a file that a stream reads; said before the tick that hangs on it. */
  listed({ tick }: Moment, oid: number, number: number, file: ListedFile): void {
    this.log.append(RECORD.file, tick, jsonFrame({ oid, number, file }));
  }

  scriptRun({ tick }: Moment, digest: string): void {
    this.log.append(RECORD.script, tick, jsonFrame({ digest }));
  }

  /** What a sink has written; `stopped`: why it writes no more. */
  delivered({ tick }: Moment, oid: number, upTo: bigint, stopped?: string): void {
    this.log.append(RECORD.delivered, tick, jsonFrame({ oid, tick: String(upTo), stopped }));
  }

  acknowledged({ tick }: Moment, oid: number, upTo: bigint): void {
    this.log.append(RECORD.acknowledged, tick, jsonFrame({ oid, tick: String(upTo) }));
  }

  /** Gives the record's sequence. */
  sequence({ tick }: Moment, oid: number, state: Omit<SequenceRecord, 'oid'>): bigint {
    return this.log.append(RECORD.sequence, tick, sequenceFrame({ oid, ...state }));
  }

  /** Resolves when everything told so far is on the disk. */
  durable(): Promise<void> {
    return this.log.durable(this.log.sequence);
  }

  async close(): Promise<void> {
    await this.log.close();
    this.directory.release();
  }
}

export function settingsOf(context: EvalContext, searchPath: string[]): StatementSettings {
  const { timeZone, dateStyle, intervalStyle, extraFloatDigits, byteaOutput, user, role, sessionUser, database } =
    context;
  const acting = role === undefined || role === BOOTSTRAP ? { user } : { user, role };
  const who = sessionUser === undefined || sessionUser === user ? acting : { ...acting, sessionUser };
  return { timeZone, dateStyle, intervalStyle, extraFloatDigits, byteaOutput, ...who, database, searchPath };
}
