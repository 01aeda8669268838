/** psql as people use it: backslash commands, scripts, \copy, \watch, Ctrl-C. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ClientServer, run, startProgram, startServer, until } from './server.ts';
import { findPsql, pathOf, skip } from './tools.ts';

const psql = await findPsql();
const options = { skip: skip(psql), timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-psql-'));
let server: ClientServer;
let other: pg.Client;

before(async () => {
  server = await startServer();
  other = new pg.Client(server.config);
  await other.connect();
  await other.query(`create table orders (id int primary key, name text not null default 'none', amount numeric(12,2));
    insert into orders select n, 'n' || n % 10, n * 1.5 from generate_series(1, 1000) n;
    create stream clicks (page text, at timestamptz);
    create materialized view totals as select name, sum(amount) as total from orders group by name;
    create view big_orders as select id from orders where amount > 1000;
    create index orders_by_name on orders (name)`);
});
after(async () => {
  await other.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a script prints, both streams; psql goes on after an error. */
async function script(text: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(pathOf(psql), ['-X', '-q', ...args], { env: server.env, input: text });
  return stdout + stderr;
}

/** As script, rows only: fields divided by | and no header. */
const rows = (text: string, ...args: string[]) => script(text, '-A', '-t', ...args);

test('\\d and its family', options, async () => {
  const listed = async (command: string) => (await rows(command)).trim().split('\n').sort();
  assert.deepEqual(await listed('\\d'), [
    'public|big_orders|view|tester',
    'public|clicks|table|tester',
    'public|orders|table|tester',
    'public|totals|materialized view|tester',
  ]);
  assert.deepEqual(await listed('\\dt'), ['public|clicks|table|tester', 'public|orders|table|tester']);
  assert.deepEqual(await listed('\\dm'), ['public|totals|materialized view|tester']);
  assert.deepEqual(await listed('\\dv'), ['public|big_orders|view|tester']);
  assert.deepEqual(await listed('\\di'), [
    'public|orders_by_name|index|tester|orders',
    'public|orders_pkey|index|tester|orders',
  ]);
  assert.deepEqual(await listed('\\dt o*'), ['public|orders|table|tester']);
  assert.match(await rows('\\dn'), /^public\|/m);
  assert.match(await rows('\\l'), /^db\|tester\|UTF8\|/m);
  assert.match(await rows('\\conninfo'), /database "db" as user "tester"/);
  for (const command of [
    '\\df',
    '\\dT',
    '\\du',
    '\\d+',
    '\\dt+',
    '\\dn+',
    '\\l+',
    '\\dp',
    '\\ds',
    '\\dx',
    '\\do',
    '\\dC',
  ])
    assert.doesNotMatch(await rows(command), /ERROR/, command);
});

test('\\d of a table, a view, a materialized view and a stream', options, async () => {
  const table = await script('\\d orders');
  assert.match(table, /Table "public\.orders"/);
  assert.match(table, /^ id +\| integer +\| +\| not null \| *$/m);
  assert.match(table, /^ name +\| text +\| +\| not null \| 'none'::text *$/m);
  assert.match(table, /^ amount +\| numeric\(12,2\) /m);
  assert.match(table, /"orders_pkey" PRIMARY KEY, btree \(id\)/);
  assert.match(table, /"orders_by_name" btree \(name\)/);
  const view = await script('\\d+ totals');
  assert.match(view, /Materialized view "public\.totals"/);
  assert.match(view, /View definition:\n.*sum\(/is);
  assert.match(await script('\\d big_orders'), /View "public\.big_orders"/);
  assert.match(await script('\\d clicks'), /^ at +\| timestamp with time zone /m);
});

test('\\timing, \\gdesc, \\gset, \\x, \\errverbose and variables', options, async () => {
  assert.match(await rows('\\timing on\nselect 1;'), /^1\nTime: \d+[.,]\d+ ms/m);
  assert.equal(
    await rows('select id, amount, now() as t from orders where id = 1 \\gdesc'),
    'id|integer\namount|numeric(12,2)\nt|timestamp with time zone\n',
  );
  assert.equal(await rows('select 3 as three \\gset\n\\echo :three'), '3\n');
  assert.equal(await rows('\\x on\nselect 1 as a, null as b;'), 'a|1\nb|\n');
  assert.equal(await rows('select 1/0;\n\\echo :LAST_ERROR_SQLSTATE'), '22012\nERROR:  division by zero\n');
  assert.match(await rows('select 1/0;\n\\errverbose'), /ERROR: {2}22012: division by zero/);
});

test('an error shows its place', options, async () => {
  assert.equal(
    await script('select id,\n  nosuch from orders;'),
    'ERROR:  column "nosuch" does not exist\nLINE 2:   nosuch from orders;\n          ^\n',
  );
  assert.equal(
    await script("select 'é', id frm orders where;"),
    `ERROR:  syntax error at or near "orders"\nLINE 1: select 'é', id frm orders where;\n                           ^\n`,
  );
});

test('FETCH_COUNT reads by cursor', options, async () => {
  const text = await rows('\\set FETCH_COUNT 100\nselect id from orders order by id;');
  assert.deepEqual(
    text.trim().split('\n').map(Number),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});

test('\\copy in and out, COPY from the script', options, async () => {
  const file = join(folder, 'rows.csv');
  writeFileSync(file, 'a,b,d\n1,"x, ""y""",2024-02-29\n2,,\n');
  const back = join(folder, 'back.csv');
  const text = await rows(`create table copied (a int, b text, d date);
\\copy copied from '${file}' with (format csv, header)
copy copied from stdin;
3\ttab\\there\t2000-01-01
\\.
\\copy (select * from copied order by a) to '${back}' with (format csv, header)
copy (select a, b from copied order by a) to stdout;
`);
  assert.equal(text, '1\tx, "y"\n2\t\\N\n3\ttab\\there\n');
  assert.equal(readFileSync(back, 'utf8'), 'a,b,d\n1,"x, ""y""",2024-02-29\n2,,\n3,tab\there,2000-01-01\n');
  const bad = await rows(`\\copy copied from program 'printf "4\\tgood\\t\\\\\\\\N\\nx\\tbad\\t\\\\\\\\N\\n"'`);
  assert.match(
    bad,
    /ERROR: {2}invalid input syntax for type integer: "x"\nCONTEXT: {2}COPY copied, line 2, column a: "x"/,
  );
  assert.equal(await rows('select count(*) from copied'), '3\n');
});

test('-1 -f: one transaction, undone by an error', options, async () => {
  const file = join(folder, 'script.sql');
  await other.query('create table once (a int)');
  writeFileSync(file, 'insert into once values (1);\ninsert into once values (1/0);\n');
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-1', '-f', file];
  const failed = await run(pathOf(psql), args, { env: server.env });
  assert.equal(failed.code, 3);
  assert.match(failed.stderr, /script\.sql:2: ERROR: {2}division by zero/);
  assert.equal(await rows('select count(*) from once'), '0\n');
  writeFileSync(file, 'insert into once values (1);\ninsert into once values (2);\n');
  assert.equal((await run(pathOf(psql), args, { env: server.env })).code, 0);
  assert.equal(await rows('select count(*) from once'), '2\n');
});

test('AUTOCOMMIT off, ON_ERROR_ROLLBACK, savepoints', options, async () => {
  await other.query('create table careful (a int)');
  const text = await rows(`\\set AUTOCOMMIT off
insert into careful values (1);
rollback;
\\set AUTOCOMMIT on
\\set ON_ERROR_ROLLBACK on
begin;
insert into careful values (2);
select 1/0;
insert into careful values (3);
commit;
select a from careful order by a;`);
  assert.equal(text, '2\n3\nERROR:  division by zero\n');
});

test('\\watch repeats until a signal ends it', options, async () => {
  const program = startProgram(pathOf(psql), ['-X', '-q', '-A', '-t'], { env: server.env });
  program.child.stdin?.write("select 'total ' || total from totals where name = 'n1' \\watch 0.1\n");
  await until('two answers', () => program.stdout().split('total ').length > 2);
  await other.query("update orders set amount = amount + 1 where name = 'n1'");
  const { rows: now } = await other.query("select total from totals where name = 'n1'");
  await until('the changed answer', () => program.stdout().includes(`total ${now[0].total}`));
  program.child.kill('SIGINT');
  program.child.stdin?.end();
  await program.ended;
});

test('Ctrl-C ends COPY (SUBSCRIBE ...) TO STDOUT', options, async () => {
  const env = { ...server.env, PGAPPNAME: 'follower' };
  // Into a pipe psql writes blocks; stdbuf makes them lines, as on a terminal.
  const args = ['-oL', pathOf(psql), '-X', '-c', 'copy (subscribe totals) to stdout'];
  const program = startProgram('stdbuf', args, { env });
  await until('the snapshot', () => program.stdout().split('\n').length > 10);
  await other.query("insert into orders values (5000, 'fresh', 7)");
  await until('the change', () => /\t1\tfresh\t7\.00\n/.test(program.stdout()));
  program.child.kill('SIGINT');
  const { code, stderr } = await program.ended;
  assert.notEqual(code, 0);
  assert.match(stderr, /ERROR: {2}canceling statement due to user request/);
  await until('the session is gone', () => server.sessions('follower') === 0);
});

test('Ctrl-C cancels a query and the session goes on', options, async () => {
  const program = startProgram(pathOf(psql), ['-X', '-q', '-A', '-t'], { env: { ...server.env, PGAPPNAME: 'waiter' } });
  program.child.stdin?.write('\\set ON_ERROR_STOP 0\nsubscribe totals with (snapshot = false);\n');
  await until('the query runs', () =>
    server.running.postgres.sessions().some((s) => s.applicationName === 'waiter' && s.state === 'active'),
  );
  program.child.kill('SIGINT');
  await until('the error', () => program.stderr().includes('canceling statement due to user request'));
  program.child.stdin?.end();
  await program.ended;
});

test('statement_timeout ends a query with 57014', options, async () => {
  const text = await rows(
    "set statement_timeout = '50ms';\nsubscribe totals with (snapshot = false);\n\\echo :SQLSTATE\nselect 1;",
  );
  assert.equal(text, '57014\n1\nERROR:  canceling statement due to statement timeout\n');
});
