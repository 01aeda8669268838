/**
 * A Protobuf schema as the readers use it: .proto text, read by protobufjs, with names resolved and what does not change how bytes are read left out.
 *
 *   .proto texts -> protobufjs's reflection -> Message          a message may be within itself: each is one object, made when it is first asked for
 *
 * proto2, proto3 and editions. Names of imported files do not matter: all texts are one space of names. The text comes from the registry, so its length is bounded.
 * protobufjs is loaded when the first schema is read: it takes 18 ms. Throws SqlError 22P03 for what cannot be read by.
 */
import { createRequire } from 'node:module';
import type * as Protobufjs from 'protobufjs';
import { SqlError } from '../../../operators/errors.ts';
import { BUNDLED, BUNDLED_TEXTS } from './well_known.ts';

export type ScalarKind =
  | 'double'
  | 'float'
  | 'int32'
  | 'sint32'
  | 'uint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'sint64'
  | 'uint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes';

export type FieldType =
  | { k: ScalarKind }
  /** By number; of several labels of a number the first. */
  | { k: 'enum'; name: string; labels: Map<number, string> }
  /** `delimited`: a group, which ends with a tag, not after a length. */
  | { k: 'message'; message: Message; delimited: boolean }
  /** Each entry a message: key is its field 1, value 2. */
  | { k: 'map'; key: Field; value: Field };

export interface Field {
  /** As it is declared. */
  name: string;
  number: number;
  type: FieldType;
  repeated: boolean;
  /** Whether a message can lack it: otherwise it has its zero when it is not there. */
  presence: boolean;
  /** Which oneof of its message it is in; null: none. */
  oneof: string | null;
}

export interface Message {
  /** With its package, without a point before. */
  name: string;
  fields: Field[];
  /** Of all that its schema has; null: there is none of that name. */
  find(name: string): Message | null;
}

/** One file's messages, as others number them. */
export interface ProtobufSchema {
  /** By the numbers that a message begins with: which of the file, which of those within it, ... Null: there is none. */
  at(path: number[]): Message | null;
  named(name: string): Message | null;
}

type Library = typeof Protobufjs;

const MOST_CHARACTERS = 1 << 22;
/** The library's time grows with the square of a message's fields: some seconds for so many. */
const MOST_FIELDS = 10_000;
/** Of what is wrong: it is said of every message. */
const MOST_SHOWN = 300;

const require = createRequire(import.meta.url);

/** Reads texts of which later ones may use what earlier ones have; gives the last one's. */
export function parseSchemas(texts: string[]): ProtobufSchema {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > MOST_CHARACTERS) throw bad(`it has more than ${MOST_CHARACTERS} characters`);
  const fields = texts.reduce((sum, text) => sum + text.split('=').length - 1, 0);
  if (fields > MOST_FIELDS) throw bad(`it has more than ${MOST_FIELDS} fields, values and options`);
  const library = require('protobufjs') as Library;
  return guarded(() => new ParsedSchema(library, rootOf(library, texts)));
}

/** What the library throws is what is wrong with the schema: also that there is no room for so many levels. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SqlError || !(error instanceof Error)) throw error;
    throw bad(error.message);
  }
}

/** Which file of the root is meant. */
const MAIN = 'main';
const DESCRIPTOR = 'google/protobuf/descriptor.proto';
const DESCRIPTOR_JSON = 'google/protobuf/descriptor.json';

function rootOf({ Root, parse, common }: Library, texts: string[]): Protobufjs.Root {
  const root = new Root();
  // Which file what is read comes from; the library's types do not have it.
  const from = parse as unknown as { filename: string | null };
  const imported = new Set<string>();
  const own = new Set<string>();
  texts.forEach((text, i) => {
    from.filename = i === texts.length - 1 ? MAIN : `${i}`;
    const { imports = [], weakImports = [], package: name = '' } = parse(text, root, { keepCase: true });
    own.add(name);
    for (const file of [...imports, ...weakImports]) imported.add(file);
  });
  from.filename = null;
  for (const file of imported) {
    const { nested } = bundled(file, common) ?? {};
    if (nested !== undefined && !own.has('google.protobuf')) root.addJSON(nested);
    const { package: name, text } = BUNDLED_TEXTS[file] ?? {};
    if (text !== undefined && name !== undefined && !own.has(name)) parse(text, root, { keepCase: true });
  }
  root.resolveAll();
  return root;
}

/** What a file has that the library comes with. */
function bundled(file: string, common: Library['common']): Protobufjs.INamespace | null {
  // Options of users' own are extensions of what is there.
  if (file === DESCRIPTOR) return require(`protobufjs/${DESCRIPTOR_JSON}`) as Protobufjs.INamespace;
  return BUNDLED.includes(file) ? common.get(file) : null;
}

class ParsedSchema implements ProtobufSchema {
  readonly #library: Library;
  readonly #root: Protobufjs.Root;
  readonly #messages = new Map<Protobufjs.Type, Message>();
  readonly #byName = new Map<string, Protobufjs.Type>();

  constructor(library: Library, root: Protobufjs.Root) {
    this.#library = library;
    this.#root = root;
  }

  at(path: number[]): Message | null {
    const { Type } = this.#library;
    let within: Protobufjs.Type[] = this.#topLevel(this.#root);
    let found: Protobufjs.Type | undefined;
    for (const index of path) {
      found = within[index];
      if (found === undefined) return null;
      within = found.nestedArray.filter((one): one is Protobufjs.Type => one instanceof Type && !isGroup(one));
    }
    return found === undefined ? null : this.#message(found);
  }

  /** Messages of the file that is meant. A file has one package, so they lie in one space of names, in their order. */
  #topLevel(space: Protobufjs.NamespaceBase): Protobufjs.Type[] {
    const { Type, Namespace } = this.#library;
    return space.nestedArray.flatMap((one) => {
      if (one instanceof Type) return one.filename === MAIN ? [one] : [];
      return one instanceof Namespace ? this.#topLevel(one) : [];
    });
  }

  named(name: string): Message | null {
    if (this.#byName.size === 0) this.#name(this.#root);
    const found = this.#byName.get(name);
    return found === undefined ? null : this.#message(found);
  }

  /** The library keeps each name that it is asked for, and messages may name anything. */
  #name(space: Protobufjs.NamespaceBase): void {
    const { Type, Namespace } = this.#library;
    for (const one of space.nestedArray) {
      if (one instanceof Type) this.#byName.set(one.fullName.slice(1), one);
      if (one instanceof Type || one instanceof Namespace) this.#name(one);
    }
  }

  #message(type: Protobufjs.Type): Message {
    let message = this.#messages.get(type);
    if (message === undefined) {
      message = { name: type.fullName.slice(1), fields: [], find: (name) => this.named(name) };
      this.#messages.set(type, message);
      // Extensions are fields of another file's making; nothing names them here.
      const fields = type.fieldsArray.filter(({ declaringField }) => declaringField === null);
      for (const field of fields) message.fields.push(this.#field(field));
    }
    return message;
  }

  #field(field: Protobufjs.Field | Protobufjs.MapField): Field {
    const { MapField, Type } = this.#library;
    const { name, id, repeated, partOf } = field;
    if (field instanceof MapField) {
      const key = entryField('key', 1, { k: field.keyType as ScalarKind });
      const value = entryField('value', 2, this.#type(field, false));
      return { name, number: id, type: { k: 'map', key, value }, repeated: false, presence: false, oneof: null };
    }
    const isMessage = field.resolvedType instanceof Type;
    return {
      // That of a group is its type's in small letters.
      name: isGroup(field.resolvedType) ? name.toLowerCase() : name,
      number: id,
      type: this.#type(field, field.delimited),
      repeated,
      // A message always has it.
      presence: !repeated && (isMessage || Boolean(field.hasPresence)),
      // One that is alone in it is what an optional field of proto3 is in the library.
      oneof: partOf === null || partOf.oneof.length < 2 ? null : partOf.name,
    };
  }

  #type({ type, resolvedType }: Protobufjs.FieldBase, delimited: boolean): FieldType {
    const { Enum, Type } = this.#library;
    if (resolvedType instanceof Enum) {
      const labels = new Map(Object.entries(resolvedType.valuesById).map(([id, label]) => [Number(id), label]));
      return { k: 'enum', name: resolvedType.fullName.slice(1), labels };
    }
    if (resolvedType instanceof Type) {
      return { k: 'message', message: this.#message(resolvedType), delimited };
    }
    return { k: type as ScalarKind };
  }
}

/** Of proto2: the library's types do not say it. */
function isGroup(type: unknown): boolean {
  return (type as { group?: boolean } | null)?.group === true;
}

function entryField(name: string, number: number, type: FieldType): Field {
  return { name, number, type, repeated: false, presence: false, oneof: null };
}

function bad(why: string): SqlError {
  return new SqlError('22P03', `the Protobuf schema cannot be used: ${why.slice(0, MOST_SHOWN).replaceAll('\0', '?')}`);
}
