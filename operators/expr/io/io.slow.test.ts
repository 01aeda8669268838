/** Text and binary forms against PostgreSQL: what a literal becomes, and the bytes of the type's send function. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { colType, OID } from '../../types.ts';
import { literal, Oracle, outcome, report } from '../testing/oracle.ts';
import { castToText } from '../text/output.ts';
import { inputBinary, inputText, outputBinary, outputText } from './index.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const INTEGERS = [
  '0', '1', '-1', ' 12 ', '\t7\n', '+5', '-0', '0x1F', '0X_ff', '-0x80', '0o17', '0b101', '1_000', '1__0', '_1', '1_', '', ' ', '-', 'abc', '1.5', '1e3',
  '32767', '32768', '-32768', '-32769', '2147483647', '2147483648', '-2147483648', '-2147483649', '9223372036854775807', '9223372036854775808',
  '-9223372036854775808', '-9223372036854775809', '99999999999999999999', '0x', '0b2', '1 2', '００', '4294967295', '4294967296', '010', '0xFFFFFFFF',
]; // biome-ignore format: a table of inputs

const FLOATS = [
  '0', '-0', '1', '1.5', '.5', '5.', '1e10', '1E-5', '1e400', '-1e400', '1e-400', '1e-320', 'NaN', 'nan', '+nan', '-NaN', 'inf', '-inf', 'Infinity', '+Infinity', 'infinit',
  '1e', 'e1', '', ' ', '1 ', ' 1', '0x10', '0x1p4', '0x1.8p1', '1_000', '1.2.3', 'abc', '1e15', '123456789012345678', '0.0001', '0.00001', '3.4028236e38', '1e-46',
  '1.17549435e-38', '16777217', '9007199254740993', '0.1', '1e+20', '1e-7', '3.4028235e38', '8.5e37', '1000000', '999999', '100000000000000', '1e45', '0.3e-45', '0.8e-45',
]; // biome-ignore format: a table of inputs

const NUMERICS = [
  '0', '-0', '0.00', '-0.00', '1.10', ' 1 ', '1e5', '1e-5', '1.5e3', '1.23456e2', '1E+3', '.5', '5.', '.', '', 'NaN', 'nan', '+NaN', '-NaN', 'inf', '-inf', '+Infinity',
  'infinit', '0x1F', '0o7', '0b1', '1_0.0_1', '1_.0', '1._0', '1__0', '0x1.5', 'abc', '1e', '1e1_0', '1e-1_0', '1 2', '1e131072', '1e131071', '1e-16383', '1e-16384', '0e200000',
  '12345678901234567890.123456789', '1e2147483648', '00001.500', '--1', '+-1', '1e1073741823', '1e-1073741824', '0x', '-0x10',
]; // biome-ignore format: a table of inputs

const TEXTS = ['', 'a', "it's", 'é日😀', '  x  ', '\\', 'a'.repeat(70), 'é'.repeat(40)];

const INPUTS: Record<string, string[]> = {
  bool: ['t', 'f', 'true', 'FALSE', 'yes', 'no', 'y', 'n', 'on', 'off', 'of', 'o', '1', '0', '2', '', ' t ', 'tr', 'truee', 'x', 'ye', 'N'],
  int2: INTEGERS,
  int4: INTEGERS,
  int8: INTEGERS,
  // Beyond C's 32-bit long, and for a bare 0x, the outcome depends on the C library.
  oid: [...INTEGERS.filter((i) => i !== '-2147483649' && i !== '0x'), '08', '0x1g'],
  float4: FLOATS,
  float8: FLOATS,
  numeric: NUMERICS,
  text: TEXTS,
  name: TEXTS,
  '"char"': ['', 'a', 'ab', 'é', '\\001', '\\377', '\\400', '\\'],
  bytea: ['', '\\x', '\\xDEADbeef', '\\x0', '\\xzz', '\\x 01 02', '\\x0 1', 'abc', '\\\\', '\\000', '\\377x', '\\400', '\\', 'é', '\\1'],
  inet: ['127.0.0.1', '10.0.0.1/8', '10.1.2.3/32', '0.0.0.0/0', '::1', '::', '::ffff:1.2.3.4', '::1.2.3.4', '2001:db8::1/64', '1:0:0:2:0:0:0:3', '1::3:0:0:4',
    'fe80:0:0:0:0:0:0:1', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '0:0:0:0:0:1:2:3', '1:0:3:4:5:6:7:8', '256.1.1.1', '1.2.3', '', 'x', '1.2.3.4/33', '::/129', '1::2::3', '01.02.03.04', 'ABCD::EF'],
  cidr: ['10', '10.1', '10.1.2.0/24', '10.1.2.3', '10.1.2.3/24', '192.168', '224', '2001:db8::/32', '::1', '::/0', ''],
  macaddr: ['08:00:2b:01:02:03', '08002B010203', '0800.2b01.0203', '1:2:3:4:5:6', 'x', ''],
  macaddr8: ['08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03', '08002B0102030405', 'x', ''],
  'numeric(5,2)': ['1', '1.005', '-1.005', '999.994', '999.995', '1e3', 'NaN', 'Infinity', '0.001'],
  'numeric(2,4)': ['0.0099', '0.01', '0.00995', '0'],
  'numeric(3,-2)': ['12345', '99949', '99950', '-50', '49'],
  'varchar(3)': ['', 'abc', 'abcd', 'abc  ', 'é日😀', 'é日😀x'],
  'char(3)': ['', 'a', 'abc', 'abcd', 'abc  ', 'é'],
}; // biome-ignore format: a table of inputs

const OIDS: Record<string, number> = {
  bool: OID.bool, int2: OID.int2, int4: OID.int4, int8: OID.int8, oid: OID.oid, float4: OID.float4, float8: OID.float8, numeric: OID.numeric, text: OID.text,
  name: OID.name, '"char"': OID.char, bytea: OID.bytea, inet: OID.inet, cidr: OID.cidr, macaddr: OID.macaddr, macaddr8: OID.macaddr8, numeric_: OID.numeric, varchar: OID.varchar, char: OID.bpchar,
}; // biome-ignore format: a table of types

/** ColType of a spelling such as numeric(5,2). */
function typeOf(spelling: string) {
  const m = /^(\w+)\((-?\d+)(?:,(-?\d+))?\)$/.exec(spelling);
  if (!m) return colType(OIDS[spelling]);
  const [, name, a, b] = m;
  const typmod = name === 'numeric' ? ((Number(a) << 16) | (Number(b) & 0x7ff)) + 4 : Number(a) + 4;
  return colType(OIDS[name], typmod);
}

test('literals', async () => {
  const queries: string[] = [];
  const own: string[] = [];
  for (const [type, texts] of Object.entries(INPUTS)) {
    const t = typeOf(type);
    for (const text of texts) {
      // An assignment, so that a typmod refuses what does not fit.
      const base = type.replace(/\(.*/, '');
      queries.push(
        t.typmod === -1
          ? `SELECT (${literal(text)}::${type})::text`
          : `INSERT INTO typed_${base}_${type.replace(/\D+/g, '_')} VALUES (${literal(text)}) RETURNING v::text`,
      );
      own.push(
        outcome(() => {
          const d = inputText(text, t, oracle.ctx);
          return d === null ? null : castToText(d, t.oid, oracle.ctx);
        }),
      );
    }
  }
  const tables = Object.keys(INPUTS)
    .filter((t) => t.includes('('))
    .map((t) => `CREATE TABLE typed_${t.replace(/\(.*/, '')}_${t.replace(/\D+/g, '_')} (v ${t})`);
  await oracle.exec(tables.join(';'));
  const theirs = await oracle.attempt(queries);
  report(
    queries.flatMap((q, i) =>
      theirs[i] === own[i] ? [] : [`${q}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${own[i]}`],
    ),
  );
});

const SEND: Record<string, string> = {
  bool: 'boolsend', int2: 'int2send', int4: 'int4send', int8: 'int8send', oid: 'oidsend', float4: 'float4send', float8: 'float8send',
  numeric: 'numeric_send', text: 'textsend', name: 'namesend', '"char"': 'charsend', bytea: 'byteasend', inet: 'inet_send', cidr: 'cidr_send', macaddr: 'macaddr_send', macaddr8: 'macaddr8_send',
}; // biome-ignore format: a table of functions

test('binary form, and back', async () => {
  const queries: string[] = [];
  const own: string[] = [];
  for (const [type, send] of Object.entries(SEND)) {
    const { oid } = typeOf(type);
    for (const text of INPUTS[type]) {
      queries.push(`SELECT encode(${send}(${literal(text)}::${type}), 'hex')`);
      own.push(
        outcome(() => {
          const d = inputText(text, colType(oid), oracle.ctx);
          const bytes = outputBinary(d, oid);
          const back = inputBinary(bytes, oid);
          assert.equal(outputText(back, oid, oracle.ctx), outputText(d, oid, oracle.ctx), `${type} ${text}`);
          return Buffer.from(bytes).toString('hex');
        }),
      );
    }
  }
  const theirs = await oracle.attempt(queries);
  report(
    queries.flatMap((q, i) =>
      theirs[i] === own[i] ? [] : [`${q}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${own[i]}`],
    ),
  );
});

test('output settings', async () => {
  const queries: string[] = [];
  const own: string[] = [];
  for (const digits of [-15, -3, 0, 1, 3]) {
    for (const x of ['0.1', '1234567.891', '1e20', '-1.5e-7', '100000000000000.5', '0.30000000000000004']) {
      for (const [type, oid] of [
        ['float8', OID.float8],
        ['float4', OID.float4],
      ] as const) {
        queries.push(`SELECT set_config('extra_float_digits', '${digits}', true) || ' ' || ('${x}'::${type})::text`);
        const d = inputText(x, colType(oid), oracle.ctx);
        own.push(`V${digits} ${outputText(d, oid, { ...oracle.ctx, extraFloatDigits: digits })}`);
      }
    }
  }
  for (const b of ['\\x00ff5c41', '\\x', '\\x7f80']) {
    // OFFSET 0 keeps the planner from computing the text before the setting is made.
    const value = `(SELECT v::text FROM (SELECT '${b}'::bytea AS v OFFSET 0) AS s)`;
    queries.push(`SELECT set_config('bytea_output', 'escape', true) || ' ' || ${value}`);
    const d = inputText(b, colType(OID.bytea), oracle.ctx);
    own.push(`Vescape ${outputText(d, OID.bytea, { ...oracle.ctx, byteaOutput: 'escape' })}`);
  }
  const theirs = await oracle.attempt(queries);
  report(
    queries.flatMap((q, i) =>
      theirs[i] === own[i] ? [] : [`${q}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${own[i]}`],
    ),
  );
});

test('records', async () => {
  const values = [null, '', 'a', 'a,b', 'a"b', 'a\\b', '(x)', ' a', 'é'];
  const queries = values.map((v) => `SELECT ROW(1, ${v === null ? 'NULL' : literal(v)}::text, true)::text`);
  const own = values.map(
    (v) =>
      `V${outputText({ k: 'record', types: [OID.int4, OID.text, OID.bool], values: [1, v, true] }, OID.record, oracle.ctx)}`,
  );
  assert.deepEqual(own, await oracle.attempt(queries));
});
