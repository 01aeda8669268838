/**
 * The same conversations with a real PostgreSQL (PGlite takes raw protocol bytes) and with Tidemark: every message that comes back
 * must be the same, with SQLSTATE, message, detail, hint and position of errors.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { serialize } from 'pg-protocol';
import { type RunningServer, runServer } from '../cli/server.ts';
import { errorFields, type Message, show, WireClient } from './testing/wire_client.ts';

const { query, parse, bind, describe, execute, sync, close } = serialize;

let oracle: PGlite;
let server: RunningServer;
let client: WireClient;

before(async () => {
  oracle = await PGlite.create();
  server = await runServer({ host: '127.0.0.1', port: 0, version: '0.0.0', log: () => undefined });
  client = await WireClient.start(server.postgres.port);
  for (const text of [
    "set timezone = 'UTC'",
    'create table d (a int primary key, b text)',
    "insert into d values (1, 'x'), (2, 'y'), (3, null)",
  ]) {
    await oracle.execProtocolRaw(query(text));
    client.send(query(text));
    await client.until('Z');
  }
});
after(async () => {
  client.close();
  await server.close();
  await oracle.close();
});

function messages(bytes: Uint8Array): Message[] {
  const all = Buffer.from(bytes);
  const out: Message[] = [];
  for (let at = 0; at < all.length; ) {
    const length = all.readInt32BE(at + 1);
    out.push({ type: String.fromCharCode(all[at]), body: all.subarray(at + 5, at + 1 + length) });
    at += 1 + length;
  }
  return out;
}

/** As show(), with what else an error says. */
function line(message: Message): string {
  if (message.type !== 'E') return show(message);
  const fields = errorFields(message);
  return [show(message), ...['D', 'H', 'P'].filter((f) => fields.has(f)).map((f) => `${f}: ${fields.get(f)}`)].join(
    ' | ',
  );
}

/** PGlite does not report changed settings. */
function lines(all: Message[]): string[] {
  return all.filter(({ type }) => type !== 'S').map(line);
}

/** A step is the text of a simple query, or messages that end with Sync. */
type Step = string | Uint8Array[];

async function same(steps: Step[]): Promise<void> {
  for (const step of steps) {
    const bytes = typeof step === 'string' ? query(step) : Buffer.concat(step);
    const expected = lines(messages(await oracle.execProtocolRaw(bytes)));
    client.send(bytes);
    const got = lines(await client.messagesUntil('Z'));
    assert.deepEqual(got, expected, `after ${JSON.stringify(step).slice(0, 200)}`);
  }
}

/** One statement through Parse, Bind, Describe, Execute, Sync. */
function once(text: string, values: (string | null)[] = [], rows = 0): Uint8Array[] {
  return [parse({ text }), bind({ values }), describe({ type: 'P' }), execute({ rows }), sync()];
}

const declared = (text: string): Uint8Array[] => [parse({ text }), describe({ type: 'S' }), sync()];

test('several statements in one query', () =>
  same([
    'select 1; select 2',
    'insert into d values (9); select 1/0; select 3',
    'select count(*) from d',
    '',
    ';',
    ' /* nothing */ ',
    'selekt',
    'select 1; selekt',
    'select $1',
    "select 'é' || nosuch",
    'select 1; select * from nosuch',
  ]));

test('transactions', () =>
  same([
    'begin; insert into d values (10)',
    'select 1/0',
    'select 1',
    'commit',
    'rollback',
    'commit',
    'insert into d values (11); begin; insert into d values (12); rollback; select count(*) from d',
    'insert into d values (12); commit; select 1/0',
    'delete from d where a > 3',
    'begin',
    'begin',
    'end',
  ]));

test('savepoints', () =>
  same([
    'savepoint a',
    'begin',
    'savepoint a',
    'insert into d values (20)',
    'savepoint a',
    'select x',
    'rollback to a',
    'release a',
    'rollback to a',
    'select count(*) from d',
    'release b',
    'rollback',
    'begin; release x',
    'rollback',
    'rollback to x',
    'release x',
    'begin',
    'select bad',
    'savepoint x',
    'rollback',
  ]));

test('modes and chains', () =>
  same([
    'begin isolation level repeatable read',
    'commit and chain',
    'show transaction_isolation',
    'rollback and chain',
    'rollback',
    'commit and chain',
    'begin read only',
    'insert into d values (5)',
    'rollback',
    'start transaction',
    'set transaction read only',
    'delete from d',
    'end',
    'set transaction read only',
  ]));

test('cursors', () =>
  same([
    'declare c cursor for select 1',
    'begin',
    'declare c cursor for select a from d order by a',
    'fetch c',
    'fetch 0 c',
    'fetch all c',
    'fetch 0 c',
    'fetch c',
    'declare c cursor for select 1',
    'rollback',
    'fetch c',
    'close c',
    'close all',
    'begin; declare c no scroll cursor for select a from d order by a; fetch 1 c; fetch backward 1 c',
    'commit',
    'declare c cursor for select a from d; fetch 1 c',
    'declare h cursor with hold for select a from d order by a',
    'fetch h',
    'move h',
    'move 5 h',
    'close h',
  ]));

test('scroll cursors', () =>
  same([
    'begin; declare s scroll cursor for select a from d order by a',
    ...[
      'fetch last',
      'fetch prior',
      'fetch first',
      'fetch prior',
      'fetch absolute -1',
      'fetch relative -1',
      'fetch relative 0',
      'fetch forward 0',
      'fetch backward 2',
      'fetch backward all',
      'fetch all',
      'fetch next',
      'fetch prior',
      'move absolute 2',
      'fetch forward 5',
      'move backward all',
      'fetch 2',
      'fetch absolute 0',
      'fetch absolute 9',
    ].map((words) => `${words} from s`),
    'commit',
  ]));

test('PREPARE and EXECUTE', () =>
  same([
    'prepare p as select a from d where a = $1',
    'execute p(1)',
    'execute p',
    'execute p(1, 2)',
    "execute p('2')",
    'execute p(1 + 1)',
    'prepare p as select 1',
    'deallocate p',
    'deallocate p',
    'execute p(1)',
    'deallocate all',
    "prepare t(text) as select $1 || 'x'",
    "execute t('a')",
    'execute t(5)',
    'prepare i as insert into d values ($1, $2)',
    "execute i(50, 'z')",
    'delete from d where a = 50',
    'deallocate all',
  ]));

test('settings', () =>
  same([
    'set nosuch = 1',
    'show nosuch',
    'set my.x = 1; show my.x',
    "set statement_timeout = 'abc'",
    'set statement_timeout = -1',
    "set statement_timeout = '5min'; show statement_timeout; reset statement_timeout",
    'set datestyle = german; show datestyle; reset datestyle',
    'set server_version = 1',
    'set port = 1',
    'set local datestyle = sql',
    "begin; set local datestyle = 'SQL, DMY'; show datestyle; commit; show datestyle",
    "begin; set timezone = 'Asia/Tokyo'; rollback; show timezone",
    "set timezone = 'nowhere'",
    "set bytea_output = 'x'",
    'set extra_float_digits = 9',
    'set search_path = a, "B c"; show search_path; reset search_path',
    "set enable_seqscan = 'maybe'",
    "set time zone interval '+02:30' hour to minute; show timezone; set timezone = 'UTC'",
    "set work_mem = '1 parsec'",
    'set session characteristics as transaction read only; show default_transaction_read_only',
    'set session characteristics as transaction read write',
    'set application_name to a, b',
    'begin; discard all',
    'rollback',
  ]));

test('notifications', () =>
  same(['listen x; notify x; notify x', "begin; notify x; notify x; notify x, 'p'; commit", 'unlisten *', 'notify x']));

test('extended: one statement at a time', () =>
  same([
    once('select $1::int + 1', ['1']),
    once(''),
    once('insert into d values (30, $1)', ['q']),
    once('delete from d where a = 30'),
    once('begin'),
    once('select nosuch'),
    once('select 1'),
    once('commit'),
    once('select 1; select 2'),
    once('select a from d order by a', [], 2),
    once('show datestyle'),
    once('set datestyle = iso'),
  ]));

test('extended: names and row limits', () =>
  same([
    [parse({ name: 'n', text: 'select a from d order by a' }), parse({ name: 'n', text: 'select 1' }), sync()],
    [
      bind({ statement: 'n', portal: 'p' }),
      execute({ portal: 'p', rows: 1 }),
      execute({ portal: 'p', rows: 1 }),
      execute({ portal: 'p', rows: 5 }),
      execute({ portal: 'p', rows: 5 }),
      sync(),
    ],
    [execute({ portal: 'p' }), sync()],
    [bind({ statement: 'n', portal: 'p' }), bind({ statement: 'n', portal: 'p' }), sync()],
    [
      bind({ statement: 'n', portal: 'p' }),
      execute({ portal: 'p', rows: 3 }),
      execute({ portal: 'p', rows: 3 }),
      close({ type: 'P', name: 'p' }),
      execute({ portal: 'p' }),
      sync(),
    ],
    [describe({ type: 'S', name: 'n' }), describe({ type: 'S', name: 'zz' }), sync()],
    [close({ type: 'S', name: 'n' }), close({ type: 'S', name: 'n' }), bind({ statement: 'n' }), sync()],
    [describe({ type: 'P', name: 'zz' }), sync()],
  ]));

test('extended: what a Sync ends', () =>
  same([
    [parse({ text: "insert into d values (40, 'x')" }), bind({}), execute({}), execute({}), sync()],
    'select count(*) from d where a = 40',
    [
      parse({ text: "insert into d values (41, 'x')" }),
      bind({}),
      execute({}),
      parse({ text: 'select nosuch' }),
      sync(),
    ],
    'select count(*) from d where a = 41',
    [
      parse({ text: 'insert into d values (61)' }),
      bind({}),
      execute({}),
      parse({ text: 'commit' }),
      bind({}),
      execute({}),
      parse({ text: 'select nosuch' }),
      sync(),
    ],
    'select count(*) from d where a > 3',
    'delete from d where a > 3',
    [
      parse({ text: 'begin' }),
      bind({}),
      execute({}),
      parse({ text: 'select nosuch' }),
      parse({ text: 'commit' }),
      sync(),
    ],
    [parse({ name: 'q1', text: 'select 1' }), sync()],
    [parse({ text: 'rollback' }), describe({ type: 'S' }), bind({}), execute({}), sync()],
    [parse({ text: 'declare c cursor for select 1' }), bind({}), execute({}), sync()],
  ]));

test('extended: parameters', () =>
  same([
    [parse({ text: 'select $1::int' }), bind({ values: [] }), sync()],
    [parse({ text: 'select $1::int' }), bind({ values: ['x'] }), sync()],
    [parse({ text: 'select $1::int' }), bind({ values: [Buffer.from([1])] }), sync()],
    [parse({ text: 'select $1::int' }), bind({ values: [Buffer.from([0, 0, 0, 0, 1])] }), sync()],
    declared('select $1, $2::int'),
    declared('select a from d where a = $1 and b = $2 limit $3'),
    declared('insert into d values ($1, $2)'),
    declared('select $2::int'),
    declared('select a from d where a = any($1)'),
    declared('update d set b = $1 where a = $2 returning a'),
  ]));

test('extended: cursors of SQL are portals', () =>
  same([
    [
      ...[parse({ text: 'begin' }), bind({}), execute({})],
      ...[parse({ text: 'declare c cursor for select a from d order by a' }), bind({}), execute({})],
      ...[
        parse({ text: 'fetch 2 from c' }),
        describe({ type: 'S' }),
        bind({}),
        execute({}),
        bind({}),
        execute({ rows: 1 }),
      ],
      sync(),
    ],
    [execute({ portal: 'c' }), describe({ type: 'P', name: 'c' }), sync()],
    'commit',
  ]));

test('COPY TO', () =>
  same([
    'copy (select * from d order by a) to stdout',
    'copy (select b from d order by a) to stdout csv header',
    'copy (select 1 where false) to stdout',
    'copy (select * from d order by a) to stdout (format binary)',
    [parse({ text: 'copy (select 1) to stdout' }), bind({}), describe({ type: 'P' }), execute({}), sync()],
    "copy d to stdout (delimiter 'ab')",
    "copy d to stdout (format csv, quote ',')",
    "copy d to stdout (delimiter 'a')",
    'copy (select a from d) to stdout (format text, force_quote *)',
    "copy d to stdout (null E'a\\nb')",
    "copy d to stdout (null 'a\tb')",
  ]));

test('definitions', () =>
  same([
    'select * from nosuch',
    "select 'abc",
    'drop table nosuch',
    'insert into d values (1)',
    "insert into d values ('x')",
    'create table d (a int)',
    'create table if not exists d (a int)',
    'truncate d',
    'drop table d',
  ]));
