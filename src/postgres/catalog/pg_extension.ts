/**
 * Extensions: those that users made, and two that came with the server: plpgsql, as in PostgreSQL, and the schema tidemark. To pg_dump the relations of that are the server's then; as views of a user without a
 * definition they made it give up.
 *
 * Functions of extensions are not in pg_proc: its rows are the same for as long as the server runs.
 */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { EXTENSIONS, extensionNamed } from '../../../planner/types/extension_functions.ts';
import type { ExtensionObject } from '../../catalog/objects.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { type CatalogFacts, figuresSchema } from './facts.ts';
import { EXTENSION, OWNER, PG_CATALOG, PLPGSQL } from './oids.ts';

export function extensionsOf({ objects }: CatalogFacts): ExtensionObject[] {
  return objects.filter((object) => object.kind === 'extension');
}

const PLPGSQL_FACTS = { name: 'plpgsql', version: '1.0', comment: 'PL/pgSQL procedural language' };

function row(oid: number, name: string, schema: number, version: string): CatalogRow {
  return {
    oid,
    extname: name,
    extowner: OWNER,
    extnamespace: schema,
    extrelocatable: false,
    extversion: version,
  };
}

/** What CREATE EXTENSION can make, and plpgsql. */
export function availableExtensions(): { name: string; version: string; comment: string }[] {
  return [...EXTENSIONS, PLPGSQL_FACTS].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isThere = (name: string, facts: CatalogFacts): boolean =>
  name === PLPGSQL_FACTS.name || extensionsOf(facts).some((extension) => extension.name === name);

export const EXTENSION_RELATIONS: Record<string, CatalogRelation> = {
  pg_extension: ofCatalog((facts) => [
    row(EXTENSION, 'tidemark', figuresSchema(facts), facts.engine.version),
    row(PLPGSQL, PLPGSQL_FACTS.name, PG_CATALOG, PLPGSQL_FACTS.version),
    ...extensionsOf(facts).map(({ oid, name, schema }) =>
      row(oid, name, facts.engine.catalog.schemaOid(schema), extensionNamed(name)?.version ?? ''),
    ),
  ]),
  pg_available_extensions: ofCatalog((facts) =>
    availableExtensions().map(({ name, version, comment }) => ({
      name,
      default_version: version,
      installed_version: isThere(name, facts) ? version : null,
      comment,
    })),
  ),
  pg_available_extension_versions: ofCatalog((facts) =>
    availableExtensions().map(({ name, version, comment }) => ({
      name,
      version,
      installed: isThere(name, facts),
      superuser: true,
      trusted: true,
      relocatable: false,
      schema: name === PLPGSQL_FACTS.name ? 'pg_catalog' : null,
      requires: pgArray(OID.name, []),
      comment,
    })),
  ),
};
