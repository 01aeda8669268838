/** Schemas and messages that are made to do harm, or are none: refused as any other bad message, soon and in little memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../operators/expr/functions/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { Schemas } from '../../registry/schemas.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { parseSchemas } from './schema.ts';
import { decoded } from './testing/decoded.ts';

const SCHEMA = `syntax = "proto3";
  import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/any.proto";
  message M { int64 n = 1; string s = 2; M m = 3; repeated int32 r = 4; map<string, M> p = 5; fixed32 f = 6; google.protobuf.Timestamp t = 7;
    google.protobuf.Duration d = 8; google.protobuf.Any a = 9; bool b = 10; uint64 u = 11; double x = 12; optional int32 o = 13; }`;

const bytes = (...parts: (number | string | Buffer)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part as string, 'latin1'))),
  );

/** What becomes of one message in one column: the value, or what is wrong. */
function read(name: string, type: ColType, message: Buffer, schema = SCHEMA): unknown {
  const [row] = decoded([columnOf(name, type)], { schema, message: 'M' }, [message]);
  return Array.isArray(row) ? row[0] : `${row.sqlstate} ${row.reason} (${row.column})`;
}

const int8 = colType(OID.int8);
const text = colType(OID.text);
const jsonb = colType(OID.jsonb);
const MANY = Buffer.alloc(9, 0xff);

test('malformed messages', () => {
  const bad = (message: Buffer, reason: string, name = 'n', type = int8) =>
    assert.equal(read(name, type, message), reason, message.toString('hex').slice(0, 60));
  const malformed = (why: string, column: string | null = null) =>
    `22P03 malformed Protobuf message: ${why} (${column})`;
  bad(bytes(8), malformed('it ends within a number'));
  bad(bytes(8, 0x80), malformed('it ends within a number'));
  bad(bytes(8, MANY, 0xff, 0), malformed('a number has more than ten bytes'));
  bad(bytes(0, 1), malformed('it has a field 0'));
  bad(bytes(4, 0, 0), malformed('it has a field 0'));
  bad(bytes(14), malformed('there is no wire type 6'));
  bad(bytes(15), malformed('there is no wire type 7'));
  bad(bytes(12), malformed('a group ends that has not begun: field 1'));
  bad(bytes(0x80, 0x80, 0x80, 0x80, 0x80, 1, 0), malformed('the number of a field has more than 32 bits'));
  bad(bytes(18, 5, 'abc'), malformed('it ends within a value of 5 bytes'));
  bad(bytes(18, 0xff, 0xff, 0xff, 0xff, 0x0f), malformed('it ends within a value of 4294967295 bytes'));
  bad(bytes(18, MANY, 1), malformed('it ends within a value of 18446744073709552000 bytes'));
  bad(bytes(53, 'abc'), malformed('it ends within a value of 4 bytes'));
  bad(bytes(0x61, 'abcdefg'), malformed('it ends within a value of 8 bytes'));
  bad(bytes(0xa3, 6, 8, 1), malformed('it ends within a number'));
  bad(bytes(0xa3, 6, 0xac, 6), malformed('a group ends as another one'));
  bad(bytes(10, 1, '1'), malformed('field "n" has wire type 2, and its type has 0'));
  bad(bytes(9, '12345678'), malformed('field "n" has wire type 1, and its type has 0'));
  bad(bytes(11, 12), malformed('field "n" has wire type 3, and its type has 0'));
  bad(bytes(0x22, 1, 0x80), malformed('it ends within a number', 'r'), 'r', colType(OID._int4));
  bad(bytes(18, 2, 0xc3, 0x28), '22021 invalid byte sequence for encoding "UTF8" (s)', 's', text);
  bad(bytes(18, 1, 0), '22021 invalid byte sequence for encoding "UTF8": 0x00 (s)', 's', text);
  bad(bytes(26, 3, 18, 1, 0xff), '22021 invalid byte sequence for encoding "UTF8" (m)', 'm', jsonb);
  bad(
    bytes(58, 6, 16, 0x80, 0x94, 0xeb, 0xdc, 3),
    '22008 timestamp out of range: 1000000000 nanoseconds (t)',
    't',
    colType(OID.timestamptz),
  );
  bad(
    bytes(58, 10, 8, MANY.subarray(0, 8), 0x7f),
    '22008 timestamp out of range: 9223372036854775807000000 microseconds since 1970 (t)',
    't',
    colType(OID.timestamptz),
  );
  bad(
    bytes(66, 13, 8, 1, 16, MANY, 1),
    '22008 duration out of range: 1 seconds, -1 nanoseconds (d)',
    'd',
    colType(OID.interval),
  );
  bad(bytes(0x58, MANY, 1), '22003 value "18446744073709551615" is out of range for type bigint (u)', 'u', int8);
});

test('what looks odd and is right', () => {
  const good = (message: Buffer, value: unknown, name = 'n', type = int8) =>
    assert.deepEqual(read(name, type, message), value);
  good(bytes(8, MANY, 0x7f), -1n);
  good(bytes(8, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), 1n);
  good(bytes(0x88, 0x80, 0x80, 0x80, 0, 7), 7n);
  good(bytes(8, 1, 8, 2), 2n);
  good(bytes(0xa3, 6, 0xab, 6, 0xac, 6, 0xa4, 6, 8, 3), 3n);
  good(bytes(0xfd, 0xff, 0xff, 0xff, 0x0f, 'abcd', 8, 4), 4n);
  good(bytes(0x50, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), true, 'b', colType(OID.bool));
  good(bytes(0x68, 0x81, 0x80, 0x80, 0x80, 0x20), 1, 'o', colType(OID.int4));
  good(bytes(58, 0, 58, 2, 8, 1), -946684799000000n, 't', colType(OID.timestamptz));
  good(bytes(0x4a, 6, 10, 1, 'x', 18, 1, 'y'), '{"@type": "x", "value": "eQ=="}', 'a', jsonb);
});

test('schemas that are none', () => {
  const refused = (...texts: string[]) => {
    assert.throws(() => parseSchemas(texts), { sqlstate: '22P03', message: /^the Protobuf schema cannot be used: / });
  };
  refused('message M {');
  refused('{"type":"record"}');
  refused('syntax = "proto9"; message M {}');
  refused('message M { optional Other o = 1; }');
  refused('message M { optional int32 a = 1; optional int32 b = 1; }');
  refused('message M {}', 'message M {}');
  refused(' '.repeat(5e6));
  refused(`message M { ${'optional int32 a = 1;'.repeat(20_000)} }`);
  refused(`message M {${' message M {'.repeat(50_000)}`);
  refused(`${'message M { '.repeat(20_000)}${'}'.repeat(20_000)}`);
});

test('schemas with more than reading needs', () => {
  const fieldsOf = (...texts: string[]) =>
    parseSchemas(texts)
      .at([0])
      ?.fields.map(({ name }) => name);
  const options = `syntax = "proto3"; package my; import "google/protobuf/descriptor.proto";
    message Rule { bool pii = 1; } extend google.protobuf.FieldOptions { Rule rule = 50001; }`;
  const user = `syntax = "proto3"; import "my.proto"; import "confluent/meta.proto"; option java_package = "x";
    // A comment }
    message M { /* { */ string a = 1 [(my.rule) = { pii: true }, (v.rules).string.min_len = 3, (x.y) = { in: [1, 2] }, json_name = "A"]; reserved 5 to max; }
    service S { rpc Get(M) returns (stream M) { option (http) = { get: "/v1" }; } }`;
  assert.deepEqual(fieldsOf(options, user), ['a']);
  assert.deepEqual(
    fieldsOf('message M { optional int32 a = 1; extensions 100 to max; } extend M { optional string b = 101; }'),
    ['a'],
  );
  assert.deepEqual(fieldsOf('edition = "2024"; message M { string a = 1; }'), ['a']);
  const schema = parseSchemas(['syntax = "proto3"; package a; message M { message N {} } enum E { A = 0; }']);
  assert.deepEqual(
    ['', '.', 'a', 'a.M', 'a.M.N', 'a.E', '__proto__', 'constructor'].map((name) => schema.named(name)?.name),
    [undefined, undefined, undefined, 'a.M', 'a.M.N', undefined, undefined, undefined],
  );
});

test('which message of the schema it is', () => {
  const schemas = new Schemas();
  schemas.add(7, {
    texts: [
      'syntax = "proto3"; package lib; message First { int32 n = 1; }',
      `syntax = "proto3"; package own; import "lib.proto"; message A { int32 n = 2; map<string, string> m = 9; message B { int32 n = 3; } message C { lib.First f = 4; int32 n = 5; } }
       message D { int32 n = 6; }`,
    ],
  });
  schemas.add(8, { missing: 'the schema registry has no schema 8' });
  const head = (id: number, ...path: number[]) => bytes(0, 0, 0, 0, id, ...path);
  const rows = decoded(
    [columnOf('n', colType(OID.int4))],
    { schema: null, message: null },
    [
      bytes(head(7, 0), 16, 1),
      bytes(head(7, 2, 0), 16, 2),
      bytes(head(7, 2, 2), 48, 3),
      bytes(head(7, 4, 0, 0), 24, 4),
      bytes(head(7, 4, 0, 2), 40, 5),
      bytes(head(7, 0x80, 0), 16, 6),
      head(7, 0),
      head(7, 2, 4),
      head(7, 4, 2, 0),
      head(7, 1),
      head(7),
      head(7, 0xff, 0xff, 0x03),
      head(8, 0),
      bytes(1, 2, 3),
      bytes(0),
    ],
    schemas,
  );
  assert.deepEqual(
    rows.map((row) => (Array.isArray(row) ? row[0] : row.reason)),
    [
      ...[1, 2, 3, 4, 5, 6, 0],
      'schema 7 of the registry has no message 2',
      'schema 7 of the registry has no message 1,0',
      'malformed Protobuf message: it does not say which message of the schema it is',
      'malformed Protobuf message: it ends within a number',
      'malformed Protobuf message: it does not say which message of the schema it is',
      'the schema registry has no schema 8',
      'the message does not begin with a zero byte and a schema id',
      'the message does not begin with a zero byte and a schema id',
    ],
  );
});
