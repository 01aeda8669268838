/** pg_namespace: schemas. */
import { ofCatalog } from './catalog_relation.ts';

export const PG_NAMESPACE = ofCatalog((facts) =>
  facts.schemas.map((s) => ({ oid: s.oid, nspname: s.name, nspowner: s.owner })),
);
