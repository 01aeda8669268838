/** The rows of the user's objects in the catalogs, and the functions that describe them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { RELATIONS } from './relations.ts';
import { systemRelation, systemRelations } from './system_relations.ts';
import { CatalogUnderTest } from './testing/catalog_under_test.ts';

const SETUP = `
  CREATE TABLE account (id int PRIMARY KEY, owner varchar(20) NOT NULL DEFAULT 'nobody', balance numeric(12,2) DEFAULT -1.5);
  CREATE STREAM tick (at timestamp, price float8, WATERMARK FOR at AS at - INTERVAL '1 second');
  CREATE VIEW rich AS SELECT id, owner FROM account WHERE balance > 100;
  CREATE MATERIALIZED VIEW by_owner (who, n) AS SELECT owner, count(*) FROM account GROUP BY owner;
  CREATE INDEX account_owner ON account (owner, balance);
  CREATE SCHEMA other;
  CREATE TABLE other."Mixed" ("A b" text[], PRIMARY KEY ("A b"));
`;

let db: CatalogUnderTest;
before(async () => {
  db = await CatalogUnderTest.open(SETUP);
});
after(() => db.close());

test('every relation that a family names exists', () => {
  for (const name of Object.keys(RELATIONS)) {
    const [schema, relation] = name.split('.');
    assert.notEqual(systemRelation(schema, relation), null, name);
  }
});

test('every relation can be read', async () => {
  for (const { schema, name, columns } of systemRelations()) {
    assert.equal((await db.columns(`SELECT * FROM ${schema}.${name}`)).length, columns.length, name);
  }
});

test('pg_class: kinds of relations', async () => {
  assert.deepEqual(
    await db.rows(
      `SELECT n.nspname, c.relname, c.relkind, c.relnatts, c.relhasindex FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE n.nspname IN ('public', 'other') ORDER BY 1, 2`,
    ),
    [
      ['other', 'Mixed', 'r', '1', 'true'],
      ['other', 'Mixed_pkey', 'i', '1', 'false'],
      ['public', 'account', 'r', '3', 'true'],
      ['public', 'account_owner', 'i', '2', 'false'],
      ['public', 'account_pkey', 'i', '1', 'false'],
      ['public', 'by_owner', 'm', '2', 'false'],
      ['public', 'rich', 'v', '2', 'false'],
      ['public', 'tick', 'r', '2', 'false'],
    ],
  );
});

test('pg_constraint: keys and NOT NULL, by the names that they have after renaming', async () => {
  const own = await CatalogUnderTest.open(`
    CREATE TABLE t (a int UNIQUE, b int NOT NULL, c int, CONSTRAINT two UNIQUE (b, c));
    ALTER TABLE t ADD PRIMARY KEY (c);
    ALTER TABLE t RENAME TO u;
    ALTER INDEX two RENAME TO pair;
  `);
  assert.deepEqual(
    await own.rows(
      'SELECT conname, contype, pg_get_constraintdef(oid), conindid::regclass FROM pg_constraint ORDER BY 1',
    ),
    [
      ['pair', 'u', 'UNIQUE (b, c)', 'pair'],
      ['t_a_key', 'u', 'UNIQUE (a)', 't_a_key'],
      ['u_b_not_null', 'n', 'NOT NULL b', '-'],
      ['u_c_not_null', 'n', 'NOT NULL c', '-'],
      ['u_pkey', 'p', 'PRIMARY KEY (c)', 'u_pkey'],
    ],
  );
  assert.deepEqual(
    await own.rows(
      "SELECT constraint_name, constraint_type FROM information_schema.table_constraints WHERE constraint_type <> 'CHECK' ORDER BY 1",
    ),
    [
      ['pair', 'UNIQUE'],
      ['t_a_key', 'UNIQUE'],
      ['u_pkey', 'PRIMARY KEY'],
    ],
  );
  await own.close();
});

test('OIDs are unique, and the same however often they are asked for', async () => {
  const oids = 'SELECT oid, relname FROM pg_class UNION ALL SELECT oid, conname FROM pg_constraint ORDER BY 1';
  const first = await db.rows(oids);
  assert.equal(new Set(first.map(([oid]) => oid)).size, first.length);
  await db.run('CREATE TABLE passing (a int PRIMARY KEY); DROP TABLE passing');
  assert.deepEqual(await db.rows(oids), first);
});

test('columns, defaults, keys', async () => {
  assert.deepEqual(
    await db.rows(
      `SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE attrelid = 'account'::regclass AND attnum > 0 ORDER BY attnum`,
    ),
    [
      ['id', 'integer', 'true', null],
      ['owner', 'character varying(20)', 'true', "'nobody'::character varying"],
      ['balance', 'numeric(12,2)', 'false', "'-1.5'::numeric"],
    ],
  );
  assert.deepEqual(
    await db.rows(
      `SELECT conrelid::regclass, conname, contype, conkey, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE contype = 'p' ORDER BY conname`,
    ),
    [
      ['other."Mixed"', 'Mixed_pkey', 'p', '{1}', 'PRIMARY KEY ("A b")'],
      ['account', 'account_pkey', 'p', '{1}', 'PRIMARY KEY (id)'],
    ],
  );
});

test('indexes', async () => {
  assert.deepEqual(
    await db.rows(
      `SELECT indexrelid::regclass, indrelid::regclass, indisprimary, indisunique, indkey, pg_get_indexdef(indexrelid)
       FROM pg_index ORDER BY 1::text`,
    ),
    [
      [
        'account_owner',
        'account',
        'false',
        'false',
        '2 3',
        'CREATE INDEX account_owner ON public.account USING btree (owner, balance)',
      ],
      [
        'account_pkey',
        'account',
        'true',
        'true',
        '1',
        'CREATE UNIQUE INDEX account_pkey ON public.account USING btree (id)',
      ],
      [
        'other."Mixed_pkey"',
        'other."Mixed"',
        'true',
        'true',
        '1',
        'CREATE UNIQUE INDEX "Mixed_pkey" ON other."Mixed" USING btree ("A b")',
      ],
    ].sort(),
  );
});

test('definitions of views', async () => {
  assert.deepEqual(await db.rows("SELECT pg_get_viewdef('rich'), pg_get_viewdef('by_owner'::regclass, true)"), [
    [' SELECT id, owner FROM account WHERE balance > 100;', ' SELECT owner, count(*) FROM account GROUP BY owner;'],
  ]);
  assert.deepEqual(await db.rows("SELECT matviewname, ispopulated FROM pg_matviews WHERE schemaname = 'public'"), [
    ['by_owner', 'true'],
  ]);
});

test('WITH DATA and comments are no part of the query of a materialized view', async () => {
  const made = await CatalogUnderTest.open(`
    CREATE TABLE t (data int);
    CREATE MATERIALIZED VIEW a AS SELECT data FROM t -- all of it
      WITH NO DATA;
    CREATE MATERIALIZED VIEW b AS SELECT 1 AS no, data AS "data" FROM t WITH DATA;
    CREATE MATERIALIZED VIEW c AS SELECT 1 AS data /* one */;
    CREATE VIEW d AS SELECT 1 with_no, t.data FROM t -- the last`);
  const definitions = await made.rows(
    "SELECT pg_get_viewdef(v::regclass) FROM unnest(ARRAY['a', 'b', 'c', 'd']) v ORDER BY v",
  );
  assert.deepEqual(definitions.flat(), [
    ' SELECT data FROM t;',
    ' SELECT 1 AS no, data AS "data" FROM t;',
    ' SELECT 1 AS data;',
    ' SELECT 1 with_no, t.data FROM t;',
  ]);
  await made.run('ALTER MATERIALIZED VIEW a RENAME COLUMN data TO other');
  const renamed = await made.rows("SELECT definition FROM pg_matviews WHERE matviewname = 'a'");
  assert.deepEqual(renamed, [[' SELECT * FROM (SELECT data FROM t) AS a(other);']]);
  await made.close();
});

test('what depends on what', async () => {
  assert.deepEqual(
    await db.rows(
      `SELECT DISTINCT v.relname, r.relname FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
       JOIN pg_class v ON v.oid = w.ev_class JOIN pg_class r ON d.refobjid = r.oid WHERE d.deptype = 'n' ORDER BY 1`,
    ),
    [
      ['by_owner', 'account'],
      ['rich', 'account'],
    ],
  );
  assert.deepEqual(await db.rows("SELECT pg_describe_object(1259, 'account'::regclass, 2)"), [
    ['column owner of table account'],
  ]);
});

test('information_schema: streams take no UPDATE but INSERT, materialized views are not listed', async () => {
  assert.deepEqual(
    await db.rows(
      "SELECT table_name, table_type, is_insertable_into FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    ),
    [
      ['account', 'BASE TABLE', 'YES'],
      ['rich', 'VIEW', 'NO'],
      ['tick', 'BASE TABLE', 'YES'],
    ],
  );
  assert.deepEqual(
    await db.rows("SELECT pg_relation_is_updatable('tick', false), pg_relation_is_updatable('account', true)"),
    [['8', '28']],
  );
});

test('the catalogs follow CREATE and DROP', async () => {
  const count =
    "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'fleeting'";
  await db.run('CREATE TABLE fleeting (a int, b int)');
  assert.deepEqual(await db.rows(count), [['2']]);
  await db.run('DROP TABLE fleeting');
  assert.deepEqual(await db.rows(count), [['0']]);
});

test('sizes are those of what is stored', async () => {
  await db.run(
    'CREATE TABLE heavy (a text); INSERT INTO heavy SELECT repeat($$x$$, 1000) || n FROM generate_series(1, 100) n',
  );
  const [[size, tuples, live]] = await db.rows(
    `SELECT pg_total_relation_size('heavy'), (SELECT reltuples FROM pg_class WHERE relname = 'heavy'),
            (SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'heavy')`,
  );
  assert.ok(Number(size) > 100_000, `size ${size}`);
  assert.deepEqual([tuples, live], ['100', '100']);
  const parts = `SELECT pg_indexes_size('heavy') > 0, pg_relation_size('heavy') > 0, pg_relation_size('heavy', 'fsm'),
    pg_total_relation_size('heavy') = pg_table_size('heavy') + pg_indexes_size('heavy'),
    pg_relation_size('heavy') = pg_relation_size('heavy', 'main'), pg_relation_size(0::oid), pg_relation_size(0::oid, 'vm')`;
  assert.deepEqual(await db.rows(parts), [['false', 'true', '0', 'true', 'true', null, null]]);
  await db.run('CREATE INDEX ON heavy (a)');
  assert.deepEqual(await db.rows(parts), [['true', 'true', '0', 'true', 'true', null, null]]);
  await assert.rejects(db.rows("SELECT pg_relation_size('heavy', 'fork')"), { sqlstate: '22023' });
  await db.run('DROP TABLE heavy');
});

test('what there is none of', async () => {
  const asked =
    "SELECT pg_trigger_depth(), pg_notification_queue_usage(), pg_partition_root('account'), getpgusername() = current_user";
  assert.deepEqual(await db.rows(asked), [['0', '0', null, 'true']]);
});

test('names of the reg types', async () => {
  assert.deepEqual(
    await db.rows(
      `SELECT 'account'::regclass, 'other."Mixed"'::regclass, 'pg_catalog.pg_class'::regclass, to_regclass('nothing'),
              'int4[]'::regtype, 'now'::regproc, 'abs(integer)'::regprocedure, 'other'::regnamespace, 0::oid::regclass`,
    ),
    [['account', 'other."Mixed"', 'pg_class', null, 'integer[]', 'now', 'abs(integer)', 'other', '-']],
  );
  const refused: [string, string, string][] = [
    ["'nothing'::regclass", '42P01', 'relation "nothing" does not exist'],
    ["'nowhere.account'::regclass", '42P01', 'relation "nowhere.account" does not exist'],
    ["'a b'::regclass", '42602', 'invalid name syntax'],
    ["'abs'::regproc", '42725', 'more than one function named "abs"'],
    ["'nothing'::regproc", '42883', 'function "nothing" does not exist'],
    ["'nothing'::regtype", '42704', 'type "nothing" does not exist'],
    ["'nobody'::regrole", '42704', 'role "nobody" does not exist'],
    ["nextval('account')", '42809', 'cannot open relation "account"'],
  ];
  for (const [expression, sqlstate, message] of refused) {
    await assert.rejects(db.rows(`SELECT ${expression}`), (error: unknown) => {
      assert.ok(error instanceof SqlError);
      assert.equal(`${error.sqlstate} ${error.message}`, `${sqlstate} line 1: ${message}`);
      return true;
    });
  }
});

test('a maintained view over a catalog is refused, a plain one is not', async () => {
  await assert.rejects(
    db.run('CREATE MATERIALIZED VIEW w AS SELECT relname FROM pg_class'),
    (error: unknown) => error instanceof SqlError && error.sqlstate === '0A000',
  );
  await db.run('CREATE VIEW w AS SELECT relname FROM pg_class');
  assert.deepEqual(await db.rows("SELECT * FROM w WHERE relname = 'rich'"), [['rich']]);
  await db.run('DROP VIEW w');
});
