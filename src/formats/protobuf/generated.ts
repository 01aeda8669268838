/**
 * A reader of one kind of message, generated from its fields and the columns: a loop over messages that writes common values straight into slots.
 *
 *   for each message   does it begin as messages of this kind do? no: leave
 *                      for each tag: the field's value into its column's slot | note where it lies | step over it
 *                      at the message's end? no: leave
 *                      for each column: was its field there? no: its zero, its DEFAULT or NULL; noted: have value.ts read it
 *
 * A field that comes again overwrites what it was; of a oneof it is known which member came last. It takes only the common form of values; whatever else there
 * is (a wrong wire type, a group that nobody has, a varint of eleven bytes, ...) it stops before that message, which is then read exactly; so it decides about no
 * error, and reading past a message's end does no harm before that is seen. Bytes lie in the shared memory: long texts stay where they are.
 */
import { BYTES, F64, I32, U8 } from '../../../operators/batch/memory.ts';
import { pointVarlen } from '../../../operators/batch/slots.ts';
import { type ColType, isTimestamp, OID } from '../../../operators/types.ts';
import type { SourceColumn } from '../format.ts';
import type { GeneratedReader } from '../generated_decoder.ts';
import type { RowSlots } from '../row_slots.ts';
import {
  EXACT,
  floatCode,
  heads,
  LEAVE,
  NUMBER,
  nullCode,
  STORE_LONG,
  setCode,
  timestampCode,
  zeroCode,
} from '../slot_code.ts';
import { isText } from '../text_check.ts';
import { FIXED32, FIXED64, LENGTH, VARINT } from './bytes.ts';
import { fieldName } from './row_reader.ts';
import { type Found, isPackable, wireOf } from './scan.ts';
import type { Field, Message } from './schema.ts';

/** Reads what was found of a field into its column; false: leave. */
export type FoundReader = (found: Found, row: number) => boolean;

export interface GeneratedSpec {
  /** What each message begins with. */
  head: Uint8Array;
  columns: SourceColumn[];
  /** Positions of the columns that messages have. */
  fields: number[];
  slots: RowSlots;
  /** For fields that have no code of their own, and for labels: what a number is. */
  general(field: Field, column: number): FoundReader;
  /** For columns that the message does not have; false: leave. */
  putDefault(column: number, row: number): boolean;
}

/** Code for more takes long to be compiled. */
const MOST_FIELDS = 2000;

/** Varints of more than one byte. */
class VarintReader {
  lo = 0;
  hi = 0;

  /** Gives where it ends: nowhere, with more than ten bytes. */
  read(at: number): number {
    let lo = 0;
    this.hi = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = U8[at++];
      lo |= (byte & 127) << shift;
      if (byte < 128) {
        this.lo = lo;
        return at;
      }
    }
    let byte = U8[at++];
    this.lo = lo | (byte << 28);
    let hi = (byte & 127) >>> 4;
    for (let shift = 3; byte > 127; shift += 7) {
      if (shift > 31) return Number.POSITIVE_INFINITY;
      byte = U8[at++];
      hi |= (byte & 127) << shift;
    }
    this.hi = hi;
    return at;
  }
}

/** A google.protobuf.Timestamp of positive parts, which most are. */
class TimestampReader {
  readonly #varint = new VarintReader();

  /** Microseconds since 1970; NaN: it is to be read exactly. */
  read(at: number, length: number): number {
    const varint = this.#varint;
    const end = at + length;
    let seconds = 0;
    let nanos = 0;
    while (at < end) {
      const tag = U8[at++];
      if (tag !== 8 && tag !== 16) return Number.NaN;
      at = varint.read(at);
      if (varint.hi < 0 || varint.hi >= 0x20_0000) return Number.NaN;
      const value = varint.hi * 0x1_0000_0000 + (varint.lo >>> 0);
      if (tag === 8) seconds = value;
      else nanos = value;
    }
    if (at !== end || nanos > 999_999_999) return Number.NaN;
    return seconds * 1e6 + Math.floor(nanos / 1000);
  }
}

/** Into lo and hi. */
const READ = `b = U8[at];
  if (b < 128) { at++; lo = b; hi = 0; } else { at = varint.read(at); lo = varint.lo; hi = varint.hi; }`;
/** A length into n, which the message has room for. */
const READ_LENGTH = `${READ} if (hi !== 0 || lo < 0 || lo > end - at) ${LEAVE} n = lo;`;
const ROOM = (length: number) => `if (end - at < ${length}) ${LEAVE}`;

interface Parts {
  spec: GeneratedSpec;
  readers: FoundReader[];
  /** Declarations before the loop, and what is done at the beginning and the end of a message. */
  before: string[];
  begin: string[];
  after: string[];
}

/** Null: messages of this kind are better read without. */
export function generate(message: Message, spec: GeneratedSpec): GeneratedReader | null {
  const columnOf = new Map(spec.fields.map((column) => [fieldName(spec.columns[column]), column]));
  const wanted = message.fields.filter(({ name }) => columnOf.has(name));
  const oneofs = new Set(wanted.flatMap(({ oneof }) => (oneof === null ? [] : [oneof])));
  const siblings = message.fields.filter((field) => !wanted.includes(field) && oneofs.has(field.oneof ?? ''));
  if (wanted.length + siblings.length > MOST_FIELDS) return null;
  const parts: Parts = { spec, readers: [], before: [], begin: [], after: [] };
  const last = new Map([...oneofs].map((oneof, i) => [oneof, `o${i}`]));
  for (const name of last.values()) {
    parts.before.push(`let ${name} = 0;`);
    parts.begin.push(`${name} = 0;`);
  }
  const cases = wanted.map((field) => {
    const column = columnOf.get(field.name) ?? -1;
    return fieldCases(field, column, last.get(field.oneof ?? '') ?? null, parts);
  });
  for (const field of siblings) {
    const wire = wireOf(field.type);
    cases.push(
      `case ${tagOf(field, wire)}: ${last.get(field.oneof ?? '')} = ${field.number}; ${stepCode(wire)} break;`,
    );
  }
  const known = new Set([...wanted, ...siblings].map(({ number }) => number));
  const there = new Set(wanted.map(({ name }) => name));
  for (const column of spec.fields) {
    if (!there.has(fieldName(spec.columns[column]))) parts.after.push(`if (!putDefault(${column}, row)) ${LEAVE}`);
  }
  const code = `
    return (starts, ends, shift, i, to, row) => {
      ${heads(spec.fields)}
      ${parts.before.join('\n')}
      let lo = 0, hi = 0, n = 0, b = 0, s = 0;
      for (; i < to; i++, row++) {
        if (starts[i] < 0) ${LEAVE}
        let at = starts[i] + shift;
        const end = ends[i] + shift;
        ${headCode(spec.head)}
        ${parts.begin.join('\n')}
        while (at < end) {
          ${READ}
          if (hi !== 0) ${LEAVE}
          switch (lo) {
            ${cases.join('\n')}
            default: ${SKIP}
          }
        }
        if (at !== end) ${LEAVE}
        ${parts.after.map((one) => `{ ${one} }`).join('\n')}
      }
      return i;
    };`;
  const views = { U8, I32, F64, BYTES };
  const helpers = { varint: new VarintReader(), stamps: new TimestampReader(), isText, pointVarlen };
  const make = new Function(
    'views',
    'helpers',
    'slots',
    'readers',
    'putDefault',
    'known',
    `const { U8, I32, F64, BYTES } = views; const { varint, stamps, isText, pointVarlen } = helpers; ${code}`,
  );
  return make(views, helpers, spec.slots, parts.readers, spec.putDefault, known) as GeneratedReader;
}

function headCode(head: Uint8Array): string {
  if (head.length === 0) return '';
  const bytes = Array.from(head, (byte, k) => `U8[at + ${k}] !== ${byte}`);
  return `if (end - at < ${head.length} || ${bytes.join(' || ')}) ${LEAVE} at += ${head.length};`;
}

/** Over a field that nobody has, by its tag in lo. One that is known has a wire type that its type has not. */
const SKIP = `if (lo >>> 0 < 8 || known.has(lo >>> 3)) ${LEAVE}
  switch (lo & 7) {
    case ${VARINT}: ${READ} break;
    case ${FIXED64}: at += 8; break;
    case ${LENGTH}: ${READ_LENGTH} at += n; break;
    case ${FIXED32}: at += 4; break;
    default: ${LEAVE}
  }`;

function stepCode(wire: number): string {
  if (wire === VARINT) return READ;
  if (wire === FIXED64) return 'at += 8;';
  if (wire === FIXED32) return 'at += 4;';
  return wire === LENGTH ? `${READ_LENGTH} at += n;` : LEAVE;
}

/** As a number of 32 bits with a sign, which is what is read. */
function tagOf({ number }: Field, wire: number): number {
  return (number * 8 + wire) | 0;
}

/** `last`: the variable that has the number of its oneof's last member. */
function fieldCases(field: Field, column: number, last: string | null, parts: Parts): string {
  const { number, repeated, presence } = field;
  const to = parts.spec.columns[column];
  const wire = wireOf(field.type);
  const value = repeated ? null : valueCode(field, to.type);
  if (value === null) return foundCases(field, column, last, parts);
  const there = last === null ? `p${column}` : `${last} === ${number}`;
  const note = last === null ? `p${column} = 1;` : `${last} = ${number};`;
  if (last === null) {
    parts.before.push(`let p${column} = 0;`);
    parts.begin.push(`p${column} = 0;`);
  }
  // A message that comes again is merged, which is not done here.
  const again = field.type.k === 'message' ? `if (${there}) ${LEAVE}` : '';
  const absent = presence
    ? absentCode(column, to)
    : setCode(column, isTimestamp(to.type.oid) ? timestampCode('0') : zeroCode(to.type));
  parts.after.push(`if (!(${there})) { ${absent} }`);
  return `case ${tagOf(field, wire)}: { ${again} ${note} ${setCode(column, value)} break; }`;
}

function absentCode(column: number, to: SourceColumn): string {
  return to.default === undefined ? nullCode(column, to.type, to.notNull) : `if (!putDefault(${column}, row)) ${LEAVE}`;
}

/** Where it lies is noted. */
function foundCases(field: Field, column: number, last: string | null, parts: Parts): string {
  const { number, type } = field;
  const { spec, readers } = parts;
  const wire = wireOf(type);
  readers.push(spec.general(field, column));
  parts.before.push(`const f${column} = [];`);
  parts.begin.push(`f${column}.length = 0;`);
  if (last !== null) parts.after.push(`if (${last} !== ${number}) f${column}.length = 0;`);
  parts.after.push(`if (!readers[${readers.length - 1}](f${column}, row)) ${LEAVE}`);
  const note = last === null ? '' : `if (${last} !== ${number}) { ${last} = ${number}; f${column}.length = 0; }`;
  const at = wire === LENGTH ? `${READ_LENGTH} s = at; at += n;` : `s = at; ${stepCode(wire)}`;
  const own = `case ${tagOf(field, wire)}: { ${note} ${at} f${column}.push(s, at, 0); break; }`;
  if (!isPackable(field)) return own;
  return `${own} case ${tagOf(field, LENGTH)}: { ${READ_LENGTH} s = at; at += n; f${column}.push(s, at, 1); break; }`;
}

/** Reads the value at `at` into the slot s; but for times zero is all bits 0. Null: there is no code for it. */
function valueCode({ type }: Field, to: ColType): string | null {
  if (to.typmod !== -1) return null;
  switch (type.k) {
    case 'bool':
      return to.oid === OID.bool ? `${READ} U8[s] = (lo | hi) !== 0 ? 1 : 0;` : null;
    case 'int32':
      return intCode(READ, to.oid);
    case 'sint32':
      return intCode(`${READ} lo = (lo >>> 1) ^ -(lo & 1);`, to.oid);
    case 'sfixed32':
      return intCode(`${ROOM(4)} lo = BYTES.readInt32LE(at); at += 4;`, to.oid);
    case 'uint32':
      return to.oid === OID.int8 ? `${READ} hi = 0; ${STORE_LONG}` : null;
    case 'fixed32':
      return to.oid === OID.int8 ? `${ROOM(4)} lo = BYTES.readInt32LE(at); at += 4; hi = 0; ${STORE_LONG}` : null;
    case 'int64':
      return longCode(READ, to.oid);
    case 'sint64':
      return longCode(`${READ} b = -(lo & 1); lo = ((lo >>> 1) | (hi << 31)) ^ b; hi = (hi >>> 1) ^ b;`, to.oid);
    case 'sfixed64':
      return longCode(`${ROOM(8)} lo = BYTES.readInt32LE(at); hi = BYTES.readInt32LE(at + 4); at += 8;`, to.oid);
    case 'double':
      return to.oid === OID.float8 ? `${ROOM(8)} ${floatCode('BYTES.readDoubleLE(at)')} at += 8;` : null;
    case 'float':
      return to.oid === OID.float4 ? `${ROOM(4)} ${floatCode('BYTES.readFloatLE(at)')} at += 4;` : null;
    case 'string': {
      const isPlain = to.oid === OID.text || to.oid === OID.varchar;
      return isPlain ? `${READ_LENGTH} if (!isText(at, at + n)) ${LEAVE} pointVarlen(s, at, n); at += n;` : null;
    }
    case 'bytes':
      return to.oid === OID.bytea ? `${READ_LENGTH} pointVarlen(s, at, n); at += n;` : null;
    case 'enum':
      return to.oid === OID.int4 ? intCode(READ, to.oid) : null;
    case 'message': {
      if (!isTimestamp(to.oid) || type.delimited || type.message.name !== 'google.protobuf.Timestamp') return null;
      return `${READ_LENGTH} ${timestampCode('stamps.read(at, b = n)')} at += b;`;
    }
    default:
      return null;
  }
}

function intCode(read: string, to: number): string | null {
  switch (to) {
    case OID.int4:
      return `${read} I32[s >>> 2] = lo;`;
    case OID.int8:
      return `${read} hi = lo >> 31; ${STORE_LONG}`;
    case OID.int2:
      return `${read} if (lo < -32768 || lo > 32767) ${LEAVE} I32[s >>> 2] = lo;`;
    default:
      return null;
  }
}

function longCode(read: string, to: number): string | null {
  switch (to) {
    case OID.int8:
      return `${read} ${STORE_LONG}`;
    case OID.timestamp:
    case OID.timestamptz:
      return `${read} if (${EXACT}) ${LEAVE} ${timestampCode(`${NUMBER} * 1000`)}`;
    default:
      return null;
  }
}
