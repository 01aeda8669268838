/**
 * Which conversions exist between two types, and in which contexts: pg_cast, binary coercion, I/O conversion, arrays element by
 * element; and the fitting of a value to its own type's typmod (length coercion).
 *
 *   implicit < assignment < explicit       a context allows what the ones before it allow
 *
 * Trap: a pg_cast row that the context does not allow ends the search; there is then no I/O conversion either (PostgreSQL manual,
 * CREATE CAST).
 */
import { OID } from '../../operators/types.ts';
import {
  baseTypeOf,
  castBetween,
  categoryOf,
  elementTypeOf,
  isComposite,
  type PgProc,
  procByOid,
  procSignature,
} from './catalog.ts';

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

/** The pseudo-type of arguments that SQL cannot give. */
const INTERNAL = 2281;

const RANK: Record<CoercionContext | 'i' | 'a' | 'e', number> = {
  implicit: 0,
  assignment: 1,
  explicit: 2,
  i: 0,
  a: 1,
  e: 2,
};

/** How a value of type `from` becomes `to` (type OIDs) in a context; null when it cannot. `unknown` coerces to all by 'io'. */
export function findCoercion(from: number, to: number, context: CoercionContext): Coercion | null {
  if (from === to) return { method: 'none' };
  if (from === OID.unknown) return to === INTERNAL ? null : { method: 'io' };
  const known = findPathway(from, to, context);
  if (known) return known;
  if (from === OID.record && isComposite(to)) return { method: 'none' };
  if (isComposite(from) && to === OID.record) return { method: 'none' };
  if (from === OID._record && isComposite(elementTypeOf(to))) return { method: 'none' };
  if (isComposite(elementTypeOf(from)) && to === OID._record) return { method: 'none' };
  return null;
}

/** PostgreSQL's find_coercion_pathway: pg_cast, arrays, I/O; for types that are not `unknown`. */
function findPathway(from: number, to: number, context: CoercionContext): Coercion | null {
  const source = baseTypeOf(from);
  const target = baseTypeOf(to);
  if (source === target) return { method: 'none' };
  const cast = castBetween(source, target);
  if (cast) {
    if (RANK[context] < RANK[cast.context]) return null;
    if (cast.method === 'b') return { method: 'none' };
    const proc = cast.method === 'f' ? procByOid(cast.func) : undefined;
    return proc ? castFunction(proc) : { method: 'io' };
  }
  // A vector is subscripted from 0, an array made element by element from 1: PostgreSQL leaves these two out.
  if (target !== OID.oidvector && target !== OID.int2vector) {
    const sourceElement = elementTypeOf(source);
    const targetElement = elementTypeOf(target);
    const element =
      sourceElement !== 0 && targetElement !== 0 ? findPathway(sourceElement, targetElement, context) : null;
    if (element) return element.method === 'none' ? element : { method: 'arrayElement', element };
  }
  if (context !== 'implicit' && categoryOf(target) === 'S') return { method: 'io' };
  if (context === 'explicit' && categoryOf(source) === 'S') return { method: 'io' };
  return null;
}

function castFunction(proc: PgProc): Coercion {
  return {
    method: 'function',
    fn: procSignature(proc),
    argCount: proc.args.length as 1 | 2 | 3,
    strict: proc.strict,
  };
}

/**
 * The function that fits a value to its own type's typmod, e.g. `varchar(varchar,int4,bool)`; null when the type has none.
 * `array`: the function is the element type's and is applied to each element.
 */
export function lengthCoercion(type: number): { fn: string; argCount: 2 | 3; array: boolean } | null {
  const element = elementTypeOf(type);
  const fitted = element === 0 ? type : element;
  const proc = procByOid(castBetween(fitted, fitted)?.func ?? 0);
  if (!proc) return null;
  return { fn: procSignature(proc), argCount: proc.args.length as 2 | 3, array: element !== 0 };
}
