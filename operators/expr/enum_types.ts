/**
 * Enum types, by the OID of pg_type: what their values are called.
 *
 * A value is an i32 whose order is the type's, and which a label keeps for as long as it is there: kernels, keys and state know integers and nothing else, and text
 * is met at input and output only.
 *
 *   CREATE TYPE t AS ENUM ('a', 'b', 'c')      a = 0     b = GAP      c = 2 * GAP
 *   ADD VALUE 'x' BEFORE 'b'                   a = 0     x = GAP / 2  b = GAP ...      the middle of its neighbours
 *
 * Traps: an OID means one type in the whole process, and both threads have a list of their own. A catalog that would give an OID another meaning while another
 * engine of the process has it is refused.
 */
import { SqlError } from '../errors.ts';
import { quoteIdent } from './text/quote.ts';

/** Distance of the values of two labels that were declared one behind the other: sixteen halvings. */
export const GAP = 1 << 16;

export interface EnumLabel {
  /** pg_enum.oid. */
  oid: number;
  label: string;
  value: number;
}

export interface EnumType {
  /** pg_type.oid. */
  oid: number;
  schema: string;
  /** OID of the schema. */
  namespace: number;
  name: string;
  /** In order. */
  labels: EnumLabel[];
  /** How often a label got another text. */
  renames: number;
  /** While statements are done again, which may be from before a label got its text: the texts of before. */
  former: Pick<EnumLabel, 'label' | 'value'>[];
}

interface Known {
  type: EnumType;
  owner: object;
  values: Map<string, number>;
  texts: Map<number, string>;
  /** UTF-8 of a value's label, made when it is asked for. */
  bytes: Map<number, Uint8Array>;
}

const known = new Map<number, Known>();
const listeners = new Set<(type: EnumType) => void>();
const encoder = new TextEncoder();

/** Makes a type known, or known as it is by now. `owner`: whose it is, which is asked when another claims the OID. */
export function setEnumType(type: EnumType, owner: object): void {
  const texts = new Map(type.labels.map(({ value, label }) => [value, label]));
  const other = known.get(type.oid);
  if (
    other !== undefined &&
    other.owner !== owner &&
    type.labels.some(({ value, label }) => (other.texts.get(value) ?? label) !== label)
  ) {
    throw new SqlError(
      '55000',
      `another engine of this process has a type with the OID ${type.oid} of type "${type.name}"`,
    );
  }
  const values = new Map([...type.former, ...type.labels].map(({ value, label }) => [label, value]));
  known.set(type.oid, { type, owner, values, texts, bytes: new Map() });
  for (const listener of listeners) listener(type);
}

/** Tells of every type that is known, and from now on of each that is made or altered; gives what ends it. */
export function followEnumTypes(listener: (type: EnumType) => void): () => void {
  for (const { type } of known.values()) listener(type);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function dropEnumType(oid: number, owner: object): void {
  if (known.get(oid)?.owner === owner) known.delete(oid);
}

export function enumTypeOf(oid: number): EnumType | undefined {
  return known.get(oid)?.type;
}

function required(oid: number): Known {
  const found = known.get(oid);
  if (found === undefined) throw new SqlError('42704', `there is no enum type with OID ${oid}`);
  return found;
}

/** The value of a label; 22P02 when there is none. `path`: the search path, which the type is named for. */
export function enumValue(oid: number, label: string, path: string[] = ['public']): number {
  const { values, type } = required(oid);
  const value = values.get(label);
  if (value !== undefined) return value;
  const schema = path.includes(type.schema) ? '' : `${quoteIdent(type.schema)}.`;
  throw new SqlError('22P02', `invalid input value for enum ${schema}${quoteIdent(type.name)}: "${label}"`);
}

export function enumLabel(oid: number, value: number): string {
  const { texts, type } = required(oid);
  const text = texts.get(value);
  if (text === undefined) throw new SqlError('XX000', `${value} is no value of enum ${type.name}`);
  return text;
}

/** enumLabel() in UTF-8; not to be written to. */
export function enumLabelBytes(oid: number, value: number): Uint8Array {
  const { bytes } = required(oid);
  let found = bytes.get(value);
  if (found === undefined) {
    found = encoder.encode(enumLabel(oid, value));
    bytes.set(value, found);
  }
  return found;
}
