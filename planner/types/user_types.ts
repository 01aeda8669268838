/** Types that users made (operators/expr/enum_types.ts), and the array types over them, as pg_type has them. */
import { type EnumType, enumTypeOf } from '../../operators/expr/enum_types.ts';
import { isEnumType } from '../../operators/types.ts';
import type { PgType } from './catalog.ts';

const ENUM_IN = 3506;
const ENUM_OUT = 3507;
const ARRAY_IN = 750;
const ARRAY_OUT = 751;

/** By pg_type.oid. A type that is altered is another object. */
const made = new Map<number, { of: EnumType; type: PgType }>();

export function userType(oid: number): PgType | undefined {
  const isEnum = isEnumType(oid);
  const of = enumTypeOf(isEnum ? oid : oid - 1);
  if (of === undefined) return undefined;
  const before = made.get(oid);
  if (before?.of === of) return before.type;
  const type = isEnum ? enumType(of) : arrayOver(of);
  made.set(oid, { of, type });
  return type;
}

/** pg_type.typname of the array type. */
export function arrayTypeName(name: string): string {
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

function arrayOver({ oid, name, namespace }: EnumType): PgType {
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
