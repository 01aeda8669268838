/** Types that users made (operators/expr/enum_types.ts, domain_types.ts), and the array types over them, as pg_type has them. */
import { type DomainType, domainTypeOf } from '../../operators/expr/domain_types.ts';
import { type EnumType, enumTypeOf } from '../../operators/expr/enum_types.ts';
import { declaredOid } from '../../operators/types.ts';
import type { PgType } from './catalog.ts';

const ENUM_IN = 3506;
const ENUM_OUT = 3507;
const DOMAIN_IN = 2597;
const ARRAY_IN = 750;
const ARRAY_OUT = 751;

/** By pg_type.oid. A type that is altered is another object. */
const made = new Map<number, { of: EnumType | DomainType; type: PgType }>();

/** The type of a user that has this OID, or whose array type has it. */
export function userTypeOf(oid: number): EnumType | DomainType | undefined {
  const own = oid & ~1;
  return enumTypeOf(own) ?? domainTypeOf(own);
}

/** `find`: any type, as a domain is much as what is under it. */
export function userType(oid: number, find: (oid: number) => PgType | undefined): PgType | undefined {
  const of = userTypeOf(oid);
  if (of === undefined) return undefined;
  const before = made.get(oid);
  if (before?.of === of) return before.type;
  const type = oid % 2 === 1 ? arrayOver(of) : 'labels' in of ? enumType(of) : domainType(of, find);
  made.set(oid, { of, type });
  return type;
}

/** pg_type.typname of the array type. */
function arrayTypeName(name: string): string {
  return `_${name}`;
}

function enumType({ oid, name, namespace }: EnumType): PgType {
  return {
    ...common(oid, name, namespace),
    len: 4,
    byVal: true,
    kind: 'e',
    category: 'E',
    element: 0,
    array: oid + 1,
    isArray: false,
    input: ENUM_IN,
    output: ENUM_OUT,
  };
}

/** As its base in all but what it is. */
function domainType({ oid, name, namespace, base }: DomainType, find: (oid: number) => PgType | undefined): PgType {
  const under = find(declaredOid(base));
  if (under === undefined) throw new Error(`a domain over type ${declaredOid(base)}, which is not there`);
  return {
    ...under,
    oid,
    name,
    namespace,
    kind: 'd',
    preferred: false,
    relation: 0,
    element: 0,
    array: oid + 1,
    isArray: false,
    typmodIn: 0,
    typmodOut: 0,
    input: DOMAIN_IN,
    baseType: under.oid,
    baseTypmod: base.typmod,
  };
}

function arrayOver({ oid, name, namespace }: EnumType | DomainType): PgType {
  return {
    ...common(oid + 1, arrayTypeName(name), namespace),
    len: -1,
    byVal: false,
    kind: 'b',
    category: 'A',
    element: oid,
    array: 0,
    isArray: true,
    input: ARRAY_IN,
    output: ARRAY_OUT,
  };
}

function common(oid: number, name: string, namespace: number) {
  const none = { relation: 0, typmodIn: 0, typmodOut: 0, baseType: 0, baseTypmod: -1 };
  return { oid, name, namespace, preferred: false, delimiter: ',', ...none };
}
