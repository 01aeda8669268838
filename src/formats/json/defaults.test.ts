/** What rows have that is not in their message: defaults, properties of the record, and keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import { decimal } from '../../../operators/datum.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { DecoderSpec, SourceColumn } from '../format.ts';
import { decode, defaulted, NOW, rawOf, specOf } from '../testing/decoded_json.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { jsonDecoder } from './index.ts';

test('a missing field has its default, a null one is NULL', () => {
  const long = 'a text that is longer than a slot';
  const columns = [
    columnOf('id', colType(OID.int8)),
    defaulted(columnOf('t', colType(OID.text)), { k: 'const', v: long, t: colType(OID.text) }),
    defaulted(columnOf('n', colType(OID.numeric), true), { k: 'const', v: decimal(-150n, 2), t: colType(OID.numeric) }),
    defaulted(columnOf('at', colType(OID.timestamptz), true), NOW),
  ];
  const records = [
    { value: '{"id":1}' },
    { value: '{"id":2,"t":null,"n":7,"at":"2000-01-01T00:00:00.000001Z"}' },
    { value: '{"id":3,"t":"\\u0041"}' },
    { value: '{"id":4,"n":null}' },
    { value: '{"id":5,"at":null}' },
  ];
  const { rows, bad } = decode(specOf(columns), records, 77n);
  assert.deepEqual(rows, [
    [1n, long, decimal(-150n, 2), 77n],
    [2n, null, decimal(7n), 1n],
    [3n, 'A', decimal(-150n, 2), 77n],
  ]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['3 23502 n', '4 23502 at'],
  );
});

test('a default that fails fails the records that need it', () => {
  const int4 = colType(OID.int4);
  const constant = (v: number): Expr => ({ k: 'const', v, t: int4 });
  const zero: Expr = { k: 'call', fn: 'int4div(int4,int4)', args: [constant(1), constant(0)], t: int4, strict: true };
  const columns = [columnOf('id', int4), defaulted(columnOf('a', int4), zero)];
  const { rows, bad } = decode(specOf(columns, [0]), [{ value: '{"id":1}' }, { value: '{"id":2,"a":3}' }]);
  assert.deepEqual(rows, [[2]]);
  assert.deepEqual(bad, [{ index: 0, sqlstate: '22012', reason: 'division by zero', column: 'a' }]);
});

test('one decoder gives the default of each clock', () => {
  const arena = new Arena();
  const columns = [columnOf('id', colType(OID.int4)), defaulted(columnOf('at', colType(OID.timestamptz)), NOW)];
  const out = new BatchBuilder(
    columns.map((c) => c.type),
    arena,
    2,
  );
  const decoder = jsonDecoder(specOf(columns));
  const raw = rawOf([{ value: '{"id":1}' }, { value: '{"id":2}' }]);
  for (const [from, to, now] of [
    [0, 1, 10n],
    [1, 2, 20n],
    [0, 2, 10n],
  ] as const)
    assert.deepEqual(decoder.decode(raw, from, to, out, now), []);
  const batch = out.build();
  assert.deepEqual(
    Array.from({ length: batch.n }, (_, i) => readRow(batch, i)),
    [
      [1, 10n],
      [2, 20n],
      [1, 10n],
      [2, 10n],
    ],
  );
  arena.release();
});

test('record properties', () => {
  const columns: SourceColumn[] = [
    { name: 'k', type: colType(OID.text), notNull: false, origin: { k: 'key' } },
    { name: 'p', type: colType(OID.int4), notNull: false, origin: { k: 'partition' } },
    { name: 'o', type: colType(OID.int8), notNull: false, origin: { k: 'offset' } },
    { name: 't', type: colType(OID.timestamptz), notNull: false, origin: { k: 'timestamp' } },
    { name: 'h', type: colType(OID.jsonb), notNull: false, origin: { k: 'headers' } },
    { name: 'kb', type: colType(OID.bytea), notNull: false, origin: { k: 'key' } },
  ];
  const headers = [
    { key: 'z', value: Buffer.from('1') },
    { key: 'a', value: null },
    { key: 'b', value: Buffer.from([255]) },
  ];
  const { rows, bad } = decode(specOf(columns), [
    { key: 'key', value: '{}', headers },
    { key: null, value: '{}' },
    { key: Buffer.from([255]), value: '{}' },
    { key: 'k', value: '{}', headers: [{ key: 'a\0', value: null }] },
    { key: 'k', value: '{}', time: 2 ** 62 },
    { key: 'k', value: '{}', time: 9_224_318_016_000_000 },
    { key: 'k', value: '{}', time: 9_224_318_015_999_998 },
    { key: 'k', value: '{}', time: -1 },
  ]);
  assert.deepEqual(rows, [
    ['key', 3, 100n, 5000n, '{"a": null, "b": "\\\\xff", "z": "1"}', new Uint8Array(Buffer.from('key'))],
    [null, 3, 101n, 5000n, '{}', null],
    ['k', 3, 106n, 9_223_371_331_199_998_000n, '{}', new Uint8Array(Buffer.from('k'))],
    ['k', 3, 107n, null, '{}', new Uint8Array(Buffer.from('k'))],
  ]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['2 22021 k', '3 22P05 h', '4 22008 t', '5 22008 t'],
  );
});

test('envelope upsert: keys from the record key, tombstones', () => {
  const columns = [columnOf('id', colType(OID.int8), true), columnOf('name', colType(OID.text), true)];
  const spec: DecoderSpec = { columns, needed: [0, 1], upsertKey: [0] };
  const { rows, weights, bad } = decode(spec, [
    { key: '{"id":1}', value: '{"id":99,"name":"a"}' },
    { key: '2', value: '{"name":"b"}' },
    { key: '"3"', value: null },
    { key: null, value: '{"name":"c"}' },
    { key: '{"id":1}', value: null },
    { key: 'x', value: '{"name":"d"}' },
    { key: '{"id":4}', value: '{}' },
  ]);
  assert.deepEqual(rows, [
    [1n, 'a'],
    [2n, 'b'],
    [3n, null],
    [1n, null],
  ]);
  assert.deepEqual(weights, [1, 1, -1, -1]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['3 23502 id', '5 22P02 id', '6 23502 name'],
  );
  const text: DecoderSpec = { columns: [columnOf('k', colType(OID.text), true)], needed: [0], upsertKey: [0] };
  assert.deepEqual(
    decode(text, [
      { key: 'plain', value: '{}' },
      { key: '"quoted"', value: '{}' },
    ]).rows,
    [['plain'], ['quoted']],
  );
});
