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
import { ProtobufBytes } from './bytes.ts';
import { readPath } from './message_path.ts';
import type { ProtobufOptions } from './options.ts';
import { type RowReader, rowReader } from './row_reader.ts';
import { type Message, type ProtobufSchema, parseSchemas } from './schema.ts';

export class ExactReader extends KeyedReader {
  constructor(spec: DecoderSpec, form: ProtobufOptions, known: KnownMessages) {
    const { columns, upsertKey = [] } = spec;
    const values = new Messages((message) => rowReader(message, columns, valueFields(spec)), known);
    const keys = new Messages((message) => rowReader(message, columns, upsertKey), known);
    super(spec, values, form.key === 'protobuf' ? keys : null);
  }
}

/** What kind of message the beginning of one names. */
export class KnownMessages {
  readonly #form: ProtobufOptions;
  readonly #schemas: Schemas;
  /** By schema id; 0 without a registry. */
  readonly #parsed = new Map<number, ProtobufSchema | RowError>();

  constructor(form: ProtobufOptions, schemas: Schemas) {
    this.#form = form;
    this.#schemas = schemas;
  }

  /** The kind of message, whose bytes are those that are left. Throws RowError, and SqlError for a beginning that is none. */
  read(from: ProtobufBytes): Message {
    if (this.#form.message !== null) {
      const message = this.#schemaOf(0).named(this.#form.message);
      if (message === null) throw new Error('the option is checked');
      return message;
    }
    const id = schemaIdAt(from.bytes, from.at, from.end);
    if (id < 0) throw new RowError('22P03', 'the message does not begin with a zero byte and a schema id', null);
    from.at += FRAMING_BYTES;
    const path = readPath(from);
    const message = this.#schemaOf(id).at(path);
    if (message === null) throw new RowError('22P03', `schema ${id} of the registry has no message ${path}`, null);
    return message;
  }

  #schemaOf(id: number): ProtobufSchema {
    let parsed = this.#parsed.get(id);
    if (parsed === undefined) {
      parsed = this.#parse(id);
      this.#parsed.set(id, parsed);
    }
    // What is wrong with the schema is what is wrong with each message.
    if (parsed instanceof RowError) throw parsed;
    return parsed;
  }

  #parse(id: number): ProtobufSchema | RowError {
    const { schema } = this.#form;
    const known = schema === null ? this.#schemas.get(id) : { texts: [schema] };
    if ('missing' in known) return new RowError('22P03', known.missing, null);
    try {
      return guarded(null, () => parseSchemas(known.texts));
    } catch (error) {
      if (error instanceof RowError) return error;
      throw error;
    }
  }
}

/** Messages, or their keys. */
class Messages implements MessageReader {
  readonly #make: (message: Message) => RowReader;
  readonly #known: KnownMessages;
  readonly #readers = new Map<Message, RowReader>();
  readonly #from = new ProtobufBytes();

  constructor(make: (message: Message) => RowReader, known: KnownMessages) {
    this.#make = make;
    this.#known = known;
  }

  read(bytes: Buffer, start: number, end: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void {
    const from = this.#from;
    from.begin(bytes, start, end, ctx);
    guarded(null, () => {
      const message = this.#known.read(from);
      let reader = this.#readers.get(message);
      if (reader === undefined) {
        reader = this.#make(message);
        this.#readers.set(message, reader);
      }
      reader(from, values, defaults);
    });
  }
}
