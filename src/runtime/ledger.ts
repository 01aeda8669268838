/**
 * What went wrong, as a relation: the error rows of one stream or view, weighted like any other rows, so that the retraction of the
 * bad input takes its error away. `tidemark.errors('name')` reads it.
 *
 * Messages that cannot be read are kept with their bytes as long as a tick finds less than MESSAGE_BYTES of them; of those that come later place and reason are kept.
 * Which these are hangs on ticks alone, so they are the same when the log is replayed.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { type Datum, pgArray } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { typeOfRange } from '../../operators/expr/range_types.ts';
import type { ErrorSink } from '../../operators/operator.ts';
import type { Saved } from '../../operators/state/saved.ts';
import type { Undo } from '../../operators/state/undo.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { BadRow } from '../formats/format.ts';
import type { KnownFiles } from '../sources/files/known_files.ts';
import type { RawBatch } from '../sources/source.ts';
import { type SavedRelation, StoredRelation } from './stored_relation.ts';

export const ERROR_COLUMNS: { name: string; type: ColType }[] = [
  { name: 'topic', type: colType(OID.text) },
  { name: 'partition', type: colType(OID.int4) },
  { name: 'offset', type: colType(OID.int8) },
  { name: 'sqlstate', type: colType(OID.text) },
  { name: 'reason', type: colType(OID.text) },
  { name: 'column_name', type: colType(OID.text) },
  { name: 'message', type: colType(OID.bytea) },
  { name: 'row', type: colType(OID._text) },
];

/** Characters of the reason why a record could not be read: it may quote a value of many megabytes, which `message` has already. */
const REASON_CHARACTERS = 1000;

/** Of messages that could not be read: what is kept of one stream. */
const MESSAGE_BYTES = 64 << 20;
const MESSAGE = ERROR_COLUMNS.findIndex(({ name }) => name === 'message');

export type SavedLedger = {
  count: bigint;
  relation: SavedRelation;
};

export class ErrorLedger implements ErrorSink {
  readonly relation = new StoredRelation(ERROR_COLUMNS.map((c) => c.type));
  /** Error rows ever reported, retractions not subtracted. */
  count = 0n;
  /** Of the messages in the relation. */
  messageBytes = 0;
  readonly #mostMessageBytes: number;
  #pending: { row: Datum[]; weight: number }[] = [];
  /** The relation has changed in this tick. */
  #changed = false;

  constructor(mostMessageBytes = MESSAGE_BYTES) {
    this.#mostMessageBytes = mostMessageBytes;
  }

  /** An operator's failed row: its columns are shown as text. */
  report(error: SqlError, row: Datum[], weight: number): void {
    const items = row.map((value) => (value === null ? null : textOf(value)));
    const shown = pgArray(OID.text, items);
    this.#pending.push({ row: [null, null, null, error.sqlstate, error.message, null, null, shown], weight });
    if (weight > 0) this.count += BigInt(weight);
  }

  /** Records of a topic that could not be read; of a source that reads `files`, they are shown by their places in these. */
  badRecords(topic: string, raw: RawBatch, bad: BadRow[], files: KnownFiles | undefined): void {
    for (const { index, sqlstate, reason, column } of bad) {
      const start = raw.valueStart[index];
      const message = start < 0 ? null : new Uint8Array(raw.bytes.subarray(start, raw.valueEnd[index]));
      const place = files?.placeOf(raw.offset[index]);
      const offset = BigInt(place?.row ?? raw.offset[index]);
      const row = [place?.path ?? topic, raw.partition, offset, sqlstate, shortened(reason), column, message, null];
      this.#pending.push({ row, weight: 1 });
      this.count++;
    }
  }

  /** For a tick that may be taken back, with what it has reported so far. */
  keepIn(undo: Undo): void {
    const { count, messageBytes } = this;
    const reported = this.#reported();
    this.relation.keepIn(undo);
    undo.restore(() => {
      this.count = count - reported;
      this.messageBytes = messageBytes;
      this.#pending = [];
    });
  }

  #reported(): bigint {
    return this.#pending.reduce((sum, { weight }) => sum + BigInt(Math.max(weight, 0)), 0n);
  }

  /** What was reported and is not part of the relation yet has not happened. */
  forget(): void {
    this.count -= this.#reported();
    this.#pending = [];
  }

  /** Makes what was reported in this tick part of the relation. */
  apply(arena: Arena): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#limitMessages(pending);
    const types = this.relation.types;
    this.#changed = true;
    this.relation.apply(
      batchFromRows(
        types,
        pending.map((p) => p.row),
        arena,
        pending.map((p) => p.weight),
      ),
    );
  }

  #limitMessages(pending: { row: Datum[] }[]): void {
    const isFull = this.messageBytes >= this.#mostMessageBytes;
    for (const { row } of pending) {
      const message = row[MESSAGE];
      if (!(message instanceof Uint8Array)) continue;
      if (isFull) row[MESSAGE] = null;
      else this.messageBytes += message.length;
    }
  }

  /** Between ticks, when nothing waits to be applied. */
  save(): SavedLedger {
    if (this.#pending.length > 0) throw new Error('errors of a tick are not applied yet');
    return { count: this.count, relation: this.relation.save() };
  }

  load(saved: Saved): void {
    const { count, relation } = saved as SavedLedger;
    this.#pending = [];
    this.count = count;
    this.relation.load(relation);
  }

  endTick(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.relation.endTick();
  }

  release(): void {
    this.relation.release();
  }
}

function shortened(reason: string): string {
  if (reason.length <= REASON_CHARACTERS) return reason;
  // Half a character is none.
  return `${reason.slice(0, REASON_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}...`;
}

/** For sessions with strict_errors: raises an error when the object `name` has error rows. */
export function throwIfAny(errors: { relation: { rows: number } } | undefined, name: string): void {
  if (errors === undefined || errors.relation.rows === 0) return;
  throw new SqlError('55000', `"${name}" has rows that failed and strict_errors is on`, {
    hint: `SELECT * FROM tidemark.errors('${name}') lists them.`,
  });
}

const PLAIN: EvalContext = {
  now: 0n,
  timeZone: 'UTC',
  dateStyle: 'ISO, MDY',
  intervalStyle: 'postgres',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  user: '',
  database: '',
  searchPath: [],
  tick: 0n,
};

/** A datum without its type, as text good enough to find the row by. */
function textOf(value: Exclude<Datum, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && 'k' in value) {
    if (value.k === 'dec') return outputText(value, OID.numeric, PLAIN);
    if (value.k === 'interval') return outputText(value, OID.interval, PLAIN);
    if (value.k === 'record') return outputText(value, OID.record, PLAIN);
    if (value.k !== 'array') return outputText(value, typeOfRange(value), PLAIN);
    return `{${value.items.map((item) => (item === null ? 'NULL' : textOf(item))).join(',')}}`;
  }
  if (value instanceof Uint8Array) return outputText(value, OID.bytea, PLAIN);
  return String(value);
}
