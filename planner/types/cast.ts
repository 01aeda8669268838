/**
 * Which conversions exist between two types: pg_cast, binary coercion, I/O conversion, array element-wise; and length coercion.
 */
export type CoercionContext = 'implicit' | 'assignment' | 'explicit';

export type Coercion =
  /** Same type or binary-coercible: the value is relabelled. */
  | { method: 'none' }
  /** pg_cast function: takes (value), (value, typmod) or (value, typmod, isExplicit) by `argCount`. */
  | { method: 'function'; fn: string; argCount: 1 | 2 | 3; strict: boolean }
  /** Output of `from` read by input of `to`. */
  | { method: 'io' }
  /** Each element by `element`. */
  | { method: 'arrayElement'; element: Coercion };

/** How a value of type `from` becomes `to` (type OIDs) in a context; null when it cannot. `unknown` coerces to all by 'io'. */
export declare function findCoercion(from: number, to: number, context: CoercionContext): Coercion | null;

/** The function that fits a value to its own type's typmod, e.g. `varchar(varchar,int4,bool)`; null when the type has none. */
export declare function lengthCoercion(type: number): { fn: string; argCount: 2 | 3; array: boolean } | null;
