/** Roles and privileges as in PostgreSQL: the same statements here and there, in one session that changes its role, with the same rows and the same errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besidePglite } from './beside_pglite.ts';

const { same, outcomeHere } = besidePglite();

test('attributes of roles, and who may give them', () =>
  same(`
    CREATE ROLE boss LOGIN CREATEROLE
    CREATE USER reader PASSWORD NULL
    CREATE GROUP staff
    CREATE ROLE boss
    CREATE ROLE pg_mine
    CREATE ROLE limited CONNECTION LIMIT -2
    CREATE ROLE twice LOGIN NOLOGIN
    SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolpassword FROM pg_roles WHERE rolname IN ('boss', 'reader', 'staff') ORDER BY 1
    ALTER ROLE reader CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00'
    SELECT rolcreatedb, rolconnlimit, rolvaliduntil::text FROM pg_roles WHERE rolname = 'reader'
    ALTER ROLE nobody LOGIN
    ALTER ROLE reader RENAME TO boss
    ALTER ROLE reader RENAME TO writer
    ALTER ROLE writer RENAME TO reader
    ALTER ROLE reader SET search_path TO a, "B c"
    ALTER ROLE reader SET nothing_known = 1
    ALTER ROLE reader SET statement_timeout = 'later'
    SELECT rolconfig FROM pg_roles WHERE rolname = 'reader'
    ALTER ROLE reader RESET search_path
    SELECT rolconfig FROM pg_roles WHERE rolname = 'reader'
    SET ROLE reader
    SELECT current_user, session_user, current_role, user
    SHOW is_superuser
    CREATE ROLE x
    DROP ROLE staff
    SET ROLE staff
    SET ROLE nobody
    SELECT rolname FROM pg_authid
    SELECT usename FROM pg_shadow
    ALTER ROLE reader PASSWORD 'mine'
    CHECKPOINT
    RESET ROLE
    SELECT current_user
    DROP ROLE CURRENT_USER
    DROP ROLE nobody
    DROP ROLE IF EXISTS nobody
  `));

test('members', () =>
  same(`
    CREATE ROLE a
    CREATE ROLE b ROLE a
    CREATE ROLE c IN ROLE b NOINHERIT
    GRANT a TO a
    GRANT a TO b
    GRANT staff TO c
    CREATE ROLE d
    GRANT d, a TO b
    SELECT pg_has_role('b', 'd', 'MEMBER')
    DROP ROLE d
    SELECT pg_has_role('a', 'b', 'USAGE'), pg_has_role('c', 'b', 'USAGE'), pg_has_role('b', 'a', 'MEMBER'), pg_has_role('c', 'staff', 'MEMBER'), pg_has_role('postgres', 'c', 'USAGE')
    SELECT pg_has_role('c', 'b', 'NOTHING')
    SELECT pg_has_role('nobody', 'b', 'USAGE')
    SELECT r.rolname, m.rolname, admin_option FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member WHERE r.rolname IN ('b', 'staff') ORDER BY 1, 2
    SET ROLE a
    SELECT current_user, session_user
    SET ROLE b
    RESET ROLE
    REVOKE b FROM a
    GRANT b TO nobody
    SET ROLE a
    SET ROLE b
    GRANT b TO c
    RESET ROLE
    GRANT b TO a WITH ADMIN OPTION
    SET ROLE a
    GRANT b TO reader
    SET ROLE b
    SELECT current_user, session_user
    SET ROLE NONE
    SELECT current_user
    RESET ROLE
    BEGIN
    SET LOCAL ROLE a
    SELECT current_user
    COMMIT
    SELECT current_user
    BEGIN
    SET ROLE a
    ROLLBACK
    SELECT current_user
    DROP ROLE b
    SELECT pg_has_role('a', 'b', 'USAGE')
  `));

test('privileges of relations', () =>
  same(`
    CREATE TABLE t (id int PRIMARY KEY, v text)
    INSERT INTO t VALUES (1, 'one')
    CREATE TABLE other (id int)
    CREATE VIEW of_t AS SELECT id FROM t
    CREATE MATERIALIZED VIEW kept AS SELECT count(*)::int AS n FROM t
    CREATE SEQUENCE s
    SET ROLE reader
    SELECT * FROM t
    SELECT * FROM of_t
    SELECT * FROM kept
    SELECT n FROM (SELECT count(*) AS n FROM other) x
    SELECT (SELECT max(id) FROM other)
    WITH w AS (SELECT * FROM t) SELECT * FROM w
    INSERT INTO t VALUES (2, 'two')
    UPDATE t SET v = 'x'
    DELETE FROM t
    TRUNCATE t
    SELECT nextval('s')::int
    SELECT last_value FROM s
    DROP TABLE t
    DROP VIEW of_t
    DROP SEQUENCE s
    ALTER TABLE t ADD COLUMN x int
    ALTER TABLE t RENAME TO u
    CREATE INDEX ON t (v)
    COMMENT ON TABLE t IS 'mine'
    GRANT SELECT ON t TO PUBLIC
    ALTER TABLE t OWNER TO reader
    CREATE TABLE mine (a int)
    CREATE VIEW mine AS SELECT 1 AS a
    CREATE SCHEMA mine
    CREATE TYPE mine AS ENUM ('a')
    RESET ROLE
    GRANT SELECT, UPDATE ON t TO reader
    GRANT SELECT ON of_t TO reader
    GRANT SELECT ON kept TO staff
    GRANT USAGE ON SEQUENCE s TO reader
    GRANT staff TO reader
    GRANT EXECUTE ON t TO reader
    GRANT nonsense ON t TO reader
    GRANT SELECT ON missing TO reader
    GRANT SELECT ON t TO nobody
    GRANT SELECT ON t TO PUBLIC WITH GRANT OPTION
    SELECT relname, relacl::text FROM pg_class WHERE relname = 's'
    SELECT has_table_privilege('reader', 't', 'SELECT'), has_table_privilege('reader', 't', 'INSERT, UPDATE'), has_table_privilege('reader', 't', 'DELETE'), has_table_privilege('reader', 't', 'SELECT WITH GRANT OPTION')
    SELECT has_table_privilege('reader', 'missing', 'SELECT')
    SELECT has_table_privilege('reader', 't', 'NOTHING')
    SELECT has_table_privilege('reader', 1::oid, 'SELECT'), has_schema_privilege('reader', 'public', 'CREATE'), has_schema_privilege('reader', 'public', 'USAGE'), has_sequence_privilege('reader', 's', 'USAGE'), has_column_privilege('reader', 't', 'v', 'SELECT'), has_any_column_privilege('reader', 't', 'INSERT'), has_database_privilege('reader', current_database(), 'CONNECT')
    SET ROLE reader
    SELECT * FROM t
    SELECT * FROM t WHERE id = 1
    SELECT * FROM of_t
    SELECT * FROM kept
    SELECT nextval('s')::int
    SELECT setval('s', 5)
    UPDATE t SET v = 'two' WHERE id = 1
    UPDATE t SET v = v || '!' RETURNING v
    INSERT INTO t VALUES (3, 'x')
    INSERT INTO t SELECT 3, 'x'
    DELETE FROM t WHERE id = 1
    MERGE INTO t USING (SELECT 1 AS i) x ON x.i = t.id WHEN MATCHED THEN UPDATE SET v = 'm'
    MERGE INTO t USING (SELECT 1 AS i) x ON x.i = t.id WHEN MATCHED THEN DELETE
    SELECT * FROM t, other
    RESET ROLE
    REVOKE SELECT ON t FROM reader
    SET ROLE reader
    SELECT * FROM t
    UPDATE t SET v = 'blind'
    UPDATE t SET v = v
    UPDATE t SET v = 'seen' WHERE id = 1
    UPDATE t SET v = 'told' RETURNING id
    RESET ROLE
    GRANT INSERT, DELETE ON t TO reader
    SET ROLE reader
    INSERT INTO t VALUES (9, 'nine')
    INSERT INTO t VALUES (9, 'nine') RETURNING id
    INSERT INTO t VALUES (9, 'nine') ON CONFLICT DO NOTHING
    INSERT INTO t VALUES (9, 'nine') ON CONFLICT (id) DO UPDATE SET v = excluded.v
    DELETE FROM t
    RESET ROLE
    SELECT * FROM t
  `));

test('grant options, and what hangs on them', () =>
  same(`
    CREATE TABLE chain (a int)
    CREATE ROLE first
    CREATE ROLE second
    CREATE ROLE third
    GRANT SELECT ON chain TO first WITH GRANT OPTION
    SET ROLE first
    GRANT SELECT ON chain TO second WITH GRANT OPTION
    GRANT INSERT ON chain TO second
    SET ROLE second
    GRANT SELECT ON chain TO third
    RESET ROLE
    REVOKE SELECT ON chain FROM first
    REVOKE GRANT OPTION FOR SELECT ON chain FROM first
    SELECT has_table_privilege('third', 'chain', 'SELECT')
    REVOKE GRANT OPTION FOR SELECT ON chain FROM first CASCADE
    SELECT has_table_privilege('first', 'chain', 'SELECT'), has_table_privilege('second', 'chain', 'SELECT'), has_table_privilege('third', 'chain', 'SELECT')
    REVOKE ALL ON chain FROM first, second, third CASCADE
    SELECT has_table_privilege('first', 'chain', 'SELECT')
    REVOKE ALL ON chain FROM postgres
    SELECT count(*)::int FROM chain
    ALTER TABLE chain OWNER TO first
    GRANT USAGE ON SCHEMA public TO first
    SET ROLE first
    SELECT * FROM chain
    GRANT SELECT ON chain TO first
    SELECT * FROM chain
    DROP TABLE chain
    RESET ROLE
  `));

test('owners, views of others, schemas, defaults', () =>
  same(`
    CREATE ROLE maker LOGIN
    CREATE ROLE guest LOGIN
    CREATE SCHEMA own AUTHORIZATION maker
    SET ROLE maker
    CREATE TABLE own.t (id serial PRIMARY KEY, v int)
    INSERT INTO own.t (v) VALUES (7)
    CREATE TABLE own.ident (id int GENERATED ALWAYS AS IDENTITY, v int)
    CREATE VIEW own.v AS SELECT v FROM own.t
    GRANT SELECT ON own.v TO guest
    GRANT INSERT ON own.t, own.ident TO guest
    SELECT tableowner FROM pg_tables WHERE schemaname = 'own' ORDER BY tablename
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'own'
    SET ROLE guest
    SELECT * FROM own.v
    RESET ROLE
    GRANT USAGE ON SCHEMA own TO guest
    SET ROLE guest
    SELECT * FROM own.v
    SELECT * FROM own.t
    INSERT INTO own.t (v) VALUES (8)
    INSERT INTO own.ident (v) VALUES (8)
    CREATE TABLE own.x (a int)
    CREATE TABLE refs (a int REFERENCES own.t)
    RESET ROLE
    CREATE TABLE secret (v int)
    INSERT INTO secret VALUES (42)
    SET ROLE maker
    CREATE VIEW own.peek AS SELECT * FROM secret
    GRANT SELECT ON own.peek TO guest
    SELECT * FROM own.peek
    CREATE MATERIALIZED VIEW own.m AS SELECT * FROM secret
    CREATE TABLE own.copy AS SELECT * FROM secret
    SET ROLE guest
    SELECT * FROM own.peek
    RESET ROLE
    GRANT SELECT ON secret TO maker
    SET ROLE guest
    SELECT * FROM own.peek
    SELECT * FROM secret
    RESET ROLE
    DROP ROLE maker
    ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA own GRANT SELECT ON TABLES TO guest
    ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT USAGE ON SEQUENCES TO guest
    SET ROLE maker
    CREATE TABLE own.later (id serial, v int)
    ALTER TABLE own.later OWNER TO guest
    SET ROLE guest
    SELECT * FROM own.later
    INSERT INTO own.later (v) VALUES (1)
    SELECT nextval('own.later_id_seq')::int
    RESET ROLE
    GRANT SELECT ON ALL TABLES IN SCHEMA own TO guest
    GRANT SELECT ON ALL TABLES IN SCHEMA nowhere TO guest
    SELECT has_table_privilege('guest', 'own.t', 'SELECT'), has_table_privilege('guest', 'own.later', 'SELECT')
    GRANT pg_read_all_data TO reader
    SELECT has_table_privilege('reader', 'secret', 'SELECT'), has_table_privilege('reader', 'secret', 'INSERT'), has_schema_privilege('reader', 'own', 'USAGE')
    ALTER SCHEMA own OWNER TO guest
    SET ROLE guest
    DROP VIEW own.v
    DROP TABLE own.later
    RESET ROLE
    ALTER SCHEMA own OWNER TO maker
    REASSIGN OWNED BY maker TO guest
    SELECT tableowner FROM pg_tables WHERE schemaname = 'own' ORDER BY tablename
    DROP OWNED BY maker
    DROP ROLE maker
    DROP OWNED BY guest CASCADE
    DROP ROLE guest
    SELECT nspname FROM pg_namespace WHERE nspname = 'own'
  `));

test('what a function in SQL reads is asked of who calls, also behind the view of another', () =>
  same(`
    CREATE ROLE keeper
    CREATE ROLE intruder
    CREATE SCHEMA kept AUTHORIZATION keeper
    CREATE SCHEMA theirs AUTHORIZATION intruder
    GRANT USAGE ON SCHEMA kept, theirs TO PUBLIC
    SET ROLE keeper
    CREATE TABLE kept.hidden (k int, v text)
    INSERT INTO kept.hidden VALUES (1, 'x')
    RESET ROLE
    SET ROLE intruder
    CREATE FUNCTION theirs.f(x int) RETURNS text LANGUAGE sql AS $$ SELECT 'nothing'::text $$
    CREATE FUNCTION theirs.g() RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'nothing'::text $$
    RESET ROLE
    SET ROLE keeper
    CREATE VIEW kept.v AS SELECT theirs.f(1) AS f, count(*) AS n FROM kept.hidden
    CREATE VIEW kept.w AS SELECT g, k FROM kept.hidden, theirs.g() AS g
    CREATE VIEW kept.over AS SELECT * FROM kept.v
    GRANT SELECT ON kept.v, kept.w, kept.over TO intruder
    RESET ROLE
    SET ROLE intruder
    SELECT f, n::int FROM kept.v
    SELECT * FROM kept.w
    CREATE OR REPLACE FUNCTION theirs.f(x int) RETURNS text LANGUAGE sql AS $$ SELECT max(v) FROM kept.hidden WHERE k = x $$
    CREATE OR REPLACE FUNCTION theirs.g() RETURNS SETOF text LANGUAGE sql AS $$ SELECT v FROM kept.hidden $$
    SELECT f FROM kept.v
    SELECT f FROM kept.over
    SELECT * FROM kept.w
    SELECT n::int FROM kept.v WHERE f IS NULL
    RESET ROLE
    SET ROLE keeper
    SELECT f FROM kept.over
    SELECT * FROM kept.w
    RESET ROLE
    DROP OWNED BY keeper CASCADE
    DROP OWNED BY intruder CASCADE
    DROP ROLE keeper, intruder
  `));

test('functions of a schema that one may not use are not called', () =>
  same(`
    CREATE ROLE keeper
    CREATE ROLE caller
    CREATE SCHEMA closed AUTHORIZATION keeper
    CREATE SCHEMA opened AUTHORIZATION keeper
    GRANT USAGE ON SCHEMA opened TO caller
    SET ROLE keeper
    CREATE FUNCTION closed.f(x int) RETURNS int LANGUAGE sql AS $$ SELECT x + 1 $$
    CREATE FUNCTION closed.g(x int) RETURNS SETOF int LANGUAGE sql AS $$ SELECT generate_series(1, x) $$
    CREATE FUNCTION opened.calls(x int) RETURNS int LANGUAGE sql AS $$ SELECT closed.f(x) $$
    CREATE VIEW opened.v AS SELECT closed.f(1) AS f, g FROM closed.g(2) AS g
    GRANT SELECT ON opened.v TO caller
    SELECT closed.f(1), opened.calls(1), g FROM closed.g(1) AS g
    RESET ROLE
    SET ROLE caller
    SELECT closed.f(1)
    SELECT * FROM closed.g(2)
    SELECT opened.calls(1)
    SELECT * FROM opened.v ORDER BY g
    RESET ROLE
    GRANT USAGE ON SCHEMA closed TO caller
    SET ROLE caller
    SELECT closed.f(1), opened.calls(1), g FROM closed.g(1) AS g
    RESET ROLE
    DROP OWNED BY keeper
    DROP ROLE keeper, caller
  `));

test('DROP OWNED drops all or nothing, in whatever order it was made', async () => {
  await same(`
    CREATE ROLE leaver
    CREATE ROLE stayer
    CREATE SCHEMA leaving AUTHORIZATION leaver
    CREATE SCHEMA staying AUTHORIZATION stayer
    GRANT USAGE ON SCHEMA leaving TO stayer
    SET ROLE leaver
    CREATE FUNCTION leaving.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'
    CREATE FUNCTION leaving.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'
    CREATE TABLE leaving.t (id serial PRIMARY KEY, v int)
    CREATE TYPE leaving.late AS ENUM ('a')
    CREATE DOMAIN leaving.over AS leaving.late
    ALTER TABLE leaving.t ADD COLUMN w leaving.late, ADD COLUMN x leaving.over
    CREATE FUNCTION leaving.f(leaving.late, leaving.over, leaving.late[]) RETURNS int LANGUAGE sql AS 'SELECT 1'
    CREATE VIEW leaving.old AS SELECT id FROM leaving.t
    CREATE VIEW leaving.new AS SELECT id FROM leaving.t
    CREATE OR REPLACE VIEW leaving.old AS SELECT id FROM leaving.new
    CREATE TABLE leaving.u (id int REFERENCES leaving.t)
    GRANT SELECT ON leaving.t TO stayer
    RESET ROLE
    SET ROLE stayer
    CREATE VIEW staying.reads AS SELECT id FROM leaving.t
    CREATE TABLE staying.says (w leaving.late)
  `);
  const of = (catalog: string, column: string) =>
    `SELECT count(*)::int FROM ${catalog} WHERE ${column} = 'leaving'::regnamespace`;
  const count = `${of('pg_class', 'relnamespace')} UNION ALL ${of('pg_proc', 'pronamespace')}`;
  await outcomeHere('RESET ROLE');
  for (const user of ['VIEW staying.reads', 'TABLE staying.says']) {
    assert.match(JSON.stringify(await outcomeHere('DROP OWNED BY leaver')), /2BP01/, user);
    await same(count);
    await same(`DROP ${user}`);
  }
  await same(`
    DROP OWNED BY leaver
    DROP ROLE leaver
    SELECT nspname FROM pg_namespace WHERE nspname = 'leaving'
    DROP OWNED BY stayer
    DROP ROLE stayer
  `);
});

test('information_schema lists what one of the roles owns or has a privilege on', () =>
  same(`
    CREATE ROLE is_owner
    CREATE ROLE is_reader
    CREATE ROLE is_writer
    CREATE ROLE is_member IN ROLE is_owner
    CREATE SCHEMA is_shown
    CREATE SCHEMA is_hidden
    GRANT USAGE, CREATE ON SCHEMA is_shown TO is_owner
    GRANT USAGE ON SCHEMA is_shown TO is_reader, is_writer
    SET ROLE is_owner
    CREATE TABLE is_shown.parent (id int PRIMARY KEY, note text CHECK (note <> ''), tags text[])
    CREATE TABLE is_shown.child (id int UNIQUE, parent int NOT NULL REFERENCES is_shown.parent)
    CREATE VIEW is_shown.notes AS SELECT note FROM is_shown.parent
    CREATE SEQUENCE is_shown.numbers
    CREATE FUNCTION is_shown.one() RETURNS int LANGUAGE sql AS 'SELECT 1'
    CREATE DOMAIN is_shown.few AS int CHECK (VALUE < 10)
    GRANT SELECT ON is_shown.notes, is_shown.child TO is_reader
    GRANT INSERT ON is_shown.child TO is_writer
    GRANT USAGE ON SEQUENCE is_shown.numbers TO is_writer
    RESET ROLE
    CREATE TABLE is_hidden.secret (id int PRIMARY KEY)
    ${['is_owner', 'is_member', 'is_reader', 'is_writer']
      .flatMap((role) => [
        `SET ROLE ${role}`,
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema LIKE 'is_%' ORDER BY 1",
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema LIKE 'is_%' ORDER BY 1, 2",
        "SELECT table_name, view_definition IS NULL FROM information_schema.views WHERE table_schema LIKE 'is_%' ORDER BY 1",
        "SELECT view_name, table_name FROM information_schema.view_table_usage WHERE view_schema LIKE 'is_%' ORDER BY 1, 2",
        "SELECT object_name FROM information_schema.element_types WHERE object_schema LIKE 'is_%' ORDER BY 1",
        "SELECT table_name, constraint_type, count(*)::int FROM information_schema.table_constraints WHERE table_schema LIKE 'is_%' GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema LIKE 'is_%' ORDER BY 1",
        "SELECT table_name, column_name FROM information_schema.key_column_usage WHERE table_schema LIKE 'is_%' ORDER BY 1, 2",
        "SELECT table_name, column_name, constraint_name FROM information_schema.constraint_column_usage WHERE table_schema LIKE 'is_%' AND constraint_name NOT LIKE '%not_null' ORDER BY 1, 2, 3",
        "SELECT table_name, constraint_name FROM information_schema.constraint_table_usage WHERE table_schema LIKE 'is_%' ORDER BY 1, 2",
        "SELECT constraint_name FROM information_schema.check_constraints WHERE constraint_schema LIKE 'is_%' AND constraint_name LIKE '%check' ORDER BY 1",
        "SELECT sequence_name FROM information_schema.sequences WHERE sequence_schema LIKE 'is_%' ORDER BY 1",
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'is_%' ORDER BY 1",
        "SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema LIKE 'is_%' ORDER BY 1",
        "SELECT domain_name FROM information_schema.domains WHERE domain_schema LIKE 'is_%' ORDER BY 1",
        "SELECT count(*) > 50 FROM information_schema.tables WHERE table_schema = 'pg_catalog'",
        "SELECT table_name FROM information_schema.tables WHERE table_name IN ('pg_authid', 'pg_class')",
      ])
      .join('\n')}
  `));

test('lists of privileges one privilege a row', () =>
  same(`
    CREATE ROLE "a ""b" NOLOGIN
    CREATE TABLE exploded (a int)
    GRANT SELECT, INSERT ON exploded TO "a ""b" WITH GRANT OPTION
    GRANT UPDATE, DELETE ON exploded TO PUBLIC
    SELECT grantor::regrole::text = current_user, grantee = 0, CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, privilege_type, is_grantable FROM pg_class c, aclexplode(c.relacl) WHERE relname = 'exploded' AND privilege_type <> 'MAINTAIN'
    SELECT count(*)::int FROM (SELECT (aclexplode(relacl)).* FROM pg_class WHERE relname = 'exploded') AS x WHERE is_grantable
    SELECT (d).privilege_type, (d).is_grantable FROM (SELECT aclexplode(relacl) AS d FROM pg_class WHERE relname = 'exploded') AS x WHERE (d).grantee = 0
    SELECT aclexplode('{{=r/postgres},{postgres=arw*d/postgres}}'::aclitem[])
    SELECT grantor, grantee, privilege_type, is_grantable FROM aclexplode('{=r/postgres,postgres=dwa*r/postgres}'::aclitem[])
    SELECT aclexplode('{NULL}'::aclitem[])
    SELECT * FROM aclexplode(NULL)
    SELECT privilege_type FROM aclexplode(acldefault('r', 10)) WHERE privilege_type <> 'MAINTAIN'
    DROP TABLE exploded
    DROP ROLE "a ""b"
  `));
