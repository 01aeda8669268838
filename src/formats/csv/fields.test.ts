import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { splitCsvRecord } from './fields.ts';

const OPTIONS = { delimiter: ',', null: '', quote: '"', escape: '"' };

test('fields are what was written, with quotes and escapes of all kinds', () => {
  const random = new Random(testSeed());
  for (const options of [
    OPTIONS,
    { ...OPTIONS, escape: '\\' },
    { ...OPTIONS, quote: "'", delimiter: ';', null: 'N' },
  ]) {
    const { quote, escape: escapeChar, delimiter } = options;
    for (let round = 0; round < 500; round++) {
      const values = Array.from({ length: 1 + random.below(4) }, () =>
        Array.from(
          { length: random.below(8) },
          () => ['a', quote, escapeChar, delimiter, '\n', 'N', 'ä'][random.below(7)],
        ).join(''),
      );
      const record = values.map((value) => {
        const mustQuote = [...value].some((c) => [quote, escapeChar, delimiter].includes(c)) || value === options.null;
        if (!mustQuote && random.below(2) === 0) return value;
        const said = [...value].map((c) => (c === quote || c === escapeChar ? escapeChar + c : c)).join('');
        return `${quote}${said}${quote}`;
      });
      assert.deepEqual(splitCsvRecord(record.join(delimiter), options, null), values);
    }
  }
  assert.deepEqual(splitCsvRecord('a"b,"c,""', OPTIONS, null), ['ab,c', '']);
  assert.deepEqual(splitCsvRecord('"",', OPTIONS, null), ['', null]);
  assert.deepEqual(splitCsvRecord('x"y', OPTIONS, null), ['xy']);
});

test('a long field in quotes takes no node of memory for each of its characters', () => {
  const many = 4 << 20;
  for (const said of ['x'.repeat(many), '""'.repeat(many)]) {
    const record = `1,"${said}"`;
    const before = process.memoryUsage().heapUsed;
    const kept = splitCsvRecord(record, OPTIONS, null);
    const taken = process.memoryUsage().heapUsed - before;
    assert.ok(taken < 12 * many, `${taken} bytes for ${record.length} characters`);
    assert.equal(kept.length, 2);
  }
});
