/**
 * format = 'debezium_json': the changes of a table in a database, as Debezium's connectors write them, become commands by key of envelope upsert (upsert_delta.ts keeps the rows).
 *
 *   c, r, u   the row is `after`; when the key of `before` is another one, that row goes first
 *   d         the row with the key of `before` goes
 *   t         refused
 *
 * Columns whose value a database did not log because it has not changed (long ones of PostgreSQL) stay what they are.
 *
 * The key is always that of the row, never of the message. So events that come again, as they do after a restart of a connector, end in the same rows. What an update's `before` does not have of the
 * key (databases that log no old row) is taken for unchanged.
 */
import type { Datum } from '../../../operators/datum.ts';
import { equalDatum } from '../../../operators/expr/compare.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { decodeString, type JsonNode } from '../../../operators/expr/json/parse.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { Defaults } from '../defaults.ts';
import type { Decoder, DecoderSpec, SourceColumn } from '../format.ts';
import { datumOfJson } from '../json/value.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../row_decoder.ts';
import { checked, guarded, missing, RowError } from '../row_error.ts';
import { type ChangeEvent, EnvelopeReader, type Image } from './envelope.ts';
import { isUnavailable } from './unavailable.ts';
import { datumOfEvent } from './value.ts';

/** The decoder of a table's change events. */
export function debeziumDecoder(spec: DecoderSpec): Decoder {
  return new RowDecoder(spec, new EventReader(spec));
}

class EventReader implements RecordReader {
  readonly #columns: SourceColumn[];
  readonly #fields: number[];
  readonly #key: number[];
  readonly #envelopes = new EnvelopeReader();

  constructor({ columns, upsertKey }: DecoderSpec) {
    this.#columns = columns;
    this.#fields = columns.flatMap(({ origin }, column) => (origin.k === 'field' ? [column] : []));
    this.#key = upsertKey ?? [];
  }

  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const start = raw.valueStart[i];
    if (start < 0) return [];
    const message = raw.bytes.subarray(start, raw.valueEnd[i]);
    const event = guarded(null, () => this.#envelopes.read(message));
    if (event === null) return [];
    if (event.op === 'truncate') throw new RowError('0A000', 'a TRUNCATE is not followed', null);
    const { before, after } = event;
    const old = before === null ? null : this.#oldKey(before, event, ctx);
    if (after === null) return [old ?? this.#noKey()];
    const row = this.#row(after, event, defaults, ctx);
    return old === null || this.#sameKey(old, row) ? [row] : [old, row];
  }

  #row(image: Image, event: ChangeEvent, defaults: Defaults, ctx: EvalContext): DecodedRow {
    const values = this.#empty();
    const kept: number[] = [];
    const nodes = nodesOf(image);
    for (const field of this.#fields) {
      const column = this.#columns[field];
      const node = nodes.get(fieldName(column));
      if (node === undefined) values[field] = missing(field, column, defaults);
      else if (!event.ours && !this.#key.includes(field) && isUnavailable(node, event.text)) kept.push(field);
      else values[field] = this.#value(node, column, image, event, ctx);
    }
    return kept.length === 0 ? { values, weight: 1 } : { values, weight: 1, kept };
  }

  /** The command that takes the row with the key of `before` away; null when it is not all there. */
  #oldKey(image: Image, event: ChangeEvent, ctx: EvalContext): DecodedRow | null {
    const values = this.#empty();
    const nodes = nodesOf(image);
    for (const field of this.#key) {
      const column = this.#columns[field];
      const node = nodes.get(fieldName(column));
      if (node === undefined || node.kind === 'null') return null;
      values[field] = this.#value(node, column, image, event, ctx);
    }
    return { values, weight: -1 };
  }

  #value(
    node: JsonNode,
    column: SourceColumn,
    { schema }: Image,
    { ours, text }: ChangeEvent,
    ctx: EvalContext,
  ): Datum {
    const value = guarded(column.name, () => {
      if (ours) return datumOfJson(node, text, column.type, ctx);
      return datumOfEvent(node, text, column.type, schema?.fields?.get(fieldName(column)) ?? null, ctx);
    });
    return checked(column, value);
  }

  #sameKey(old: DecodedRow, row: DecodedRow): boolean {
    return this.#key.every((field) => {
      return equalDatum(old.values[field], row.values[field], this.#columns[field].type.oid);
    });
  }

  #noKey(): never {
    throw new RowError('22023', '"before" of a deleted row has not the whole primary key', null);
  }

  #empty(): Datum[] {
    return this.#columns.map(() => null);
  }
}

function nodesOf({ node }: Image): Map<string, JsonNode> {
  const nodes = new Map<string, JsonNode>();
  guarded(null, () => {
    for (const { key, value } of node.entries) nodes.set(decodeString(key), value);
  });
  return nodes;
}

function fieldName({ origin, name }: SourceColumn): string {
  if (origin.k !== 'field') throw new Error(`column ${name} is no field`);
  return origin.name;
}
