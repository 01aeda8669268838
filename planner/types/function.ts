/**
 * Function, aggregate and window-function resolution: PostgreSQL manual, section 10.3.
 */
import type { ColType } from '../../operators/types.ts';
import type { PgProc } from './catalog.ts';

/** A call as written. `args` holds positional arguments, then named ones, then WITHIN GROUP's sort expressions. */
export interface FunctionCall {
  schema?: string;
  name: string;
  /** An untyped literal or parameter has OID.unknown. */
  args: ColType[];
  /** Names of the named arguments (`a => 1`): they are the last ones of `args` (before WITHIN GROUP's). */
  argNames?: string[];
  /** The keyword VARIADIC stands before the last argument. */
  variadic?: boolean;
  /** f(*): only for count. */
  star?: boolean;
  /** Number of trailing `args` that come from WITHIN GROUP (ORDER BY ...); undefined when there is no WITHIN GROUP. */
  withinGroup?: number;
  /** 1-based character position for errors. */
  position?: number;
}

/** Where one actual argument of the resolved function comes from. */
export type ArgSource =
  /** Position in FunctionCall.args. */
  | { from: number }
  /** The parameter's default: text to be read by `type`'s input function; null is SQL NULL. */
  | { default: string | null };

export interface ResolvedFunction {
  proc: PgProc;
  /** regprocedure text, e.g. `int4pl(int4,int4)`, `count()`, `count(any)`, `concat(any)`; `concat(variadic any)` for f(VARIADIC array) of "any". */
  fn: string;
  kind: 'f' | 'a' | 'w' | 'p';
  /** One per actual argument, in declared order, defaults filled in, variadic ones still separate. */
  sources: ArgSource[];
  /** Type that each of `sources` is coerced to; polymorphic types resolved. OID.any = pass as it is. */
  argTypes: ColType[];
  /** Index into `sources` from which arguments are gathered into one ARRAY of `variadicArray`; null: no gathering. */
  variadicFrom: number | null;
  variadicArray: ColType | null;
  /** Result; element type for a set-returning function. */
  resultType: ColType;
  retset: boolean;
  strict: boolean;
  volatility: 'i' | 's' | 'v';
  /** Columns of a function with OUT parameters (pg_event_triggers, json_each, ...); null otherwise. */
  outColumns: { name: string; type: ColType }[] | null;
  /** Aggregates: 'n' normal, 'o' ordered-set, 'h' hypothetical-set; null for others. */
  aggKind: 'n' | 'o' | 'h' | null;
  /** Direct arguments of an ordered-set aggregate (the first ones of `sources`). */
  directArgs: number;
}

/** Finds the function a call means. Throws 42883, 42725 (ambiguous), 42804 (polymorphic mismatch), 42809 (wrong kind of call). */
export declare function resolveFunction(call: FunctionCall): ResolvedFunction;
