/**
 * Rows in Protobuf, by a proto3 schema made of the columns, which prepare() puts into the registry: a field a column, numbered in their order.
 *
 *   0x00 | schema id | 0x00: the first message of the schema | the row
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { readDatum } from '../../../operators/batch/builder.ts';
import { LENGTH, VARINT } from '../../formats/protobuf/bytes.ts';
import { type ColumnWriter, columnWriter, TIMESTAMP_FILE } from '../../formats/protobuf/column_writer.ts';
import { ProtobufOutput } from '../../formats/protobuf/output.ts';
import type { Registrar } from '../../registry/client.ts';
import { type Bytes, checkFieldNames, type OutColumn, type RowForm } from './forms.ts';
import { MessageHead } from './message_head.ts';

/** The path to it. */
const FIRST_MESSAGE = Buffer.from([0]);

export class ProtobufForm implements RowForm {
  readonly #shown: number[];
  readonly #writers: ColumnWriter[];
  readonly #head: MessageHead;
  readonly #out = new ProtobufOutput();

  /** Of the columns at `shown`. `changes`: messages are changes, not rows. */
  constructor(columns: OutColumn[], shown: number[], changes: boolean, subject: string, registry: Registrar) {
    checkFieldNames(columns, shown, 'Protobuf');
    this.#shown = shown;
    this.#writers = shown.map((c, i) => columnWriter(columns[c].type, i + 1));
    const fields = this.#writers.map(({ declaration }, i) => `  ${declaration} ${columns[shown[i]].name} = ${i + 1};`);
    const schema = schemaOf(subject.endsWith('-key') ? 'Key' : 'Row', fields, changes);
    this.#head = new MessageHead(registry, subject, schema, FIRST_MESSAGE);
  }

  prepare(): Promise<void> {
    return this.#head.prepare();
  }

  row(delta: Batch, row: number): Buffer {
    const out = this.#out;
    out.begin();
    this.#shown.forEach((c, i) => {
      this.#writers[i].write(out, readDatum(delta.columns[c], row));
    });
    return out.take();
  }

  message(row: Bytes): Buffer {
    return this.#head.before(row as Buffer);
  }

  change(before: Bytes | null, after: Bytes | null, op: string, tick: bigint): Buffer {
    const out = this.#out;
    out.begin();
    for (const [field, row] of [before, after].entries()) {
      if (row === null) continue;
      out.tag(field + 1, LENGTH);
      out.bytes(row as Buffer);
    }
    out.tag(3, LENGTH);
    out.string(op);
    out.tag(4, VARINT);
    out.varint(tick);
    return this.message(out.take());
  }
}

/** The message that is meant is the first. */
function schemaOf(name: string, fields: string[], changes: boolean): string {
  const lines = ['syntax = "proto3";'];
  if (fields.some((field) => field.includes('google.protobuf.Timestamp ')))
    lines.push('', `import "${TIMESTAMP_FILE}";`);
  if (changes) {
    lines.push('', 'message Change {', `  ${name} before = 1;`, `  ${name} after = 2;`);
    lines.push('  string op = 3;', '  int64 tick = 4;', '}');
  }
  return [...lines, '', `message ${name} {`, ...fields, '}', ''].join('\n');
}
