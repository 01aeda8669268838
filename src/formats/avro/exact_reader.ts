/**
 * One message read exactly, value by value: what every message means. The generated readers (generated.ts) leave to it whatever they find odd.
 */
import type { Datum } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { FRAMING_BYTES, schemaIdAt } from '../../registry/framing.ts';
import type { Schemas } from '../../registry/schemas.ts';
import type { Defaults } from '../defaults.ts';
import type { DecoderSpec } from '../format.ts';
import { KeyedReader, type MessageReader, valueFields } from '../keyed_reader.ts';
import { guarded, RowError } from '../row_error.ts';
import { AvroBytes } from './bytes.ts';
import type { AvroOptions } from './options.ts';
import { checkEnd, keyReader, type RowReader, rowReader } from './row_reader.ts';
import { type AvroType, parseSchemas } from './schema.ts';

type MakeReader = (type: AvroType) => RowReader;

export class ExactReader extends KeyedReader {
  constructor(spec: DecoderSpec, form: AvroOptions, schemas: Schemas) {
    const { columns, upsertKey = [] } = spec;
    const values = new Messages((type) => rowReader(type, columns, valueFields(spec)), form.schema, schemas);
    const keys = new Messages((type) => keyReader(type, columns, upsertKey), null, schemas);
    super(spec, values, form.key === 'avro' ? keys : null);
  }
}

/** Messages, or their keys, by the schemas that they name. */
class Messages implements MessageReader {
  readonly #make: MakeReader;
  readonly #schema: string | null;
  readonly #schemas: Schemas;
  readonly #readers = new Map<number, RowReader>();
  readonly #from = new AvroBytes();

  constructor(make: MakeReader, schema: string | null, schemas: Schemas) {
    this.#make = make;
    this.#schema = schema;
    this.#schemas = schemas;
  }

  read(bytes: Buffer, start: number, end: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void {
    const id = this.#schema === null ? schemaIdAt(bytes, start, end) : 0;
    if (id < 0) throw new RowError('22P03', 'the message does not begin with a zero byte and a schema id', null);
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = this.#readerOf(id);
      this.#readers.set(id, reader);
    }
    const from = this.#from;
    from.begin(bytes, this.#schema === null ? start + FRAMING_BYTES : start, end, ctx);
    const read = reader;
    guarded(null, () => {
      read(from, values, defaults);
      checkEnd(from);
    });
  }

  #readerOf(id: number): RowReader {
    const known = this.#schema === null ? this.#schemas.get(id) : { texts: [this.#schema] };
    if ('missing' in known) return failing(new RowError('22P03', known.missing, null));
    try {
      return guarded(null, () => this.#make(parseSchemas(known.texts)));
    } catch (error) {
      if (error instanceof RowError) return failing(error);
      throw error;
    }
  }
}

function failing(error: RowError): RowReader {
  return () => {
    throw error;
  };
}
