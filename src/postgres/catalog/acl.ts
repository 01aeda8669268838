/** Lists of privileges as arrays of aclitem: relacl, nspacl, datacl, typacl, defaclacl. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { type Acl, aclText } from '../../catalog/privileges.ts';
import type { Named } from './roles.ts';
import { roleName } from './roles.ts';

/** NULL: what the kind has by default. */
export function aclArray(acl: Acl | null | undefined, named: Named): Datum {
  if (acl === null || acl === undefined) return null;
  return pgArray(
    OID.aclitem,
    acl.map((item) => aclText(item, (oid) => roleName(oid, named) ?? String(oid))),
  );
}
