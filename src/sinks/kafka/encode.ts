/**
 * The changes of one tick as Kafka messages; forms.ts says how rows and keys are written.
 *
 * | envelope | messages                                                                                              |
 * |----------|-------------------------------------------------------------------------------------------------------|
 * | append   | one for each added row; a row that goes away cannot be told and is an error                            |
 * | upsert   | one for each key that changed: its row, or a null value (tombstone) when it is gone                     |
 * | debezium | one for each key (without a key: each row) that changed: {"before", "after", "op": c, u or d, "tick"}     |
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { weightOf } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import { AvroForm, type Bytes, JsonForm, type OutColumn, type RowForm } from './forms.ts';
import type { Envelope, KafkaSinkOptions, SinkFormat } from './options.ts';
import { ProtobufForm } from './protobuf_form.ts';

export interface OutMessage {
  key: Bytes | null;
  value: Bytes | null;
}

interface Change {
  key: Bytes | null;
  before: Bytes | null;
  after: Bytes | null;
}

export function rowEncoder(
  options: Pick<KafkaSinkOptions, 'envelope' | 'key' | 'topic' | 'format' | 'keyFormat' | 'registry'>,
  columns: OutColumn[],
): RowEncoder {
  const { envelope, key, topic, format, keyFormat, registry } = options;
  const formOf = (named: SinkFormat, shown: number[], changes: boolean, part: 'key' | 'value') => {
    if (named === 'json' || registry === null) return new JsonForm(columns, shown);
    const Form = named === 'avro' ? AvroForm : ProtobufForm;
    return new Form(columns, shown, changes, `${topic}-${part}`, registry);
  };
  const all = columns.map((_, c) => c);
  const value = formOf(format, all, envelope === 'debezium', 'value');
  return new RowEncoder(value, key === null ? null : formOf(keyFormat, key, false, 'key'), envelope);
}

export class RowEncoder {
  readonly #value: RowForm;
  readonly #key: RowForm | null;
  readonly #envelope: Envelope;

  constructor(value: RowForm, key: RowForm | null, envelope: Envelope) {
    this.#value = value;
    this.#key = key;
    this.#envelope = envelope;
  }

  /** Before the first messages. */
  async prepare(): Promise<void> {
    await this.#value.prepare();
    await this.#key?.prepare();
  }

  /** Messages of a consolidated delta. */
  encode(tick: bigint, delta: Batch): OutMessage[] {
    if (this.#envelope === 'append') return this.#append(delta);
    const value = this.#value;
    const changes = this.#changes(delta);
    if (this.#envelope === 'upsert')
      return changes.map(({ key, after }) => ({ key, value: after === null ? null : value.message(after) }));
    return changes.map(({ key, before, after }) => {
      const op = before === null ? 'c' : after === null ? 'd' : 'u';
      return { key, value: value.change(before, after, op, tick) };
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
      const message = { key: this.#keyOf(delta, row), value: this.#value.message(this.#value.row(delta, row)) };
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
      const value = this.#value.row(delta, row);
      const key = this.#keyOf(delta, row);
      if (key === null) {
        const change = weight > 0 ? { key, before: null, after: value } : { key, before: value, after: null };
        for (let i = Math.abs(weight); i > 0; i--) changes.push(change);
        continue;
      }
      const name = typeof key === 'string' ? key : key.toString('latin1');
      let change = byKey.get(name);
      if (change === undefined) {
        change = { key, before: null, after: null };
        byKey.set(name, change);
        changes.push(change);
      }
      if (weight > 1 || (weight > 0 && change.after !== null)) {
        throw new SqlError(
          '23505',
          `the rows have no unique key: there is more than one with the key ${shownKey(key)}`,
        );
      }
      if (weight > 0) change.after = value;
      else change.before = value;
    }
    return changes;
  }

  #keyOf(delta: Batch, row: number): Bytes | null {
    return this.#key === null ? null : this.#key.message(this.#key.row(delta, row));
  }
}

export function shownKey(key: Bytes): string {
  return typeof key === 'string' ? key : `\\x${key.toString('hex')}`;
}
