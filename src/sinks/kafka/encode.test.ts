import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { batchFromRows } from '../../../operators/batch/builder.ts';
import { type Datum, decimal, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { colType, OID } from '../../../operators/types.ts';
import { type OutMessage, rowEncoder } from './encode.ts';
import { type Envelope, parseKafkaSinkOptions } from './options.ts';

const columns = [
  { name: 'id', type: colType(OID.int8) },
  { name: 'note', type: colType(OID.text) },
];

function encode(envelope: Envelope, key: number[] | null, rows: [Datum[], number][]): OutMessage[] {
  const arena = new Arena();
  const batch = batchFromRows(
    columns.map((c) => c.type),
    rows.map((r) => r[0]),
    arena,
    rows.map((r) => r[1]),
  );
  const messages = rowEncoder(
    { envelope, key, topic: 't', format: 'json', keyFormat: 'json', registry: null },
    columns,
  ).encode(7n, batch);
  arena.release();
  return messages;
}

test('values are exact', () => {
  const arena = new Arena();
  const typed: [string, number, Datum, string][] = [
    ['i', OID.int8, 9007199254740993n, '9007199254740993'],
    ['n', OID.numeric, decimal(1500n, 3), '1.500'],
    ['f', OID.float8, Number.NaN, '"NaN"'],
    ['b', OID.bytea, new Uint8Array([0, 255]), '"\\\\x00ff"'],
    ['t', OID.timestamp, 1n, '"2000-01-01T00:00:00.000001"'],
    ['z', OID.timestamptz, 0n, '"2000-01-01T00:00:00+00:00"'],
    ['j', OID.jsonb, '{"a": 1}', '{"a": 1}'],
    ['x', OID.text, 'q"\n é', '"q\\"\\n é"'],
    ['a', OID._int4, pgArray(OID.int4, [1, null]), '[1,null]'],
    ['e', OID.bool, null, 'null'],
  ];
  const batch = batchFromRows(
    typed.map(([, oid]) => colType(oid)),
    [typed.map((t) => t[2])],
    arena,
  );
  const named = typed.map(([name, oid]) => ({ name, type: colType(oid) }));
  const [message] = rowEncoder(
    { envelope: 'append', key: null, topic: 't', format: 'json', keyFormat: 'json', registry: null },
    named,
  ).encode(1n, batch);
  assert.equal(message.value, `{${typed.map(([name, , , text]) => `"${name}":${text}`).join(',')}}`);
  assert.equal(message.key, null);
  arena.release();
});

test('append: rows as often as they were added; a removal is an error', () => {
  const messages = encode(
    'append',
    [0],
    [
      [[1n, 'a'], 2],
      [[2n, null], 1],
    ],
  );
  assert.deepEqual(
    messages.map((m) => m.value),
    ['{"id":1,"note":"a"}', '{"id":1,"note":"a"}', '{"id":2,"note":null}'],
  );
  assert.equal(messages[2].key, '{"id":2}');
  assert.throws(
    () => encode('append', null, [[[1n, 'a'], -1]]),
    (e) => e instanceof SqlError && e.sqlstate === '0A000',
  );
});

test('upsert: the new row of a key, or a tombstone', () => {
  const messages = encode(
    'upsert',
    [0],
    [
      [[1n, 'new'], 1],
      [[2n, 'gone'], -1],
      [[1n, 'old'], -1],
    ],
  );
  assert.deepEqual(messages, [
    { key: '{"id":1}', value: '{"id":1,"note":"new"}' },
    { key: '{"id":2}', value: null },
  ]);
  const twice: [Datum[], number][] = [
    [[1n, 'a'], 1],
    [[1n, 'b'], 1],
  ];
  assert.throws(
    () => encode('upsert', [0], twice),
    (e) => e instanceof SqlError && e.sqlstate === '23505',
  );
});

test('debezium: before and after', () => {
  const rows: [Datum[], number][] = [
    [[1n, 'old'], -1],
    [[1n, 'new'], 1],
    [[2n, 'x'], 1],
    [[3n, 'y'], -1],
  ];
  assert.deepEqual(
    encode('debezium', [0], rows).map((m) => m.value),
    [
      '{"before":{"id":1,"note":"old"},"after":{"id":1,"note":"new"},"op":"u","tick":7}',
      '{"before":null,"after":{"id":2,"note":"x"},"op":"c","tick":7}',
      '{"before":{"id":3,"note":"y"},"after":null,"op":"d","tick":7}',
    ],
  );
});

test('options: envelope and key', () => {
  const given = { connector: 'kafka', brokers: 'a:1', topic: 't' };
  const parse = (more: Record<string, string>, key: number[] | null, appendOnly = true) =>
    parseKafkaSinkOptions({ ...given, ...more }, { columns, key, appendOnly });
  assert.equal(parse({}, null).envelope, 'append');
  assert.deepEqual(parse({}, [0]).key, [0]);
  assert.equal(parse({}, [0]).envelope, 'upsert');
  assert.deepEqual(parse({ key: 'note , id' }, [0]).key, [1, 0]);
  assert.equal(parse({ key: 'note' }, null).envelope, 'append');
  assert.equal(parse({ envelope: 'append' }, [0]).key, null);
  assert.equal(parse({}, [0], false).envelope, 'upsert');
  assert.deepEqual(parse({}, [], false).key, []);
  assert.equal(parse({ envelope: 'debezium' }, null, false).key, null);
  const refused = (more: Record<string, string>, key: number[] | null, sqlstate: string, appendOnly = true) => {
    assert.throws(
      () => parse(more, key, appendOnly),
      (e) => e instanceof SqlError && e.sqlstate === sqlstate,
      JSON.stringify(more),
    );
  };
  refused({ envelope: 'upsert' }, null, '22023');
  refused({ envelope: 'upsert', key: 'note' }, [0], '22023');
  refused({ envelope: 'upsert', key: 'note' }, null, '22023');
  refused({ envelope: 'debezium', key: 'note' }, null, '22023');
  refused({ key: 'note' }, [0], '22023', false);
  refused({ key: 'note' }, null, '22023', false);
  refused({ envelope: 'append' }, [0], '22023', false);
  refused({}, null, '22023', false);
  refused({ key: 'nope' }, null, '42703');
  assert.equal(parse({}, [0]).delivery, 'exactly_once');
  refused({ delivery: 'twice' }, [0], '22023');
  refused({ envelop: 'upsert' }, null, '22023');
});
