/**
 * Type names: as syntax (libpg-query's TypeName), as text ('character varying(10)', type_text.ts), and back (format_type.ts).
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import { domainTypeOf } from '../../operators/expr/domain_types.ts';
import { type ColType, colType, typeObjectOid } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { typeHint } from '../parse/other_systems.ts';
import { arrayTypeOf, elementTypeOf, typeByName, typeByOid } from './catalog.ts';
import { formatType } from './format_type.ts';
import { typeTextNode } from './type_text.ts';
import { typmodIn } from './typmod.ts';

export { formatType, typeWords } from './format_type.ts';

/** Finds types that users made: pg_type.oid by name, without a schema by the search path; 0 when there is none. */
export type UserTypes = (schema: string | undefined, name: string) => number;

/**
 * The type a TypeName node means; `node` is the content, i.e. { names, typmods, arrayBounds, ... }. Without `users` only PostgreSQL's own are found.
 * Throws 42704, 22023, 42601, 0A000.
 */
export function resolveTypeName(node: PgNode, users?: UserTypes): ColType {
  const path: string[] = (node.names ?? []).map((n: PgNode) => n.String?.sval ?? '');
  if (node.pct_type) throw unsupported('%TYPE');
  if (node.setof) throw unsupported('SETOF outside of a function declaration');
  const name = path[path.length - 1];
  const schema = path.length > 1 ? path[path.length - 2] : undefined;
  const type = typeByName(schema, name) ?? typeByOid(users?.(schema, name) ?? 0);
  const bounds: PgNode[] = node.arrayBounds ?? [];
  const missing = (): SqlError =>
    new SqlError('42704', `type "${path.join('.')}${bounds.length > 0 ? '[]' : ''}" does not exist`, {
      hint: schema === undefined ? typeHint(name) : undefined,
    });
  if (!type || path.length > 2) throw missing();
  const typmods: PgNode[] = node.typmods ?? [];
  const typmod =
    typmods.length > 0 && type.kind !== 'd' ? typmodIn(type.oid, typmods.map(typmodValue)) : (node.typemod ?? -1);
  if (type.kind === 'd' && typmods.length > 0)
    throw new SqlError('42601', `type modifier is not allowed for type "${type.name}"`);
  if (bounds.length === 0) return typeOfOid(type.oid, typmod);
  const array = arrayTypeOf(type.oid);
  if (array === 0) throw missing();
  return typeOfOid(array, typmod);
}

/** What values of a type in pg_type are: those of a domain, and of an array of domains, are of what lies under it. */
export function typeOfOid(oid: number, typmod = -1): ColType {
  const domain = typeObjectOid(oid) === 0 ? undefined : domainTypeOf(oid & ~1);
  if (domain === undefined) return colType(oid, typmod);
  const { base } = domain;
  if (oid === domain.oid) return { oid: base.oid, typmod: base.typmod, domain: oid };
  const array = elementTypeOf(base.oid) === 0 ? arrayTypeOf(base.oid) : 0;
  if (array === 0) throw unsupported(`an array of type ${formatType(domain.oid)}`);
  return { oid: array, typmod: base.typmod, domain: oid };
}

/** The elements of an array; those of an array of a domain are of the domain. */
export function elementOf(array: ColType): ColType {
  let { domain } = array;
  while (domain !== undefined && domain % 2 === 0) domain = domainTypeOf(domain)?.base.domain;
  const element = colType(elementTypeOf(array.oid), array.typmod);
  return domain === undefined ? element : { ...element, domain: domain - 1 };
}

/** A type written as text, as regtype's input reads it: `int4`, `timestamp(3) with time zone[]`. Throws 42704, 42601. */
export function parseTypeName(text: string, users?: UserTypes): ColType {
  return resolveTypeName(typeTextNode(text), users);
}

function typmodValue(node: PgNode): number {
  const constant = node.A_Const;
  if (!constant || constant.isnull) {
    throw new SqlError('42601', 'type modifiers must be simple constants or identifiers');
  }
  const text: string = constant.ival
    ? String(constant.ival.ival ?? 0)
    : (constant.fval?.fval ?? constant.sval?.sval ?? '');
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw new SqlError('22P02', `invalid input syntax for type integer: "${text}"`);
  }
  return Number(text);
}
