/**
 * format = 'protobuf': every message is one Protobuf message, its fields are columns by the names that are declared (value.ts says how values become theirs).
 *
 *   value bytes -> schema id, which message of it -> its fields (schema.ts) -> generated reader (generated.ts), made once -> slots
 *                                                                                   \--odd message--> exact_reader.ts --> slots, or a bad record
 *
 * With the options `schema` and `message` messages are Protobuf alone, all of that kind. Envelope upsert: the primary key's columns come from the message key,
 * which is Protobuf too, or with key_format = 'json' what it is with format = 'json'; a null value deletes the key.
 */
import { BYTES } from '../../../operators/batch/memory.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import type { Schemas } from '../../registry/schemas.ts';
import type { Decoder, DecoderSpec } from '../format.ts';
import { type DecoderParts, GeneratedDecoder, type GeneratedReader } from '../generated_decoder.ts';
import { RowDecoder } from '../row_decoder.ts';
import { RowError } from '../row_error.ts';
import { ProtobufBytes } from './bytes.ts';
import { ExactReader, KnownMessages } from './exact_reader.ts';
import { type FoundReader, generate } from './generated.ts';
import { JsonTexts } from './json_text.ts';
import type { ProtobufOptions } from './options.ts';
import { columnValue } from './row_reader.ts';
import type { Field, Message } from './schema.ts';
import { valueReader } from './value.ts';

const CONTEXT = defaultContext();
/** A path may be written in very many ways. */
const MOST_READERS = 1000;

/** `schemas`: those of the records' source. */
export function protobufDecoder(spec: DecoderSpec, form: ProtobufOptions, schemas: Schemas): Decoder {
  const known = new KnownMessages(form, schemas);
  return new GeneratedDecoder(spec, new ExactReader(spec, form, known), (parts) => {
    const readers = new Readers(spec, known, parts);
    return (bytes, start, end) => readers.of(bytes, start, end);
  });
}

/** The same rows, read one by one. */
export function exactProtobufDecoder(spec: DecoderSpec, form: ProtobufOptions, schemas: Schemas): Decoder {
  return new RowDecoder(spec, new ExactReader(spec, form, new KnownMessages(form, schemas)));
}

class Readers {
  readonly #spec: DecoderSpec;
  readonly #known: KnownMessages;
  readonly #parts: DecoderParts;
  readonly #from = new ProtobufBytes();
  /** By what messages begin with. */
  readonly #readers = new Map<string, GeneratedReader | null>();
  /** What the last message began with, and its reader: mostly also that of the next. */
  #head = Buffer.alloc(0);
  #last: GeneratedReader | null = null;

  constructor(spec: DecoderSpec, known: KnownMessages, parts: DecoderParts) {
    this.#spec = spec;
    this.#known = known;
    this.#parts = parts;
  }

  of(bytes: Buffer, start: number, end: number): GeneratedReader | null {
    const head = this.#head;
    if (this.#last !== null && startsWith(bytes, start, end, head)) return this.#last;
    const from = this.#from;
    from.begin(bytes, start, end, CONTEXT);
    try {
      const message = this.#known.read(from);
      const name = bytes.toString('latin1', start, from.at);
      let reader = this.#readers.get(name);
      if (reader === undefined) {
        if (this.#readers.size === MOST_READERS) return null;
        reader = this.#generate(message, Buffer.from(name, 'latin1'));
        this.#readers.set(name, reader);
      }
      this.#head = Buffer.from(name, 'latin1');
      this.#last = reader;
      return reader;
    } catch (error) {
      // The exact reader finds it, too.
      if (error instanceof SqlError || error instanceof RowError) return null;
      throw error;
    }
  }

  #generate(message: Message, head: Buffer): GeneratedReader | null {
    const { slots, fields, putDefault } = this.#parts;
    const texts = new JsonTexts();
    return generate(message, {
      head,
      columns: this.#spec.columns,
      fields,
      slots,
      general: (field, column) => this.#foundReader(field, column, texts),
      putDefault,
    });
  }

  #foundReader(field: Field, column: number, texts: JsonTexts): FoundReader {
    const from = this.#from;
    const to = this.#spec.columns[column];
    const read = valueReader(field, to.type, texts);
    const { slots, contextOf, putDefault } = this.#parts;
    return (found, row) => {
      // As much as for a message of this length; it is read as it lies, not from its beginning.
      from.begin(BYTES, 0, found.length === 0 ? 0 : found[found.length - 2] - found[0], contextOf(row));
      try {
        const value = columnValue(read, from, found, to);
        if (value === undefined) return putDefault(column, row);
        slots.put(column, row, value);
        return true;
      } catch (error) {
        if (error instanceof SqlError || error instanceof RowError) return false;
        throw error;
      }
    };
  }
}

/** `head` may be empty: then all do. */
function startsWith(bytes: Buffer, start: number, end: number, head: Buffer): boolean {
  if (end - start < head.length) return false;
  for (let i = 0; i < head.length; i++) if (bytes[start + i] !== head[i]) return false;
  return true;
}
