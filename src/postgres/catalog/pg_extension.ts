/**
 * pg_extension: the schema tidemark as an extension that came with the server. To pg_dump its relations are the server's then; as views of a user without a definition they made it
 * give up.
 */
import { ofCatalog } from './catalog_relation.ts';
import { figuresSchema } from './facts.ts';
import { EXTENSION, OWNER } from './oids.ts';

export const PG_EXTENSION = ofCatalog((facts) => [
  {
    oid: EXTENSION,
    extname: 'tidemark',
    extowner: OWNER,
    extnamespace: figuresSchema(facts),
    extrelocatable: false,
    extversion: facts.engine.version,
  },
]);
