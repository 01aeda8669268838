/** pg_default_acl: what ALTER DEFAULT PRIVILEGES has said. */
import type { SecuredKind } from '../../catalog/privileges.ts';
import { aclArray } from './acl.ts';
import { ofCatalog } from './catalog_relation.ts';
import { namedBy } from './roles.ts';

const LETTERS: Record<SecuredKind, string> = {
  table: 'r',
  sequence: 'S',
  schema: 'n',
  type: 'T',
  function: 'f',
  database: '',
};

/** OIDs of rows that are no objects: beyond those of memberships, by their places. */
const FIRST_OID = 0x7ff00000;

export const PG_DEFAULT_ACL = ofCatalog((facts, context) =>
  facts.engine.catalog.rights.defaults.flatMap(({ role, schema, kind, acl }, i) => {
    // Of a schema that another transaction has made, or the own one has dropped, there is none.
    const oid = schema === null ? 0 : facts.schemas.find(({ place }) => place === schema)?.oid;
    if (oid === undefined) return [];
    return {
      oid: FIRST_OID + i,
      defaclrole: role,
      defaclnamespace: oid,
      defaclobjtype: LETTERS[kind],
      defaclacl: aclArray(acl, namedBy(facts, context)),
    };
  }),
);
