/** pg_namespace: schemas. */
import { aclArray } from './acl.ts';
import { ofCatalog } from './catalog_relation.ts';
import { namedBy } from './roles.ts';

export const PG_NAMESPACE = ofCatalog((facts, context) =>
  facts.schemas.map(({ oid, name, owner, acl }) => ({
    oid,
    nspname: name,
    nspowner: owner,
    nspacl: aclArray(acl, namedBy(facts, context)),
  })),
);
