/**
 * Catalogs against PostgreSQL's own: the columns of every relation, and rows about the same objects made in both. Left out are values
 * that differ by nature: OIDs of users' objects, the database's name, rights of views (which take no INSERT here).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { SqlError } from '../../../operators/errors.ts';
import { systemRelations } from './system_relations.ts';
import { CatalogUnderTest, type TextRow } from './testing/catalog_under_test.ts';

const SETUP = `
  CREATE TABLE t (
    id int PRIMARY KEY, name varchar(10) DEFAULT 'x', amount numeric(10,2) NOT NULL DEFAULT 1.5, ts timestamptz(3) DEFAULT now(),
    tags text[], doc jsonb DEFAULT '{}', ch char(3) DEFAULT 'a', d date DEFAULT current_date, iv interval,
    iv2 interval day to second(2), b bytea, f4 real, big bigint DEFAULT 5 + 1, nm name, neg int DEFAULT -1,
    wide bigint DEFAULT -5000000000, yes bool DEFAULT TRUE, u uuid DEFAULT gen_random_uuid(), n2 numeric(3,-2), vc varchar,
    tm time(2), num numeric, bits bit(3), vb varbit(9)
  );
  CREATE VIEW v AS SELECT id, name FROM t;
  CREATE MATERIALIZED VIEW mv AS SELECT name, count(*) AS n FROM t GROUP BY name;
  CREATE INDEX i ON t (name, ch);
  CREATE UNIQUE INDEX "U" ON t (ts);
  CREATE TABLE numbered (a serial, b bigint GENERATED ALWAYS AS IDENTITY (START 5 CYCLE), c int CHECK (c <> 5),
    CONSTRAINT "Other" CHECK (c > b) NO INHERIT, d int GENERATED ALWAYS AS (a + c) STORED);
  CREATE SEQUENCE seq AS smallint INCREMENT -2;
  ALTER TABLE numbered ALTER c SET DEFAULT nextval('seq');
  CREATE SCHEMA s2;
  CREATE TABLE s2."T x" (a int, "B" text, PRIMARY KEY (a, "B"));
`;

const OWN =
  "('t', 'v', 'mv', 'i', 'U', 't_pkey', 'T x', 'T x_pkey', 'numbered', 'seq', 'numbered_a_seq', 'numbered_b_seq')";
const OURS = "('public', 's2')";

const QUERIES = [
  `SELECT relname, relam, relhasindex, relisshared, relpersistence, relkind, relnatts, relchecks, relhasrules, relhastriggers,
     relreplident, relispartition, relispopulated, relreplident FROM pg_class WHERE relname IN ${OWN} ORDER BY 1`,
  `SELECT c.relname, attname, atttypid, attlen, attnum, atttypmod, attndims, attbyval, attalign, attstorage, attcompression, attnotnull,
     atthasdef, attidentity, attgenerated, attisdropped, attislocal, attinhcount, attcollation
   FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relname IN ${OWN} AND attnum > 0 ORDER BY relname, attnum`,
  `SELECT c.relname, t.relname, indnatts, indnkeyatts, indisunique, indnullsnotdistinct, indisprimary, indisexclusion, indimmediate,
     indisclustered, indisvalid, indkey, indcollation, indclass, indoption, indexprs, indpred, pg_get_indexdef(indexrelid),
     pg_get_indexdef(indexrelid, 1, false)
   FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid WHERE c.relname IN ${OWN} ORDER BY 1`,
  `SELECT conname, contype, condeferrable, conenforced, convalidated, connoinherit, conkey, confupdtype, confmatchtype,
     conrelid::regclass, conindid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid >= 16384 ORDER BY 1`,
  'SELECT adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef ORDER BY 1, 2',
  'SELECT relname, seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_sequence JOIN pg_class ON oid = seqrelid ORDER BY 1',
  `SELECT schemaname, sequencename, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size, last_value FROM pg_sequences ORDER BY 2`,
  `SELECT sequence_schema, sequence_name, data_type, numeric_precision, numeric_precision_radix, numeric_scale, start_value, minimum_value,
     maximum_value, increment, cycle_option FROM information_schema.sequences ORDER BY 2`,
  `SELECT c.relname, d.deptype, d.refobjid::regclass, d.refobjsubid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
   WHERE c.relkind = 'S' AND d.refclassid = 'pg_class'::regclass ORDER BY 1`,
  `SELECT table_schema, table_name, table_type, is_typed FROM information_schema.tables WHERE table_schema <> 'tidemark' ORDER BY 1, 2`,
  `SELECT table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
     character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type,
     interval_precision, collation_schema, collation_name, domain_schema, domain_name, udt_schema, udt_name, dtd_identifier,
     is_self_referencing, is_identity, identity_generation, identity_start, identity_increment, identity_maximum, identity_minimum,
     identity_cycle, is_generated, generation_expression
   FROM information_schema.columns WHERE table_schema <> 'tidemark' AND column_name NOT IN ('daticulocale', 'colliculocale')
   ORDER BY 1, 2, 4`,
  `SELECT constraint_schema, constraint_name, table_schema, table_name, constraint_type, is_deferrable, initially_deferred, enforced,
     nulls_distinct FROM information_schema.table_constraints WHERE table_schema IN ${OURS} ORDER BY 2`,
  `SELECT constraint_name, table_schema, table_name, column_name, ordinal_position, position_in_unique_constraint
   FROM information_schema.key_column_usage WHERE table_schema IN ${OURS} ORDER BY 1, 5`,
  `SELECT table_name, column_name, constraint_name FROM information_schema.constraint_column_usage WHERE table_schema IN ${OURS} ORDER BY 1, 2, 3`,
  `SELECT table_name, constraint_name FROM information_schema.constraint_table_usage WHERE table_schema IN ${OURS} ORDER BY 1, 2`,
  `SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema IN ${OURS} ORDER BY 1`,
  "SELECT view_name, table_name FROM information_schema.view_table_usage WHERE view_schema = 'public'",
  `SELECT object_name, data_type, udt_name, dtd_identifier, collection_type_identifier FROM information_schema.element_types
   WHERE object_schema = 'public'`,
  `SELECT specific_schema, specific_name, routine_name, routine_type, data_type, type_udt_name, external_language, is_deterministic,
     is_null_call, security_type, routine_body, routine_definition, external_name FROM information_schema.routines
   WHERE routine_name <> 'tidemark_tick' AND external_language = 'INTERNAL' ORDER BY 2`,
  `SELECT specific_name, ordinal_position, parameter_mode, parameter_name, data_type, udt_name, udt_schema, dtd_identifier,
     parameter_default FROM information_schema.parameters ORDER BY 1, 2`,
  `SELECT schemaname, tablename, tablespace, hasindexes, hasrules, rowsecurity FROM pg_tables WHERE schemaname IN ${OURS} ORDER BY 2`,
  'SELECT schemaname, matviewname, hasindexes, ispopulated FROM pg_matviews',
  `SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname IN ${OURS} ORDER BY 3`,
  `SELECT oid::regprocedure, pg_get_function_arguments(oid), pg_get_function_identity_arguments(oid), pg_get_function_result(oid)
   FROM pg_proc WHERE proname <> 'tidemark_tick' ORDER BY oid`,
  "SELECT oid::regproc FROM pg_proc WHERE proname <> 'tidemark_tick' ORDER BY oid",
  'SELECT oid::regtype FROM pg_type WHERE oid < 16384 ORDER BY oid',
  'SELECT oid::regoperator AS a, oid::regoper AS b FROM pg_operator ORDER BY oid',
  'SELECT oid::regcollation, collname, collprovider FROM pg_collation ORDER BY oid',
  'SELECT oid::regconfig FROM pg_ts_config ORDER BY oid',
  `SELECT relname, pg_table_is_visible(oid) FROM pg_class WHERE relname IN ${OWN} ORDER BY 1`,
  'SELECT typname, pg_type_is_visible(oid) FROM pg_type WHERE oid < 16384 ORDER BY oid',
  'SELECT oid, pg_function_is_visible(oid) FROM pg_proc WHERE proname <> $$tidemark_tick$$ ORDER BY oid',
  `SELECT to_regclass('t'), to_regclass('nope'), to_regclass('s2."T x"'), 'pg_class'::regclass, 'public.t'::regclass, to_regtype('int[]'),
     to_regproc('now'), to_regprocedure('abs(int)'), to_regprocedure('nope(int)'), to_regoper('||'), to_regoper('!~~*'),
     to_regoperator('+(int,int)'), to_regoperator('-(NONE,int4)'), to_regnamespace('s2'), to_regnamespace('s3'), to_regrole('nobody'),
     to_regtype('nope'), to_regtypemod('varchar(5)'), to_regcollation('"C"')`,
  `SELECT pg_get_function_arg_default(oid, n) FROM pg_proc, generate_series(1, 8) n WHERE pronargdefaults > 0 AND oid < 9000 ORDER BY oid, n`,
  "SELECT pg_get_serial_sequence('t', 'id'), pg_get_serial_sequence('s2.\"T x\"', 'B')",
  "SELECT pg_encoding_to_char(6), pg_char_to_encoding('UTF8'), pg_encoding_max_length(6), getdatabaseencoding()",
  `SELECT p, pg_index_column_has_property('t_pkey', 1, p), pg_index_has_property('t_pkey', p), pg_indexam_has_property(403, p)
   FROM unnest(array['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable', 'returnable', 'search_array',
     'search_nulls', 'clusterable', 'index_scan', 'bitmap_scan', 'backward_scan', 'can_order', 'can_unique', 'can_multi_col',
     'can_exclude', 'can_include', 'bogus']) p`,
  'SELECT * FROM pg_get_keywords() ORDER BY 1',
  'SELECT * FROM pg_am ORDER BY oid',
  'SELECT * FROM pg_cast ORDER BY oid',
  'SELECT * FROM pg_range ORDER BY rngtypid',
  "SELECT * FROM pg_language WHERE lanname <> 'javascript' ORDER BY oid",
  'SELECT * FROM pg_opclass ORDER BY oid',
  'SELECT * FROM pg_aggregate ORDER BY aggfnoid::oid',
  `SELECT oid, typname, typnamespace, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typrelid,
     typsubscript, typelem, typarray, typinput, typoutput, typalign, typstorage, typnotnull, typbasetype, typtypmod, typcollation
   FROM pg_type WHERE oid < 16384 ORDER BY oid`,
  `SELECT oid, proname, prolang, prokind, proisstrict, proretset, provolatile, pronargs, prorettype, proargtypes, proallargtypes,
     proargmodes, proargnames FROM pg_proc WHERE proname <> 'tidemark_tick' ORDER BY oid`,
];

let postgres: PGlite;
let tidemark: CatalogUnderTest;
before(async () => {
  postgres = await PGlite.create();
  await postgres.exec(SETUP);
  tidemark = await CatalogUnderTest.open(SETUP);
});
after(async () => {
  await postgres.close();
  await tidemark.close();
});

test('every relation has the columns that PostgreSQL gives clients', async () => {
  for (const { schema, name } of systemRelations()) {
    const sql = `SELECT * FROM ${schema}.${name}`;
    const theirs = (await postgres.query(`${sql} LIMIT 0`)).fields.map((f) => `${f.name} ${f.dataTypeID}`);
    const ours = (await tidemark.columns(sql)).map((c) => `${c.name} ${c.type.oid}`);
    // Columns for clients of older versions stand at the end.
    assert.deepEqual(ours.slice(0, theirs.length), theirs, name);
  }
});

/** The query's rows with every value cast to text. */
async function postgresRows(sql: string): Promise<TextRow[]> {
  const { fields } = await postgres.query(`SELECT * FROM (${sql}) q LIMIT 0`);
  const names = fields.map((_, i) => `c${i}`);
  const texts = names.map((n) => `${n}::text`).join();
  const { rows } = await postgres.query<TextRow>(`SELECT ${texts} FROM (${sql}) q(${names.join()})`, [], {
    rowMode: 'array',
  });
  return rows;
}

test('rows about the same objects', async () => {
  const differences: string[] = [];
  for (const sql of QUERIES) {
    const theirs = await postgresRows(sql);
    const ours = await tidemark.rows(sql);
    const at = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, i) => i).find(
      (i) => JSON.stringify(ours[i]) !== JSON.stringify(theirs[i]),
    );
    if (at === undefined) continue;
    differences.push(
      `${sql}\n  row ${at}\n  PostgreSQL ${JSON.stringify(theirs[at])}\n  Tidemark   ${JSON.stringify(ours[at])}`,
    );
  }
  assert.deepEqual(differences, []);
});

/** Expressions that PostgreSQL refuses. */
const REFUSED = [
  "'nothing'::regclass",
  "'nowhere.account'::regclass",
  "'other_db.public.t'::regclass",
  "'a b'::regclass",
  "'a.'::regclass",
  "'nothing'::regproc",
  "'nowhere.now'::regproc",
  "'abs'::regproc",
  "'abs'::regprocedure",
  "'abs(int'::regprocedure",
  "'abs(text)'::regprocedure",
  "'abs(nothing)'::regprocedure",
  "'+++'::regoper",
  "'+'::regoper",
  "'+(int)'::regoperator",
  "'+(int,text)'::regoperator",
  "'+(int,int,int)'::regoperator",
  "'nothing'::regtype",
  "'nowhere.int4'::regtype",
  "'nobody'::regrole",
  "'nowhere'::regnamespace",
  "'nothing'::regcollation",
  "'nothing'::regconfig",
  "pg_get_serial_sequence('nothing', 'id')",
  "pg_get_serial_sequence('t', 'nothing')",
  "pg_get_viewdef('nothing')",
  "nextval('t')",
  'lastval()',
];

test('errors', async () => {
  const differences: string[] = [];
  for (const expression of REFUSED) {
    const sql = `SELECT ${expression}`;
    const theirs = await postgres.query(sql).then(
      () => 'no error',
      (e: { code: string; message: string }) => `${e.code} ${e.message}`,
    );
    const ours = await tidemark.rows(sql).then(
      () => 'no error',
      (e: SqlError) => `${e.sqlstate} ${e.message.replace(/^line 1: /, '')}`,
    );
    if (ours !== theirs) differences.push(`${expression}\n  PostgreSQL ${theirs}\n  Tidemark   ${ours}`);
  }
  assert.deepEqual(differences, []);
});
