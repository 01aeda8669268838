/** Lists of privileges as arrays of aclitem: relacl, nspacl, datacl, typacl, defaclacl. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import { ACL_LETTERS, type Acl, aclText, privilegeNames } from '../../catalog/privileges.ts';
import { PUBLIC } from '../../catalog/roles.ts';
import { OWNER } from './oids.ts';
import { type Named, roleName, roleOid } from './roles.ts';

/** NULL: what the kind has by default. */
export function aclArray(acl: Acl | null | undefined, named: Named): Datum {
  if (acl === null || acl === undefined) return null;
  return pgArray(
    OID.aclitem,
    acl.map((item) => aclText(item, (oid) => roleName(oid, named) ?? String(oid))),
  );
}

/** All privileges of PostgreSQL in the order of their letters, also those that nothing here has. */
const PRIVILEGES = [
  ...ACL_LETTERS.flatMap(([bit, letter]) => privilegeNames(bit).map((name) => ({ letter, name }))),
  { letter: 's', name: 'SET' },
  { letter: 'A', name: 'ALTER SYSTEM' },
  { letter: 'm', name: 'MAINTAIN' },
];

interface Grant {
  grantor: number;
  /** 0: PUBLIC. */
  grantee: number;
  privilege: string;
  grantable: boolean;
}

/** What an aclitem says, one privilege after the other. Without a grantor it is the bootstrap superuser's. Throws 42704 for a name that is no role. */
export function grantsOf(item: string, named: Named): Grant[] {
  const [, grantee = '', letters = '', grantor] =
    /^(?:(?:group|user)\s+)?("(?:[^"]|"")*"|[^=]*)=([^/]*)(?:\/(.*))?$/s.exec(item) ?? [];
  const ids = {
    grantee: grantee === '' ? PUBLIC : oidOf(grantee, named),
    grantor: grantor === undefined ? OWNER : oidOf(grantor, named),
  };
  return PRIVILEGES.flatMap(({ letter, name }) => {
    const at = letters.indexOf(letter);
    return at < 0 ? [] : [{ ...ids, privilege: name, grantable: letters[at + 1] === '*' }];
  });
}

/** A role that has gone is named by its OID. */
function oidOf(quoted: string, named: Named): number {
  const name = quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
  const oid = roleOid(name, named) ?? (/^\d+$/.test(name) ? Number(name) : null);
  if (oid === null) throw new SqlError('42704', `role "${name}" does not exist`);
  return oid;
}
