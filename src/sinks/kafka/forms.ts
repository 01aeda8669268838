/** How rows are written: as JSON or in Avro; in Protobuf: protobuf_form.ts. */
import type { Batch } from '../../../operators/batch/batch.ts';
import { readDatum } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import '../../../operators/expr/io/index.ts';
import { jsonOf } from '../../../operators/expr/json/encode.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import type { ColType } from '../../../operators/types.ts';
import { type ColumnWriter, columnWriter } from '../../formats/avro/column_writer.ts';
import { AvroOutput } from '../../formats/avro/output.ts';
import type { Registrar } from '../../registry/client.ts';
import { MessageHead } from './message_head.ts';

export type Bytes = string | Buffer;

export interface OutColumn {
  name: string;
  type: ColType;
}

export interface RowForm {
  /** Asks whom has to be asked before the first message. */
  prepare(): Promise<void>;
  /** A row of a batch: the form's columns of it. */
  row(delta: Batch, row: number): Bytes;
  /** A message that is a row. */
  message(row: Bytes): Bytes;
  /** A message that says what a row was and is. */
  change(before: Bytes | null, after: Bytes | null, op: 'c' | 'u' | 'd', tick: bigint): Bytes;
}

/** Of the columns at `shown`. JSON objects as row_to_json writes them: numbers exact (numeric too), times in ISO 8601, bytea as '\x...' text. */
export class JsonForm implements RowForm {
  readonly #shown: number[];
  readonly #names: string[];
  readonly #ctx = defaultContext();

  constructor(columns: { name: string }[], shown: number[]) {
    this.#shown = shown;
    this.#names = columns.map((column) => `${quoteJson(column.name)}:`);
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  row(delta: Batch, row: number): string {
    let text = '{';
    for (const c of this.#shown) {
      const column = delta.columns[c];
      if (text.length > 1) text += ',';
      text += this.#names[c] + jsonOf(readDatum(column, row), column.type.oid, this.#ctx);
    }
    return `${text}}`;
  }

  message(row: Bytes): Bytes {
    return row;
  }

  change(before: Bytes | null, after: Bytes | null, op: string, tick: bigint): string {
    return `{"before":${before},"after":${after},"op":"${op}","tick":${tick}}`;
  }
}

const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Throws 42602 for columns that cannot be called so in the format. */
export function checkFieldNames(columns: OutColumn[], shown: number[], format: 'Avro' | 'Protobuf'): void {
  const bad = shown.map((c) => columns[c].name).find((name) => !FIELD_NAME.test(name));
  if (bad === undefined) return;
  throw new SqlError('42602', `column "${bad}" cannot be a field in ${format}`, {
    hint: 'Names have letters of ASCII, digits and _. Give it another name with AS.',
  });
}

/** Of the columns at `shown`, by a schema made of them, which prepare() puts into the registry. Messages begin with a zero byte and its id. */
export class AvroForm implements RowForm {
  readonly #shown: number[];
  readonly #writers: ColumnWriter[];
  readonly #head: MessageHead;
  readonly #out = new AvroOutput();

  /** `changes`: messages are changes, not rows. */
  constructor(columns: OutColumn[], shown: number[], changes: boolean, subject: string, registry: Registrar) {
    checkFieldNames(columns, shown, 'Avro');
    this.#shown = shown;
    this.#writers = columns.map(({ type }) => columnWriter(type));
    const fields = shown.map((c) => ({ name: columns[c].name, type: this.#writers[c].schema, default: null }));
    const row = { type: 'record', name: subject.endsWith('-key') ? 'Key' : 'Row', fields };
    this.#head = new MessageHead(registry, subject, JSON.stringify(changes ? changeSchema(row) : row));
  }

  prepare(): Promise<void> {
    return this.#head.prepare();
  }

  row(delta: Batch, row: number): Buffer {
    this.#out.begin();
    for (const c of this.#shown) this.#writers[c].write(this.#out, readDatum(delta.columns[c], row));
    return this.#out.take();
  }

  message(row: Bytes): Buffer {
    return this.#head.before(row as Buffer);
  }

  change(before: Bytes | null, after: Bytes | null, op: string, tick: bigint): Buffer {
    const out = this.#out;
    out.begin();
    for (const row of [before, after]) {
      out.long(row === null ? 0 : 1);
      if (row !== null) out.raw(row as Buffer);
    }
    out.string(op);
    out.long(tick);
    return this.message(out.take());
  }
}

function changeSchema(row: { name: string }): unknown {
  return {
    type: 'record',
    name: 'Change',
    fields: [
      { name: 'before', type: ['null', row], default: null },
      { name: 'after', type: ['null', row.name], default: null },
      { name: 'op', type: 'string' },
      { name: 'tick', type: 'long' },
    ],
  };
}
