import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import type { PgNode, Statement } from '../ast.ts';
import { initParser, parse } from '../parse.ts';

before(initParser);

function one<K extends Statement['k']>(sql: string, k: K): Extract<Statement, { k: K }> {
  const statements = parse(sql);
  assert.equal(statements.length, 1, sql);
  assert.equal(statements[0].k, k, sql);
  return statements[0] as Extract<Statement, { k: K }>;
}

/** SQLSTATE, message and position of the error of a text. */
function failure(sql: string): [string, string, number | undefined] {
  try {
    parse(sql);
  } catch (error) {
    assert.ok(error instanceof SqlError, `${sql}: ${error}`);
    return [error.sqlstate, error.message, error.fields.position];
  }
  return assert.fail(`${sql} should not parse`);
}

/** The text at a node's location. */
const textAt = (text: string, location: number, length: number): string =>
  Buffer.from(text).toString('utf8', location, location + length);

const from = (sql: string): PgNode => one(sql, 'select').query.select.fromClause[0];
const pairs = (options: { name: string; value: string }[]) => options.map(({ name, value }) => `${name}=${value}`);

test('CREATE STREAM', () => {
  const sql = `CREATE STREAM IF NOT EXISTS s.é (a int NOT NULL, WATERMARK FOR t AS t - INTERVAL '5 seconds', t timestamp with time zone, n numeric(10,2)[])
    INCLUDE KEY AS "K", PARTITION INCLUDE OFFSET AS o, HEADERS
    WITH (connector = 'kafka', format = json, start = 'earliest', n = -1)`;
  const stream = one(sql, 'create_relation');
  assert.deepEqual([stream.kind, stream.schema, stream.name, stream.ifNotExists], ['stream', 's', 'é', true]);
  assert.deepEqual(
    stream.columns.map(({ name, notNull }) => [name, notNull]),
    [
      ['a', true],
      ['t', false],
      ['n', false],
    ],
  );
  assert.deepEqual(stream.include, [
    { kind: 'key', as: 'K' },
    { kind: 'partition', as: 'partition' },
    { kind: 'offset', as: 'o' },
    { kind: 'headers', as: 'headers' },
  ]);
  assert.deepEqual(pairs(stream.options), ['connector=kafka', 'format=json', 'start=earliest', 'n=-1']);
  assert.equal(stream.watermark?.column, 't');
  const { arg } = stream.watermark!.delay.TypeCast;
  assert.equal(arg.A_Const.sval.sval, '5 seconds');
  // Locations are the user's text's, whatever was taken out before them.
  assert.equal(textAt(sql, arg.A_Const.location, 11), "'5 seconds'");
  assert.equal(textAt(sql, stream.watermark!.location, 9), 'WATERMARK');
  assert.equal(textAt(sql, stream.columns[2].location, 9), 'n numeric');
  assert.equal(textAt(sql, stream.options[3].location, 6), 'n = -1');
});

test('a watermark may come first, last, alone, or without delay', () => {
  const columns = (list: string) => one(`CREATE STREAM s (${list})`, 'create_relation').columns.length;
  assert.equal(columns("WATERMARK FOR t AS t - '1 s'::interval, t timestamp"), 1);
  assert.equal(columns('t timestamp, WATERMARK FOR t AS t'), 1);
  assert.equal(columns('WATERMARK FOR t AS t'), 0);
  assert.equal(columns('watermark int, "include" text'), 2);
  const { delay } = one('CREATE STREAM s (t timestamp, WATERMARK FOR t AS t)', 'create_relation').watermark!;
  assert.equal(delay.TypeCast.arg.A_Const.sval.sval, '0');
});

test('CREATE TABLE over a topic; words of the dialect stay names elsewhere', () => {
  const sql =
    "CREATE TABLE t (id int PRIMARY KEY) INCLUDE TIMESTAMP AS ts WITH (connector = 'kafka', envelope = 'upsert')";
  const table = one(sql, 'create_relation');
  assert.deepEqual([table.kind, table.primaryKey, table.include], ['table', ['id'], [{ kind: 'timestamp', as: 'ts' }]]);
  for (const name of [
    'stream',
    'sink',
    'subscribe',
    'watermark',
    'include',
    'emit',
    'flush',
    'acknowledge',
    'tumble',
  ]) {
    assert.equal(one(`SELECT ${name} FROM ${name} AS ${name}`, 'select').k, 'select');
    assert.equal(one(`CREATE TABLE ${name} (${name} int)`, 'create_relation').name, name);
  }
  assert.equal(one('CREATE TABLE t AS SELECT include FROM a ASOF JOIN watermark ON true', 'create_relation').name, 't');
});

test('errors in CREATE STREAM', () => {
  assert.deepEqual(failure("CREATE STREAM é (é int, WATERMARK FOR é AS é - INTERVAL '1 s') oops"), [
    '42601',
    'syntax error at or near "oops"',
    64,
  ]);
  assert.deepEqual(failure('CREATE STREAM s (a int, WATERMARK FOR a AS b)').slice(0, 1), ['42601']);
  assert.deepEqual(failure('CREATE STREAM s (a int, WATERMARK FOR a AS )'), [
    '42601',
    'syntax error at or near ")"',
    44,
  ]);
  assert.deepEqual(failure('CREATE STREAM s (a int, WATERMARK FOR a AS a - )'), [
    '42601',
    'syntax error at or near ")"',
    48,
  ]);
  assert.deepEqual(failure('CREATE STREAM s (a int) INCLUDE FOO'), ['42601', 'syntax error at or near "FOO"', 33]);
  assert.deepEqual(failure('SELECT 1; CREATE STREAM s (a int'), ['42601', 'syntax error at end of input', 33]);
  assert.deepEqual(failure('CREATE STREAM s AS SELECT 1')[0], '0A000');
  assert.deepEqual(failure('CREATE SOURCE s (a int)')[0], '0A000');
});

test('EMIT ON WINDOW CLOSE belongs to the whole query', () => {
  const sql = 'CREATE MATERIALIZED VIEW v AS SELECT 1 FROM a EMIT ON WINDOW CLOSE WITH NO DATA';
  const view = one(sql, 'create_view');
  assert.deepEqual([view.query.emitOnWindowClose, view.withNoData], [true, true]);
  assert.equal(one('SELECT emit FROM emit EMIT ON WINDOW CLOSE', 'select').query.emitOnWindowClose, true);
  assert.equal(one('SELECT 1 FROM a', 'select').query.emitOnWindowClose, undefined);
  const inner = one('EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT 1 EMIT ON WINDOW CLOSE', 'explain').inner;
  assert.equal(inner.k === 'create_view' && inner.query.emitOnWindowClose, true);
  assert.equal(failure('SELECT * FROM (SELECT 1 EMIT ON WINDOW CLOSE) x')[2], 25);
  assert.equal(failure('INSERT INTO t SELECT 1 EMIT ON WINDOW CLOSE')[2], 24);
  assert.equal(failure('SELECT 1 EMIT ON WINDOW CLOSE ORDER BY 1')[2], 31);
});

test('CREATE SINK', () => {
  const sink = one("CREATE SINK IF NOT EXISTS s.k FROM a.v WITH (connector = 'kafka', key = 'a,b')", 'create_sink');
  assert.deepEqual([sink.schema, sink.name, sink.ifNotExists, sink.query], ['s', 'k', true, null]);
  assert.deepEqual([sink.from, pairs(sink.options)], [{ schema: 'a', name: 'v' }, ['connector=kafka', 'key=a,b']]);
  const sql =
    "CREATE SINK s AS WITH a AS (SELECT é FROM t) SELECT * FROM a EMIT ON WINDOW CLOSE WITH (connector = 'blackhole')";
  const own = one(sql, 'create_sink');
  assert.deepEqual([own.from, own.query?.emitOnWindowClose, pairs(own.options)], [null, true, ['connector=blackhole']]);
  assert.equal(textAt(sql, own.query!.select.fromClause[0].RangeVar.location, 6), 'a EMIT');
  assert.equal(one('CREATE SINK s AS SELECT 1', 'create_sink').options.length, 0);
  assert.deepEqual(failure('CREATE SINK s'), ['42601', 'syntax error at end of input', 14]);
  assert.deepEqual(failure('CREATE SINK s AS WITH (a = 1)'), ['42601', 'syntax error at or near "WITH"', 18]);
  assert.deepEqual(failure('CREATE SINK s AS SELECT WHERE; SELECT 1'), ['42601', 'syntax error at or near ";"', 30]);
  assert.equal(failure('CREATE SINK s FROM v WITH (a = 1, a = 2)')[2], 35);
});

test('DROP of what the dialect creates, and FLUSH', () => {
  for (const kind of ['stream', 'sink', 'source', 'subscription'] as const) {
    const dropped = one(`DROP ${kind.toUpperCase()} IF EXISTS s CASCADE`, 'drop');
    assert.deepEqual([dropped.kind, dropped.names[0].name, dropped.ifExists, dropped.cascade], [kind, 's', true, true]);
  }
  assert.deepEqual(
    one('DROP STREAM a, s."B" RESTRICT', 'drop').names.map(({ schema, name }) => [schema, name]),
    [
      [undefined, 'a'],
      ['s', 'B'],
    ],
  );
  assert.equal(one('FLUSH;', 'utility').tag, 'FLUSH');
  assert.deepEqual(failure('FLUSH now'), ['42601', 'syntax error at or near "FLUSH"', 1]);
});

test('windows in FROM are function calls', () => {
  for (const call of [
    "TUMBLE(bid, ts, INTERVAL '1 minute')",
    "HOP(bid, ts, '1 s'::interval, INTERVAL '1' HOUR)",
    "session(s.bid, ts, INTERVAL '5 s', k)",
  ]) {
    const [{ List: list }] = from(`SELECT window_start FROM ${call} AS w`).RangeFunction.functions;
    assert.equal(list.items[0].FuncCall.args[1].ColumnRef.fields[0].String.sval, 'ts');
  }
});

test('ASOF JOIN', () => {
  const join = from('SELECT * FROM a ASOF JOIN b ON a.k = b.k AND a.t >= b.t').JoinExpr;
  assert.deepEqual([join.asof, join.jointype, join.quals.BoolExpr.args.length], [true, 'JOIN_INNER', 2]);
  const outer = from('SELECT * FROM a x ASOF LEFT OUTER JOIN b AS y USING (k)').JoinExpr;
  assert.deepEqual([outer.asof, outer.jointype, outer.larg.RangeVar.alias.aliasname], [true, 'JOIN_LEFT', 'x']);
  // Each mark is on its own join, however they nest.
  const chain = from('SELECT * FROM a JOIN b ON p ASOF JOIN (c ASOF JOIN d ON q) ON r JOIN e ON s').JoinExpr;
  assert.deepEqual(
    [
      chain.asof,
      chain.larg.JoinExpr.asof,
      chain.larg.JoinExpr.larg.JoinExpr.asof,
      chain.larg.JoinExpr.rarg.JoinExpr.asof,
    ],
    [undefined, true, undefined, true],
  );
  const right = from('SELECT * FROM a ASOF JOIN b JOIN c ON q ON r').JoinExpr;
  assert.deepEqual([right.asof, right.rarg.JoinExpr.asof], [true, undefined]);
  const bare = from('SELECT * FROM (SELECT) a ASOF JOIN (SELECT) b ON true JOIN (SELECT 1) c ON true').JoinExpr;
  assert.deepEqual([bare.asof, bare.larg.JoinExpr.asof], [undefined, true]);
  assert.equal(
    from('SELECT * FROM (SELECT * FROM a ASOF JOIN b ON true) s').RangeSubselect.subquery.SelectStmt.fromClause[0]
      .JoinExpr.asof,
    true,
  );
});

test('asof as a name', () => {
  assert.equal(from('SELECT * FROM a AS asof JOIN b ON true').JoinExpr.asof, undefined);
  assert.equal(from('SELECT * FROM asof JOIN b ON true').JoinExpr.asof, undefined);
  assert.equal(from('SELECT asof.asof FROM s.asof, b').RangeVar.relname, 'asof');
  assert.equal(from('SELECT * FROM a "asof" JOIN b ON true').JoinExpr.asof, undefined);
  assert.deepEqual(failure("SELECT 'é' FROM a ASOF FULL JOIN b ON true"), [
    '0A000',
    'ASOF FULL JOIN is not supported',
    19,
  ]);
});

test('FOR SYSTEM_TIME AS OF', () => {
  const sql = "SELECT 'é' FROM a JOIN b FOR SYSTEM_TIME AS OF a.t AS x ON a.k = x.k";
  const { rarg } = from(sql).JoinExpr;
  assert.equal(rarg.RangeVar.alias.aliasname, 'x');
  assert.equal(textAt(sql, rarg.RangeVar.systemTimeAsOf.ColumnRef.location, 3), 'a.t');
  const called = from('SELECT * FROM a LEFT JOIN s.b x FOR SYSTEM_TIME AS OF now() ON true').JoinExpr.rarg.RangeVar;
  assert.ok(called.systemTimeAsOf.FuncCall);
  assert.deepEqual(failure('SELECT * FROM b FOR SYSTEM_TIME AS OF WHERE x'), [
    '42601',
    'syntax error at or near "WHERE"',
    39,
  ]);
  assert.deepEqual(failure('SELECT * FROM (SELECT 1) b FOR SYSTEM_TIME AS OF t'), [
    '42601',
    'syntax error at or near "FOR"',
    28,
  ]);
  assert.deepEqual(failure('SELECT * FROM b FOR SYSTEM_TIME'), ['42601', 'syntax error at end of input', 32]);
});

test('reading a view as of a tick or a time', () => {
  const at = (sql: string) => from(sql).RangeVar.asOf;
  assert.equal(at('SELECT * FROM v AS OF 5 WHERE x').A_Const.ival.ival, 5);
  assert.equal(at('SELECT * FROM v AS OF 5000000000').A_Const.fval.fval, '5000000000');
  assert.ok(at('SELECT * FROM s.v x AS OF $1::bigint').TypeCast);
  assert.ok(at("SELECT * FROM v AS OF TIMESTAMP WITH TIME ZONE '2020-01-01' - INTERVAL '1' HOUR ORDER BY 1").A_Expr);
  assert.ok(at("SELECT * FROM v AS OF timestamptz '2020-01-01' AT TIME ZONE 'UTC'").FuncCall);
  assert.ok(at('SELECT * FROM v AS x (a, b) AS OF now() - 2 * $1 GROUP BY a').A_Expr);
  assert.equal(at('SELECT * FROM v AS of WHERE x'), undefined);
  assert.equal(at('SELECT * FROM v AS of (a, b)'), undefined);
  assert.equal(from('SELECT 1 AS of FROM v').RangeVar.asOf, undefined);
  const sql = "SELECT 'é' FROM v AS OF now() -\n 'é' JOIN w AS OF 7 ON true";
  const { larg, rarg } = from(sql).JoinExpr;
  assert.equal(textAt(sql, larg.RangeVar.asOf.A_Expr.rexpr.A_Const.location, 4), "'é'");
  assert.equal(rarg.RangeVar.asOf.A_Const.ival.ival, 7);
  assert.deepEqual(failure('SELECT 1 AS OF 5'), ['42601', 'syntax error at or near "AS"', 10]);
});

test('SUBSCRIBE', () => {
  const plain = one('SUBSCRIBE TO s.v', 'subscribe');
  assert.deepEqual(plain.target, { relation: { schema: 's', name: 'v', location: 13 } });
  assert.deepEqual([plain.snapshot, plain.progress, plain.asOf, plain.upTo], [true, false, null, null]);
  const sql =
    'SUBSCRIBE (SELECT é FROM a ASOF JOIN b ON true) WITH (snapshot = false, progress) AS OF 5 UP TO 9000000000';
  const full = one(sql, 'subscribe');
  assert.deepEqual([full.snapshot, full.progress, full.asOf, full.upTo], [false, true, 5n, 9000000000n]);
  assert.ok('query' in full.target);
  if ('query' in full.target) {
    const join = full.target.query.select.fromClause[0].JoinExpr;
    assert.deepEqual([join.asof, textAt(sql, join.larg.RangeVar.location, 6)], [true, 'a ASOF']);
  }
  assert.deepEqual(failure('SUBSCRIBE v WITH (foo = 1)'), ['42601', 'unrecognized SUBSCRIBE option "foo"', 19]);
  assert.deepEqual(failure('SUBSCRIBE v WITH (snapshot = 7)'), ['42601', 'snapshot requires a Boolean value', 19]);
  assert.deepEqual(failure('SUBSCRIBE v AS OF'), ['42601', 'syntax error at end of input', 18]);
  assert.deepEqual(failure('SUBSCRIBE (SELECT) + 1; x'), ['42601', 'syntax error at or near "+"', 20]);
  assert.deepEqual(failure('SUBSCRIBE (SELECT 1 +)'), ['42601', 'syntax error at or near ")"', 22]);
  assert.deepEqual(failure('SUBSCRIBE (DELETE FROM t)'), ['42601', 'syntax error at or near "DELETE"', 12]);
  assert.deepEqual(failure('SUBSCRIBE (SELECT 1; DROP TABLE t)'), ['42601', 'syntax error at or near ";"', 20]);
});

test('SUBSCRIBE inside COPY, DECLARE, EXPLAIN and PREPARE', () => {
  const copy = one('COPY (SUBSCRIBE v WITH (progress)) TO STDOUT WITH (FORMAT csv)', 'copy');
  assert.deepEqual([copy.subscribe?.progress, copy.node.query, copy.node.options.length], [true, undefined, 1]);
  const cursor = one('DECLARE c NO SCROLL CURSOR WITH HOLD FOR SUBSCRIBE (SELECT 1) UP TO 3', 'declare_cursor');
  assert.deepEqual([cursor.name, cursor.hold, 'k' in cursor.query && cursor.query.upTo], ['c', true, 3n]);
  assert.equal(one('EXPLAIN (VERBOSE) SUBSCRIBE v', 'explain').inner.k, 'subscribe');
  assert.equal(one('EXPLAIN ANALYZE CREATE SINK s FROM v', 'explain').analyze, true);
  assert.deepEqual(
    [one('PREPARE p AS SUBSCRIBE v', 'prepare').inner.k, one('PREPARE p (int) AS SUBSCRIBE v', 'prepare').types.length],
    ['subscribe', 1],
  );
  assert.deepEqual(failure('EXPLAIN DROP STREAM s'), ['42601', 'syntax error at or near "DROP"', 9]);
  assert.deepEqual(failure('COPY (SUBSCRIBE v'), ['42601', 'syntax error at end of input', 18]);
});

test('subscriptions', () => {
  const created = one(
    "CREATE SUBSCRIPTION IF NOT EXISTS s FOR (SELECT connection FROM v) WITH (retention = '1 day')",
    'create_subscription',
  );
  assert.deepEqual(
    [created.name, created.ifNotExists, 'query' in created.target, pairs(created.options)],
    ['s', true, true, ['retention=1 day']],
  );
  assert.equal(failure("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p")[0], '0A000');
  const fetched = one("FETCH 5 FROM s WITH (timeout = '1s')", 'fetch');
  assert.deepEqual([fetched.name, fetched.count, pairs(fetched.options)], ['s', 5, ['timeout=1s']]);
  assert.equal(failure("FETCH 5 FROM s WITH (time = '1s')")[1], 'unrecognized FETCH option "time"');
  assert.equal(one('ACKNOWLEDGE s UP TO 12345678901', 'acknowledge').upTo, 12345678901n);
  assert.deepEqual(failure("ACKNOWLEDGE s UP TO 'x'"), ['42601', 'syntax error at or near "\'x\'"', 21]);
});

test('names and strings of every spelling', () => {
  const sink = (sql: string) => one(sql, 'create_sink');
  assert.equal(sink('CREATE SINK "A""b" FROM v').name, 'A"b');
  assert.equal(sink('CREATE SINK U&"d\\0061t" FROM v').name, 'dat');
  assert.equal(sink('CREATE SINK ÄBC FROM v').name, 'Äbc');
  assert.equal(Buffer.byteLength(sink(`CREATE SINK ${'é'.repeat(40)} FROM v`).name), 62);
  const values = sink(
    "CREATE SINK s FROM v WITH (a = 'it''s', b = E'\\t', c = $$x'y$$, d = U&'\\0061', e = 1.5, f = on, g = '')",
  ).options;
  assert.deepEqual(
    values.map(({ value }) => value),
    ["it's", '\t', "x'y", 'a', '1.5', 'on', ''],
  );
});

test('dialect and plain statements in one string', () => {
  const sql = "/* é */ CREATE STREAM s (a int); -- x;\n SELECT 'é;' FROM s ;; INSERT INTO s VALUES (1);SUBSCRIBE é";
  const statements = parse(sql);
  assert.deepEqual(
    statements.map(({ k }) => k),
    ['create_relation', 'select', 'insert', 'subscribe'],
  );
  for (const { text, offset } of statements) assert.ok([...sql].slice(offset).join('').startsWith(text));
  assert.deepEqual(failure('CREATE STREAM s (a int); SELECT é FROM FROM'), [
    '42601',
    'syntax error at or near "FROM"',
    40,
  ]);
  assert.deepEqual(failure("CREATE STREAM s (a int); SELECT 'é"), [
    '42601',
    'unterminated quoted string at or near "\'é"',
    33,
  ]);
  assert.deepEqual(failure("CREATE STREM s (a int) WITH (a = 'stream'); SELECT 'x"), [
    '42601',
    'syntax error at or near "STREM"',
    8,
  ]);
});
