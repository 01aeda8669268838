/**
 * Random schemas, columns and messages: what protobufjs makes of the bytes is what we make of them as JSON; and generated readers give what the exact one
 * gives, for good bytes, for those that are mixed, repeated and merged, and for damaged ones.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import '../../../operators/expr/functions/index.ts';
import { Random, testSeed, times } from '../../../operators/testing/property.ts';
import { colType, OID } from '../../../operators/types.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { decoded } from './testing/decoded.ts';

const { toJson, fromJson } = createRequire(import.meta.url)(
  'protobufjs/ext/protojson.js',
) as typeof import('protobufjs/ext/protojson.js');
const Long = protobuf.util.Long as unknown as { fromString(text: string, unsigned?: boolean): unknown };

const seed = testSeed();

const KINDS = [
  'double',
  'float',
  'int32',
  'sint32',
  'uint32',
  'fixed32',
  'sfixed32',
  'int64',
  'sint64',
  'uint64',
  'fixed64',
  'sfixed64',
  'bool',
  'string',
  'bytes',
] as const;
const OTHERS = ['Color', 'Inner', 'google.protobuf.Timestamp', 'google.protobuf.Int64Value', 'google.protobuf.Value'];
const KEYS = ['int32', 'sint64', 'fixed32', 'bool', 'string'];
const NUMBERS = [1, 2, 3, 5, 15, 16, 17, 200, 2047, 2048, 70_000, 536_870_911];
const COLUMNS = [
  'bool',
  'int2',
  'int4',
  'int8',
  'float4',
  'float8',
  'numeric',
  'text',
  'varchar',
  'bytea',
  'jsonb',
  'timestamptz',
  'timestamp',
  '_int4',
  '_text',
  '_jsonb',
] as const;

interface Kind {
  name: string;
  label: 'singular' | 'optional' | 'repeated' | 'map' | 'oneof';
  type: string;
  key: string;
  number: number;
}

/** proto2 or proto3: fields of any kind, numbers in any order. */
function schemaOf(random: Random): { text: string; fields: Kind[] } {
  const isOld = random.below(4) === 0;
  const fields = NUMBERS.filter(() => random.below(3) > 0).map((number, i): Kind => {
    const label = random.pick(['singular', 'singular', 'optional', 'repeated', 'map', 'oneof'] as const);
    const type = random.below(3) > 0 ? random.pick(KINDS) : random.pick(OTHERS);
    return {
      name: `f${i}`,
      label: isOld && label === 'singular' ? 'optional' : label,
      type,
      key: random.pick(KEYS),
      number,
    };
  });
  const declared = (label: Kind['label']) =>
    fields
      .filter((field) => field.label === label)
      .map(({ name, type, key, number }) => {
        const packed =
          KINDS.indexOf(type as never) < 13 || type === 'Color'
            ? random.pick(['', ' [packed = false]', ' [packed = true]'])
            : '';
        if (label === 'map') return `map<${key}, ${type}> ${name} = ${number};`;
        if (label === 'repeated') return `repeated ${type} ${name} = ${number}${packed};`;
        return `${label === 'optional' ? 'optional ' : ''}${type} ${name} = ${number};`;
      })
      .join('\n');
  const oneof = declared('oneof');
  const text = `syntax = "proto${isOld ? 2 : 3}";
    import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
    enum Color { RED = 0; GREEN = 1; BLUE = -3; }
    message Inner { ${isOld ? 'optional' : ''} int32 a = 1; repeated string b = 2; optional Inner c = 3; }
    message M { ${(['singular', 'optional', 'repeated', 'map'] as const).map(declared).join('\n')} ${oneof === '' ? '' : `oneof one { ${oneof} }`} }
    message Top { optional M m = 1; }`;
  return { text, fields };
}

const LONGS = [
  '0',
  '1',
  '-1',
  '127',
  '128',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
];

function scalarOf(type: string, random: Random): unknown {
  switch (type) {
    case 'double':
    case 'float':
      return random.pick([0, 1.5, -0.25, 1e10, Number.NaN, Number.NEGATIVE_INFINITY, 3.5]);
    case 'bool':
      return random.below(2) === 0;
    case 'string':
      return random.pick([
        '',
        'a',
        'é "quoted"',
        '1',
        'a longer text that lies elsewhere',
        '😀',
        '{"a":1}',
        '2026-01-01',
      ]);
    case 'bytes':
      return Buffer.from(random.pick(['', 'ab', '\0ÿ longer than what is inline']), 'latin1');
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return Long.fromString(random.pick(LONGS));
    case 'uint64':
    case 'fixed64':
      return Long.fromString(random.pick(['0', '1', '300', '18446744073709551615']), true);
    case 'uint32':
    case 'fixed32':
      return random.pick([0, 1, 300, 4294967295]);
    case 'Color':
      return random.pick([0, 1, -3]);
    case 'Inner':
      return random.pick([{}, { a: -7 }, { b: ['', 'x'] }, { a: 1, c: { c: { a: 2 } } }]);
    case 'google.protobuf.Timestamp':
      return random.pick([
        {},
        { seconds: 1767225600, nanos: 123456789 },
        { seconds: -1, nanos: 5000 },
        { seconds: 253402300799 },
      ]);
    case 'google.protobuf.Int64Value':
      return random.pick([{}, { value: 5 }, { value: Long.fromString('-9007199254740993') }]);
    case 'google.protobuf.Value':
      return random.pick([
        { nullValue: 0 },
        { numberValue: 1.5 },
        { stringValue: 'v' },
        { listValue: { values: [{ boolValue: true }] } },
      ]);
    default:
      return random.pick([0, 1, -1, 300, 32768, -40000, 2147483647, -2147483648]);
  }
}

function messageOf(fields: Kind[], random: Random): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  const members = fields.filter(({ label }) => label === 'oneof');
  const chosen = members.length === 0 ? null : random.pick(members);
  for (const field of fields) {
    const { name, label, type, key } = field;
    if (random.below(4) === 0 || (label === 'oneof' && field !== chosen)) continue;
    if (label === 'repeated') message[name] = Array.from({ length: random.below(4) }, () => scalarOf(type, random));
    else if (label === 'map') {
      const keys = key === 'bool' ? ['true'] : key === 'string' ? ['', 'k'] : ['0', '7'];
      message[name] = Object.fromEntries(keys.map((one) => [one, scalarOf(type, random)]));
    } else message[name] = scalarOf(type, random);
  }
  return message;
}

const wrapped = (type: protobuf.Type, bytes: Uint8Array): Buffer =>
  Buffer.concat([type.encode({}).finish(), Buffer.from(protobuf.Writer.create().uint32(10).bytes(bytes).finish())]);

test('as JSON messages are what protobufjs says', () => {
  const random = new Random(seed);
  for (let round = 0; round < times(100); round++) {
    const { text, fields } = schemaOf(random);
    const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
    for (const file of ['timestamp', 'wrappers', 'struct']) {
      const nested = protobuf.common.get(`google/protobuf/${file}.proto`)?.nested;
      assert.ok(nested);
      root.addJSON(nested);
    }
    root.resolveAll();
    const type = root.lookupType('M');
    const bodies = Array.from({ length: 6 }, () => {
      const once = type.encode(messageOf(fields, random)).finish();
      // Merged with another one.
      return random.below(3) === 0 ? Buffer.concat([once, type.encode(messageOf(fields, random)).finish()]) : once;
    });
    const messages = bodies.map((body) => wrapped(root.lookupType('Top'), body));
    const read = decoded([columnOf('m', colType(OID.text))], { schema: text, message: 'Top' }, messages);
    bodies.forEach((body, i) => {
      const row = read[i];
      assert.ok(Array.isArray(row), `${JSON.stringify(row)} in ${text}`);
      // Without fields that are zero, which are not in the JSON that it makes.
      const said = toJson(type, fromJson(type, JSON.parse(row[0] as string)));
      const expected = toJson(type, type.decode(body));
      assert.deepEqual(said, expected, `round ${round}: ${text} ${body.toString('hex')}`);
    });
  }
});

test('generated readers give what the exact one does', () => {
  const random = new Random(seed + 1);
  for (let round = 0; round < times(300); round++) {
    const { text, fields } = schemaOf(random);
    const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
    for (const file of ['timestamp', 'wrappers', 'struct'])
      root.addJSON(protobuf.common.get(`google/protobuf/${file}.proto`)?.nested ?? {});
    const type = root.lookupType('M');
    const parts = Array.from({ length: 8 }, () => Buffer.from(type.encode(messageOf(fields, random)).finish()));
    const messages = Array.from({ length: 24 }, () => {
      const made = Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => random.pick(parts)));
      if (made.length === 0 || random.below(2) === 0) return made;
      const damaged = Buffer.from(made);
      for (let n = random.below(3); n >= 0; n--) damaged[random.below(made.length)] = random.below(256);
      return random.below(3) === 0 ? damaged.subarray(0, random.below(made.length)) : damaged;
    });
    const columns = fields
      .filter(() => random.below(4) > 0)
      .map(({ name }) => columnOf(name, colType(OID[random.pick(COLUMNS)]), random.below(12) === 0));
    columns.push(columnOf('absent', colType(OID.int4)));
    decoded(columns, { schema: text, message: 'M' }, messages);
  }
});
