/** Set-returning catalog functions: most give the rows of a relation that is defined by them in PostgreSQL. */
import { type Datum, type PgArray, type PgRecord, pgArray } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { OID } from '../../../../operators/types.ts';
import { grantsOf } from '../acl.ts';
import type { Moment } from '../catalog_relation.ts';
import { KEYWORDS } from '../keywords.ts';
import { LISTED_BY_FUNCTION } from '../listed_by_function.ts';
import { availableExtensions } from '../pg_extension.ts';
import { attributesOf, publicationsOf, publishedRelations } from '../pg_publication.ts';
import { namedBy } from '../roles.ts';
import { systemRelation } from '../system_relations.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';

function records(types: number[], rows: Datum[][]): Datum {
  return pgArray(
    OID.record,
    rows.map((values): PgRecord => ({ k: 'record', types, values })),
  );
}

function rowsOf(name: string, moment: Moment): Datum {
  const relation = systemRelation('pg_catalog', name);
  if (relation === null) throw new Error(`no relation ${name}`);
  return records(
    relation.columns.map((c) => c.type.oid),
    LISTED_BY_FUNCTION[name].rows(moment, relation.columns),
  );
}

const CATEGORIES: Record<string, string> = {
  U: 'unreserved',
  C: 'unreserved (cannot be function or type name)',
  T: 'reserved (can be function or type name)',
  R: 'reserved',
};

function keywords(): Datum {
  const types = [OID.text, OID.char, OID.bool, OID.text, OID.text];
  const rows = KEYWORDS.map(({ word, category, bareLabel }) => [
    word,
    category,
    bareLabel,
    CATEGORIES[category],
    bareLabel ? 'can be bare label' : 'requires AS',
  ]);
  return records(types, rows);
}

const EMPTY: Datum = pgArray(OID.record, []);

const GRANTS = [OID.oid, OID.oid, OID.text, OID.bool];

export const SET_FUNCTIONS: CatalogFunctions = {
  aclexplode: ([acl], { facts, context }) => {
    const named = namedBy(facts, context);
    const { items, dims } = acl === null ? pgArray(OID.aclitem, []) : (acl as PgArray);
    if (dims.length > 1) throw new SqlError('22023', 'ACL arrays must be one-dimensional');
    if (items.includes(null)) throw new SqlError('22004', 'ACL arrays must not contain null values');
    const grants = items.flatMap((item) => grantsOf(textOf(item), named));
    return records(
      GRANTS,
      grants.map((g) => [g.grantor, g.grantee, g.privilege, g.grantable]),
    );
  },
  pg_get_keywords: keywords,
  pg_show_all_settings: (_args, moment) => rowsOf('pg_settings', moment),
  pg_lock_status: (_args, moment) => rowsOf('pg_locks', moment),
  pg_timezone_names: (_args, moment) => rowsOf('pg_timezone_names', moment),
  pg_timezone_abbrevs: (_args, moment) => rowsOf('pg_timezone_abbrevs', moment),
  pg_cursor: (_args, moment) => rowsOf('pg_cursors', moment),
  pg_prepared_statement: (_args, moment) => rowsOf('pg_prepared_statements', moment),
  pg_listening_channels: (_args, { session }) => pgArray(OID.text, session?.listeningChannels() ?? []),
  pg_partition_ancestors: ([oid], { facts }) =>
    pgArray(OID.regclass, facts.relation(numberOf(oid)) === undefined ? [] : [oid]),
  pg_get_publication_tables: ([names], { facts }) =>
    records(
      [OID.oid, OID.oid, OID.int2vector, OID.text],
      publicationsOf(facts)
        .filter(({ name }) => (names as PgArray).items.includes(name))
        .flatMap((publication) =>
          publishedRelations(facts, publication).map((r): Datum[] => [
            publication.oid,
            r.oid,
            { ...pgArray(OID.int2, attributesOf(r)), lower: [0] },
            null,
          ]),
        ),
    ),
  pg_available_extensions: () =>
    records(
      [OID.name, OID.text, OID.text],
      availableExtensions().map(({ name, version, comment }) => [name, version, comment]),
    ),
  // There are none of these.
  pg_get_catalog_foreign_keys: () => EMPTY,
  pg_options_to_table: () => EMPTY,
  pg_partition_tree: () => EMPTY,
  pg_tablespace_databases: () => EMPTY,
};
