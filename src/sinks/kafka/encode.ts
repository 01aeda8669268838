/**
 * The changes of one tick as Kafka messages. Values are JSON objects as row_to_json writes them: numbers exact (numeric too), times in ISO 8601,
 * bytea as '\x...' text. A key is a JSON object of the key columns.
 *
 * | envelope | messages                                                                                              |
 * |----------|-------------------------------------------------------------------------------------------------------|
 * | append   | one for each added row; a row that goes away cannot be told and is an error                            |
 * | upsert   | one for each key that changed: its row, or a null value (tombstone) when it is gone                     |
 * | debezium | one for each key (without a key: each row) that changed: {"before", "after", "op": c, u or d, "tick"}     |
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { readDatum, weightOf } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import '../../../operators/expr/io/index.ts';
import { jsonOf } from '../../../operators/expr/json/encode.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import type { Envelope } from './options.ts';

export interface OutMessage {
  key: string | null;
  value: string | null;
}

interface Change {
  key: string | null;
  before: string | null;
  after: string | null;
}

export class RowEncoder {
  readonly #names: string[];
  readonly #envelope: Envelope;
  readonly #key: number[] | null;
  readonly #ctx = defaultContext();

  constructor(columns: { name: string }[], envelope: Envelope, key: number[] | null) {
    this.#names = columns.map((column) => `${quoteJson(column.name)}:`);
    this.#envelope = envelope;
    this.#key = key;
  }

  /** Messages of a consolidated delta. */
  encode(tick: bigint, delta: Batch): OutMessage[] {
    if (this.#envelope === 'append') return this.#append(delta);
    const changes = this.#changes(delta);
    if (this.#envelope === 'upsert') return changes.map(({ key, after }) => ({ key, value: after }));
    return changes.map(({ key, before, after }) => {
      const op = before === null ? 'c' : after === null ? 'd' : 'u';
      return { key, value: `{"before":${before},"after":${after},"op":"${op}","tick":${tick}}` };
    });
  }

  #append(delta: Batch): OutMessage[] {
    const messages: OutMessage[] = [];
    for (let row = 0; row < delta.n; row++) {
      const weight = weightOf(delta, row);
      if (weight < 0) {
        throw new SqlError('0A000', "envelope = 'append' cannot tell that a row went away", {
          hint: "Use envelope = 'upsert' or 'debezium'.",
        });
      }
      const message = { key: this.#keyOf(delta, row), value: this.#object(delta, row) };
      for (let i = 0; i < weight; i++) messages.push(message);
    }
    return messages;
  }

  /** Old and new row of every key, in the order in which keys first come; without a key each row for itself. */
  #changes(delta: Batch): Change[] {
    const byKey = new Map<string, Change>();
    const changes: Change[] = [];
    for (let row = 0; row < delta.n; row++) {
      const weight = weightOf(delta, row);
      const value = this.#object(delta, row);
      const key = this.#keyOf(delta, row);
      if (key === null) {
        const change = weight > 0 ? { key, before: null, after: value } : { key, before: value, after: null };
        for (let i = Math.abs(weight); i > 0; i--) changes.push(change);
        continue;
      }
      let change = byKey.get(key);
      if (change === undefined) {
        change = { key, before: null, after: null };
        byKey.set(key, change);
        changes.push(change);
      }
      if (weight > 1 || (weight > 0 && change.after !== null)) {
        throw new SqlError('23505', `the rows have no unique key: there is more than one with the key ${key}`);
      }
      if (weight > 0) change.after = value;
      else change.before = value;
    }
    return changes;
  }

  #keyOf(delta: Batch, row: number): string | null {
    return this.#key === null ? null : this.#fields(delta, row, this.#key);
  }

  #object(delta: Batch, row: number): string {
    return this.#fields(delta, row, this.#names.keys());
  }

  #fields(delta: Batch, row: number, columns: Iterable<number>): string {
    let text = '{';
    for (const c of columns) {
      const column = delta.columns[c];
      if (text.length > 1) text += ',';
      text += this.#names[c] + jsonOf(readDatum(column, row), column.type.oid, this.#ctx);
    }
    return `${text}}`;
  }
}
