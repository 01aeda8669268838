/** The scanner gives what the exact reader and JSON.parse give, of whole and of damaged messages. SEED=n replays a run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../../operators/datum.ts';
import { decimal, interval, pgArray } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { Defaults } from '../defaults.ts';
import { RowError, textOf } from '../row_error.ts';
import { decode, defaulted, NOW, specOf } from '../testing/decoded_json.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { readObject } from './slow_row.ts';

test('texts of every length, with something that is not plain at every place', () => {
  const columns = [columnOf('a', colType(OID.text)), columnOf('b', colType(OID.int4))];
  const odd = ['é', '\\"', '\\\\', '\\u00e9', '\t', '"', '\x7f', '!', ' ', '\x1f'];
  const messages: string[] = [];
  for (let length = 0; length < 170; length++) {
    messages.push(`{"a":"${'x'.repeat(length)}","b":1}`, `{"other":"${'x'.repeat(length)}","a":"y","b":1}`);
    for (const c of odd)
      for (const rest of [0, 1, 40])
        messages.push(
          `{"a":"${'x'.repeat(length)}${c}${'z'.repeat(rest)}","b":1}`,
          `{"other":"${'x'.repeat(length)}${c}","b":1}`,
        );
  }
  const { rows, bad } = decode(
    specOf(columns),
    messages.map((value) => ({ value })),
  );
  const parsed = messages.map((message) => {
    try {
      const { a = null, b } = JSON.parse(message);
      return [a, b];
    } catch {
      return null;
    }
  });
  assert.deepEqual(
    bad.map(({ index }) => index),
    parsed.flatMap((row, i) => (row === null ? [i] : [])),
  );
  assert.deepEqual(
    rows,
    parsed.filter((row) => row !== null),
  );
});

test('fast reading equals exact reading on random and damaged messages', () => {
  const seed = testSeed();
  const random = new Random(seed);
  const oids = [
    OID.bool,
    OID.int2,
    OID.int4,
    OID.int8,
    OID.float4,
    OID.float8,
    OID.numeric,
    OID.text,
    OID.json,
    OID.jsonb,
    OID.date,
    OID.timestamp,
    OID.timestamptz,
    OID._int4,
    OID.uuid,
    OID.interval,
  ];
  const columns = oids.map((oid, i) => columnOf(`c${i}`, colType(oid), i === 3));
  columns.push(columnOf('n', colType(OID.numeric, makeNumericTypmod(8, 3))));
  const constant = (v: Datum, t: ColType): Expr => ({ k: 'const', v, t });
  for (const [i, v] of [
    [1, -7],
    [3, 2n ** 40n],
    [6, decimal(10n ** 30n + 1n, 4)],
    [7, 'a default that is longer than a slot'],
    [13, pgArray(OID.int4, [1, null])],
    [15, interval(1, 2, 3n)],
  ] as const)
    columns[i] = defaulted(columns[i], constant(v, columns[i].type));
  columns[12] = defaulted(columns[12], NOW);
  const digits = (n: number) => Array.from({ length: 1 + random.below(n) }, () => random.below(10)).join('');
  const number = () =>
    `${random.pick(['', '-'])}${BigInt(digits(20))}${random.pick(['', '', `.${digits(8)}`])}${random.pick(['', '', '', 'e5', 'E-3'])}`;
  const pad = (n: number, width: number) => String(Math.floor(n)).padStart(width, '0');
  const time = () =>
    `"${pad(1700 + random.next() * 700, 4)}-${pad(random.next() * 14, 2)}-${pad(random.next() * 33, 2)}${random.pick([' ', 'T'])}${pad(random.next() * 25, 2)}:` +
    `${pad(random.next() * 61, 2)}:${pad(random.next() * 61, 2)}${random.pick(['', `.${digits(8)}`])}${random.pick(['', '', 'Z', '+02', '-03:30', '+0100', 'x'])}"`;
  const string = () =>
    `"${Array.from({ length: random.next() * 30 }, () => random.pick(['a', 'Z', ' ', 'é', '😀', '\\n', '\\"', '\\u0041', '\\ud83d\\ude00', '\\/', '7'])).join('')}"`;
  const value = (depth = 0): string => {
    const kind = random.next();
    if (kind < 0.35) return number();
    if (kind < 0.5) return time();
    if (kind < 0.7) return string();
    if (kind < 0.8) return random.pick(['true', 'false', 'null']);
    if (depth > 3) return '[]';
    const items = Array.from({ length: random.next() * 4 }, () => value(depth + 1));
    return random.chance(0.5)
      ? `[${items.join(random.pick([',', ' , ']))}]`
      : `{${items.map((v) => `"k${random.below(3)}":${v}`).join(',')}}`;
  };
  const likely = (i: number): string => {
    const { type } = columns[i];
    if (random.chance(0.03)) return value();
    switch (type.oid) {
      case OID.bool:
        return random.pick(['true', 'false']);
      case OID.int2:
      case OID.int4:
        return String(Math.floor((random.next() - 0.5) * 65535));
      case OID.int8:
        return `${BigInt(digits(19))}`;
      case OID.date:
        return time().slice(0, 11) + '"';
      case OID.timestamp:
      case OID.timestamptz:
        return random.chance(0.7) ? time().replace(/:[6-9]\d|-(0|3)0|-00/g, (m) => m) : String(random.below(2e12));
      case OID.float4:
      case OID.float8:
      case OID.numeric:
        return number().replace(/^-?0+(?=\d)/, '');
      case OID._int4:
        return '[1,2,3]';
      case OID.uuid:
        return '"0123abcd-0000-1111-2222-333344445555"';
      case OID.interval:
        return '"1 day"';
      case OID.text:
        return string();
      default:
        return value();
    }
  };
  const message = () => {
    const fields: string[] = [];
    columns.forEach((column, i) => {
      if (random.next() < (column.notNull ? 0.95 : 0.3))
        fields.push(`"${column.name}":${random.pick(['', '', ' '])}${likely(i)}`);
    });
    if (random.chance(0.1)) fields.reverse();
    if (random.chance(0.1)) fields.push(`"other":${value()}`);
    return `{${fields.join(random.pick([',', ',', ' ,\n']))}}`;
  };
  const damage = (bytes: Buffer) => {
    for (let i = 1 + random.below(3); i > 0; i--) {
      const at = random.below(bytes.length);
      if (random.chance(0.5)) bytes[at] = random.below(256);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(5))]);
    }
    return bytes;
  };
  const records: { value: Buffer }[] = [];
  for (let i = 0; i < 4000; i++) {
    const bytes = Buffer.from(message());
    records.push({ value: random.chance(0.25) && bytes.length > 2 ? damage(bytes) : bytes });
  }
  const { rows, bad } = decode(specOf(columns), records, 99n);
  const defaults = new Defaults(columns);
  defaults.setClock(99n);
  const fields = columns.map((_, i) => i);
  let row = 0;
  let failed = 0;
  records.forEach(({ value: bytes }, i) => {
    const where = `SEED=${seed} record ${i}: ${bytes.toString('latin1')}`;
    let expected: Datum[] | RowError;
    try {
      expected = readObject(textOf(bytes), columns, fields, defaults, defaultContext({ now: 5000n }));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      expected = error;
    }
    if (expected instanceof RowError) {
      assert.deepEqual(
        bad[failed++],
        { index: i, reason: expected.message, sqlstate: expected.sqlstate, column: expected.column },
        where,
      );
    } else assert.deepEqual(rows[row++], expected, where);
  });
  assert.equal(rows.length + bad.length, records.length);
  assert.ok(rows.length > 300 && bad.length > 300, `${rows.length} good, ${bad.length} bad`);
});
