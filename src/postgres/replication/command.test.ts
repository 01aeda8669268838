import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { isReplicationCommand, nameList, replicationCommand } from './command.ts';
import { commitOf, endOf, lsnText, parseLsn, tickBefore } from './lsn.ts';

test('commands as PostgreSQL, its drivers and tools send them', () => {
  const start = replicationCommand(
    `START_REPLICATION SLOT "a ""b" LOGICAL 16/B374D848 (proto_version '1', publication_names '"p","q"', binary)`,
  );
  assert.deepEqual(start, {
    k: 'start',
    slot: 'a "b',
    from: 0x16b374d848n,
    options: new Map([
      ['proto_version', '1'],
      ['publication_names', '"p","q"'],
      ['binary', ''],
    ]),
  });
  assert.deepEqual(replicationCommand("CREATE_REPLICATION_SLOT s LOGICAL pgoutput (SNAPSHOT 'nothing');"), {
    k: 'create_slot',
    name: 's',
    temporary: false,
    plugin: 'pgoutput',
    snapshot: 'nothing',
  });
  const old = replicationCommand(' create_replication_slot "S" temporary logical pgoutput noexport_snapshot');
  assert.deepEqual(old, { k: 'create_slot', name: 'S', temporary: true, plugin: 'pgoutput', snapshot: 'nothing' });
  assert.deepEqual(replicationCommand('DROP_REPLICATION_SLOT s WAIT'), { k: 'drop_slot', name: 's' });
  assert.deepEqual(replicationCommand('IDENTIFY_SYSTEM'), { k: 'identify_system' });
  for (const sql of ['SELECT 1', 'identify', '-- IDENTIFY_SYSTEM', 'CREATE REPLICATION SLOT s'])
    assert.equal(isReplicationCommand(sql), false, sql);
});

const refused = (sqlstate: string, words: RegExp) => (error: unknown) =>
  error instanceof SqlError && error.sqlstate === sqlstate && words.test(error.message);

test('what is no command is refused where it goes wrong', () => {
  const cases: [sql: string, sqlstate: string, words: RegExp][] = [
    ['START_REPLICATION SLOT s LOGICAL', '42601', /end of input/],
    ['START_REPLICATION SLOT s LOGICAL now', '22P02', /pg_lsn: "now"/],
    ['START_REPLICATION SLOT s LOGICAL 0/0 (a', '42601', /end of input/],
    ['START_REPLICATION SLOT s LOGICAL 0/0 extra', '42601', /"extra"/],
    ['START_REPLICATION 0/0', '0A000', /physical/],
    ['START_REPLICATION SLOT s PHYSICAL 0/0', '0A000', /physical/],
    ['CREATE_REPLICATION_SLOT s PHYSICAL', '0A000', /physical/],
    ['CREATE_REPLICATION_SLOT s LOGICAL pgoutput (TWO_PHASE)', '0A000', /two_phase/],
    ["CREATE_REPLICATION_SLOT s LOGICAL pgoutput (SNAPSHOT 'all')", '42601', /snapshot/],
    ["CREATE_REPLICATION_SLOT 's", '42601', /'s/],
    ['TIMELINE_HISTORY 1', '0A000', /TIMELINE_HISTORY/],
  ];
  for (const [sql, sqlstate, words] of cases)
    assert.throws(() => replicationCommand(sql), refused(sqlstate, words), sql);
});

test('names in a list', () => {
  assert.deepEqual(nameList('"A",b , "c ""d"'), ['A', 'b', 'c "d']);
  assert.deepEqual(nameList('dbz-Publication,1a, größe'), ['dbz-publication', '1a', 'größe']);
  assert.deepEqual(nameList(' '), []);
  for (const text of ['a,', ',a', 'a,,b', '"', '""', '"a"b', 'a b', '"'.repeat(9999)])
    assert.throws(() => nameList(text), refused('42602', /publication_names/), text);
});

test('positions: a snapshot and what comes after it have every commit once', () => {
  for (const tick of [0n, 1n, 7n, 1n << 33n]) {
    assert.ok(commitOf(tick) < endOf(tick) && endOf(tick) < commitOf(tick + 1n));
    assert.equal(tickBefore(endOf(tick)), tick);
    assert.equal(tickBefore(commitOf(tick)), tick - 1n);
    assert.equal(parseLsn(lsnText(endOf(tick))), endOf(tick));
  }
  assert.equal(lsnText(0x16b374d848n), '16/B374D848');
  for (const text of ['', '1', '1/', 'g/1', '123456789/0']) assert.throws(() => parseLsn(text), SqlError, text);
});
