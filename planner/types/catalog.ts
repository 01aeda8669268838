/**
 * PostgreSQL's built-in types, casts, operators and functions, as its own catalogs list them.
 */
export interface PgType {
  oid: number;
  name: string;
  /** pg_namespace OID (11 = pg_catalog). */
  namespace: number;
  /** Bytes, -1 varlena, -2 cstring. */
  len: number;
  byVal: boolean;
  /** b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  category: string;
  preferred: boolean;
  delimiter: string;
  relation: number;
  /** Element type, 0 for none. Use elementTypeOf: name and point have an element type too but are no arrays. */
  element: number;
  array: number;
  /** True array type (subscripted by array_subscript_handler). */
  isArray: boolean;
  typmodIn: number;
  typmodOut: number;
  input: number;
  output: number;
  /** Domains: the type underneath, its typmod. */
  baseType: number;
  baseTypmod: number;
}

export interface PgProc {
  oid: number;
  name: string;
  namespace: number;
  kind: 'f' | 'a' | 'w' | 'p';
  strict: boolean;
  retset: boolean;
  volatility: 'i' | 's' | 'v';
  result: number;
  /** Input argument types. */
  args: number[];
  /** Variadic parameter's element type (OID.any for "any"); 0 none. */
  variadic: number;
  /** Defaults of the last parameters, as text read by the parameter type's input function. */
  defaults: (string | null)[];
  /** All parameters with mode i, o, b, v, t; null when all are inputs. */
  allArgs: number[] | null;
  argModes: string[] | null;
  /** Parameter names ('' unnamed); null when none has one. */
  argNames: string[] | null;
}

export interface PgOperator {
  oid: number;
  name: string;
  namespace: number;
  /** 0: prefix operator. */
  left: number;
  right: number;
  result: number;
  /** pg_proc OID. */
  code: number;
  commutator: number;
  negator: number;
  canHash: boolean;
  canMerge: boolean;
}

export interface PgCast {
  source: number;
  target: number;
  /** pg_proc OID, 0 for none. */
  func: number;
  context: 'i' | 'a' | 'e';
  method: 'f' | 'b' | 'i';
}

export interface PgAggregate {
  fn: number;
  kind: 'n' | 'o' | 'h';
  directArgs: number;
}

export declare function typeByOid(oid: number): PgType | undefined;
/** `schema` undefined: pg_catalog. */
export declare function typeByName(schema: string | undefined, name: string): PgType | undefined;
export declare function procByOid(oid: number): PgProc | undefined;
export declare function procsByName(name: string): PgProc[];
export declare function operatorByOid(oid: number): PgOperator | undefined;
export declare function operatorsByName(name: string): PgOperator[];
export declare function castBetween(from: number, to: number): PgCast | undefined;
export declare function aggregateByOid(oid: number): PgAggregate | undefined;
/** Array type over an element type; 0 when there is none. */
export declare function arrayTypeOf(oid: number): number;
/** Element type of a true array type; 0 for others. */
export declare function elementTypeOf(oid: number): number;
export declare function isPreferred(oid: number): boolean;
export declare function categoryOf(oid: number): string;
/** `int4pl(int4,int4)`: function name and pg_type names of its declared input arguments. */
export declare function procSignature(proc: PgProc): string;
/** The `=`, `<`, ... operator's function of a type's default ordering, as regprocedure text; null when the type has none. */
export declare function equalityOf(oid: number): string | null;
export declare function lessThanOf(oid: number): string | null;
