/**
 * hashtext(), hashint4() and their kin: PostgreSQL's hash functions of each type, which users call to spread rows and for advisory locks. `f(x)` gives an int4, `f_extended(x, seed)` an int8.
 * Values that are equal have one hash (1.0 and 1.00, 0 and -0).
 */
import type { Datum, Decimal, Interval, PgArray, PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { isArrayType } from '../array_types.ts';
import { timetzParts } from '../datetime/timetz.ts';
import { decimalToBinary } from '../decimal/binary.ts';
import { hashBytes, hashWord } from '../hash.ts';
import { uuidBytes } from '../io/uuid.ts';
import { isObject, isScalar, type Json, parseJsonb } from '../json/value.ts';
import { IPV4_BYTES, parseAddress } from '../network/address.ts';
import { macBytes } from '../network/mac.ts';
import { register } from './registry.ts';

/** Null: 32 bits are asked for. */
type Seed = bigint | null;
/** Of a value: an unsigned number, of 32 bits without a seed, else of 64. */
type Hash<T> = (value: T, seed: Seed) => bigint;

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const hashText: Hash<string> = (text, seed) => hashBytes(utf8(text), seed);
const hashNumber: Hash<number> = hashWord;

/** That of an int4 where it is one. */
function hashLong(value: bigint, seed: Seed): bigint {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return hashWord(low ^ (value >= 0n ? high : ~high), seed);
}

function hashFloat(value: number, seed: Seed): bigint {
  if (value === 0) return seed === null ? 0n : seed;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return hashBytes(bytes, seed);
}

/** Over its digits to the base of 10,000, without zeros at the ends. */
function hashDecimal(value: Decimal, seed: Seed): bigint {
  if (value.special !== undefined) return seed ?? 0n;
  const view = Buffer.from(decimalToBinary(value));
  const digits = view.subarray(8);
  if (digits.length === 0) return (seed ?? 0n) - 1n;
  return hashBytes(digits.swap16(), seed) ^ BigInt(view.readInt16BE(2));
}

const MICROS_A_DAY = 86_400_000_000n;

function hashInterval({ months, days, micros }: Interval, seed: Seed): bigint {
  return hashLong(BigInt.asIntN(64, (BigInt(months) * 30n + BigInt(days)) * MICROS_A_DAY + micros), seed);
}

function hashTimetz(value: string, seed: Seed): bigint {
  const { micros, offset } = timetzParts(value);
  return hashLong(micros, seed) ^ hashWord(-offset, seed);
}

function hashAddress(value: string, seed: Seed): bigint {
  const { bytes, prefix } = parseAddress(value);
  return hashBytes(Uint8Array.of(bytes.length === IPV4_BYTES ? 2 : 3, prefix, ...bytes), seed);
}

/** Each item is put to what comes of those before, times 31. */
function hashItems(items: Datum[], typeAt: (i: number) => number, seed: Seed, start: bigint): bigint {
  const bits = seed === null ? 32 : 64;
  return items.reduce<bigint>((hash, item, i) => {
    const own = item === null ? 0n : hashOf(typeAt(i))(item, seed);
    return BigInt.asUintN(bits, hash * 31n + own);
  }, start);
}

const hashArray: Hash<PgArray> = ({ items, elem }, seed) => hashItems(items, () => elem, seed, 1n);
const hashRecord: Hash<PgRecord> = ({ values, types }, seed) => hashItems(values, (i) => types[i], seed, 0n);

const ARRAY = 0x40000000n;
const OBJECT = 0x20000000n;

/** Over its tokens in order: what begins, keys, scalars. */
function hashJsonb(text: string, seed: Seed): bigint {
  const twice = (bits: bigint) => (seed === null ? bits : (bits << 32n) | bits);
  let hash = 0n;
  const add = (own: bigint) => {
    // Both halves are turned left by one bit, each for itself.
    hash = seed === null ? turned(hash) : (turned(hash >> 32n) << 32n) | turned(hash & 0xffffffffn);
    hash ^= own;
  };
  const scalar = (value: null | boolean | string | Decimal) => {
    if (value === null) add(BigInt.asUintN(64, (seed ?? 0n) + 1n));
    else if (typeof value === 'string') add(hashText(value, seed));
    else if (typeof value !== 'boolean') add(BigInt.asUintN(seed === null ? 32 : 64, hashDecimal(value, seed)));
    else if (seed === null || seed === 0n) add(value ? 2n : 4n);
    else add(hashWord(value ? 1 : 0, seed));
  };
  const visit = (value: Json): void => {
    if (Array.isArray(value)) {
      hash ^= twice(ARRAY);
      value.forEach(visit);
    } else if (isObject(value)) {
      hash ^= twice(OBJECT);
      for (const [key, own] of value.entries) {
        scalar(key);
        visit(own);
      }
    } else scalar(value);
  };
  const whole = parseJsonb(text);
  // A scalar alone is an array of one; what is empty has no tokens.
  if (isScalar(whole)) visit([whole]);
  else if ((isObject(whole) ? whole.entries : whole).length === 0) return seed ?? 0n;
  else visit(whole);
  return hash;
}

function turned(word: bigint): bigint {
  return ((word << 1n) & 0xffffffffn) | (word >> 31n);
}

/** A "char" is a signed byte. */
const hashChar: Hash<string> = (value, seed) => hashWord(((value === '' ? 0 : value.charCodeAt(0)) << 24) >> 24, seed);

/** By declared type; `extended`: how the one with a seed is called. */
const FUNCTIONS: [name: string, extended: string, type: keyof typeof OID, hash: Hash<never>][] = [
  ['hashbool', 'hashboolextended', 'bool', (value: boolean, seed) => hashWord(value ? 1 : 0, seed)],
  ['hashint2', 'hashint2extended', 'int2', hashNumber],
  ['hashint4', 'hashint4extended', 'int4', hashNumber],
  ['hashint8', 'hashint8extended', 'int8', hashLong],
  ['hashoid', 'hashoidextended', 'oid', hashNumber],
  ['hashxid', 'hashxidextended', 'xid', hashNumber],
  ['hashdate', 'hashdateextended', 'date', hashNumber],
  ['hashfloat4', 'hashfloat4extended', 'float4', hashFloat],
  ['hashfloat8', 'hashfloat8extended', 'float8', hashFloat],
  ['hash_numeric', 'hash_numeric_extended', 'numeric', hashDecimal],
  ['hashtext', 'hashtextextended', 'text', hashText],
  ['hashname', 'hashnameextended', 'name', hashText],
  ['hashchar', 'hashcharextended', 'char', hashChar],
  ['hashbpchar', 'hashbpcharextended', 'bpchar', (value: string, seed) => hashText(value.replace(/ +$/, ''), seed)],
  ['hashbytea', 'hashbyteaextended', 'bytea', hashBytes],
  ['uuid_hash', 'uuid_hash_extended', 'uuid', (value: string, seed) => hashBytes(uuidBytes(value), seed)],
  ['time_hash', 'time_hash_extended', 'time', hashLong],
  ['timetz_hash', 'timetz_hash_extended', 'timetz', hashTimetz],
  ['timestamp_hash', 'timestamp_hash_extended', 'timestamp', hashLong],
  ['timestamptz_hash', 'timestamptz_hash_extended', 'timestamptz', hashLong],
  ['interval_hash', 'interval_hash_extended', 'interval', hashInterval],
  ['hashinet', 'hashinetextended', 'inet', hashAddress],
  ['hashmacaddr', 'hashmacaddrextended', 'macaddr', (d: string, seed) => hashBytes(Uint8Array.from(macBytes(d)), seed)],
  [
    'hashmacaddr8',
    'hashmacaddr8extended',
    'macaddr8',
    (d: string, seed) => hashBytes(Uint8Array.from(macBytes(d)), seed),
  ],
  ['jsonb_hash', 'jsonb_hash_extended', 'jsonb', hashJsonb],
];

const byType = new Map<number, Hash<never>>([
  ...FUNCTIONS.map(([, , type, hash]): [number, Hash<never>] => [OID[type], hash]),
  [OID.varchar, hashText],
  [OID.cidr, hashAddress],
  [OID.record, hashRecord],
]);

function hashOf(type: number): Hash<Datum> {
  const known = byType.get(type) ?? (isArrayType(type) ? hashArray : undefined);
  if (known !== undefined) return known as Hash<Datum>;
  const name = Object.entries(OID).find(([, oid]) => oid === type)?.[0] ?? type;
  throw new SqlError('42883', `could not identify a hash function for type ${name}`);
}

function both(name: string, extended: string, type: string, hash: Hash<never>): void {
  const own = hash as Hash<Datum>;
  register(`${name}(${type})`, (value: Datum) => Number(BigInt.asIntN(32, own(value, null))));
  register(`${extended}(${type},int8)`, (value: Datum, seed: bigint) => BigInt.asIntN(64, own(value, seed)));
}

for (const [name, extended, type, hash] of FUNCTIONS) both(name, extended, type, hash);
both('hash_array', 'hash_array_extended', 'anyarray', hashArray);
both('hash_record', 'hash_record_extended', 'record', hashRecord);
