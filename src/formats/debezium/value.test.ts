/** What values of change events mean, by the schema beside them or by the column alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../operators/expr/functions/index.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { parseJson } from '../../../operators/expr/json/parse.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { schemaOf } from './field_schema.ts';
import { datumOfEvent } from './value.ts';

const ctx = defaultContext();

/** The value as text, or the SQLSTATE of its error. */
function read(json: string, type: ColType, schema?: object): string | null {
  const node = parseJson(json);
  try {
    const meaning = schema === undefined ? null : schemaOf(parseJson(JSON.stringify(schema)));
    const value = datumOfEvent(node, json, type, meaning, ctx);
    return value === null ? null : outputText(value, type.oid, ctx);
  } catch (error) {
    if (error instanceof SqlError) return error.sqlstate;
    throw error;
  }
}

const of = (oid: number, typmod = -1) => colType(oid, typmod);
const named = (type: string, name: string, parameters?: object) => ({ type, name, parameters });
const debezium = (kind: string, type = 'int64') => named(type, `io.debezium.time.${kind}`);
const connect = (kind: string, type = 'int64') => named(type, `org.apache.kafka.connect.data.${kind}`);
const decimal = (scale: number) => named('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: String(scale) });

test('times by the schema', () => {
  const cases: [string, ColType, object, string][] = [
    ['0', of(OID.date), debezium('Date', 'int32'), '1970-01-01'],
    ['-1', of(OID.date), debezium('Date', 'int32'), '1969-12-31'],
    ['19723', of(OID.date), connect('Date', 'int32'), '2024-01-01'],
    ['19723', of(OID.timestamp), debezium('Date', 'int32'), '2024-01-01 00:00:00'],
    ['1704067200123', of(OID.timestamp), debezium('Timestamp'), '2024-01-01 00:00:00.123'],
    ['1704067200123', of(OID.timestamp), connect('Timestamp'), '2024-01-01 00:00:00.123'],
    ['1704067200123456', of(OID.timestamp), debezium('MicroTimestamp'), '2024-01-01 00:00:00.123456'],
    ['1704067200123456789', of(OID.timestamp), debezium('NanoTimestamp'), '2024-01-01 00:00:00.123457'],
    ['-1', of(OID.timestamp), debezium('NanoTimestamp'), '1970-01-01 00:00:00'],
    ['-500', of(OID.timestamp), debezium('NanoTimestamp'), '1969-12-31 23:59:59.999999'],
    ['1704067200123456', of(OID.timestamptz), debezium('MicroTimestamp'), '2024-01-01 00:00:00.123456+00'],
    ['9223372036825200000', of(OID.timestamp), debezium('MicroTimestamp'), 'infinity'],
    ['-9223372036832400000', of(OID.timestamptz), debezium('MicroTimestamp'), '-infinity'],
    ['9223372036825200', of(OID.timestamp, 3), debezium('Timestamp'), 'infinity'],
    ['9223372036825199999', of(OID.timestamp), debezium('MicroTimestamp'), '294247-01-10 04:00:25.199999'],
    ['1704067200123456', of(OID.timestamp, 3), debezium('MicroTimestamp'), '2024-01-01 00:00:00.123'],
    ['-1', of(OID.date), debezium('MicroTimestamp'), '1969-12-31'],
    ['3661001', of(OID.time), debezium('Time', 'int32'), '01:01:01.001'],
    ['3661000001', of(OID.time), debezium('MicroTime'), '01:01:01.000001'],
    ['3661000001000', of(OID.time), debezium('NanoTime'), '01:01:01.000001'],
    ['86400000', of(OID.time), connect('Time', 'int32'), '24:00:00'],
    ['-1', of(OID.time), debezium('MicroTime'), '22008'],
    ['86400000001', of(OID.time), debezium('MicroTime'), '22008'],
    ['-3661000000', of(OID.interval), debezium('MicroTime'), '-01:01:01'],
    ['90000000000', of(OID.interval), debezium('MicroDuration'), '25:00:00'],
    ['9223372036854775808', of(OID.interval), debezium('MicroDuration'), '22008'],
    ['9223372036825200000', of(OID.timestamp), debezium('Timestamp'), '22008'],
    ['9e12', of(OID.date), debezium('Date', 'int32'), '22008'],
    ['"2024-01-01T00:00:00.5Z"', of(OID.timestamptz), debezium('ZonedTimestamp', 'string'), '2024-01-01 00:00:00.5+00'],
    ['"P1Y2M3DT4H5M6S"', of(OID.interval), debezium('Interval', 'string'), '1 year 2 mons 3 days 04:05:06'],
    // A column of another kind has the number as it is.
    ['1704067200123', of(OID.int8), debezium('Timestamp'), '1704067200123'],
    ['[0,null,1]', of(OID._date), { type: 'array', items: debezium('Date', 'int32') }, '{1970-01-01,NULL,1970-01-02}'],
  ];
  for (const [json, type, schema, expected] of cases)
    assert.equal(read(json, type, schema), expected, `${json} ${JSON.stringify(schema)}`);
});

test('times by the column', () => {
  const cases: [string, ColType, string][] = [
    ['19723', of(OID.date), '2024-01-01'],
    ['"2024-01-01"', of(OID.date), '2024-01-01'],
    ['1704067200123456', of(OID.timestamp), '2024-01-01 00:00:00.123456'],
    ['1704067200123456', of(OID.timestamp, 6), '2024-01-01 00:00:00.123456'],
    ['1704067200123', of(OID.timestamp, 3), '2024-01-01 00:00:00.123'],
    ['1704067200123', of(OID.timestamp, 0), '2024-01-01 00:00:00'],
    ['1704067200123', of(OID.timestamptz, 3), '2024-01-01 00:00:00.123+00'],
    ['3661000001', of(OID.time), '01:01:01.000001'],
    ['3661001', of(OID.time, 3), '01:01:01.001'],
    ['1000001', of(OID.interval), '00:00:01.000001'],
    ['[19723]', of(OID._date), '{2024-01-01}'],
  ];
  for (const [json, type, expected] of cases) {
    assert.equal(read(json, type), expected, json);
    // A schema without a meaning changes nothing.
    assert.equal(read(json, type, { type: 'int64' }), expected, json);
  }
});

test('numbers', () => {
  const numeric = of(OID.numeric);
  assert.equal(read('"MDk="', numeric, decimal(2)), '123.45');
  assert.equal(read('"AA=="', numeric, decimal(2)), '0.00');
  assert.equal(read('"/w=="', numeric, decimal(2)), '-0.01');
  assert.equal(read('"z8c="', numeric, decimal(2)), '-123.45');
  assert.equal(read('"AP8="', numeric, decimal(0)), '255');
  assert.equal(read('"Ag=="', numeric, decimal(-3)), '2000');
  assert.equal(read('"MDk="', of(OID.numeric, makeNumericTypmod(5, 1)), decimal(2)), '123.5');
  assert.equal(read('"MDk="', of(OID.text), decimal(2)), '123.45');
  assert.equal(read('"MDk="', of(OID.float8), decimal(2)), '123.45');
  assert.equal(read('"MDk="', of(OID.int8), decimal(0)), '12345');
  assert.equal(read('"MDk="', of(OID.int8), decimal(2)), '22P02');
  assert.equal(read('"MD"', numeric, decimal(2)), '22023');
  assert.equal(read('""', numeric, decimal(2)), '22P02');
  assert.equal(read('"MDk="', numeric, decimal(99_999)), '22003');
  assert.equal(read('"MDk="', numeric, named('bytes', 'org.apache.kafka.connect.data.Decimal')), '22003');
  const variable = named('struct', 'io.debezium.data.VariableScaleDecimal');
  assert.equal(read('{"scale":3,"value":"MDk="}', numeric, variable), '12.345');
  assert.equal(read('{"scale":3,"value":"MDk="}', numeric), '12.345');
  assert.equal(read('{"scale":3,"value":"MDk="}', of(OID.text), variable), '12.345');
  assert.equal(read('{"scale":1e9,"value":"MDk="}', numeric), '22003');
  assert.equal(read('{"scale":0.5,"value":"MDk="}', numeric), '22003');
  // Its digits are not even made: that would take minutes.
  assert.equal(read(`{"scale":0,"value":"${'MDkw'.repeat(4_000_000)}"}`, numeric), '22003');
  // decimal.handling.mode = string and double.
  assert.equal(read('"123.450"', numeric), '123.450');
  assert.equal(read('"NaN"', numeric, { type: 'string' }), 'NaN');
  assert.equal(read('123.45', numeric), '123.45');
  assert.equal(read('"NaN"', of(OID.float8), { type: 'double' }), 'NaN');
  // MySQL's BOOLEAN is a number.
  assert.equal(read('1', of(OID.bool), { type: 'int16' }), 't');
  assert.equal(read('"MDk="', numeric), '22P02');
});

test('bytes, JSON and texts', () => {
  const bytea = of(OID.bytea);
  assert.equal(read('"AP8="', bytea), '\\x00ff');
  assert.equal(read('"AP8="', bytea, { type: 'bytes' }), '\\x00ff');
  assert.equal(read('""', bytea), '\\x');
  assert.equal(read('"\\\\x00ff"', bytea), '\\x00ff');
  assert.equal(read('"AP8"', bytea), '22023');
  assert.equal(read('"A_8="', bytea), '22023');
  const json = named('string', 'io.debezium.data.Json');
  assert.equal(read('"{\\"a\\": [1, 2]}"', of(OID.jsonb), json), '{"a": [1, 2]}');
  assert.equal(read('"{\\"a\\":1}"', of(OID.jsonb)), '{"a": 1}');
  assert.equal(read('"no JSON"', of(OID.jsonb)), '22P02');
  assert.equal(read('{"a":1}', of(OID.jsonb)), '{"a": 1}');
  assert.equal(read('"a"', of(OID.text)), 'a');
  assert.equal(read('"AP8="', of(OID.text), { type: 'bytes' }), 'AP8=');
  assert.equal(read('["a","b"]', of(OID._text)), '{a,b}');
  assert.equal(read('[["AP8="]]', of(OID._bytea)), '{{"\\\\x00ff"}}');
  assert.equal(read('null', of(OID.text)), null);
});
