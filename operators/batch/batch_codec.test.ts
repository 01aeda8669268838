/** Random batches of every type survive the trip through bytes; damaged bytes never read past their end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Datum, decimal, interval } from '../datum.ts';
import { colType, OID } from '../types.ts';
import { Arena } from './arena.ts';
import { decodeBatch, encodeBatch, encodedSize } from './batch_codec.ts';
import { BatchBuilder, batchFromRows, emptyBatch, readRow, weightOf } from './builder.ts';

const values: [number, fc.Arbitrary<Datum>][] = [
  [OID.bool, fc.boolean()],
  [OID.int4, fc.integer()],
  [OID.oid, fc.nat()],
  [OID.int8, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [OID.float8, fc.double()],
  [
    OID.numeric,
    fc.tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(30)).map(([m, s]) => decimal(m, s)),
  ],
  [
    OID.interval,
    fc.tuple(fc.integer(), fc.integer(), fc.integer()).map(([months, days, us]) => interval(months, days, BigInt(us))),
  ],
  [OID.uuid, fc.uuid()],
  [OID.text, fc.string({ unit: 'binary', maxLength: 40 })],
  [OID.bytea, fc.uint8Array({ maxLength: 40 })],
  [
    OID._int4,
    fc
      .array(fc.option(fc.integer()), { minLength: 1 })
      .map((items) => ({ k: 'array', elem: OID.int4, dims: [items.length], lower: [1], items })),
  ],
];
const types = values.map(([oid], i) => colType(oid, i % 3 === 0 ? 20 : -1));
const row = fc.tuple(...values.map(([, value]) => fc.option(value, { freq: 4 })));

test('rows and weights come back', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), fc.boolean(), (rows, plain) => {
      const arena = new Arena();
      const weights = rows.map((_, i) => (plain ? 1 : (i % 5) - 2));
      const batch = batchFromRows(types, rows, arena, weights);
      const bytes = encodeBatch(batch);
      assert.equal(bytes.length, encodedSize(batch));
      const back = decodeBatch(bytes, arena);
      assert.equal(back.n, rows.length);
      assert.deepEqual(
        back.columns.map((c) => c.type),
        types,
      );
      for (let i = 0; i < rows.length; i++) {
        assert.deepEqual(readRow(back, i), readRow(batch, i));
        assert.equal(weightOf(back, i), weights[i]);
      }
      // Bytes depend on values, not on where they lie.
      assert.deepEqual(encodeBatch(back), bytes);
      arena.release();
    }),
  );
});

test('columns that were not read stay away', () => {
  const arena = new Arena();
  const { columns, weights } = batchFromRows([colType(OID.int4)], [[7], [8]], arena);
  const holed = { n: 2, columns: [undefined, columns[0], undefined] as never, weights };
  const back = decodeBatch(encodeBatch(holed), arena);
  assert.equal(back.columns.length, 3);
  assert.equal(back.columns[0], undefined);
  assert.equal(back.columns[2], undefined);
  assert.equal(encodeBatch(emptyBatch([colType(OID.text)])).length, encodedSize(emptyBatch([colType(OID.text)])));
  arena.release();
});

test('cut bytes are an error at every length', () => {
  const arena = new Arena();
  const builder = new BatchBuilder([colType(OID.text), colType(OID.numeric)], arena);
  builder.pushDatums(['a long text of more than twelve bytes', decimal(10n ** 30n, 2)], -1);
  builder.pushDatums([null, decimal(5n, 0)], 1);
  const bytes = encodeBatch(builder.build());
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeBatch(Buffer.from(bytes.subarray(0, length)), arena), /damaged/);
  arena.release();
});
