import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { serialize } from 'pg-protocol';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import type { WireClient } from '../testing/wire_client.ts';

let harness: Harness;
let client: WireClient;

before(async () => {
  harness = await startHarness();
  const { engine } = harness;
  const five: Datum[][] = [[1], [2], [3], [4], [5]];
  engine.rows('select five', { columns: [['n', OID.int4]], rows: five });
  engine.rows('select $1', { columns: [['p', OID.int4]], rows: [[7]], paramTypes: [OID.int4, OID.text] });
  engine.rows('insert into t values (1) returning n', {
    columns: [['n', OID.int4]],
    rows: five,
    tag: () => 'INSERT 0 5',
  });
  engine.command('insert into t values (1)', 'INSERT 0 1');
  engine.fails('select bad', new SqlError('22012', 'division by zero'));
});

beforeEach(async () => {
  client = await harness.client();
  harness.engine.log.length = 0;
});

after(() => harness.close());

const { parse, bind, describe, execute, sync, flush, close } = serialize;

test('a pipeline: one ReadyForQuery, one transaction, answers in order', async () => {
  client.send(
    parse({ text: 'insert into t values (1)' }),
    bind({}),
    execute({}),
    parse({ text: 'select five' }),
    bind({}),
    describe({ type: 'P' }),
    execute({}),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), [
    '1',
    '2',
    'C INSERT 0 1',
    '1',
    '2',
    'T n:23:0',
    'D 1',
    'D 2',
    'D 3',
    'D 4',
    'D 5',
    'C SELECT 5',
    'Z I',
  ]);
  assert.deepEqual(harness.engine.log, ['insert into t values (1)', 'select five', 'commit']);
});

test('after an error all is skipped to Sync, and the transaction is undone', async () => {
  client.send(
    parse({ text: 'insert into t values (1)' }),
    bind({}),
    execute({}),
    parse({ text: 'select bad' }),
    bind({}),
    execute({}),
    execute({}),
    bind({ statement: 'nosuch' }),
    sync(),
    parse({ text: 'select five' }),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), ['1', '2', 'C INSERT 0 1', '1', '2', 'E 22012 division by zero', 'Z I']);
  assert.deepEqual(await client.until('Z'), ['1', 'Z I']);
  assert.ok(harness.engine.log.includes('rollback'));
});

test('Flush without Sync answers what there is', async () => {
  client.send(parse({ name: 's', text: 'select $1' }), describe({ type: 'S', name: 's' }), flush());
  assert.deepEqual(await client.until('T'), ['1', 't 23 25', 'T p:23:0']);
  client.send(bind({ statement: 's', values: ['7', 'x'] }), execute({}), flush());
  assert.deepEqual(await client.until('C'), ['2', 'D 7', 'C SELECT 1']);
  client.send(sync());
  assert.deepEqual(await client.until('Z'), ['Z I']);
  assert.deepEqual(harness.engine.lastParams, [7, 'x']);
});

test('an error is told at once: who sent Flush waits for it before it sends Sync', async () => {
  client.send(parse({ text: 'select $1::nothing' }), describe({ type: 'S' }), flush());
  assert.match((await client.until('E')).at(-1) ?? '', /^E /);
  client.send(sync());
  await client.until('Z');
});

test('a row limit suspends the portal; the tag counts the last Execute only', async () => {
  client.send(parse({ text: 'select five' }), bind({ portal: 'c' }), execute({ portal: 'c', rows: 2 }), flush());
  assert.deepEqual(await client.until('s'), ['1', '2', 'D 1', 'D 2', 's']);
  client.send(execute({ portal: 'c', rows: 3 }), flush());
  assert.deepEqual(await client.until('s'), ['D 3', 'D 4', 'D 5', 's']);
  client.send(execute({ portal: 'c', rows: 3 }), execute({ portal: 'c', rows: 3 }), sync());
  assert.deepEqual(await client.until('Z'), ['C SELECT 0', 'C SELECT 0', 'Z I']);
});

test('portals end with their transaction', async () => {
  client.send(parse({ text: 'select five' }), bind({ portal: 'c' }), execute({ portal: 'c', rows: 1 }), sync());
  await client.until('Z');
  client.send(execute({ portal: 'c' }), sync());
  assert.deepEqual(await client.until('Z'), ['E 34000 portal "c" does not exist', 'Z I']);
  client.send(serialize.query('begin'));
  await client.until('Z');
  client.send(parse({ text: 'select five' }), bind({ portal: 'c' }), execute({ portal: 'c', rows: 4 }), sync());
  await client.until('Z');
  client.send(execute({ portal: 'c' }), sync());
  assert.deepEqual(await client.until('Z'), ['D 5', 'C SELECT 1', 'Z T']);
});

test('INSERT ... RETURNING has its whole count in the tag; a command runs once', async () => {
  client.send(
    parse({ text: 'insert into t values (1) returning n' }),
    bind({}),
    execute({ rows: 1 }),
    execute({}),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), ['1', '2', 'D 1', 's', 'D 2', 'D 3', 'D 4', 'D 5', 'C INSERT 0 5', 'Z I']);
  client.send(parse({ text: 'insert into t values (1)' }), bind({}), execute({}), execute({}), sync());
  assert.deepEqual(await client.until('Z'), ['1', '2', 'C INSERT 0 1', 'E 55000 portal "" cannot be run', 'Z I']);
});

test('names: re-Parse, Close, unknown statements and portals', async () => {
  client.send(parse({ name: 'a', text: 'select five' }), parse({ name: 'a', text: 'select five' }), sync());
  assert.deepEqual(await client.until('Z'), ['1', 'E 42P05 prepared statement "a" already exists', 'Z I']);
  client.send(
    close({ type: 'S', name: 'a' }),
    close({ type: 'S', name: 'a' }),
    close({ type: 'P', name: 'x' }),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), ['3', '3', '3', 'Z I']);
  client.send(bind({ statement: 'a' }), sync());
  assert.deepEqual(await client.until('Z'), ['E 26000 prepared statement "a" does not exist', 'Z I']);
  client.send(serialize.query('select five'), bind({}), sync());
  await client.until('Z');
  assert.deepEqual(await client.until('Z'), ['E 26000 unnamed prepared statement does not exist', 'Z I']);
});

test('DEALLOCATE ALL and DISCARD ALL leave the unnamed statement', async () => {
  for (const text of ['deallocate all', 'discard all']) {
    const tag = `C ${text.toUpperCase()}`;
    client.send(parse({ text }), bind({}), execute({}), sync(), bind({}), execute({}), sync());
    assert.deepEqual(await client.until('Z'), ['1', '2', tag, 'Z I']);
    assert.deepEqual(await client.until('Z'), ['2', tag, 'Z I']);
  }
});

test('a portal outlives the statement it was bound to', async () => {
  client.send(
    parse({ name: 'a', text: 'select five' }),
    bind({ statement: 'a', portal: 'p' }),
    close({ type: 'S', name: 'a' }),
    execute({ portal: 'p', rows: 1 }),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), ['1', '2', '3', 'D 1', 's', 'Z I']);
});

test('the empty statement', async () => {
  client.send(parse({ text: '' }), bind({}), describe({ type: 'P' }), execute({}), sync());
  assert.deepEqual(await client.until('Z'), ['1', '2', 'n', 'I', 'Z I']);
});

test('several commands in one Parse are refused', async () => {
  client.send(parse({ text: 'select five; select five' }), sync());
  assert.deepEqual(await client.until('Z'), [
    'E 42601 cannot insert multiple commands into a prepared statement',
    'Z I',
  ]);
});

test('BEGIN, an error and COMMIT in extended', async () => {
  const run = async (text: string): Promise<string[]> => {
    client.send(parse({ text }), bind({}), execute({}), sync());
    return (await client.until('Z')).filter((line) => line !== '1' && line !== '2');
  };
  assert.deepEqual(await run('begin'), ['C BEGIN', 'Z T']);
  assert.deepEqual(await run('select bad'), ['E 22012 division by zero', 'Z E']);
  assert.deepEqual(await run('select five'), [
    'E 25P02 current transaction is aborted, commands ignored until end of transaction block',
    'Z E',
  ]);
  assert.deepEqual(await run('commit'), ['C ROLLBACK', 'Z I']);
});

test('parameters: counts, formats, NULL, bad values', async () => {
  const attempt = async (...parts: Parameters<typeof bind>): Promise<string[]> => {
    client.send(parse({ text: 'select $1' }), bind(...parts), execute({}), sync());
    return (await client.until('Z')).slice(1, -1);
  };
  assert.deepEqual(await attempt({ values: ['1'] }), [
    'E 08P01 bind message supplies 1 parameters, but prepared statement "" requires 2',
  ]);
  assert.deepEqual(await attempt({ values: [Buffer.from([0, 0, 0, 9]), null] }), ['2', 'D 7', 'C SELECT 1']);
  assert.deepEqual(harness.engine.lastParams, [9, null]);
  assert.deepEqual(await attempt({ values: ['x', null] }), ['E 22P02 invalid input syntax for type integer: "x"']);
  assert.deepEqual(await attempt({ values: [Buffer.from([0, 0, 9]), null] }), [
    'E 08P01 insufficient data left in message',
  ]);
  assert.equal((await attempt({ values: ['1', 'a\0b'] }))[0].slice(0, 7), 'E 22021');
});

test('types that the client gives for parameters are kept', async () => {
  client.send(parse({ text: 'select $1', types: [OID.int8, 0] }), describe({ type: 'S' }), sync());
  assert.deepEqual(await client.until('Z'), ['1', 't 20 25', 'T p:23:0', 'Z I']);
});

test('a result in binary: Describe of the portal says so, of the statement not', async () => {
  client.send(
    parse({ text: 'select five' }),
    describe({ type: 'S' }),
    bind({ binary: true }),
    describe({ type: 'P' }),
    execute({ rows: 1 }),
    sync(),
  );
  const messages = await client.messagesUntil('Z');
  assert.deepEqual(messages.find(({ type }) => type === 'D')?.body, Buffer.from([0, 1, 0, 0, 0, 4, 0, 0, 0, 1]));
  const shown = messages.filter(({ type }) => type === 'T').map(({ body }) => body.readUInt16BE(body.length - 2));
  assert.deepEqual(shown, [0, 1]);
});

test('a statement whose columns have changed fails with 0A000; one that has not is planned again', async () => {
  client.send(parse({ name: 'a', text: 'select five' }), sync());
  await client.until('Z');
  harness.engine.catalogVersion++;
  const planned = harness.engine.prepares;
  client.send(bind({ statement: 'a' }), execute({ rows: 1 }), sync());
  assert.deepEqual(await client.until('Z'), ['2', 'D 1', 's', 'Z I']);
  assert.equal(harness.engine.prepares, planned + 1);
  harness.engine.catalogVersion++;
  harness.engine.rows('select five', { columns: [['n', OID.int8]], rows: [[1n]] });
  client.send(bind({ statement: 'a' }), execute({}), sync());
  assert.deepEqual(await client.until('Z'), ['E 0A000 cached plan must not change result type', 'Z I']);
  harness.engine.rows('select five', { columns: [['n', OID.int4]], rows: [[1], [2], [3], [4], [5]] });
});

test('an error at the commit of Sync is reported before ReadyForQuery', async () => {
  harness.engine.commitError = new SqlError('40001', 'could not serialize access');
  client.send(parse({ text: 'insert into t values (1)' }), bind({}), execute({}), sync());
  assert.deepEqual(await client.until('Z'), ['1', '2', 'C INSERT 0 1', 'E 40001 could not serialize access', 'Z I']);
});

test('settings, cursors and SHOW work in extended', async () => {
  client.send(
    parse({ text: 'set application_name = x' }),
    bind({}),
    execute({ rows: 1 }),
    parse({ text: 'show application_name' }),
    bind({}),
    describe({ type: 'P' }),
    execute({ rows: 1 }),
    sync(),
  );
  assert.deepEqual(await client.until('Z'), [
    '1',
    '2',
    'C SET',
    '1',
    '2',
    'T application_name:25:0',
    'D x',
    's',
    'S application_name=x',
    'Z I',
  ]);
});

test('FunctionCall is refused and the conversation stays in step', async () => {
  client.send(Buffer.from([0x46, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), serialize.query('select five'));
  assert.deepEqual(await client.until('Z'), ['E 0A000 fastpath function calls are not supported', 'Z I']);
  assert.equal((await client.until('Z')).length, 8);
});

test('65535 parameters', async () => {
  const types = new Array(65535).fill(OID.int4);
  harness.engine.command('insert into many', 'INSERT 0 65535', types);
  harness.engine.rows('select many', { columns: [['n', OID.int4]], rows: [], paramTypes: types });
  client.send(parse({ text: 'select many' }), bind({ values: types.map((_, i) => String(i)) }), execute({}), sync());
  assert.deepEqual(await client.until('Z'), ['1', '2', 'C SELECT 0', 'Z I']);
  assert.equal(harness.engine.lastParams[65534], 65534);
});
