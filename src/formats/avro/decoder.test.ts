/** Avro messages made by avsc, by random schemas: their values as JSON text, as columns, damaged ones; the generated readers against the exact one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow, weightOf } from '../../../operators/batch/builder.ts';
import '../../../operators/expr/functions/index.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { Random, testSeed, times } from '../../../operators/testing/property.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { Schemas } from '../../registry/schemas.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { BadRow, Decoder, DecoderSpec } from '../format.ts';
import { RowDecoder } from '../row_decoder.ts';
import { columnOf, framedBatch, inMemory } from '../testing/framed_batch.ts';
import { ExactReader } from './exact_reader.ts';
import { avroDecoder } from './index.ts';
import type { AvroOptions } from './options.ts';
import { anyKind, unionKind } from './testing/random_kinds.ts';

const FORM: AvroOptions = { registry: null, schema: null, key: 'avro' };
const CONTEXT = defaultContext();

const seed = testSeed();

/** avsc's long reads and writes numbers only. */
const bigLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const typeOf = (schema: unknown) =>
  avro.Type.forSchema(schema as avro.Schema, { wrapUnions: 'always', registry: { long: bigLong } });

function framed(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), body]);
}

function run(decoder: Decoder, spec: DecoderSpec, raw: RawBatch): { rows: unknown[]; bad: BadRow[]; anyNull: boolean } {
  const arena = new Arena();
  const out = new BatchBuilder(
    spec.needed.map((c) => spec.columns[c].type),
    arena,
    1,
  );
  const middle = Math.floor(raw.n / 2);
  const bad = decoder.decode(raw, 0, middle, out, 0n);
  let { anyNull } = decoder;
  bad.push(...decoder.decode(raw, middle, raw.n, out, 0n));
  anyNull ||= decoder.anyNull;
  const batch = out.build();
  const rows = Array.from({ length: batch.n }, (_, row) => [weightOf(batch, row), ...readRow(batch, row)]);
  arena.release();
  decoder.release();
  return { rows, bad, anyNull };
}

test('values of any type as JSON text', () => {
  const random = new Random(seed);
  for (let round = 0; round < 400; round++) {
    const kind = anyKind(random, 3);
    const schema = {
      type: 'record',
      name: 'Top',
      fields: [
        { name: 'v', type: { type: 'array', items: kind.schema } },
        { name: 'i', type: 'int' },
      ],
    };
    const schemas = new Schemas();
    schemas.add(1, { texts: [JSON.stringify(schema)] });
    const type = typeOf(schema);
    const made = Array.from({ length: 5 }, () => kind.make(random));
    const raw = framedBatch(made.map(({ value }, i) => ({ value: framed(1, type.toBuffer({ v: [value], i })) })));
    const columns = [columnOf('i', colType(OID.int4)), columnOf('v', colType(OID.json))];
    const spec = { columns, needed: [0, 1] };
    const { rows, bad } = run(avroDecoder(spec, FORM, schemas), spec, raw);
    const expected = made.map(({ json }, i) => [1, i, `[${json}]`]);
    assert.deepEqual({ rows, bad }, { rows: expected, bad: [] }, JSON.stringify(schema));
  }
});

const TYPES = [
  colType(OID.bool),
  colType(OID.int2),
  colType(OID.int4),
  colType(OID.int8),
  colType(OID.float4),
  colType(OID.float8),
  colType(OID.numeric),
  colType(OID.numeric, makeNumericTypmod(10, 2)),
  colType(OID.text),
  colType(OID.varchar),
  colType(OID.varchar, 7),
  colType(OID.bytea),
  colType(OID.date),
  colType(OID.time),
  colType(OID.timestamp),
  colType(OID.timestamptz),
  colType(OID.uuid),
  colType(OID.jsonb),
  colType(OID._text),
  colType(OID._int8),
];
/** What a scalar's column is likely to be: without it most messages would be bad. */
const LIKELY: Record<string, number[]> = {
  boolean: [0],
  int: [2, 3, 5, 6, 14, 15],
  long: [3, 3, 6, 15],
  float: [4],
  double: [5],
  bytes: [11],
  string: [8, 9],
  date: [12],
  'time-millis': [13],
  'time-micros': [13],
  'timestamp-millis': [14, 15],
  'timestamp-micros': [14, 15],
  'local-timestamp-millis': [14, 15],
  uuid: [16],
  decimal: [6, 7],
};

function likelyType(schema: unknown, random: Random): ColType {
  const one = Array.isArray(schema) ? random.pick(schema) : schema;
  const name = typeof one === 'string' ? one : ((one as { logicalType?: string })?.logicalType ?? '');
  // What is no scalar fits text and jsonb.
  const likely = LIKELY[name] ?? [8, 17];
  return TYPES[random.below(25) === 0 ? random.below(TYPES.length) : random.pick(likely)];
}

function damaged(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  switch (random.below(4)) {
    case 0:
      return copy.subarray(0, random.below(copy.length + 1));
    case 1:
      if (copy.length > 5)
        copy[5 + random.below(copy.length - 5)] = random.pick([0, 1, 2, 127, 128, 255, random.below(256)]);
      return copy;
    case 2:
      return Buffer.concat([copy, Buffer.from([random.below(256)])]);
    default: {
      const at = 5 + random.below(Math.max(1, copy.length - 5));
      const junk = Buffer.from(
        Array.from({ length: 1 + random.below(12) }, () => random.pick([255, 128, 0, random.below(256)])),
      );
      return Buffer.concat([copy.subarray(0, at), junk, copy.subarray(at)]);
    }
  }
}

test('generated readers give what the exact one does, for good and damaged messages', () => {
  const random = new Random(seed + 1);
  let good = 0;
  let wrong = 0;
  for (let round = 0; round < times(250); round++) {
    const schemas = new Schemas();
    const all = Array.from({ length: 6 }, (_, i) => ({
      name: `f${i}`,
      of: random.below(4) === 0 ? unionKind(random, 1) : anyKind(random, 1),
    }));
    // Each has some of the fields in an order of its own, and seldom one of another type.
    const writers = [1, 2].map((id) => {
      const fields = all
        .filter(() => random.below(4) > 0)
        .map((f) => (random.below(15) === 0 ? { ...f, of: anyKind(random, 1) } : f));
      if (random.below(2) === 0) fields.reverse();
      const schema = {
        type: 'record',
        name: `Top${id}`,
        fields: fields.map((f) => ({ name: f.name, type: f.of.schema })),
      };
      schemas.add(id, { texts: [JSON.stringify(schema)] });
      const type = typeOf(schema);
      return {
        schema,
        make: () => framed(id, type.toBuffer(Object.fromEntries(fields.map((f) => [f.name, f.of.make(random).value])))),
      };
    });
    schemas.add(3, { missing: 'none' });
    const columns = Array.from({ length: 6 }, (_, i) => {
      return columnOf(`f${i}`, likelyType(all[i].of.schema, random), random.below(12) === 0);
    }).filter(() => random.below(4) > 0);
    if (random.below(3) === 0) columns.push({ ...columnOf('o', colType(OID.int8)), origin: { k: 'offset' } });
    const upsertKey = random.below(4) === 0 ? [columns.push(columnOf('k', colType(OID.int4))) - 1] : undefined;
    const spec: DecoderSpec = {
      columns,
      needed: columns.flatMap((_, i) => (random.below(4) > 0 ? [i] : [])),
      upsertKey,
    };
    const records = Array.from({ length: 30 }, (): { key: Buffer; value: Buffer | null } => {
      const value = random.pick(writers).make();
      const form = random.below(12);
      return {
        key: Buffer.from(String(random.below(10) === 0 ? 'x' : random.below(100))),
        value: form === 0 ? null : form === 1 ? framed(3, value) : form < 5 ? damaged(value, random) : value,
      };
    });
    const form: AvroOptions = { ...FORM, key: 'json' };
    const arena = new Arena();
    // An id that nobody knows is never decoded.
    const elsewhere = framedBatch(
      records.map(({ key, value }) => {
        const isKnown = value === null || value.length < 5 || value[0] !== 0 || schemas.has(value.readUInt32BE(1));
        return { key, value: isKnown ? value : null };
      }),
    );
    const raw = random.below(2) === 0 ? inMemory(elsewhere, arena) : elsewhere;
    const expected = run(new RowDecoder(spec, new ExactReader(spec, form, schemas)), spec, raw);
    const label = `round ${round}: ${JSON.stringify({ writers: writers.map(({ schema }) => schema), columns })}`;
    const found = run(avroDecoder(spec, form, schemas), spec, raw);
    assert.deepEqual(found.rows, expected.rows, label);
    assert.deepEqual(found.bad, expected.bad, label);
    good += found.rows.length;
    wrong += found.bad.length;
    arena.release();
  }
  assert.ok(good > times(500) && wrong > times(500), `${good} good, ${wrong} bad`);
});

/** One message with a field `v` of the type, from bytes by hand. */
function read(type: unknown, body: number[] | Buffer, to = colType(OID.text)): string | null {
  const schemas = new Schemas();
  schemas.add(1, { texts: [JSON.stringify({ type: 'record', name: 'Top', fields: [{ name: 'v', type }] })] });
  const spec = { columns: [columnOf('v', to)], needed: [0] };
  const { rows, bad } = run(
    avroDecoder(spec, FORM, schemas),
    spec,
    framedBatch([{ value: framed(1, Buffer.from(body)) }]),
  );
  if (bad.length > 0) return `${bad[0].sqlstate} ${bad[0].reason} (${bad[0].column})`;
  const value = (rows[0] as Datum[])[1];
  return value === null ? null : outputText(value, to.oid, CONTEXT);
}

test('hostile messages are refused, soon', () => {
  const far = [255, 255, 255, 255, 255, 255, 255, 255, 127];
  const array = { type: 'array', items: 'null' };
  const empty = { type: 'record', name: 'Empty', fields: [] };
  const loop = { type: 'record', name: 'Loop', fields: [{ name: 'next', type: ['null', 'Loop'] }] };
  let bomb: unknown = 'null';
  for (let i = 0; i < 40; i++) {
    bomb = {
      type: 'record',
      name: `B${i}`,
      fields: [
        { name: 'a', type: bomb },
        { name: 'b', type: i === 0 ? 'null' : `B${i - 1}` },
      ],
    };
  }
  assert.match(read(array, [...far, 0]) ?? '', /claims more items/);
  assert.match(read({ type: 'array', items: empty }, [...far, 0]) ?? '', /claims more items/);
  assert.match(read({ type: 'array', items: 'int' }, [...far, 0]) ?? '', /ends within a number/);
  assert.match(read({ type: 'map', values: 'null' }, [2, ...far]) ?? '', /ends within a value|out of range/);
  assert.match(read('string', far) ?? '', /ends within a value|out of range/);
  assert.match(read('string', [1]) ?? '', /length is out of range/);
  assert.match(read('bytes', [3]) ?? '', /length is out of range/);
  assert.match(read('long', Array(11).fill(255)) ?? '', /more than 64 bits/);
  assert.match(read('int', [255, 255, 255, 255, 127]) ?? '', /more than 32 bits/);
  assert.match(read('boolean', [2]) ?? '', /no boolean/);
  assert.match(read(['null', 'int'], [4]) ?? '', /no choice 2/);
  assert.match(read(['null', 'int'], [1]) ?? '', /out of range/);
  assert.match(read({ type: 'enum', name: 'E', symbols: ['A'] }, [2]) ?? '', /no choice 1/);
  assert.match(read(loop, Array(5000).fill(2), colType(OID.json)) ?? '', /levels deep/);
  assert.match(read(bomb, [], colType(OID.json)) ?? '', /claims more items/);
  assert.match(read({ type: 'fixed', name: 'F', size: 1 << 30 }, [1]) ?? '', /ends within a value/);
  assert.match(read('string', [2, 0]) ?? '', /0x00/);
  assert.match(read('string', [2, 200]) ?? '', /invalid byte sequence/);
  assert.equal(read({ type: 'array', items: 'int' }, [3, 4, 2, 4, 0]), '[1,2]');
  assert.match(read({ type: 'array', items: 'int' }, [3, 6, 2, 4, 0]) ?? '', /not as long as it says|ends within/);
});

test('schemas as producers write them', () => {
  const inner = {
    type: 'record',
    name: 'In',
    fields: [{ name: 'a', type: { type: 'string', 'avro.java.string': 'String' } }],
  };
  assert.equal(read(inner, [2, 97]), '{"a":"a"}');
  assert.equal(
    read(
      { type: 'record', name: 'x.y-z.Odd-Name', fields: [{ name: 'a-b', type: ['string', 'null'], default: null }] },
      [2],
    ),
    '{"a-b":null}',
  );
  assert.equal(read({ type: 'bytes', logicalType: 'decimal', precision: 3, scale: 9 }, [2, 5]), '\\x05');
  assert.equal(read({ type: 'string', logicalType: 'date' }, [2, 97]), 'a');
  assert.equal(
    read({ type: 'fixed', name: 'D', size: 12, logicalType: 'duration' }, [1, 0, 0, 0, 2, 0, 0, 0, 232, 3, 0, 0]),
    '1 mon 2 days 00:00:01',
  );
  assert.equal(
    read({ type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, Array(16).fill(17)),
    '11111111-1111-1111-1111-111111111111',
  );
  assert.equal(read({ type: 'long', logicalType: 'timestamp-nanos' }, [1]), '1969-12-31 23:59:59.999999+00');
  assert.match(read('nowhere.Type', []) ?? '', /names the type "nowhere.Type"/);
  assert.match(read({ type: 'array' }, []) ?? '', /undefined is no type/);
});

test('values in columns of other types', () => {
  const ints = { type: 'array', items: ['null', 'int'] };
  const nested = { type: 'array', items: { type: 'array', items: 'long' } };
  assert.equal(read(ints, [6, 2, 2, 0, 2, 4, 0], colType(OID._int8)), '{1,NULL,2}');
  assert.equal(read(ints, [0], colType(OID._int8)), '{}');
  assert.equal(read(ints, [2, 2, 2, 0], colType(OID._text)), '{1}');
  assert.equal(read(nested, [4, 4, 2, 4, 0, 4, 6, 8, 0, 0], colType(OID._int4)), '{{1,2},{3,4}}');
  assert.match(read(nested, [4, 2, 2, 0, 4, 6, 8, 0, 0], colType(OID._int4)) ?? '', /22P02 malformed Avro array/);
  assert.equal(read(nested, [2, 2, 2, 0, 0], colType(OID.jsonb)), '[[1]]');
  assert.match(read(ints, [0], colType(OID.int4)) ?? '', /22P02.*integer: "\[\]" \(v\)/);
  assert.equal(read('string', [4, 49, 55], colType(OID.int4)), '17');
  assert.equal(read('long', [4], colType(OID.timestamp)), '1970-01-01 00:00:00.002');
  assert.equal(read('boolean', [1]), 'true');
  assert.match(read('boolean', [1], colType(OID.int4)) ?? '', /integer: "true"/);
  assert.match(read('long', [128, 128, 128, 128, 32], colType(OID.int4)) ?? '', /22003/);
  assert.equal(read({ type: 'long', logicalType: 'timestamp-millis' }, [0], colType(OID.date)), '1970-01-01');
  assert.equal(read('string', [4, 91, 93], colType(OID.json)), '[]');
  assert.match(read('string', [10, 104, 101, 108, 108, 111], colType(OID.json)) ?? '', /22P02/);
  assert.match(read('string', [10, 104, 101, 108, 108, 111], colType(OID.varchar, 7)) ?? '', /22001/);
  assert.equal(read('null', [], colType(OID.int4)), null);
});
