/** Types of the catalog in the places where values of types are read and written. */
import { type DomainType, dropDomainType, setDomainType } from '../../operators/expr/domain_types.ts';
import { dropEnumType, type EnumType, setEnumType } from '../../operators/expr/enum_types.ts';
import { bindExpr } from '../../operators/expr/interpret.ts';

/** `owner`: whose catalog it is; two of one process may have types with one OID. */
export function setUserType(type: EnumType | DomainType, owner: object): void {
  if ('labels' in type) setEnumType(type, owner);
  else setDomainType(type, owner, bindExpr);
}

export function dropUserType(oid: number, owner: object): void {
  dropEnumType(oid, owner);
  dropDomainType(oid, owner);
}
