/**
 * What failed in a view's node, as a relation: rows weighted like any other, so that the retraction of the bad input takes its error away.
 * `tidemark.errors('name')` reads those of a view's nodes; a stream's are in bad_records.ts.
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
import { type ColType, colType, OID } from '../../operators/types.ts';
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

export type SavedLedger = {
  count: bigint;
  relation: SavedRelation;
};

export class ErrorLedger implements ErrorSink {
  readonly relation = new StoredRelation(ERROR_COLUMNS.map((c) => c.type));
  /** Error rows ever reported, retractions not subtracted. */
  count = 0n;
  #pending: { row: Datum[]; weight: number }[] = [];
  /** The relation has changed in this tick. */
  #changed = false;

  /** An operator's failed row: its columns are shown as text. */
  report(error: SqlError, row: Datum[], weight: number): void {
    const items = row.map((value) => (value === null ? null : textOf(value)));
    const shown = pgArray(OID.text, items);
    this.#pending.push({ row: [null, null, null, error.sqlstate, error.message, null, null, shown], weight });
    if (weight > 0) this.count += BigInt(weight);
  }

  /** Makes what was reported in this tick part of the relation. */
  apply(arena: Arena): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
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
