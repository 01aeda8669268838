/**
 * A reader of one writer's messages, generated from its schema and the columns: a loop over messages that writes common values straight into slots.
 *
 *   for each message   its schema id? no: leave
 *                      for each field in the writer's order: read it into its column's slot | step over it | have values.ts read it
 *                      at the message's end? no: leave
 *
 * It takes only the common form of values (a long that fits, a text that is UTF-8, ...). Whatever else there is, it stops before that message, which is then read
 * exactly; so it decides about no error, and reading past a message's end does no harm before that is seen. Bytes lie in the shared memory: long texts stay where
 * they are.
 */
import { BYTES, F64, I32, U8 } from '../../../operators/batch/memory.ts';
import { pointVarlen } from '../../../operators/batch/slots.ts';
import { EPOCH_DIFF_DAYS, MIN_DATE } from '../../../operators/expr/datetime/calendar.ts';
import { numericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { type ColType, OID } from '../../../operators/types.ts';
import { FRAMING_BYTES } from '../../registry/framing.ts';
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
  STORE_NUMBER,
  setCode,
  timestampCode,
} from '../slot_code.ts';
import { isText } from '../text_check.ts';
import type { AvroRecord, AvroType } from './schema.ts';

/** Reads the field at an address into its column, or steps over it; gives where it ends, or -1 to leave. */
export type FieldReader = (at: number, end: number, row: number) => number;

export interface GeneratedSpec {
  /** -1: messages name none. */
  id: number;
  columns: SourceColumn[];
  /** Positions of the columns that messages have. */
  fields: number[];
  slots: RowSlots;
  /** For fields that have no code of their own. `column` -1: nobody has it. */
  general(type: AvroType, column: number): FieldReader;
  /** For columns that the messages do not have. */
  absent(column: number): FieldReader;
}

/** Varints of more than one byte. */
class LongReader {
  lo = 0;
  hi = 0;

  /** Gives where it ends: nowhere, with more than 64 bits. */
  read(at: number): number {
    let lo = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = U8[at++];
      lo |= (byte & 127) << shift;
      if (byte < 128) return this.#set(lo, 0, at);
    }
    let byte = U8[at++];
    lo |= byte << 28;
    let hi = (byte & 127) >>> 4;
    if (byte < 128) return this.#set(lo, hi, at);
    for (let shift = 3; shift < 31; shift += 7) {
      byte = U8[at++];
      hi |= (byte & 127) << shift;
      if (byte < 128) return this.#set(lo, hi, at);
    }
    byte = U8[at++];
    hi |= byte << 31;
    return byte > 1 ? Number.POSITIVE_INFINITY : this.#set(lo, hi, at);
  }

  #set(lo: number, hi: number, at: number): number {
    const sign = -(lo & 1);
    this.lo = ((lo >>> 1) | (hi << 31)) ^ sign;
    this.hi = (hi >>> 1) ^ sign;
    return at;
  }
}

const DAY_MICROS = 86_400_000_000;

/** Code for more takes long to be compiled. */
const MOST_FIELDS = 2000;

/** Null: messages of this schema are better read without. */
export function generate(record: AvroRecord, spec: GeneratedSpec): GeneratedReader | null {
  if (record.fields.length > MOST_FIELDS) return null;
  const readers: FieldReader[] = [];
  const columnOf = new Map(
    spec.fields.map((column) => {
      const { name, origin } = spec.columns[column];
      return [origin.k === 'field' ? origin.name : name, column];
    }),
  );
  const used = new Set<number>();
  const general = (reader: FieldReader) => {
    readers.push(reader);
    return `at = readers[${readers.length - 1}](at, end, row); if (at < 0) ${LEAVE}`;
  };
  const body = record.fields.map(({ name, type }) => {
    const column = columnOf.get(name) ?? -1;
    if (column < 0) return skipCode(type) ?? general(spec.general(type, -1));
    used.add(column);
    return fieldCode(type, column, spec.columns[column]) ?? general(spec.general(type, column));
  });
  for (const column of spec.fields) {
    if (!used.has(column)) body.push(general(spec.absent(column)));
  }
  const code = `
    return (starts, ends, shift, i, to, row) => {
      ${heads(used)}
      let lo = 0, hi = 0, n = 0, b = 0, s = 0;
      for (; i < to; i++, row++) {
        if (starts[i] < 0) ${LEAVE}
        let at = starts[i] + shift;
        const end = ends[i] + shift;
        ${framingCode(spec.id)}
        ${body.map((one) => `{ ${one} }`).join('\n')}
        if (at !== end) ${LEAVE}
      }
      return i;
    };`;
  const views = { U8, I32, F64, BYTES };
  const helpers = { long: new LongReader(), isText, pointVarlen };
  const make = new Function(
    'views',
    'helpers',
    'slots',
    'readers',
    `const { U8, I32, F64, BYTES } = views; const { long, isText, pointVarlen } = helpers; ${code}`,
  );
  return make(views, helpers, spec.slots, readers) as GeneratedReader;
}

function framingCode(id: number): string {
  if (id < 0) return '';
  const bytes = [24, 16, 8, 0].map((shift, k) => `U8[at + ${k + 1}] !== ${(id >>> shift) & 255}`);
  return `if (end - at < ${FRAMING_BYTES} || U8[at] !== 0 || ${bytes.join(' || ')}) ${LEAVE} at += ${FRAMING_BYTES};`;
}

/** Into lo and hi. */
const LONG = `b = U8[at];
  if (b < 128) { at++; lo = (b >>> 1) ^ -(b & 1); hi = lo >> 31; } else { at = long.read(at); lo = long.lo; hi = long.hi; }`;
const INT = `${LONG} if (hi !== lo >> 31) ${LEAVE}`;
/** A length into n, which the message has room for. */
const LENGTH = `${LONG} if (hi !== 0 || lo < 0 || lo > end - at) ${LEAVE} n = lo;`;

/** Null: there is no code for it. */
function skipCode(type: AvroType): string | null {
  switch (type.k) {
    case 'null':
      return '';
    case 'boolean':
      return `if (U8[at++] > 1) ${LEAVE}`;
    case 'int':
      return INT;
    case 'long':
      return LONG;
    case 'float':
      return 'at += 4;';
    case 'double':
      return 'at += 8;';
    case 'bytes':
    case 'string':
      return `${LENGTH} at += n;`;
    case 'union': {
      if (!isFew(type.branches)) return null;
      const branches = type.branches.map((branch) => skipCode(branch));
      return branches.includes(null) ? null : unionCode(branches as string[]);
    }
    default:
      return null;
  }
}

/** Branches that one byte can tell, and none of them a union. */
function isFew(branches: AvroType[]): boolean {
  return branches.length > 0 && branches.length <= 2 && branches.every(({ k }) => k !== 'union');
}

/** One byte says which. */
function unionCode(branches: string[]): string {
  const cases = branches.map((code, k) => `if (b === ${k * 2}) { ${code} }`);
  return `b = U8[at++]; ${cases.join(' else ')} else ${LEAVE}`;
}

/** Null: there is no code for it. */
function fieldCode(type: AvroType, column: number, { type: to, notNull }: SourceColumn): string | null {
  if (type.k === 'null') return nullCode(column, to, notNull);
  if (type.k === 'union') {
    if (!isFew(type.branches)) return null;
    const branches = type.branches.map((branch) => fieldCode(branch, column, { type: to, notNull } as SourceColumn));
    return branches.includes(null) ? null : unionCode(branches as string[]);
  }
  const value = valueCode(type, to);
  if (value === null) return null;
  return setCode(column, value);
}

/** Writes the value at `at` into the slot s. */
function valueCode(type: AvroType, to: ColType): string | null {
  if (type.k === 'bytes' && type.logical === 'decimal')
    return to.oid === OID.numeric ? decimalCode(type.scale ?? 0, to) : null;
  if (to.typmod !== -1) return null;
  switch (type.k) {
    case 'boolean':
      return to.oid === OID.bool ? `b = U8[at++]; if (b > 1) ${LEAVE} U8[s] = b;` : null;
    case 'double':
      return to.oid === OID.float8
        ? `if (end - at < 8) ${LEAVE} ${floatCode('BYTES.readDoubleLE(at)')} at += 8;`
        : null;
    case 'float':
      return to.oid === OID.float4 ? `if (end - at < 4) ${LEAVE} ${floatCode('BYTES.readFloatLE(at)')} at += 4;` : null;
    case 'string': {
      const isPlain = type.logical === undefined && (to.oid === OID.text || to.oid === OID.varchar);
      return isPlain ? `${LENGTH} if (!isText(at, at + n)) ${LEAVE} pointVarlen(s, at, n); at += n;` : null;
    }
    case 'bytes':
      return to.oid === OID.bytea ? `${LENGTH} pointVarlen(s, at, n); at += n;` : null;
    case 'int':
    case 'long':
      return integerCode(type, to.oid);
    default:
      return null;
  }
}

function integerCode({ k, logical }: { k: string; logical?: string }, to: number): string | null {
  const read = k === 'int' ? INT : LONG;
  if (logical === undefined) {
    switch (to) {
      case OID.int8:
        return `${read} ${STORE_LONG}`;
      case OID.int4:
        return `${INT} I32[s >>> 2] = lo;`;
      case OID.int2:
        return `${INT} if (lo < -32768 || lo > 32767) ${LEAVE} I32[s >>> 2] = lo;`;
      case OID.float8:
        return `${read} if (${EXACT}) ${LEAVE} F64[s / 8] = ${NUMBER};`;
      case OID.timestamp:
      case OID.timestamptz:
        return `${read} ${epochCode(`${NUMBER} * 1000`)}`;
      default:
        return null;
    }
  }
  if (logical === 'date' && to === OID.date) {
    return `${INT} if (lo < ${MIN_DATE + EPOCH_DIFF_DAYS} || lo > 0x70000000) ${LEAVE} I32[s >>> 2] = lo - ${EPOCH_DIFF_DAYS};`;
  }
  if (logical.startsWith('time-') && to === OID.time) {
    const micros = logical === 'time-millis' ? `${NUMBER} * 1000` : NUMBER;
    return `${read} if (${EXACT}) ${LEAVE} n = ${micros}; if (n < 0 || n > ${DAY_MICROS}) ${LEAVE} ${STORE_NUMBER}`;
  }
  if (to !== OID.timestamp && to !== OID.timestamptz) return null;
  if (logical.endsWith('timestamp-millis')) return `${read} ${epochCode(`${NUMBER} * 1000`)}`;
  return logical.endsWith('timestamp-micros') ? `${read} ${epochCode(NUMBER)}` : null;
}

function epochCode(micros: string): string {
  return `if (${EXACT}) ${LEAVE} ${timestampCode(micros)}`;
}

/** Of up to six bytes, when the column has the scale of the schema. */
function decimalCode(scale: number, to: ColType): string | null {
  let most = 2 ** 48;
  if (to.typmod !== -1) {
    const { precision, scale: own } = numericTypmod(to.typmod);
    if (own !== scale) return null;
    most = Math.min(most, 10 ** precision);
  }
  return `${LENGTH} if (n === 0 || n > 6) ${LEAVE}
    let m = (U8[at] << 24) >> 24;
    for (let k = 1; k < n; k++) m = m * 256 + U8[at + k];
    if (m <= -${most} || m >= ${most}) ${LEAVE}
    at += n; n = m; ${STORE_NUMBER} I32[(s >>> 2) + 2] = ${scale}; I32[(s >>> 2) + 3] = 0;`;
}
