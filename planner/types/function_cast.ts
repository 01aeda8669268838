/**
 * Casts written like calls: int4('3'), text(x). A call of one argument by a type's name is a cast when no function takes exactly
 * that argument type and the conversion needs no function of its own (PostgreSQL manual, 10.3 step 3).
 */
import { OID } from '../../operators/types.ts';
import { findCoercion } from './cast.ts';
import { categoryOf, isComposite, type PgType, procsByName } from './catalog.ts';

/** The type OID that a call by the type's name with an argument of type `from` casts to; null when it is a call. */
export function functionCast(type: PgType | undefined, from: number): number | null {
  if (type === undefined || type.kind === 'p' || type.kind === 'c') return null;
  const exact = procsByName(type.name).some(
    (p) => p.namespace === type.namespace && p.args.length === 1 && p.args[0] === from,
  );
  if (exact) return null;
  if (from === OID.unknown) return type.oid;
  const coercion = findCoercion(from, type.oid, 'explicit');
  if (coercion?.method === 'none') return type.oid;
  const isText = (from === OID.record || isComposite(from)) && categoryOf(type.oid) === 'S';
  return coercion?.method === 'io' && !isText ? type.oid : null;
}
