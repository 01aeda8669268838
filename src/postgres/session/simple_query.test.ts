import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { errorFields, type WireClient } from '../testing/wire_client.ts';

let harness: Harness;
let client: WireClient;

before(async () => {
  harness = await startHarness();
  const { engine } = harness;
  engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] });
  engine.rows('select two', {
    columns: [
      ['a', OID.int4],
      ['b', OID.text],
    ],
    rows: [
      [1, 'x'],
      [2, null],
    ],
  });
  engine.fails('select bad', new SqlError('22012', 'division by zero'));
  engine.fails('select broken', new Error('a fault') as SqlError);
});

beforeEach(async () => {
  client = await harness.client();
  harness.engine.log.length = 0;
});

after(() => harness.close());

async function query(text: string): Promise<string[]> {
  client.send(serialize.query(text));
  return client.until('Z');
}

test('rows, tag, ready; the commit comes before the tag', async () => {
  assert.deepEqual(await query('select two'), ['T a:23:0 b:25:0', 'D 1|x', 'D 2|NULL', 'C SELECT 2', 'Z I']);
  assert.deepEqual(harness.engine.log, ['select two', 'commit']);
});

test('an empty query', async () => {
  assert.deepEqual(await query(''), ['I', 'Z I']);
  assert.deepEqual(await query(' -- nothing\n ; '), ['I', 'Z I']);
});

test('many statements are one transaction; an error undoes all and drops the rest', async () => {
  const answer = await query('insert into t values (1); select bad; select 1');
  assert.deepEqual(answer, ['C INSERT 0 1', 'E 22012 division by zero', 'Z I']);
  assert.deepEqual(harness.engine.log, ['insert into t values (1)', 'select bad', 'rollback']);
});

test('a syntax error anywhere means that nothing runs', async () => {
  const answer = await query('insert into t values (1); selekt');
  assert.deepEqual(answer, ['E 42601 syntax error at or near "selekt"', 'Z I']);
  assert.deepEqual(harness.engine.log, []);
});

test('error positions count from the start of what the client sent', async () => {
  client.send(serialize.query('select 1; select * from nowhere'));
  const messages = await client.messagesUntil('Z');
  const error = messages.find(({ type }) => type === 'E');
  assert.ok(error);
  assert.equal(errorFields(error).get('P'), '25');
});

test('BEGIN splits the implicit transaction, ROLLBACK ends the block', async () => {
  const answer = await query(
    'insert into t values (1); begin; insert into t values (2); rollback; insert into t values (3)',
  );
  assert.deepEqual(answer, ['C INSERT 0 1', 'C BEGIN', 'C INSERT 0 1', 'C ROLLBACK', 'C INSERT 0 1', 'Z I']);
  assert.deepEqual(
    harness.engine.log.filter((line) => /^(commit|rollback)$/.test(line)),
    ['rollback', 'commit'],
  );
});

test('COMMIT without BEGIN commits with a warning', async () => {
  const answer = await query('insert into t values (1); commit; select bad');
  assert.deepEqual(answer, [
    'C INSERT 0 1',
    'N 25P01 there is no transaction in progress',
    'C COMMIT',
    'E 22012 division by zero',
    'Z I',
  ]);
  assert.deepEqual(
    harness.engine.log.filter((line) => /^(commit|rollback)$/.test(line)),
    ['commit', 'rollback'],
  );
});

test('a failed transaction refuses all but its end, and COMMIT answers ROLLBACK', async () => {
  assert.deepEqual(await query('begin'), ['C BEGIN', 'Z T']);
  assert.deepEqual(await query('begin'), ['N 25001 there is already a transaction in progress', 'C BEGIN', 'Z T']);
  assert.deepEqual(await query('select bad'), ['E 22012 division by zero', 'Z E']);
  const refused = 'E 25P02 current transaction is aborted, commands ignored until end of transaction block';
  assert.deepEqual(await query('select 1'), [refused, 'Z E']);
  assert.deepEqual(await query('savepoint s'), [refused, 'Z E']);
  assert.deepEqual(await query('rollback to nosuch'), ['E 3B001 savepoint "nosuch" does not exist', 'Z E']);
  assert.deepEqual(await query('commit'), ['C ROLLBACK', 'Z I']);
});

test('savepoints: an error after one is undone by ROLLBACK TO', async () => {
  assert.deepEqual(await query('savepoint s'), ['E 25P01 SAVEPOINT can only be used in transaction blocks', 'Z I']);
  await query('begin; savepoint s; set search_path = a; savepoint s');
  assert.deepEqual(await query('select bad'), ['E 22012 division by zero', 'Z E']);
  assert.deepEqual(await query('rollback to s; show search_path'), [
    'C ROLLBACK',
    'T search_path:25:0',
    'D a',
    'C SHOW',
    'Z T',
  ]);
  assert.deepEqual(await query('release s; rollback to s; show search_path'), [
    'C RELEASE',
    'C ROLLBACK',
    'T search_path:25:0',
    'D "$user", public',
    'C SHOW',
    'S search_path="$user", public',
    'Z T',
  ]);
  assert.deepEqual(await query('release s; release s'), ['C RELEASE', 'E 3B001 savepoint "s" does not exist', 'Z E']);
  assert.deepEqual(await query('rollback'), ['C ROLLBACK', 'Z I']);
});

test('COMMIT AND CHAIN begins the next transaction with the same modes', async () => {
  await query('begin isolation level serializable read only');
  assert.deepEqual(await query('commit and chain'), ['C COMMIT', 'Z T']);
  assert.deepEqual(await query('show transaction_isolation'), [
    'T transaction_isolation:25:0',
    'D serializable',
    'C SHOW',
    'Z T',
  ]);
  assert.deepEqual(await query('insert into t values (1)'), [
    'E 25006 cannot execute INSERT in a read-only transaction',
    'Z E',
  ]);
  assert.deepEqual(await query('rollback'), ['C ROLLBACK', 'Z I']);
  assert.deepEqual(await query('commit and chain'), [
    'E 25P01 COMMIT AND CHAIN can only be used in transaction blocks',
    'Z I',
  ]);
});

test('a commit that fails is an error in place of the tag', async () => {
  harness.engine.commitError = new SqlError('40001', 'could not serialize access due to concurrent update');
  assert.deepEqual(await query('insert into t values (1)'), [
    'E 40001 could not serialize access due to concurrent update',
    'Z I',
  ]);
});

test('a fault of the server is XX000, logged, and the session goes on', async () => {
  assert.deepEqual(await query('select broken'), ['E XX000 internal error: a fault', 'Z I']);
  assert.ok(harness.logged.includes('error internal error: a fault'));
  assert.deepEqual(await query('select 1'), ['T a:23:0', 'D 1', 'C SELECT 1', 'Z I']);
});

test('plans are kept by text until catalog or settings change', async () => {
  const before = harness.engine.prepares;
  await query('select 1');
  await query('select 1');
  assert.equal(harness.engine.prepares, before + 1);
  await query("set timezone = 'Asia/Tokyo'");
  await query('select 1');
  assert.equal(harness.engine.prepares, before + 2);
  harness.engine.catalogVersion++;
  await query('select 1');
  assert.equal(harness.engine.prepares, before + 3);
});

test('text that is not UTF-8 is 22021', async () => {
  client.send(Buffer.from([0x51, 0, 0, 0, 8, 0x61, 0xff, 0x62, 0]));
  assert.deepEqual(await client.until('Z'), ['E 22021 invalid byte sequence for encoding "UTF8": 0xff', 'Z I']);
});

test('cursors: declare, fetch, move, close, and their end with the transaction', async () => {
  assert.deepEqual(await query('declare c cursor for select two'), [
    'E 25P01 DECLARE CURSOR can only be used in transaction blocks',
    'Z I',
  ]);
  assert.deepEqual(await query('begin; declare c cursor for select two; fetch c'), [
    'C BEGIN',
    'C DECLARE CURSOR',
    'T a:23:0 b:25:0',
    'D 1|x',
    'C FETCH 1',
    'Z T',
  ]);
  assert.deepEqual(await query('fetch 5 c; fetch c'), [
    'T a:23:0 b:25:0',
    'D 2|NULL',
    'C FETCH 1',
    'T a:23:0 b:25:0',
    'C FETCH 0',
    'Z T',
  ]);
  assert.deepEqual(await query('fetch backward 1 c'), ['E 55000 cursor can only scan forward', 'Z E']);
  assert.deepEqual(await query('rollback; fetch c'), ['C ROLLBACK', 'E 34000 cursor "c" does not exist', 'Z I']);
});

test('a scroll cursor goes both ways', async () => {
  const moves =
    'fetch last c; fetch prior c; fetch prior c; fetch all c; fetch backward all c; fetch absolute 2 c; fetch relative 0 c; move first c';
  const answer = await query(`begin; declare c scroll cursor for select two; ${moves}; rollback`);
  assert.deepEqual(
    answer.filter((line) => /^[DC]/.test(line)),
    [
      'C BEGIN',
      'C DECLARE CURSOR',
      'D 2|NULL',
      'C FETCH 1',
      'D 1|x',
      'C FETCH 1',
      'C FETCH 0',
      'D 1|x',
      'D 2|NULL',
      'C FETCH 2',
      'D 2|NULL',
      'D 1|x',
      'C FETCH 2',
      'D 2|NULL',
      'C FETCH 1',
      'D 2|NULL',
      'C FETCH 1',
      'C MOVE 1',
      'C ROLLBACK',
    ],
  );
});

test('a cursor WITH HOLD outlives its transaction', async () => {
  await query('begin; declare h cursor with hold for select two; fetch h; commit');
  assert.deepEqual(await query('fetch all h'), ['T a:23:0 b:25:0', 'D 2|NULL', 'C FETCH 1', 'Z I']);
  assert.deepEqual(await query('close h; close h'), ['C CLOSE CURSOR', 'E 34000 cursor "h" does not exist', 'Z I']);
});

test('DISCARD ALL', async () => {
  await query('set extra_float_digits = 0; prepare p as select 1');
  assert.deepEqual(await query('begin; discard all'), [
    'C BEGIN',
    'E 25001 DISCARD ALL cannot run inside a transaction block',
    'Z E',
  ]);
  await query('rollback');
  assert.deepEqual(await query('discard all'), ['C DISCARD ALL', 'Z I']);
  assert.deepEqual(await query('execute p'), ['E 26000 prepared statement "p" does not exist', 'Z I']);
  assert.deepEqual(await query('show extra_float_digits'), ['T extra_float_digits:25:0', 'D 1', 'C SHOW', 'Z I']);
});

test('PREPARE, EXECUTE, DEALLOCATE share the namespace of Parse', async () => {
  assert.deepEqual(await query('prepare p as select two; execute p'), [
    'C PREPARE',
    'T a:23:0 b:25:0',
    'D 1|x',
    'D 2|NULL',
    'C SELECT 2',
    'Z I',
  ]);
  assert.deepEqual(await query('prepare p as select 1'), ['E 42P05 prepared statement "p" already exists', 'Z I']);
  assert.deepEqual(await query('execute p(1)'), [
    'E 42601 wrong number of parameters for prepared statement "p"',
    'Z I',
  ]);
  client.send(serialize.bind({ statement: 'p' }), serialize.execute({}), serialize.sync());
  assert.deepEqual(await client.until('Z'), ['2', 'D 1|x', 'D 2|NULL', 'C SELECT 2', 'Z I']);
  assert.deepEqual(await query('deallocate p; deallocate all'), ['C DEALLOCATE', 'C DEALLOCATE ALL', 'Z I']);
});
