/**
 * A Protobuf value as JSON text: Protobuf's own JSON mapping, with the names of fields as they are declared and with fields that have no presence also where they
 * are zero, as columns have them.
 *
 * | Protobuf                                  | JSON                                                                 |
 * |-------------------------------------------|----------------------------------------------------------------------|
 * | 64-bit integers                           | a string                                                             |
 * | NaN and infinities                        | "NaN", "Infinity", "-Infinity"                                       |
 * | bytes                                     | base64                                                               |
 * | enum                                      | its label; a number without one is a number                          |
 * | message, map                              | an object                                                            |
 * | google.protobuf.Timestamp, Duration       | "2026-01-01T00:00:00Z", "1.5s"                                       |
 * | google.protobuf.Int32Value, ...           | the value                                                            |
 * | google.protobuf.Struct, Value, ListValue  | what they say; NullValue is null                                     |
 * | google.protobuf.FieldMask                 | "a,b.cD"                                                             |
 * | google.protobuf.Any                       | the message's object with "@type"; of a type that the schema does not have, its bytes as "value" |
 */
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { jsonOf } from '../../../operators/expr/json/encode.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import type { ProtobufBytes } from './bytes.ts';
import {
  checkDuration,
  checkTimestamp,
  readBytes,
  readInt32,
  readSecondsAndNanos,
  readString,
  type SecondsAndNanos,
  scalarOf,
  wrappedKind,
  zeroOf,
} from './scalar.ts';
import { type Found, readAll, readOne, Scan } from './scan.ts';
import type { Field, FieldType, Message, ScalarKind } from './schema.ts';

type TextReader = (from: ProtobufBytes) => string;

const CONTEXT = defaultContext();
const LONG_KINDS: string[] = ['int64', 'sint64', 'uint64', 'fixed64', 'sfixed64'] satisfies ScalarKind[];
/** 0001-01-01 and 9999-12-31 in seconds since 1970. */
const LEAST_SECONDS = -62_135_596_800n;
const GREATEST_SECONDS = 253_402_300_799n;

/** Readers of messages, each made once: a message may be within itself. */
export class JsonTexts {
  readonly #messages = new Map<Message, TextReader>();

  /** All that was found of a field; null: it is not there, and has presence. */
  field(field: Field): (from: ProtobufBytes, found: Found) => string | null {
    const { type } = field;
    if (type.k === 'map') return this.#map(type.key, type.value);
    const value = this.value(type);
    if (field.repeated) {
      return (from, found) => {
        const items: string[] = [];
        readAll(from, found, () => items.push(value(from)));
        return `[${items.join(',')}]`;
      };
    }
    const zero = field.presence || type.k === 'message' ? null : zeroText(type);
    return (from, found) => {
      if (found.length > 0) return readOne(from, field, found, value);
      from.give(zero?.length ?? 0);
      return zero;
    };
  }

  /** Of one value, which is what the reader is given. */
  value(type: FieldType): TextReader {
    switch (type.k) {
      case 'message':
        return (from) => this.#message(type.message)(from);
      case 'enum':
        return (from) => enumText(type, from);
      case 'map':
        throw new Error('a map is not one value');
      default:
        return plainText(type.k);
    }
  }

  #map(key: Field, value: Field): (from: ProtobufBytes, found: Found) => string {
    const scan = new Scan(entryOf(key, value), [key, value]);
    const readKey = this.field(key);
    // An entry without a value has its zero, of a message an empty one.
    const readValue = this.field(value);
    const absent = value.type.k === 'message' ? this.value(value.type) : null;
    return (from, found) => {
      const entries = new Map<string, string>();
      readAll(from, found, () => {
        const [keys, values] = scan.scan(from);
        const text = readKey(from, keys) ?? '';
        const isEmpty = values.length === 0 && absent !== null;
        const content = isEmpty ? from.within(from.bytes, 0, 0, () => absent(from)) : readValue(from, values);
        entries.set(text.startsWith('"') ? text : `"${text}"`, content ?? 'null');
      });
      return `{${Array.from(entries, ([name, content]) => `${name}:${content}`).join(',')}}`;
    };
  }

  #message(message: Message): TextReader {
    let reader = this.#messages.get(message);
    if (reader === undefined) {
      reader = isSpecial(message) ? this.#special(message) : this.#object(message);
      this.#messages.set(message, reader);
    }
    return reader;
  }

  #special(message: Message): TextReader {
    switch (message.name) {
      case 'google.protobuf.Timestamp':
        return (from) => timestampText(readSecondsAndNanos(from));
      case 'google.protobuf.Duration':
        return (from) => durationText(readSecondsAndNanos(from));
      case 'google.protobuf.FieldMask':
        return fieldMask(message);
      case 'google.protobuf.Any':
        return (from) => this.#any(message, from);
      default:
        return this.#onlyOne(message);
    }
  }

  /** What stands for the one field that it has: Struct, ListValue, Value, Int32Value, ... */
  #onlyOne(message: Message): TextReader {
    const { fields } = message;
    const scan = new Scan(message, fields);
    const readers = fields.map((field) => this.field(field));
    return (from) => {
      const found = scan.scan(from);
      const place = readers.length === 1 ? 0 : found.findIndex(({ length }) => length > 0);
      return place < 0 ? 'null' : (readers[place](from, found[place]) ?? 'null');
    };
  }

  #object(message: Message): TextReader {
    const { fields } = message;
    const scan = new Scan(message, fields);
    const readers = fields.map((field) => ({ key: `${quoteJson(field.name)}:`, read: this.field(field) }));
    return (from) => {
      const found = scan.scan(from);
      let text = '{';
      readers.forEach(({ key, read }, place) => {
        const value = read(from, found[place]);
        if (value === null) return;
        from.give(key.length);
        text += text.length > 1 ? `,${key}${value}` : key + value;
      });
      return `${text}}`;
    };
  }

  #any(any: Message, from: ProtobufBytes): string {
    const { fields } = any;
    const found = new Scan(any, fields).scan(from);
    const place = (number: number) => fields.findIndex((field) => field.number === number);
    const [url, content] = [place(1), place(2)];
    const name = found[url].length === 0 ? '' : readOne(from, fields[url], found[url], readString);
    const bytes = found[content].length === 0 ? EMPTY : readOne(from, fields[content], found[content], readBytes);
    const head = `{"@type":${quoteJson(name)}`;
    const message = any.find(name.slice(name.lastIndexOf('/') + 1));
    if (message === null) return `${head},"value":${quoteJson(bytes.toString('base64'))}}`;
    const text = from.within(bytes, 0, bytes.length, () => this.#message(message)(from));
    if (isSpecial(message)) return `${head},"value":${text}}`;
    return text === '{}' ? `${head}}` : `${head},${text.slice(1)}`;
  }
}

const EMPTY = Buffer.alloc(0);
const SPECIAL = ['Timestamp', 'Duration', 'FieldMask', 'Any', 'Struct', 'ListValue', 'Value'];

/** It has a text of its own, not that of an object with its fields. */
function isSpecial(message: Message): boolean {
  return wrappedKind(message) !== null || SPECIAL.some((name) => message.name === `google.protobuf.${name}`);
}

function fieldMask(message: Message): TextReader {
  const scan = new Scan(message, message.fields);
  return (from) => {
    const names: string[] = [];
    readAll(from, scan.scan(from)[0], () => names.push(readString(from).replace(/_([a-z])/g, upper)));
    return quoteJson(names.join(','));
  };
}

function upper(_: string, letter: string): string {
  return letter.toUpperCase();
}

function entryOf(key: Field, value: Field): Message {
  return { name: 'entry', fields: [key, value], find: () => null };
}

/** Of a field without presence. */
function zeroText(type: Exclude<FieldType, { k: 'message' | 'map' }>): string {
  return type.k === 'enum' ? labelText(type, 0) : scalarText(type.k, zeroOf(type.k));
}

function enumText(type: FieldType & { k: 'enum' }, from: ProtobufBytes): string {
  const text = labelText(type, readInt32(from));
  from.give(text.length);
  return text;
}

function labelText({ name, labels }: FieldType & { k: 'enum' }, number: number): string {
  if (name === 'google.protobuf.NullValue') return 'null';
  const label = labels.get(number);
  return label === undefined ? String(number) : quoteJson(label);
}

function plainText(kind: ScalarKind): TextReader {
  const scalar = scalarOf({ k: kind });
  if (scalar === null) throw new Error(`${kind} is no scalar`);
  return (from) => scalarText(kind, scalar.read(from));
}

function scalarText(kind: ScalarKind, value: ReturnType<typeof zeroOf>): string {
  if (kind === 'bytes') return quoteJson(Buffer.from(value as Uint8Array).toString('base64'));
  const oid = scalarOf({ k: kind })?.oid ?? 0;
  const text = jsonOf(value, oid, CONTEXT);
  return LONG_KINDS.includes(kind) ? `"${text}"` : text;
}

function timestampText(parts: SecondsAndNanos): string {
  checkTimestamp(parts);
  const { seconds, nanos } = parts;
  if (seconds < LEAST_SECONDS || seconds > GREATEST_SECONDS) {
    throw new SqlError('22008', `timestamp out of range: ${seconds} seconds since 1970`);
  }
  const text = new Date(Number(seconds) * 1000).toISOString();
  return `"${text.slice(0, text.indexOf('.'))}${fraction(nanos)}Z"`;
}

function durationText(parts: SecondsAndNanos): string {
  checkDuration(parts);
  const { seconds, nanos } = parts;
  const sign = seconds < 0n || nanos < 0n ? '-' : '';
  return `"${sign}${String(seconds).replace('-', '')}${fraction(nanos < 0n ? -nanos : nanos)}s"`;
}

/** With as many digits of 0, 3, 6 and 9 as it needs. */
function fraction(nanos: bigint): string {
  if (nanos === 0n) return '';
  const digits = String(nanos).padStart(9, '0');
  return `.${digits.replace(/(?:000){1,2}$/, '')}`;
}
