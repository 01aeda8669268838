/** What a JSON field means, compared with json_populate_record of a real PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { parseJson } from '../../../operators/expr/json/parse.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { datumOfJson } from './value.ts';

const VARHDRSZ = 4;
const TYPES: [string, ColType][] = [
  ['bool', colType(OID.bool)],
  ['int2', colType(OID.int2)],
  ['int4', colType(OID.int4)],
  ['int8', colType(OID.int8)],
  ['float4', colType(OID.float4)],
  ['float8', colType(OID.float8)],
  ['numeric', colType(OID.numeric)],
  ['numeric(8,3)', colType(OID.numeric, makeNumericTypmod(8, 3))],
  ['text', colType(OID.text)],
  ['varchar(5)', colType(OID.varchar, VARHDRSZ + 5)],
  ['json', colType(OID.json)],
  ['jsonb', colType(OID.jsonb)],
  ['bytea', colType(OID.bytea)],
  ['date', colType(OID.date)],
  ['time', colType(OID.time)],
  ['timestamp', colType(OID.timestamp)],
  ['timestamptz', colType(OID.timestamptz)],
  ['interval', colType(OID.interval)],
  ['uuid', colType(OID.uuid)],
  ['int4[]', colType(OID._int4)],
  ['text[]', colType(OID._text)],
];

const VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '-1',
  '1.0',
  '1.5',
  '2.5',
  '1e3',
  '1E-2',
  '32768',
  '2147483648',
  '9223372036854775807',
  '9223372036854775808',
  '12345.6785',
  '9999.9995',
  '1e5',
  '12345.67',
  '1e400',
  '1e-400',
  '3.4028236e38',
  '""',
  '" "',
  '"t"',
  '"yes"',
  '" 42 "',
  '"4.2"',
  '"NaN"',
  '"Infinity"',
  '"abc"',
  '"abcde "',
  '"abcdef"',
  '"\\u00e9\\ud83d\\ude00"',
  '"\\u0000"',
  '"\\ud83d"',
  '"a\\nb"',
  '"\\\\xff00"',
  '"2026-02-28"',
  '"2026-02-29"',
  '"2026-02-28 23:59:59.9999999"',
  '"2026-02-28T01:02:03Z"',
  '"2026-02-28 01:02:03+05:30"',
  '"24:00:00"',
  '"12:34:56.789"',
  '"infinity"',
  '"1 day 02:00"',
  '"0123ABCD-0000-1111-2222-333344445555"',
  '"{1,2}"',
  '{}',
  '{"b": 1, "a": [2 ]}',
  '[]',
  '[1,2]',
  '[1, null]',
  '["a","b\\"c"]',
  '[[1,2],[3,4]]',
  '[[1],[2,3]]',
  '[[1],2]',
  '[{"a":1}]',
  '[true]',
  '[1.5]',
  '[[]]',
  '[[],[]]',
];

const show = (row: { a: string; missing: boolean }) => (row.missing ? null : row.a);

test('values of every type are those of PostgreSQL', { timeout: 60_000 }, async () => {
  const postgres = await PGlite.create();
  await postgres.exec("SET timezone = 'UTC'; SET extra_float_digits = 1");
  const ctx = defaultContext();
  const differences: string[] = [];
  for (const [i, [name, type]] of TYPES.entries()) {
    await postgres.exec(`CREATE TYPE r${i} AS (a ${name})`);
    for (const value of VALUES) {
      const isTime = type.oid === OID.timestamp || type.oid === OID.timestamptz;
      if (isTime && /^-?\d/.test(value)) continue;
      let expected: string | null;
      try {
        const query = `SELECT format('%s', (json_populate_record(NULL::r${i}, $1::json)).a) AS a, (json_populate_record(NULL::r${i}, $1::json)).a IS NULL AS missing`;
        expected = show((await postgres.query<{ a: string; missing: boolean }>(query, [`{"a":${value}}`])).rows[0]);
      } catch (error) {
        expected = `error ${(error as { code: string }).code}`;
      }
      let actual: string | null;
      try {
        const datum = datumOfJson(parseJson(value), value, type, ctx);
        actual = datum === null ? null : outputText(datum, type.oid, ctx);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        actual = `error ${error.sqlstate}`;
      }
      if (actual !== expected) differences.push(`${value} as ${name}: ${actual}, PostgreSQL ${expected}`);
    }
  }
  await postgres.close();
  assert.deepEqual(differences, []);
});
