/** Parquet files of other writers (pyarrow 26, DuckDB 1.5: testing/), our own read again, and damaged ones. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { ParquetFile } from './file.ts';
import type { Shape } from './shape.ts';
import { jsonOf, textOf } from './texts.ts';
import { ParquetRows } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-parquet-'));
after(() => rmSync(root, { recursive: true, force: true }));
const GOLDEN = ['arrow_zstd', 'arrow_gzip_v2', 'duckdb_snappy'];
const golden = (name: string) => fileURLToPath(new URL(`testing/${name}.parquet`, import.meta.url));

const numeric = (precision: number, scale: number) => colType(OID.numeric, ((precision << 16) | scale) + 4);

async function rowsOf(path: string, from = 0, oids?: number[]): Promise<(string | null)[][]> {
  const file = await ParquetFile.open(path, readFileSync(path).length);
  const rows: (string | null)[][] = [];
  const names = file.columns.map(({ name }) => name);
  for await (const { n, columns } of file.slices(names, from))
    for (let row = 0; row < n; row++)
      rows.push(
        file.columns.map(({ shape }, i) => {
          const text = textOf(shape, columns[i]?.[row], oids?.[i] ?? OID._int4);
          return text === null ? null : Buffer.from(text, 'latin1').toString();
        }),
      );
  return rows;
}

test('files of other writers, exactly', async () => {
  const first = [
    '-12345678901234567890.5',
    '1969-12-31 23:59:59.999999+00',
    'ä"\\',
    '{"1",NULL}',
    '18446744073709551615',
    '0.1',
  ];
  const last = [null, null, null, null, null, 'NaN'];
  for (const name of GOLDEN.slice(0, 2)) assert.deepEqual(await rowsOf(golden(name)), [first, last], name);
  const more = ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 mons 2 days 3 secs', '01:02:03.000004', '{"x":1}', '[1]'];
  assert.deepEqual(await rowsOf(golden('duckdb_snappy')), [
    [...first, ...more],
    [...last, null, null, null, null, null],
  ]);
  assert.deepEqual(await rowsOf(golden('arrow_zstd'), 1), [last]);
});

test('times of 96 bits, and pages of lz4 without a byte', async () => {
  const rows = [
    ['1969-12-31 23:59:59.999999', null, '{}'],
    [null, null, '{"1"}'],
    ['2009-02-13 23:31:30.123456', null, null],
    ['1968-01-12 20:06:43.2', null, '{}'],
  ];
  // Two groups of two rows.
  for (let from = 0; from <= rows.length; from++)
    assert.deepEqual(await rowsOf(golden('arrow_lz4_int96'), from), rows.slice(from));
});

test('what JSON has', async () => {
  const path = golden('duckdb_snappy');
  const file = await ParquetFile.open(path, readFileSync(path).length);
  const names = ['d', 's', 'l', 'f', 'j', 'none'];
  const shapes = names.map((name) => file.columns.find((column) => column.name === name)?.shape);
  for await (const { columns } of file.slices(names, 0)) {
    const row = (at: number, oid: number) =>
      shapes.map((shape, i) =>
        shape === undefined ? columns[i] : Buffer.from(jsonOf(shape, columns[i]?.[at], oid), 'latin1').toString(),
      );
    assert.deepEqual(row(0, OID.text), ['-12345678901234567890.5', '"ä\\"\\\\"', '[1,null]', '0.1', '"[1]"', null]);
    assert.deepEqual(row(1, OID.text), ['null', 'null', 'null', '"NaN"', 'null', null]);
    // A text for a column of JSON is JSON; one that is none must not become some.
    assert.deepEqual(row(0, OID.jsonb).slice(0, 5), [
      '-12345678901234567890.5',
      '"ä\\"\\\\"!',
      '[1,null]',
      '0.1',
      '[1]',
    ]);
  }
});

const TYPES: [ColType, string[]][] = [
  [colType(OID.bool), ['t', 'f']],
  [colType(OID.int2), ['-32768', '32767']],
  [colType(OID.int4), ['-2147483648', '2147483647']],
  [colType(OID.int8), ['-9223372036854775808', '9223372036854775807']],
  [colType(OID.float8), ['0.1', 'NaN', '-Infinity', '5e-324']],
  [colType(OID.numeric), ['1e40', 'NaN', '0.10']],
  [numeric(18, 4), ['-99999999999999.9999', '0', '0.0001']],
  [numeric(38, 10), ['-9999999999999999999999999999.0000000001', '1']],
  [colType(OID.date), ['4713-01-01 BC', '1969-12-31', '9999-12-31']],
  [colType(OID.time), ['00:00:00', '23:59:59.999999']],
  [colType(OID.timestamp), ['1969-12-31 23:59:59.999999', '2500-01-01']],
  [colType(OID.timestamptz), ['2026-01-01 00:00:00+02']],
  [colType(OID.text), ['', 'ä\t"\\']],
  [colType(OID.bytea), ['\\x', '\\x00ff22']],
  [colType(OID.uuid), ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  [colType(OID.jsonb), ['{"a": [1, "x"]}', 'null']],
  [colType(OID.interval), ['1 mon 2 days']],
  [colType(OID._int4), ['{1,NULL}', '{}']],
  [colType(OID._text), ['{"",NULL,"NULL"}']],
];

test('what is written is read as it was', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const context = defaultContext();
  const columns = TYPES.map(([type], i) => ({ name: `c${i}`, type }));
  const writer = new ParquetRows(columns, context);
  const rows: Datum[][] = [];
  const parts: Buffer[] = [];
  for (let i = 0; i < 300; i++) {
    const row = TYPES.map(([type, texts]) =>
      random.below(5) === 0 ? null : inputText(texts[random.below(texts.length)], type, context),
    );
    rows.push(row);
    writer.add(row);
  }
  writer.end();
  for (let bytes = writer.take(); bytes !== null; bytes = writer.take()) parts.push(Buffer.from(bytes));
  const path = join(root, 'own.parquet');
  writeFileSync(path, Buffer.concat(parts));
  const read = await rowsOf(
    path,
    7,
    TYPES.map(([type]) => type.oid),
  );
  const again = read.map((row) => row.map((text, i) => (text === null ? null : inputText(text, TYPES[i][0], context))));
  assert.deepEqual(again, rows.slice(7), `seed ${seed}`);
});

test('damaged files are an error, or rows, and end', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const path = join(root, 'damaged.parquet');
  let errors = 0;
  for (let round = 0; round < 150; round++) {
    const good = readFileSync(golden(GOLDEN[random.below(GOLDEN.length)]));
    const bytes = random.below(4) === 0 ? good.subarray(0, random.below(good.length)) : good;
    for (let i = random.below(4); i > 0; i--)
      bytes[
        random.below(2) === 0
          ? random.below(bytes.length)
          : bytes.length - 1 - random.below(Math.min(400, bytes.length))
      ] = random.below(256);
    writeFileSync(path, bytes);
    await rowsOf(path).catch((error: unknown) => {
      assert.ok(error instanceof Error, `seed ${seed}, round ${round}`);
      errors++;
    });
  }
  assert.ok(errors > 30, `${errors}, seed ${seed}`);
  for (const [text, message] of [
    ['', 'it is no Parquet file: it has 0 bytes'],
    ['id,name\n1,a\n2,b\n', 'it is no Parquet file: it does not begin with PAR1'],
    ['PAR1 and no more than that', 'it is no whole Parquet file: it does not end with PAR1'],
    ['PAR1\xff\xff\xff\x7fPAR1', 'its footer says that it has 2147483647 bytes; at most 67108864 are read at once'],
  ]) {
    writeFileSync(path, text, 'latin1');
    await assert.rejects(rowsOf(path), { message });
  }
});

test('a list that says much with few bytes has a limit', () => {
  const long = 'x'.repeat(1 << 20);
  const text: Shape = { k: 'leaf', text: String, bare: false, bytes: true };
  const lists: Shape = { k: 'list', item: text };
  function* items() {
    for (let i = 0; i < 1000; i++) yield long;
    assert.fail('all have been asked for');
  }
  for (const work of [() => textOf(lists, items(), OID._text), () => jsonOf(lists, items(), OID.json)])
    assert.throws(work, /^Error: a value has more than 268435456 bytes as text$/);
});
