/**
 * The common type of several: PostgreSQL manual, section 10.5.
 *
 * Left to right: the first typed one is taken; a later one of the same category replaces it when it is not preferred, converts to
 * the later one implicitly and not the other way round. All untyped: text.
 */
import { SqlError } from '../../operators/errors.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { findCoercion } from './cast.ts';
import { baseTypeOf, categoryOf, isPreferred } from './catalog.ts';
import { formatType } from './format_type.ts';

function converts(from: number, to: number): boolean {
  return findCoercion(from, to, 'implicit') !== null;
}

/**
 * Common type of type OIDs. `what` ('UNION', 'CASE', ...) is named in the errors, 42804 for two categories and 42846 for a type
 * that does not convert to the chosen one; with null the answer is then null.
 */
export function commonTypeOf(types: number[], what: null): number | null;
export function commonTypeOf(types: number[], what: string): number;
export function commonTypeOf(types: number[], what: string | null): number | null {
  const best = chosen(types, what);
  if (best === null) return null;
  for (const type of types) {
    if (type === best || converts(type, best)) continue;
    if (what === null) return null;
    throw new SqlError('42846', `${what} could not convert type ${formatType(type)} to ${formatType(best)}`);
  }
  return best;
}

/** What the others have to convert to, whether they do or not. */
function chosen(types: number[], what: string): number;
function chosen(types: number[], what: string | null): number | null;
function chosen(types: number[], what: string | null): number | null {
  if (types.length === 0) return OID.text;
  if (types[0] !== OID.unknown && types.every((t) => t === types[0])) return types[0];
  let best = baseTypeOf(types[0]);
  for (const type of types.slice(1)) {
    const next = baseTypeOf(type);
    if (next === OID.unknown || next === best) continue;
    if (best === OID.unknown) best = next;
    else if (categoryOf(next) !== categoryOf(best)) {
      if (what === null) return null;
      throw new SqlError('42804', `${what} types ${formatType(best)} and ${formatType(next)} cannot be matched`);
    } else if (!isPreferred(best) && converts(best, next) && !converts(next, best)) best = next;
  }
  return best === OID.unknown ? OID.text : best;
}

/** commonTypeOf with the typmod that all share, else -1. Throws 42804 `CASE types integer and text cannot be matched`. */
export function commonType(types: ColType[], what: string): ColType {
  return withTypmod(commonTypeOf(oids(types), what), types);
}

/** The same without a look at whether all convert to it: who brings them to it says which of them does not (bind/coercion.ts, toCommon). */
export function chosenType(types: ColType[], what: string): ColType {
  return withTypmod(chosen(oids(types), what), types);
}

const oids = (types: ColType[]) => types.map((t) => t.oid);

function withTypmod(oid: number, types: ColType[]): ColType {
  const [{ typmod, domain }] = types.length === 0 ? [colType(oid)] : types;
  const same = types.every((t) => t.oid === oid && t.typmod === typmod);
  if (domain !== undefined && types.every((t) => t.domain === domain)) return { oid, typmod, domain };
  return colType(oid, same ? typmod : -1);
}
