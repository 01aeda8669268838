/**
 * Operator resolution: PostgreSQL manual, section 10.2.
 *
 * An operand that is untyped is first taken to have the other one's type; only if no operator takes exactly that pair the best
 * candidate is chosen (candidates.ts).
 */
import { SqlError } from '../../operators/errors.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { chooseCandidate } from './candidates.ts';
import {
  baseTypeOf,
  namespaceOid,
  operatorByOid,
  operatorsByName,
  type PgOperator,
  procByOid,
  procSignature,
} from './catalog.ts';
import { typeWords } from './format_type.ts';
import { argumentType, resolvePolymorphic, solvePolymorphic } from './polymorphic.ts';

export interface ResolvedOperator {
  oid: number;
  name: string;
  /** regprocedure text of oprcode. */
  fn: string;
  /** One (prefix) or two types that the operands are coerced to. */
  argTypes: ColType[];
  resultType: ColType;
  strict: boolean;
  volatility: 'i' | 's' | 'v';
  /** Names and OIDs of commutator and negator; null for none. */
  commutator: { oid: number; name: string } | null;
  negator: { oid: number; name: string } | null;
  canHash: boolean;
  canMerge: boolean;
}

/** Finds the operator for operand types (`left` null: prefix operator). Throws 42883, 42725. */
export function resolveOperator(name: string, left: ColType | null, right: ColType, schema?: string): ResolvedOperator {
  const namespace = namespaceOid(schema);
  const named = operatorsByName(name).filter((o) => o.namespace === namespace && (o.left === 0) === (left === null));
  const actual = left === null ? [right.oid] : [left.oid, right.oid];
  const candidates = named.map((operator) => ({ operator, args: argsOf(operator) }));
  const found = findExact(actual, candidates) ?? chooseCandidate(actual, candidates);
  if (found === 'none' || found === 'ambiguous') {
    const types = (left === null ? [right] : [left, right]).map(typeWords);
    const shown = schema === undefined ? name : `${schema}.${name}`;
    const signature = left === null ? `${shown} ${types[0]}` : `${types[0]} ${shown} ${types[1]}`;
    throw notFound(found, signature, left === null);
  }
  return describe(found.operator, actual);
}

interface OperatorCandidate {
  operator: PgOperator;
  args: number[];
}

function argsOf(o: PgOperator): number[] {
  return o.left === 0 ? [o.right] : [o.left, o.right];
}

function findExact(actual: number[], candidates: OperatorCandidate[]): OperatorCandidate | null {
  const taking = (types: number[]): OperatorCandidate | undefined =>
    candidates.find((c) => c.args.every((t, i) => t === types[i]));
  const exact = taking(actual);
  if (exact) return exact;
  const typed = actual.find((t) => t !== OID.unknown);
  if (typed === undefined || !actual.includes(OID.unknown)) return null;
  const base = baseTypeOf(typed);
  return taking([typed, typed]) ?? taking([base, base]) ?? null;
}

function notFound(why: 'none' | 'ambiguous', signature: string, prefix: boolean): SqlError {
  if (why === 'ambiguous') {
    return new SqlError('42725', `operator is not unique: ${signature}`, {
      hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
    });
  }
  const hint = prefix
    ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
    : 'No operator matches the given name and argument types. You might need to add explicit type casts.';
  return new SqlError('42883', `operator does not exist: ${signature}`, { hint });
}

function describe(o: PgOperator, actual: number[]): ResolvedOperator {
  const proc = procByOid(o.code);
  if (!proc) throw new SqlError('42883', `operator is only a shell: ${o.name}`);
  const declared = argsOf(o);
  const p = solvePolymorphic(declared, actual);
  const linked = (oid: number): { oid: number; name: string } | null => {
    const other = operatorByOid(oid);
    return other ? { oid, name: other.name } : null;
  };
  return {
    oid: o.oid,
    name: o.name,
    fn: procSignature(proc),
    argTypes: declared.map((t, i) => colType(argumentType(t, actual[i], p))),
    resultType: colType(resolvePolymorphic(o.result, p)),
    strict: proc.strict,
    volatility: proc.volatility,
    commutator: linked(o.commutator),
    negator: linked(o.negator),
    canHash: o.canHash,
    canMerge: o.canMerge,
  };
}
