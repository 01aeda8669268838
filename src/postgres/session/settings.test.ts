import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serialize } from 'pg-protocol';
import { SqlError } from '../../../operators/errors.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import type { WireClient } from '../testing/wire_client.ts';
import { canonicalDateStyle } from './date_style.ts';
import { searchPathOf } from './session_context.ts';
import { settingDefinitions } from './setting_definitions.ts';
import { readSetting, showSetting } from './setting_value.ts';
import { Settings } from './settings.ts';
import { canonicalTimeZone } from './time_zone_setting.ts';

let harness: Harness;

before(async () => {
  harness = await startHarness();
});
after(() => harness.close());

function read(name: string, text: string): string {
  const definition = settingDefinitions().get(name.toLowerCase());
  assert.ok(definition);
  return showSetting(definition, readSetting(definition, text, definition.boot));
}

function failure(name: string, text: string): string {
  try {
    read(name, text);
  } catch (cause) {
    if (cause instanceof SqlError) return `${cause.sqlstate} ${cause.message}`;
    throw cause;
  }
  return 'no error';
}

test('values: booleans, units, enums', () => {
  assert.deepEqual(
    ['on', 'TRUE', 'y', '1', 'off', 'no', 'f', '0'].map((text) => read('default_transaction_read_only', text)),
    ['on', 'on', 'on', 'on', 'off', 'off', 'off', 'off'],
  );
  assert.equal(
    failure('default_transaction_read_only', 'o'),
    '22023 parameter "default_transaction_read_only" requires a Boolean value',
  );
  const timeouts = ['0', '1', '999', '1000', '1.5s', '90s', '2min', '36h', '0x10'];
  assert.deepEqual(
    timeouts.map((text) => read('statement_timeout', text)),
    ['0', '1ms', '999ms', '1s', '1500ms', '90s', '2min', '36h', '16ms'],
  );
  assert.deepEqual(
    ['4096', '4MB', '1GB', '100kB'].map((text) => read('work_mem', text)),
    ['4MB', '4MB', '1GB', '100kB'],
  );
  assert.equal(
    failure('statement_timeout', '1 parsec'),
    '22023 invalid value for parameter "statement_timeout": "1 parsec"',
  );
  assert.equal(
    failure('statement_timeout', '-1'),
    '22023 -1 ms is outside the valid range for parameter "statement_timeout" (0 ms .. 2147483647 ms)',
  );
  assert.equal(read('IntervalStyle', 'ISO_8601'), 'iso_8601');
  assert.equal(failure('IntervalStyle', 'x'), '22023 invalid value for parameter "IntervalStyle": "x"');
});

test('DateStyle keeps the part that is not named', () => {
  assert.equal(canonicalDateStyle('sql', 'ISO, DMY'), 'SQL, DMY');
  assert.equal(canonicalDateStyle('European', 'ISO, MDY'), 'ISO, DMY');
  assert.equal(canonicalDateStyle('German', 'ISO, MDY'), 'German, DMY');
  assert.equal(canonicalDateStyle('ISO, YMD', 'SQL, DMY'), 'ISO, YMD');
  assert.equal(canonicalDateStyle('ISO, SQL', 'SQL, DMY'), null);
  assert.equal(canonicalDateStyle('x', 'SQL, DMY'), null);
});

test('time zones', () => {
  assert.equal(canonicalTimeZone('europe/paris'), 'Europe/Paris');
  assert.equal(canonicalTimeZone('utc'), 'UTC');
  assert.equal(canonicalTimeZone('2'), '<+02>-02');
  assert.equal(canonicalTimeZone('-5.5'), '<-05:30>+05:30');
  assert.equal(canonicalTimeZone('<+02>-02'), '<+02>-02');
  assert.equal(canonicalTimeZone('Mars/Olympus'), null);
});

test('search_path', () => {
  assert.deepEqual(searchPathOf('"$user", public', 'me'), ['me', 'public']);
  assert.deepEqual(searchPathOf('A, "B ""c", pg_catalog', 'me'), ['a', 'B "c', 'pg_catalog']);
  assert.deepEqual(searchPathOf('""', 'me'), []);
});

async function query(client: WireClient, text: string): Promise<string[]> {
  client.send(serialize.query(text));
  return (await client.until('Z')).filter((line) => !line.startsWith('T'));
}

test('SET is undone with its transaction, SET LOCAL ends with it; each change is reported', async () => {
  const client = await harness.client();
  assert.deepEqual(await query(client, "set application_name = 'a'"), ['C SET', 'S application_name=a', 'Z I']);
  assert.deepEqual(await query(client, "begin; set application_name = 'b'; set local application_name = 'c'"), [
    'C BEGIN',
    'C SET',
    'C SET',
    'S application_name=c',
    'Z T',
  ]);
  assert.deepEqual(await query(client, 'commit'), ['C COMMIT', 'S application_name=b', 'Z I']);
  assert.deepEqual(await query(client, "begin; set application_name = 'd'"), [
    'C BEGIN',
    'C SET',
    'S application_name=d',
    'Z T',
  ]);
  assert.deepEqual(await query(client, 'rollback'), ['C ROLLBACK', 'S application_name=b', 'Z I']);
  assert.deepEqual(await query(client, "set application_name = 'e'; selekt"), [
    'E 42601 syntax error at or near "selekt"',
    'Z I',
  ]);
  assert.deepEqual(await query(client, "set application_name = 'e'; set nosuch = 1"), [
    'C SET',
    'E 42704 unrecognized configuration parameter "nosuch"',
    'Z I',
  ]);
  assert.deepEqual(await query(client, 'show application_name; reset application_name'), [
    'D b',
    'C SHOW',
    'C RESET',
    'S application_name=',
    'Z I',
  ]);
  assert.deepEqual(await query(client, 'set local timezone = 2'), [
    'N 25P01 SET LOCAL can only be used in transaction blocks',
    'C SET',
    'Z I',
  ]);
});

test('forms of SET and SHOW', async () => {
  const client = await harness.client();
  const show = async (set: string, name: string): Promise<string | undefined> =>
    (await query(client, `${set}; show ${name}`)).find((line) => line.startsWith('D'));
  assert.equal(await show("set time zone 'Asia/Tokyo'", 'time zone'), 'D Asia/Tokyo');
  assert.equal(await show('set time zone -3', 'timezone'), 'D <-03>+03');
  assert.equal(await show("set time zone interval '+00:00' hour to minute", 'timezone'), 'D <+00>-00');
  assert.equal(await show('set time zone local', 'timezone'), 'D UTC');
  assert.equal(await show('set search_path to a, "B c"', 'search_path'), 'D a, "B c"');
  assert.equal(await show('set search_path to default', 'search_path'), 'D "$user", public');
  assert.equal(await show("set names 'utf8'", 'client_encoding'), 'D UTF8');
  assert.equal(await show('set my.own to 5', 'my.own'), 'D 5');
  assert.equal(
    await show('set session characteristics as transaction read only', 'default_transaction_read_only'),
    'D on',
  );
  assert.equal(await show('set strict_errors = on', 'strict_errors'), 'D on');
  const errors: Record<string, string> = {
    'set server_version = 1': 'E 55P02 parameter "server_version" cannot be changed',
    'set port = 1': 'E 55P02 parameter "port" cannot be changed without restarting the server',
    'set client_encoding = latin1': 'E 22023 invalid value for parameter "client_encoding": "latin1"',
    'set timezone = nowhere': 'E 22023 invalid value for parameter "TimeZone": "nowhere"',
    'show nosuch': 'E 42704 unrecognized configuration parameter "nosuch"',
  };
  for (const [text, error] of Object.entries(errors)) assert.equal((await query(client, text))[0], error);
});

test('client_min_messages hides notices', async () => {
  const client = await harness.client();
  assert.deepEqual(await query(client, 'set client_min_messages = error; commit'), ['C SET', 'C COMMIT', 'Z I']);
});

test('what the catalog sees of a session', async () => {
  const client = await harness.client({ application_name: 'app' });
  await query(client, 'listen ch; prepare p(int) as insert into t values ($1)');
  const view = harness.server.session(client.pid);
  assert.ok(view);
  assert.equal(view.info().applicationName, 'app');
  assert.deepEqual(view.listeningChannels(), ['ch']);
  assert.equal(view.preparedStatements()[0].name, 'p');
  assert.equal(view.settings().find(({ name }) => name === 'application_name')?.source, 'client');
  assert.equal(harness.server.session(123456), null);
});

test('a value that is kept for statements follows SET, RESET and the ends of transactions', () => {
  const settings = new Settings();
  const name = 'search_path';
  const boot = settings.raw(name);
  assert.equal(settings.raw('my.own'), null);
  settings.set(name, 'a', false);
  settings.set('my.own', '1', false);
  assert.deepEqual([settings.raw(name), settings.raw('my.own')], ['a', '1']);
  settings.commit();
  const mark = settings.mark();
  settings.set(name, 'b', true);
  assert.equal(settings.raw(name), 'b');
  settings.rollbackTo(mark);
  assert.equal(settings.raw(name), 'a');
  settings.set(name, 'c', true);
  assert.equal(settings.raw(name), 'c');
  settings.commit();
  assert.equal(settings.raw(name), 'a');
  settings.reset(name);
  assert.equal(settings.raw(name), boot);
  settings.rollback();
  assert.equal(settings.raw(name), 'a');
  settings.setInitial('datestyle', 'ISO, DMY', 'client');
  assert.equal(settings.raw('datestyle'), 'ISO, DMY');
});
