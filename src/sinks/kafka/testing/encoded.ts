/** Rows through an encoder whose schemas a registry would have, for tests. */
import { Arena } from '../../../../operators/batch/arena.ts';
import { batchFromRows } from '../../../../operators/batch/builder.ts';
import type { Datum } from '../../../../operators/datum.ts';
import type { Registrar } from '../../../registry/client.ts';
import { type OutMessage, rowEncoder } from '../encode.ts';
import type { OutColumn } from '../forms.ts';
import type { Envelope } from '../options.ts';

/** A registry that keeps what it is given: schemas by id, and the subjects that they came under. */
export class KeptSchemas implements Registrar {
  readonly schemas: string[] = [];
  readonly subjects: string[] = [];

  register(subject: string, schema: string): Promise<number> {
    this.subjects.push(subject);
    return Promise.resolve(this.schemas.push(schema) - 1);
  }
}

/** What tick 7 writes to topic t for these rows and their weights, key and value in the same format. */
export async function encoded(
  format: 'avro' | 'protobuf',
  registry: Registrar,
  columns: OutColumn[],
  rows: [Datum[], number][],
  envelope: Envelope = 'append',
  key: number[] | null = null,
): Promise<OutMessage[]> {
  const encoder = rowEncoder({ envelope, key, topic: 't', format, keyFormat: format, registry }, columns);
  await encoder.prepare();
  const arena = new Arena();
  const types = columns.map((c) => c.type);
  const values = rows.map(([row]) => row);
  const weights = rows.map(([, weight]) => weight);
  try {
    return encoder.encode(7n, batchFromRows(types, values, arena, weights));
  } finally {
    arena.release();
  }
}
