/**
 * Scalar and set-returning functions by their regprocedure text: pg_type names, no spaces, declared types, e.g.
 * `int4pl(int4,int4)`, `array_length(anyarray,int4)`, `concat(any)`. Modules register themselves when imported;
 * index.ts imports them all.
 *
 *   register       impl(arg, ..., ctx)            the function needs only its arguments
 *   registerTyped  impl(args, call, ctx)          it also needs the types of its arguments (polymorphic, VARIADIC "any")
 *
 * Whoever calls a function should resolve it once with `resolveCall` and keep the closure. Strictness is the caller's:
 * a strict function is never called with a NULL argument, so implementations of strict functions need no NULL checks.
 */
import type { Datum } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import type { ColType } from '../../types.ts';
import type { EvalContext } from '../ir.ts';

/** Arguments, then the context. */
export type FunctionImpl = (...argsThenContext: (Datum | EvalContext)[]) => Datum;
export type SetImpl = (...argsThenContext: (Datum | EvalContext)[]) => Iterable<Datum[]>;

/** What a call site knows about the types of a call. */
export interface CallInfo {
  argTypes: ColType[];
  resultType: ColType;
  /** The call was written f(..., VARIADIC array): the last argument is the array of the rest. */
  variadic: boolean;
}

export type TypedImpl = (args: Datum[], call: CallInfo, ctx: EvalContext) => Datum;
export type TypedSetImpl = (args: Datum[], call: CallInfo, ctx: EvalContext) => Iterable<Datum[]>;
/** What a set-returning function gives: rows, and how many where it knows before it makes them. */
export type SetRows = Iterable<Datum[]> & { readonly rows?: number };

/** A function with its call site's types bound. */
export type BoundFunction = (args: Datum[], ctx: EvalContext) => Datum;
export type BoundSetFunction = (args: Datum[], ctx: EvalContext) => SetRows;

const plain = new Map<string, FunctionImpl>();
const typed = new Map<string, TypedImpl>();
const sets = new Map<string, SetImpl>();
const typedSets = new Map<string, TypedSetImpl>();

function put<T>(map: Map<string, T>, fn: string, impl: T): void {
  if (isRegistered(fn)) throw new Error(`function ${fn} is registered twice`);
  map.set(fn, impl);
}

/** Registers a scalar function; `impl` may declare the exact datum types its signature promises. */
export function register(fn: string, impl: (...args: never[]) => Datum): void {
  put(plain, fn, impl as unknown as FunctionImpl);
}

/** Registers a scalar function that looks at the types of its arguments. */
export function registerTyped(fn: string, impl: TypedImpl): void {
  put(typed, fn, impl);
}

/** Registers a set-returning function; every row is an array of its output columns. */
export function registerSet(fn: string, impl: (...args: never[]) => Iterable<Datum[]>): void {
  put(sets, fn, impl as unknown as SetImpl);
}

/** Registers a set-returning function that looks at the types of its arguments or of its result. */
export function registerTypedSet(fn: string, impl: TypedSetImpl): void {
  put(typedSets, fn, impl);
}

/** A function registered with `register`; undefined for typed and unknown functions (prefer `resolveCall`). */
export function lookupFunction(fn: string): FunctionImpl | undefined {
  return plain.get(fn);
}

/** As `lookupFunction`, but an unknown function is error 0A000. */
export function requireFunction(fn: string): FunctionImpl {
  const impl = plain.get(fn);
  if (!impl) throw notSupported(fn);
  return impl;
}

/** True when the function, scalar or set-returning, exists here. */
function isRegistered(fn: string): boolean {
  return plain.has(fn) || typed.has(fn) || sets.has(fn) || typedSets.has(fn);
}

/** All registered names, sorted: what pg_proc coverage checks look at. */
export function registeredFunctions(): string[] {
  return [...plain.keys(), ...typed.keys(), ...sets.keys(), ...typedSets.keys()].sort();
}

/** The function bound to its call site: takes the argument array. Unknown: error 0A000. */
export function resolveCall(fn: string, call: CallInfo): BoundFunction {
  const withTypes = typed.get(fn);
  if (withTypes) return (args, ctx) => withTypes(args, call, ctx);
  const impl = plain.get(fn);
  if (!impl) throw notSupported(fn);
  switch (call.argTypes.length) {
    case 0:
      return (_args, ctx) => impl(ctx);
    case 1:
      return (args, ctx) => impl(args[0], ctx);
    case 2:
      return (args, ctx) => impl(args[0], args[1], ctx);
    case 3:
      return (args, ctx) => impl(args[0], args[1], args[2], ctx);
    default:
      return (args, ctx) => impl(...args, ctx);
  }
}

/** As `resolveCall` for a set-returning function. */
export function resolveSet(fn: string, call: CallInfo): BoundSetFunction {
  const withTypes = typedSets.get(fn);
  if (withTypes) return (args, ctx) => withTypes(args, call, ctx);
  const impl = sets.get(fn);
  if (!impl) throw notSupported(fn);
  return (args, ctx) => impl(...args, ctx);
}

function notSupported(fn: string): SqlError {
  return new SqlError('0A000', `function ${fn} is not supported`);
}
