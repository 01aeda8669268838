/**
 * An Avro schema as the readers use it: names are resolved, what does not change how bytes are read (docs, defaults, aliases, order) is left out.
 *
 *   JSON text -> AvroType          a recursive type is a cycle of objects: each named type is one object
 *
 * As lenient as producers are: names and defaults are not checked, a logical type that does not fit its base is left out, as Avro demands. Throws SqlError 22P03
 * for what cannot be read by. The text comes from the registry, so depth is bounded.
 */
import { SqlError } from '../../../operators/errors.ts';

export type Primitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export type Logical =
  | 'decimal'
  | 'date'
  | 'time-millis'
  | 'time-micros'
  | 'timestamp-millis'
  | 'timestamp-micros'
  | 'timestamp-nanos'
  | 'local-timestamp-millis'
  | 'local-timestamp-micros'
  | 'local-timestamp-nanos'
  | 'uuid'
  | 'duration';

export interface AvroRecord {
  k: 'record';
  name: string;
  fields: { name: string; type: AvroType }[];
}

export type AvroType =
  /** `scale`: that of a decimal. */
  | { k: Primitive; logical?: Logical; scale?: number }
  | { k: 'fixed'; size: number; logical?: Logical; scale?: number }
  | { k: 'enum'; symbols: string[] }
  | { k: 'array'; items: AvroType }
  | { k: 'map'; values: AvroType }
  | { k: 'union'; branches: AvroType[] }
  | AvroRecord;

const PRIMITIVES: readonly string[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
const MOST_DEPTH = 200;
const MOST_CHARACTERS = 1 << 22;
/** Of what is wrong: it is said of every message. */
const MOST_SHOWN = 300;
const MOST_FIXED_BYTES = 1 << 30;
const MOST_SCALE = 16_383;

/** What each logical type may stand on. */
const BASES: Record<Logical, string[]> = {
  decimal: ['bytes', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  uuid: ['string', 'fixed'],
  duration: ['fixed'],
};

/** Reads schemas of which later ones may name types of earlier ones; gives the last one's type. */
export function parseSchemas(texts: string[]): AvroType {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > MOST_CHARACTERS) throw bad(`it has more than ${MOST_CHARACTERS} characters`);
  const parser = new Parser();
  let type: AvroType = { k: 'null' };
  for (const text of texts) type = parser.type(jsonOf(text), '', 0);
  return type;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The name of a primitive type may stand alone.
    if (PRIMITIVES.includes(text.trim())) return text.trim();
    throw bad('it is not JSON');
  }
}

type Attributes = Record<string, unknown>;

class Parser {
  readonly #named = new Map<string, AvroType>();

  type(schema: unknown, namespace: string, depth: number): AvroType {
    if (depth > MOST_DEPTH) throw bad(`it is more than ${MOST_DEPTH} levels deep`);
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema)) {
      return { k: 'union', branches: schema.map((branch) => this.type(branch, namespace, depth + 1)) };
    }
    if (typeof schema !== 'object' || schema === null) throw bad(`${JSON.stringify(schema)} is no type`);
    const attributes = schema as Attributes;
    const { type } = attributes;
    if (typeof type !== 'string') return this.type(type, namespace, depth + 1);
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(attributes, namespace, depth);
      case 'enum':
        return this.#name(attributes, namespace, { k: 'enum', symbols: symbolsOf(attributes) });
      case 'fixed':
        return this.#name(attributes, namespace, withLogical({ k: 'fixed', size: sizeOf(attributes) }, attributes));
      case 'array':
        return { k: 'array', items: this.type(attributes.items, namespace, depth + 1) };
      case 'map':
        return { k: 'map', values: this.type(attributes.values, namespace, depth + 1) };
      default:
        if (PRIMITIVES.includes(type)) return withLogical({ k: type as Primitive }, attributes);
        return this.#reference(type, namespace);
    }
  }

  #reference(name: string, namespace: string): AvroType {
    if (PRIMITIVES.includes(name)) return { k: name as Primitive };
    const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (found === undefined) throw bad(`it names the type "${name}", which is not there`);
    return found;
  }

  #record(attributes: Attributes, namespace: string, depth: number): AvroType {
    const record: AvroRecord = { k: 'record', name: nameOf(attributes, namespace), fields: [] };
    this.#name(attributes, namespace, record);
    const inner = record.name.slice(0, Math.max(0, record.name.lastIndexOf('.')));
    for (const field of list(attributes, 'fields')) {
      const { name, type } = (field ?? {}) as Attributes;
      if (typeof name !== 'string') throw bad(`a field of "${record.name}" has no name`);
      record.fields.push({ name, type: this.type(type, inner, depth + 1) });
    }
    return record;
  }

  #name(attributes: Attributes, namespace: string, type: AvroType): AvroType {
    this.#named.set(nameOf(attributes, namespace), type);
    return type;
  }
}

function nameOf({ name, namespace }: Attributes, outer: string): string {
  if (typeof name !== 'string') throw bad('a type that needs a name has none');
  return fullName(name, typeof namespace === 'string' ? namespace : outer);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function list(attributes: Attributes, name: string): unknown[] {
  const value = attributes[name];
  if (!Array.isArray(value)) throw bad(`"${name}" of a type is no list`);
  return value;
}

function symbolsOf(attributes: Attributes): string[] {
  return list(attributes, 'symbols').map((symbol) => {
    if (typeof symbol !== 'string' || symbol.includes('\0')) throw bad('a symbol of an enum is no text');
    return symbol;
  });
}

function sizeOf({ size }: Attributes): number {
  if (Number.isInteger(size) && (size as number) >= 0 && (size as number) <= MOST_FIXED_BYTES) return size as number;
  throw bad('the size of a fixed is none');
}

function withLogical(
  type: { k: Primitive } | { k: 'fixed'; size: number },
  { logicalType, precision, scale = 0 }: Attributes,
): AvroType {
  if (typeof logicalType !== 'string' || !Object.hasOwn(BASES, logicalType)) return type;
  const logical = logicalType as Logical;
  if (!BASES[logical].includes(type.k)) return type;
  if (logical === 'duration' && (type.k !== 'fixed' || type.size !== 12)) return type;
  if (logical === 'uuid' && type.k === 'fixed' && type.size !== 16) return type;
  if (logical !== 'decimal') return { ...type, logical };
  const fits = Number.isInteger(scale) && (scale as number) >= 0 && (scale as number) <= MOST_SCALE;
  const isDecimal = fits && Number.isInteger(precision) && (precision as number) >= Math.max(1, scale as number);
  return isDecimal ? { ...type, logical, scale: scale as number } : type;
}

function bad(why: string): SqlError {
  return new SqlError('22P03', `the Avro schema cannot be used: ${why.slice(0, MOST_SHOWN).replaceAll('\0', '?')}`);
}
