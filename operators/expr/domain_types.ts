/**
 * Domains, by the OID of pg_type: what their values have to fit.
 *
 *   CREATE DOMAIN d AS int NOT NULL CHECK (VALUE > 0)       a value is an i32, its ColType { oid: int4, domain: d }
 *   x::d                                                    call domain_check(any) of x::int4, whose result is of type d
 *
 * A call looks the domain up each time, so it checks what the domain says by then. What is computed again later (views) has no other answer then, as a domain keeps its
 * constraints while such a thing names it (src/runtime/domain_users.ts).
 *
 * Traps: NULL is checked too, so the call is not strict. As for enum types, an OID means one type in the whole process. The I/O thread knows no domains: it sees what lies
 * under them.
 */
import { type Datum, isPgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { type ColType, typeObjectOid } from '../types.ts';
import type { EvalContext, Expr } from './ir.ts';
import { quoteIdent } from './text/quote.ts';

export const DOMAIN_CHECK = 'domain_check(any)';

/** CHECK (...) over VALUE, which is column 0. */
export interface DomainCondition {
  name: string;
  expr: Expr;
}

export interface DomainType<Condition extends DomainCondition = DomainCondition> {
  /** pg_type.oid. */
  oid: number;
  schema: string;
  /** OID of the schema. */
  namespace: number;
  name: string;
  /** What it is over, which may be of a domain. */
  base: ColType;
  notNull: boolean;
  /** By name. */
  checks: Condition[];
}

/** What evaluates an expression over a row. */
type Evaluator = (row: Datum[], context: EvalContext) => Datum;

interface Known {
  type: DomainType;
  owner: object;
  bound: { name: string; holds: Evaluator }[];
}

const known = new Map<number, Known>();

/** Makes a domain known, or known as it is by now. `owner`: whose it is; `bind` makes what evaluates a condition. */
export function setDomainType(type: DomainType, owner: object, bind: (expr: Expr) => Evaluator): void {
  const other = known.get(type.oid);
  if (other !== undefined && other.owner !== owner) {
    throw new SqlError(
      '55000',
      `another engine of this process has a type with the OID ${type.oid} of domain "${type.name}"`,
    );
  }
  const bound = type.checks.map(({ name, expr }) => ({ name, holds: bind(expr) }));
  known.set(type.oid, { type, owner, bound });
}

export function dropDomainType(oid: number, owner: object): void {
  if (known.get(oid)?.owner === owner) known.delete(oid);
}

export function domainTypeOf(oid: number): DomainType | undefined {
  return known.get(oid)?.type;
}

/** Whether values of the type are checked: a domain's or those of an array of it. */
export function isChecked(type: ColType): boolean {
  return chainOf(type).some(({ type: { notNull, checks } }) => notNull || checks.length > 0);
}

/** What values of the type have to fit, also what lies under it. */
export function conditionsOf(type: ColType): Expr[] {
  return chainOf(type).flatMap(({ type: { checks } }) => checks.map(({ expr }) => expr));
}

/** The domain of a type, or of the elements of an array, and those under it. */
function chainOf({ domain }: ColType): Known[] {
  const level = domain === undefined ? undefined : known.get(domain & ~1);
  return level === undefined ? [] : [level, ...chainOf(level.type.base)];
}

/** The value, if it fits the domain `oid`, or each element where that is the array type over one. Throws 23502 and 23514. */
export function checkDomain(value: Datum, oid: number, context: EvalContext): Datum {
  if (known.has(oid)) checkOne(value, oid, context);
  else if (value !== null) {
    if (!isPgArray(value)) throw new Error('an array of a domain is an array');
    for (const item of value.items) checkOne(item, oid - 1, context);
  }
  return value;
}

/** What lies under it first, as in PostgreSQL, but NOT NULL before all. */
function checkOne(value: Datum, oid: number, context: EvalContext): void {
  const levels: Known[] = [];
  let array: number | undefined;
  for (let at: number | undefined = oid; at !== undefined; ) {
    const level = known.get(at);
    if (level === undefined) {
      if (typeObjectOid(at) === 0 || !known.has(at - 1)) throw new SqlError('42704', `type ${at} does not exist`);
      array = at;
      break;
    }
    levels.unshift(level);
    at = level.type.base.domain;
  }
  const { type } = levels[levels.length - 1];
  const where = { schema: type.schema, dataType: type.name };
  if (value === null && levels.some((level) => level.type.notNull))
    throw new SqlError('23502', `domain ${shown(type, context)} does not allow null values`, where);
  if (array !== undefined) checkDomain(value, array, context);
  for (const { bound } of levels) {
    const failed = bound.find(({ holds }) => holds([value], context) === false);
    if (failed === undefined) continue;
    const message = `value for domain ${shown(type, context)} violates check constraint "${failed.name}"`;
    throw new SqlError('23514', message, { ...where, constraint: failed.name });
  }
}

function shown({ schema, name }: DomainType, { searchPath }: EvalContext): string {
  return searchPath.includes(schema) ? quoteIdent(name) : `${quoteIdent(schema)}.${quoteIdent(name)}`;
}
