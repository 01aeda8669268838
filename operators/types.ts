/**
 * Column types: PostgreSQL's OIDs on top, a small set of physical layouts below.
 *
 *   logical type (oid, typmod)  ->  Phys: how one value lies in a column or a state row
 *
 * | phys     | bytes | value in the slot                                                                  |
 * |----------|-------|------------------------------------------------------------------------------------|
 * | bool     | 1     | 0 or 1                                                                             |
 * | i32      | 4     | int2, int4, date (days since 2000-01-01), enum types (expr/enum_types.ts)           |
 * | u32      | 4     | oid and the reg* types, xid                                                        |
 * | i64      | 8     | int8, time, timestamp, timestamptz (microseconds; timestamps since 2000-01-01)      |
 * | f64      | 8     | float8; float4 rounded to single precision                                         |
 * | numeric  | 16    | see batch/slots.ts                                                                 |
 * | interval | 16    | i64 microseconds, i32 days, i32 months                                             |
 * | uuid     | 16    | the 16 bytes                                                                       |
 * | varlen   | 16    | u32 length, then 12 bytes inline, or 4 bytes prefix + 4 spare + u32 address         |
 *
 * `varlen` is Arrow's BinaryView layout: text, bytea, json, jsonb, arrays, records and ranges.
 */
export type Phys = 'bool' | 'i32' | 'u32' | 'i64' | 'f64' | 'numeric' | 'interval' | 'uuid' | 'varlen';

export interface ColType {
  oid: number;
  /** PostgreSQL's atttypmod, -1 where there is none. */
  typmod: number;
  /**
   * pg_type.oid of the domain, or of the array type over one, that the values are of: `oid` and `typmod` are those of what lies under it then, so that nobody who
   * computes with values knows of domains (expr/domain_types.ts).
   */
  domain?: number;
}

export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int2vector: 22,
  int4: 23,
  regproc: 24,
  text: 25,
  oid: 26,
  tid: 27,
  xid: 28,
  cid: 29,
  oidvector: 30,
  json: 114,
  xml: 142,
  pg_node_tree: 194,
  regprocedure: 2202,
  float4: 700,
  float8: 701,
  unknown: 705,
  money: 790,
  cidr: 650,
  macaddr8: 774,
  macaddr: 829,
  inet: 869,
  aclitem: 1033,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  refcursor: 1790,
  regoper: 2203,
  regoperator: 2204,
  regclass: 2205,
  regtype: 2206,
  record: 2249,
  cstring: 2275,
  any: 2276,
  anyarray: 2277,
  void: 2278,
  anyelement: 2283,
  uuid: 2950,
  jsonb: 3802,
  jsonpath: 4072,
  regnamespace: 4089,
  regrole: 4096,
  regconfig: 3734,
  regcollation: 4191,
  pg_lsn: 3220,
  int4range: 3904,
  numrange: 3906,
  tsrange: 3908,
  tstzrange: 3910,
  daterange: 3912,
  int8range: 3926,
  int4multirange: 4451,
  nummultirange: 4532,
  tsmultirange: 4533,
  tstzmultirange: 4534,
  datemultirange: 4535,
  int8multirange: 4536,
  _bool: 1000,
  _bytea: 1001,
  _char: 1002,
  _name: 1003,
  _int2: 1005,
  _int4: 1007,
  _text: 1009,
  _bpchar: 1014,
  _varchar: 1015,
  _int8: 1016,
  _float4: 1021,
  _float8: 1022,
  _oid: 1028,
  _timestamp: 1115,
  _date: 1182,
  _time: 1183,
  _timestamptz: 1185,
  _interval: 1187,
  _numeric: 1231,
  _json: 199,
  _uuid: 2951,
  _jsonb: 3807,
  _jsonpath: 4073,
  _record: 2287,
} as const;

/** First OID given to users' objects, as in PostgreSQL. */
export const FIRST_USER_OID = 16384;

const PHYS = new Map<number, Phys>([
  [OID.bool, 'bool'],
  [OID.int2, 'i32'],
  [OID.int4, 'i32'],
  [OID.date, 'i32'],
  [OID.oid, 'u32'],
  [OID.xid, 'u32'],
  [OID.cid, 'u32'],
  [OID.regproc, 'u32'],
  [OID.regprocedure, 'u32'],
  [OID.regoper, 'u32'],
  [OID.regoperator, 'u32'],
  [OID.regclass, 'u32'],
  [OID.regtype, 'u32'],
  [OID.regnamespace, 'u32'],
  [OID.regrole, 'u32'],
  [OID.regconfig, 'u32'],
  [OID.regcollation, 'u32'],
  [OID.int8, 'i64'],
  [OID.time, 'i64'],
  [OID.timestamp, 'i64'],
  [OID.timestamptz, 'i64'],
  [OID.float4, 'f64'],
  [OID.float8, 'f64'],
  [OID.numeric, 'numeric'],
  [OID.interval, 'interval'],
  [OID.uuid, 'uuid'],
]);

/** By oid: every batch of every tick asks. */
const PHYS_BY_OID: Phys[] = [];
for (let oid = 0; oid <= Math.max(...PHYS.keys()); oid++) PHYS_BY_OID.push(PHYS.get(oid) ?? 'varlen');

/**
 * Types that users made: an OID says by itself that it is one of theirs, so that layouts hang on no catalog. Their OIDs are even, that of the array type
 * over one is the next. Values are of enum types or of PostgreSQL's own: domains stand in ColType.domain alone.
 */
const FIRST_USER_TYPE = 0x70000000;
const END_OF_USER_TYPES = 0x80000000;

/** pg_type.oid of the type that is the catalog's object of this OID. */
export function userTypeOid(object: number): number {
  return FIRST_USER_TYPE + object * 2;
}

/** The catalog's object of a type that a user made or of the array type over one; 0 for other types. */
export function typeObjectOid(type: number): number {
  return type >= FIRST_USER_TYPE && type < END_OF_USER_TYPES ? (type - FIRST_USER_TYPE) >>> 1 : 0;
}

/** The object of the type that statements and catalogs call it; 0 for PostgreSQL's own. */
export function typeObjectOf({ oid, domain = oid }: ColType): number {
  return typeObjectOid(domain);
}

export function isEnumType(oid: number): boolean {
  return oid >= FIRST_USER_TYPE && oid < END_OF_USER_TYPES && oid % 2 === 0;
}

export function isEnumArray(oid: number): boolean {
  return oid >= FIRST_USER_TYPE && oid < END_OF_USER_TYPES && oid % 2 === 1;
}

/** A date and a time of the day, with a zone or without. */
export function isTimestamp(oid: number): boolean {
  return oid === OID.timestamp || oid === OID.timestamptz;
}

/** The physical layout of a type; every type without a fixed layout is `varlen`. */
export function physOf(oid: number): Phys {
  if (oid < PHYS_BY_OID.length) return PHYS_BY_OID[oid];
  return isEnumType(oid) ? 'i32' : 'varlen';
}

/** Bytes of one slot. By comparisons: looked up by a name that is not the same each time, a record costs V8 a search. */
export function widthOf(phys: Phys): number {
  switch (phys) {
    case 'i64':
    case 'f64':
      return 8;
    case 'varlen':
    case 'numeric':
    case 'interval':
    case 'uuid':
      return 16;
    case 'bool':
      return 1;
    case 'i32':
    case 'u32':
      return 4;
  }
}

/** widthOf(), for who asks seldom. */
export const PHYS_WIDTH: Record<Phys, number> = {
  bool: widthOf('bool'),
  i32: widthOf('i32'),
  u32: widthOf('u32'),
  i64: widthOf('i64'),
  f64: widthOf('f64'),
  numeric: widthOf('numeric'),
  interval: widthOf('interval'),
  uuid: widthOf('uuid'),
  varlen: widthOf('varlen'),
};

/** The type as the catalogs name it. */
export function declaredOid({ oid, domain = oid }: ColType): number {
  return domain;
}

export function colType(oid: number, typmod = -1): ColType {
  return { oid, typmod };
}

/** Types whose values are numbers of catalog rows and whose texts are names: regclass and its kin. */
export const REG_TYPES: readonly number[] = [
  OID.regproc,
  OID.regprocedure,
  OID.regoper,
  OID.regoperator,
  OID.regclass,
  OID.regtype,
  OID.regnamespace,
  OID.regrole,
  OID.regconfig,
  OID.regcollation,
];
