/** Lines that are read in fewer steps give the rows that the others give, or are left to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { Random, testSeed, times } from '../../../operators/testing/property.ts';
import { OID } from '../../../operators/types.ts';
import { resultColumns, TEXT_COPY } from '../testing/fake_engine.ts';
import { PlainLine } from './plain_line.ts';
import { splitTextLine } from './text_fields.ts';

const TYPES = [OID.int2, OID.int4, OID.int8, OID.text, OID.varchar, OID.float8, OID.bool, OID.date, OID.numeric];
const FIELDS = [
  '0',
  '-0',
  '7',
  '-7',
  '007',
  '+7',
  '-',
  '',
  ' 5',
  '5 ',
  '32767',
  '32768',
  '-32768',
  '-32769',
  '2147483647',
  '-2147483648',
  '2147483648',
  '4294967296',
  '-4294967297',
  '999999999999999',
  '-999999999999999',
  '1000000000000000',
  '9223372036854775807',
  '-9223372036854775808',
  '0x10',
  '1_000',
  '1e3',
  '1.5',
  'NaN',
  't',
  'off',
  '2026-01-02',
  'infinity',
  'twelve bytes',
  'thirteenbytes',
  'a text that is longer than its slot',
  'grün',
  '\u{1f600} is four bytes',
  '\\N',
  '\\NN',
  'a\\tb',
  '\\\\',
  '\\x41',
  '\\',
  'x\0y',
]
  .map((text) => Buffer.from(text))
  .concat(Buffer.from([0x61, 0xff, 0x62]), Buffer.from([0xc3]));

/** The row as the fields and their types' input give it; null where that is an error. */
function exact(line: Buffer, types: number[], delimiter: string): Datum[] | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
    const fields = splitTextLine(text, delimiter, '\\N');
    if (fields.length !== types.length) return null;
    return fields.map((field, i) => {
      return field === null ? null : inputText(field, { oid: types[i], typmod: -1 }, defaultContext());
    });
  } catch {
    return null;
  }
}

test('random lines', () => {
  const seed = testSeed();
  const random = new Random(seed);
  let plain = 0;
  for (let round = 0; round < times(300); round++) {
    const types = Array.from({ length: 1 + random.below(4) }, () => random.pick(TYPES));
    const delimiter = random.pick(['\t', ',', '|', ' ']);
    const columns = resultColumns(types.map((oid, i) => [`c${i}`, oid]));
    const options = { ...TEXT_COPY, delimiter };
    const lines = PlainLine.of(columns, options, (field, { type }) => inputText(field, type, defaultContext()));
    assert.ok(lines !== null);
    withScratch((arena) => {
      const rows = new BatchBuilder(
        types.map((oid) => ({ oid, typmod: -1 })),
        arena,
        1,
      );
      const want: Datum[][] = [];
      for (let i = 0; i < 20; i++) {
        const count = types.length + (random.below(8) === 0 ? random.below(3) - 1 : 0);
        const fields = Array.from({ length: count }, () => random.pick(FIELDS));
        const line = Buffer.concat(fields.flatMap((field, f) => (f === 0 ? [field] : [Buffer.from(delimiter), field])));
        // What is around the line is not of it.
        const data = Buffer.concat([Buffer.from('12'), line, Buffer.from(random.pick(['\n', '\r\n', '', '\n77']))]);
        const row = exact(line, types, delimiter);
        const message = `seed ${seed}, round ${round}: ${JSON.stringify(line.toString('latin1'))} as ${types}`;
        if (!lines.read(data, 2, 2 + line.length, rows)) continue;
        assert.notEqual(row, null, message);
        want.push(row as Datum[]);
        assert.deepEqual(readRow(rows.build(), rows.n - 1), row, message);
      }
      plain += want.length;
      assert.deepEqual(
        want.map((_, i) => readRow(rows.build(), i)),
        want,
        `seed ${seed}, round ${round}`,
      );
    });
  }
  assert.ok(plain > 0);
});

test('where other options say what a field is, no line is plain', () => {
  const columns = resultColumns([['a', OID.int4]]);
  const input = () => null;
  assert.equal(PlainLine.of(columns, { ...TEXT_COPY, null: '' }, input), null);
  assert.equal(PlainLine.of(columns, { ...TEXT_COPY, delimiter: '-' }, input), null);
  assert.equal(PlainLine.of(columns, { ...TEXT_COPY, format: 'csv' }, input), null);
  assert.equal(PlainLine.of([], TEXT_COPY, input), null);
});
