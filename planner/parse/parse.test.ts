import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import type { Statement } from './ast.ts';
import { commandTag } from './command_tag.ts';
import { initParser, parse } from './parse.ts';

before(initParser);

function one<K extends Statement['k']>(sql: string, k: K): Extract<Statement, { k: K }> {
  const statements = parse(sql);
  assert.equal(statements.length, 1, sql);
  assert.equal(statements[0].k, k, sql);
  return statements[0] as Extract<Statement, { k: K }>;
}

function failure(sql: string): SqlError {
  try {
    parse(sql);
  } catch (error) {
    assert.ok(error instanceof SqlError, `${sql}: ${error}`);
    return error;
  }
  return assert.fail(`${sql} should not parse`);
}

/** The statement's fields without its text, its place and its nodes. */
function shape(sql: string): Record<string, unknown> {
  const {
    text: _text,
    offset: _offset,
    query: _query,
    node: _node,
    ...rest
  } = parse(sql)[0] as Record<string, unknown>;
  return rest;
}

test('empty texts hold no statement', () => {
  for (const sql of ['', ' \n', ';', ';;', '-- only a comment', '/* a /* nested */ one */ ; ;'])
    assert.deepEqual(parse(sql), []);
});

test('a string of statements is cut with each one keeping its own text and place', () => {
  const sql = "SELECT 'a;b' -- ;\n; /* é; */ SELECT 'é' ; ;\nSELECT $$;$$;";
  const statements = parse(sql);
  assert.deepEqual(
    statements.map(({ text }) => text),
    ["SELECT 'a;b' -- ;", "SELECT 'é'", 'SELECT $$;$$'],
  );
  for (const { text, offset } of statements) assert.equal([...sql].slice(offset).join('').startsWith(text), true);
});

test('locations count in bytes from the start of the own statement', () => {
  const [, second] = parse("SELECT 'é'; SELECT 'é', b");
  assert.equal(second.k, 'select');
  if (second.k !== 'select') return;
  const { location } = second.query.select.targetList[1].ResTarget.val.ColumnRef;
  assert.equal(Buffer.from(second.query.text).subarray(location).toString(), 'b');
});

test('queries and data changes', () => {
  for (const sql of [
    'SELECT 1',
    'VALUES (1)',
    'TABLE t',
    'WITH a AS (SELECT 1) SELECT * FROM a',
    '(SELECT 1) UNION SELECT 2',
  ]) {
    one(sql, 'select');
  }
  assert.equal(one('INSERT INTO s.t (a) VALUES (1) RETURNING a', 'insert').node.relation.relname, 't');
  assert.equal(one('UPDATE t SET a = 1', 'update').node.relation.relname, 't');
  assert.equal(one('DELETE FROM t USING u', 'delete').node.relation.relname, 't');
  assert.equal(one('COPY t (a) FROM STDIN (FORMAT csv)', 'copy').node.is_from, true);
  assert.equal(one('COPY (SELECT 1) TO STDOUT', 'copy').subscribe, null);
});

test('CREATE TABLE', () => {
  const table = one(
    `CREATE TEMP TABLE IF NOT EXISTS s.t (a int PRIMARY KEY, b numeric(10,2)[] NOT NULL DEFAULT '{}', "C" timestamp with time zone)
     WITH (connector = 'kafka', n = 3, flag, word = json)`,
    'create_relation',
  );
  assert.deepEqual(
    table.columns.map(({ name, notNull, primaryKey }) => [name, notNull, primaryKey]),
    [
      ['a', true, true],
      ['b', true, false],
      ['C', false, false],
    ],
  );
  assert.deepEqual(
    table.options.map(({ name, value }) => [name, value]),
    [
      ['connector', 'kafka'],
      ['n', '3'],
      ['flag', 'true'],
      ['word', 'json'],
    ],
  );
  assert.deepEqual(
    [table.schema, table.name, table.kind, table.temporary, table.ifNotExists],
    ['s', 't', 'table', true, true],
  );
  assert.deepEqual(one('CREATE TABLE t (a int, b int, PRIMARY KEY (b, a))', 'create_relation').primaryKey, ['b', 'a']);
  assert.equal(failure('CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))').sqlstate, '42P16');
  assert.equal(failure('CREATE TABLE t (a int, PRIMARY KEY (b))').sqlstate, '42703');
  assert.equal(failure('CREATE TABLE t (a int, a int)').sqlstate, '42701');
  const generated = 'int GENERATED ALWAYS AS (1)';
  assert.deepEqual(
    one(
      `CREATE TABLE t (a ${generated}, b ${generated} VIRTUAL, c ${generated} STORED)`,
      'create_relation',
    ).columns.map((column) => column.generated?.virtual),
    [true, true, false],
  );
  const checked = one('CREATE TABLE t (a int CHECK (a > 0), CONSTRAINT c CHECK (true) NO INHERIT)', 'create_relation');
  assert.deepEqual(
    checked.checks.map(({ name, noInherit, notValid, location }) => [name, noInherit, notValid, location]),
    [
      [null, false, false, 22],
      ['c', true, false, 37],
    ],
  );
  const [added, dropped] = one(
    'ALTER TABLE t ADD CHECK (a > 0) NOT VALID, DROP CONSTRAINT IF EXISTS c',
    'alter_relation',
  ).actions;
  assert.equal(added.k === 'add_check' && added.check.notValid, true);
  assert.deepEqual(dropped, { k: 'drop_constraint', name: 'c', ifExists: true, cascade: false });
});

test('tables and views of queries', () => {
  const made = one('CREATE TABLE t (x, y) AS SELECT 1, 2 WITH NO DATA', 'create_relation');
  assert.deepEqual([made.columnNames, made.withNoData, made.asQuery?.select.targetList.length], [['x', 'y'], true, 2]);
  const into = one('SELECT 1 AS x INTO TEMP t UNION SELECT 2', 'create_relation');
  assert.deepEqual([into.name, into.temporary, into.asQuery?.select.larg.intoClause], ['t', true, undefined]);
  const view = one('CREATE OR REPLACE VIEW s.v (a) AS SELECT 1', 'create_view');
  assert.deepEqual([view.materialized, view.orReplace, view.columnNames], [false, true, ['a']]);
  const kept = one("CREATE MATERIALIZED VIEW IF NOT EXISTS v WITH (k = 'v') AS SELECT 1", 'create_view');
  assert.deepEqual([kept.materialized, kept.ifNotExists, kept.options[0].name], [true, true, 'k']);
});

test('other definitions', () => {
  assert.deepEqual(shape('CREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a DESC)').unique, true);
  assert.equal(one('CREATE INDEX ON t (a, lower(b))', 'create_index').columns.length, 2);
  assert.deepEqual(shape('CREATE SCHEMA IF NOT EXISTS s'), { k: 'create_schema', name: 's', ifNotExists: true });
  assert.deepEqual(shape('TRUNCATE a, s.b'), {
    k: 'truncate',
    names: [{ name: 'a' }, { schema: 's', name: 'b' }],
    restartIdentity: false,
    cascade: false,
  });
  assert.equal(shape('TRUNCATE a RESTART IDENTITY').restartIdentity, true);
  const dropped = one('DROP MATERIALIZED VIEW IF EXISTS a, s.b CASCADE', 'drop');
  assert.deepEqual([dropped.kind, dropped.ifExists, dropped.cascade], ['materialized_view', true, true]);
  assert.deepEqual(
    dropped.names.map(({ schema, name }) => [schema, name]),
    [
      [undefined, 'a'],
      ['s', 'b'],
    ],
  );
});

test('settings', () => {
  assert.deepEqual(shape('SET LOCAL x.y = a, 1, 2.5, true'), {
    k: 'set',
    name: 'x.y',
    values: ['a', 1, 2.5, 'true'],
    local: true,
  });
  assert.deepEqual(shape('SET x TO DEFAULT'), { k: 'set', name: 'x', values: null, local: false });
  assert.deepEqual(shape("SET TIME ZONE 'UTC'"), { k: 'set', name: 'timezone', values: ['UTC'], local: false });
  assert.deepEqual(shape('SET TIME ZONE LOCAL'), { k: 'set', name: 'timezone', values: null, local: false });
  assert.deepEqual(shape('SET TIME ZONE -5'), { k: 'set', name: 'timezone', values: [-5], local: false });
  assert.ok(one("SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", 'set').timezoneInterval?.TypeCast);
  assert.deepEqual(shape("SET NAMES 'utf8'"), { k: 'set', name: 'client_encoding', values: ['utf8'], local: false });
  assert.deepEqual(shape('SHOW ALL'), { k: 'show', name: 'all' });
  assert.deepEqual(shape('SHOW TIME ZONE'), { k: 'show', name: 'timezone' });
  assert.deepEqual(shape('SHOW TRANSACTION ISOLATION LEVEL'), { k: 'show', name: 'transaction_isolation' });
  assert.deepEqual(shape('RESET ALL'), { k: 'reset', name: null });
  assert.deepEqual(shape('RESET x'), { k: 'reset', name: 'x' });
  assert.deepEqual(shape('SET SESSION AUTHORIZATION joe'), {
    k: 'set',
    name: 'session_authorization',
    values: ['joe'],
    local: false,
  });
});

test('transactions', () => {
  const begin = { k: 'transaction', kind: 'begin' };
  assert.deepEqual(shape('BEGIN'), { ...begin, options: {} });
  assert.deepEqual(shape('START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY, NOT DEFERRABLE'), {
    ...begin,
    start: true,
    options: { transaction_isolation: 'repeatable read', transaction_read_only: 'on', transaction_deferrable: 'off' },
  });
  for (const sql of ['COMMIT', 'END', 'END TRANSACTION'])
    assert.deepEqual(shape(sql), { k: 'transaction', kind: 'commit', options: {} });
  for (const sql of ['ROLLBACK', 'ABORT'])
    assert.deepEqual(shape(sql), { k: 'transaction', kind: 'rollback', options: {} });
  assert.deepEqual(shape('COMMIT AND CHAIN').options, { chain: 'on' });
  assert.deepEqual(shape('SAVEPOINT a'), { k: 'transaction', kind: 'savepoint', name: 'a', options: {} });
  assert.deepEqual(shape('RELEASE a'), { k: 'transaction', kind: 'release', name: 'a', options: {} });
  assert.deepEqual(shape('ROLLBACK TO a'), { k: 'transaction', kind: 'rollback_to', name: 'a', options: {} });
  assert.deepEqual(shape('SET TRANSACTION READ WRITE'), {
    k: 'transaction',
    kind: 'set',
    options: { transaction_read_only: 'off' },
  });
  assert.deepEqual(shape("SET TRANSACTION SNAPSHOT 'x'").options, { snapshot: 'x' });
  assert.equal(shape('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY').kind, 'set_session');
  assert.equal(failure("PREPARE TRANSACTION 'x'").sqlstate, '0A000');
});

test('prepared statements, cursors, notifications', () => {
  const prepared = one('PREPARE p (int, text) AS INSERT INTO t VALUES ($1, $2)', 'prepare');
  assert.deepEqual([prepared.name, prepared.types.length, prepared.inner.k], ['p', 2, 'insert']);
  assert.equal(one('EXECUTE p (1, 2)', 'execute').args.length, 2);
  assert.deepEqual(shape('DEALLOCATE ALL'), { k: 'deallocate', name: null });
  assert.deepEqual(shape('DEALLOCATE PREPARE p'), { k: 'deallocate', name: 'p' });
  assert.deepEqual(shape('DISCARD TEMP'), { k: 'discard', what: 'temp' });
  const flags = { binary: true, scroll: false, noScroll: true, hold: true };
  assert.deepEqual(shape('DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT 1'), {
    k: 'declare_cursor',
    name: 'c',
    ...flags,
  });
  const fetched = (sql: string) => {
    const { count, direction, move } = one(sql, 'fetch');
    return [count, direction, move];
  };
  assert.deepEqual(fetched('FETCH c'), [1, 'forward', false]);
  assert.deepEqual(fetched('FETCH 0 FROM c'), [0, 'forward', false]);
  assert.deepEqual(fetched('FETCH ALL c'), ['all', 'forward', false]);
  assert.deepEqual(fetched('MOVE BACKWARD ALL IN c'), ['all', 'backward', true]);
  assert.deepEqual(fetched('FETCH LAST c'), [-1, 'absolute', false]);
  assert.deepEqual(fetched('FETCH RELATIVE -3 c'), [-3, 'relative', false]);
  assert.deepEqual(shape('CLOSE ALL'), { k: 'close', name: null });
  assert.deepEqual(shape("NOTIFY ch, 'x'"), { k: 'notify', channel: 'ch', payload: 'x' });
  assert.deepEqual(shape('UNLISTEN *'), { k: 'unlisten', channel: null });
  assert.deepEqual(shape('LISTEN ch'), { k: 'listen', channel: 'ch' });
});

test('EXPLAIN', () => {
  const analyze = (sql: string) => one(sql, 'explain').analyze;
  assert.deepEqual(
    [
      'EXPLAIN SELECT 1',
      'EXPLAIN ANALYZE SELECT 1',
      'EXPLAIN (ANALYZE off) SELECT 1',
      'EXPLAIN (ANALYZE) SELECT 1',
    ].map(analyze),
    [false, true, false, true],
  );
  assert.equal(one('EXPLAIN (FORMAT json) CREATE MATERIALIZED VIEW v AS SELECT 1', 'explain').inner.k, 'create_view');
});

test('command tags are those of PostgreSQL', () => {
  const tags: [string, string][] = [
    ['SELECT 1', 'SELECT'],
    ['INSERT INTO t VALUES (1)', 'INSERT'],
    ['CREATE TABLE t (a int)', 'CREATE TABLE'],
    ['SELECT 1 INTO t', 'SELECT'],
    ['CREATE TABLE t AS SELECT 1 WITH NO DATA', 'CREATE TABLE AS'],
    ['CREATE VIEW v AS SELECT 1', 'CREATE VIEW'],
    ['CREATE MATERIALIZED VIEW v AS SELECT 1', 'CREATE MATERIALIZED VIEW'],
    ['CREATE STREAM s (a int)', 'CREATE STREAM'],
    ['CREATE SINK s FROM v', 'CREATE SINK'],
    ['DROP MATERIALIZED VIEW v', 'DROP MATERIALIZED VIEW'],
    ['DROP STREAM s', 'DROP STREAM'],
    ['START TRANSACTION', 'START TRANSACTION'],
    ['ABORT', 'ROLLBACK'],
    ['END', 'COMMIT'],
    ['ROLLBACK TO a', 'ROLLBACK'],
    ['CLOSE ALL', 'CLOSE CURSOR ALL'],
    ['MOVE 1 IN c', 'MOVE'],
    ['DISCARD ALL', 'DISCARD ALL'],
    ['DEALLOCATE p', 'DEALLOCATE'],
    ['SET x = 1', 'SET'],
    ['SHOW x', 'SHOW'],
    ['TRUNCATE t', 'TRUNCATE TABLE'],
    ['VACUUM t', 'VACUUM'],
    ['ANALYZE', 'ANALYZE'],
    ['LOCK TABLE t', 'LOCK TABLE'],
    ['CHECKPOINT', 'CHECKPOINT'],
    ["COMMENT ON ROLE r IS 'x'", 'COMMENT'],
    ['GRANT SELECT ON t TO joe', 'GRANT'],
    ['REVOKE a FROM b', 'REVOKE ROLE'],
    ['REINDEX TABLE t', 'REINDEX'],
    ['REFRESH MATERIALIZED VIEW v', 'REFRESH MATERIALIZED VIEW'],
    ['ALTER TABLE t ADD UNIQUE (a)', 'ALTER TABLE'],
    ['ALTER VIEW v RENAME TO w', 'ALTER VIEW'],
    ['ALTER TABLE t RENAME TO b', 'ALTER TABLE'],
    ['ALTER MATERIALIZED VIEW IF EXISTS t RENAME TO b', 'ALTER MATERIALIZED VIEW'],
    ['ALTER STREAM IF EXISTS s.t RENAME TO b', 'ALTER STREAM'],
    ["ALTER ROLE joe SET x = '1'", 'ALTER ROLE'],
    ['FLUSH', 'FLUSH'],
    ['SUBSCRIBE v', 'SUBSCRIBE'],
    ['SET CONSTRAINTS ALL DEFERRED', 'SET CONSTRAINTS'],
    ['DECLARE c CURSOR FOR SELECT 1', 'DECLARE CURSOR'],
    ['ACKNOWLEDGE s UP TO 1', 'ACKNOWLEDGE'],
  ];
  for (const [sql, tag] of tags) assert.equal(commandTag(parse(sql)[0]), tag, sql);
});

test('enum types', () => {
  const { labels, ...made } = one("CREATE TYPE s.t AS ENUM ('a', '')", 'create_enum');
  assert.deepEqual([made.schema, made.name, labels], ['s', 't', ['a', '']]);
  assert.deepEqual(one('CREATE TYPE t AS ENUM ()', 'create_enum').labels, []);
  const action = (text: string) => one(`ALTER TYPE s.t ${text}`, 'alter_enum').action;
  const added = { k: 'add_value', label: 'x', ifNotExists: false, neighbour: null, after: false };
  assert.deepEqual(action("ADD VALUE 'x'"), added);
  assert.deepEqual(action("ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'"), { ...added, ifNotExists: true, neighbour: 'y' });
  assert.deepEqual(action("ADD VALUE 'x' AFTER ''"), { ...added, neighbour: '', after: true });
  assert.deepEqual(action("RENAME VALUE 'x' TO 'y'"), { k: 'rename_value', from: 'x', to: 'y' });
  assert.deepEqual(action('RENAME TO u'), { k: 'rename', to: 'u' });
  const { kind, names, cascade } = one('DROP TYPE s.t, u CASCADE', 'drop');
  assert.deepEqual(
    [kind, names.map(({ schema, name }) => [schema, name]), cascade],
    [
      'type',
      [
        ['s', 't'],
        [undefined, 'u'],
      ],
      true,
    ],
  );
  assert.deepEqual(one("COMMENT ON TYPE s.t IS 'x'", 'comment').on, { kind: 'type', schema: 's', name: 't' });
});

test('domains', () => {
  const text = 'CREATE DOMAIN s.d AS int DEFAULT 1 NOT NULL CONSTRAINT c CHECK (VALUE > 0) CHECK (VALUE < 9)';
  const { schema, name, notNull, checks, collation } = one(text, 'create_domain');
  assert.deepEqual([schema, name, notNull, collation], ['s', 'd', true, null]);
  assert.deepEqual(
    checks.map((check) => [check.name, check.notValid]),
    [
      ['c', false],
      [null, false],
    ],
  );
  const action = (words: string) => one(`ALTER DOMAIN s.d ${words}`, 'alter_domain').action;
  assert.deepEqual(action('DROP DEFAULT'), { k: 'set_default', value: null });
  assert.deepEqual(action('SET NOT NULL'), { k: 'set_not_null', notNull: true });
  assert.deepEqual(action('DROP NOT NULL'), { k: 'set_not_null', notNull: false });
  assert.deepEqual(action('DROP CONSTRAINT IF EXISTS c'), { k: 'drop_constraint', name: 'c', ifExists: true });
  assert.deepEqual(action('VALIDATE CONSTRAINT c'), { k: 'validate_constraint', name: 'c' });
  assert.deepEqual(action('RENAME CONSTRAINT c TO d'), { k: 'rename_constraint', name: 'c', to: 'd' });
  assert.deepEqual(action('RENAME TO e'), { k: 'rename', to: 'e' });
  assert.deepEqual(action('SET SCHEMA r'), { k: 'set_schema', schema: 'r' });
  assert.deepEqual(one('DROP DOMAIN d, s.e CASCADE', 'drop').names.length, 2);
  assert.deepEqual(one("COMMENT ON CONSTRAINT c ON DOMAIN s.d IS 'x'", 'comment').on, {
    kind: 'domain_constraint',
    schema: 's',
    name: 'd',
    constraint: 'c',
  });
  assert.equal(failure('CREATE DOMAIN d AS int UNIQUE').message, 'unique constraints not possible for domains');
});

test('CREATE, DROP and COMMENT ON EXTENSION', () => {
  const made = one(
    'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA s VERSION \'1.1\' CASCADE',
    'create_extension',
  );
  assert.deepEqual([made.name, made.schema, made.version, made.ifNotExists], ['uuid-ossp', 's', '1.1', true]);
  const plain = one('CREATE EXTENSION x', 'create_extension');
  assert.deepEqual([plain.schema, plain.version, plain.ifNotExists], [undefined, undefined, false]);
  const dropped = one('DROP EXTENSION IF EXISTS a, "b-c" CASCADE', 'drop');
  assert.deepEqual([dropped.kind, dropped.names.map(({ name }) => name)], ['extension', ['a', 'b-c']]);
  assert.deepEqual(one("COMMENT ON EXTENSION x IS 'y'", 'comment').on, { kind: 'extension', name: 'x' });
});

test('statements without a meaning here are refused by name', () => {
  const refused: [string, string][] = [
    ['CREATE DATABASE d', 'CREATE DATABASE'],
    ['CALL f()', 'CALL'],
    ['CREATE PROCEDURE f() LANGUAGE sql RETURN 1', 'CREATE PROCEDURE'],
    ['DROP PROCEDURE f', 'DROP PROCEDURE'],
    ['CREATE TYPE t AS (a int)', 'CREATE TYPE'],
  ];
  for (const [sql, name] of refused) {
    const { sqlstate, message } = failure(sql);
    assert.deepEqual([sqlstate, message], ['0A000', `${name} is not supported`]);
  }
});

test('functions', () => {
  const [made] = parse(
    "CREATE OR REPLACE FUNCTION s.f(a int, b text DEFAULT 'x', OUT c int) LANGUAGE SQL STABLE STRICT COST 5 AS $$ SELECT 1 $$",
  );
  assert.equal(made.k, 'create_function');
  if (made.k !== 'create_function') return;
  const { orReplace, schema, name, language, volatility, strict, cost, returns, body } = made;
  assert.deepEqual(
    { orReplace, schema, name, language, volatility, strict, cost, returns, body },
    {
      orReplace: true,
      schema: 's',
      name: 'f',
      language: 'sql',
      volatility: 's',
      strict: true,
      cost: 5,
      returns: null,
      body: { source: ' SELECT 1 ' },
    },
  );
  assert.deepEqual(
    made.parameters.map((p) => [p.name, p.mode, p.default === null]),
    [
      ['a', 'i', true],
      ['b', 'i', false],
      ['c', 'o', true],
    ],
  );
  const [standard] = parse(
    'CREATE FUNCTION f("return" int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;',
  );
  assert.ok(standard.k === 'create_function' && standard.body !== null && 'statements' in standard.body);
  assert.equal(standard.body.text, 'BEGIN ATOMIC SELECT 1; SELECT 2; END');
  assert.equal(standard.body.statements.length, 2);
  const [altered] = parse('ALTER FUNCTION f(int, OUT text) IMMUTABLE');
  assert.ok(altered.k === 'alter_function' && altered.action.k === 'attributes');
  assert.deepEqual([altered.args?.length, altered.action.volatility], [1, 'i']);
  const [dropped] = parse('DROP FUNCTION f, s.g(int)');
  assert.ok(dropped.k === 'drop' && dropped.kind === 'function');
  assert.deepEqual(
    dropped.names.map(({ schema, name, args }) => [schema, name, args?.length]),
    [
      [undefined, 'f', undefined],
      ['s', 'g', 1],
    ],
  );
  assert.deepEqual(failure('CREATE FUNCTION f() RETURNS int LANGUAGE sql STABLE VOLATILE AS $$$$').sqlstate, '42601');
});

test('roles, privileges, owners', () => {
  const { options } = one(
    'CREATE USER a NOINHERIT PASSWORD NULL CONNECTION LIMIT 2 IN ROLE b ADMIN CURRENT_USER',
    'create_role',
  );
  assert.deepEqual(options, {
    inherit: false,
    password: null,
    connectionLimit: 2,
    memberOf: [{ k: 'name', name: 'b', location: 65 }],
    admins: [{ k: 'current' }],
  });
  const granted = one('GRANT SELECT, INSERT ON s.t, u TO PUBLIC WITH GRANT OPTION', 'grant');
  assert.deepEqual(
    granted.privileges?.map(({ name }) => name),
    ['SELECT', 'INSERT'],
  );
  assert.deepEqual(granted.on, { k: 'objects', kind: 'table', names: [{ schema: 's', name: 't' }, { name: 'u' }] });
  assert.deepEqual([granted.isGrant, granted.grantOption, granted.to], [true, true, [{ k: 'public' }]]);
  const revoked = one('REVOKE GRANT OPTION FOR ALL ON ALL SEQUENCES IN SCHEMA s FROM a CASCADE', 'grant');
  assert.deepEqual(revoked.on, { k: 'all_in_schema', kind: 'sequence', schemas: ['s'] });
  assert.deepEqual(
    [revoked.isGrant, revoked.privileges, revoked.grantOption, revoked.cascade],
    [false, null, true, true],
  );
  assert.equal(one('ALTER GROUP g DROP USER u', 'alter_group').add, false);
  assert.equal(failure('GRANT EXECUTE ON FUNCTION f() TO a').sqlstate, '0A000');
  assert.equal(failure('CREATE ROLE a LOGIN NOLOGIN').sqlstate, '42601');
});

test('sequences, and columns that have one', () => {
  const text =
    'CREATE SEQUENCE IF NOT EXISTS s.q AS int INCREMENT -2 NO MINVALUE MAXVALUE 0 START 99999999999 NO CYCLE';
  const { type, ...options } = one(text, 'create_sequence').options;
  assert.deepEqual(options, { increment: -2n, min: 'none', max: 0n, start: 99999999999n, cycle: false });
  assert.equal(type?.names.at(-1).String.sval, 'int4');
  assert.deepEqual(shape('ALTER SEQUENCE IF EXISTS q RESTART OWNED BY s.t.c').options, {
    restart: 'start',
    ownedBy: ['s', 't', 'c'],
  });
  const { columns } = one(
    'CREATE TABLE t (a bigserial, b int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s.q START 5), c int)',
    'create_relation',
  );
  assert.deepEqual(
    columns.map(({ serial, identity, notNull }) => [serial, identity, notNull]),
    [
      [true, null, true],
      [false, { always: true, options: { name: { schema: 's', name: 'q' }, start: 5n } }, true],
      [false, null, false],
    ],
  );
  assert.equal(columns[0].type.names.at(-1).String.sval, 'int8');
  assert.deepEqual(one('ALTER TABLE t ALTER b SET GENERATED BY DEFAULT RESTART 4', 'alter_relation').actions, [
    { k: 'set_identity', column: 'b', always: false, options: { restart: 4n } },
  ]);
  assert.equal(failure('CREATE SEQUENCE s START 1 START 2').sqlstate, '42601');
});

test('errors carry their position in what the client sent', () => {
  const at = (sql: string) => {
    const { sqlstate, message, fields } = failure(sql);
    return [sqlstate, message, fields.position];
  };
  assert.deepEqual(at('selec 1'), ['42601', 'syntax error at or near "selec"', 1]);
  assert.deepEqual(at("SELECT 'é😀'; SELECT 1 2"), ['42601', 'syntax error at or near "2"', 23]);
  assert.deepEqual(at('SELECT 1 +'), ['42601', 'syntax error at end of input', 11]);
  assert.deepEqual(at("SELECT 'é' 'x"), ['42601', 'unterminated quoted string at or near "\'x"', 12]);
  assert.deepEqual(at("SELECT 'é'; CREATE TABLE t (a int, EXCLUDE (a WITH =))"), [
    '0A000',
    'an EXCLUDE constraint is not supported',
    36,
  ]);
});

test('hostile texts give errors and leave the parser working', () => {
  assert.equal(failure('SELECT 1\0').sqlstate, '22021');
  const { sqlstate, message } = failure("SELECT '\ud800'");
  assert.deepEqual([sqlstate, message], ['22021', 'invalid byte sequence for encoding "UTF8": 0xed 0xa0 0x80']);
  const n = 100_000;
  const deep = [
    `SELECT ${'('.repeat(n)}1${')'.repeat(n)}`,
    `SELECT ${'1 + '.repeat(n)}1`,
    `SELECT ${'NOT '.repeat(n)}x`,
  ];
  deep.push(
    `SELECT 1${' UNION SELECT 1'.repeat(n)}`,
    `SELECT ${'CASE WHEN '.repeat(n)}`,
    `SELECT * FROM ${'(SELECT * FROM '.repeat(n)}`,
  );
  for (const sql of deep) assert.equal(failure(sql).sqlstate, '54001', sql.slice(0, 30));
  assert.equal(parse(`SELECT '${'('.repeat(1 << 20)}'`).length, 1);
  assert.equal(failure(`SELECT '${'x'.repeat(33 << 20)}'`).sqlstate, '54000');
  assert.equal(parse('SELECT 1').length, 1);
});
