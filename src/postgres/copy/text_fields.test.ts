import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { splitTextLine } from './text_fields.ts';

const CONTROL: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' };

test('a field is what was written, whichever escapes say it', () => {
  const random = new Random(testSeed());
  /** A character in one of the ways that it has; digits that come behind an escape might be read as part of it. */
  const written = (c: string): string => {
    const bytes = [...Buffer.from(c)];
    const ways = [
      bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
      bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    ];
    if (c in CONTROL) ways.push(`\\${CONTROL[c]}`);
    else if (!/[bfnrtv0-7x]/.test(c)) ways.push(`\\${c}`);
    if (!/[\\\n\r\t]/.test(c)) ways.push(c, c);
    return random.pick(ways);
  };
  for (let round = 0; round < 2000; round++) {
    const fields = Array.from({ length: 1 + random.below(3) }, () =>
      Array.from({ length: random.below(6) }, () =>
        random.pick(['a', '7', 'x', 'N', '\\', '\t', '\n', '\v', 'ä', '\u{1F600}']),
      ).join(''),
    );
    const line = fields.map((field) => [...field].map(written).join('')).join('\t');
    assert.deepEqual(splitTextLine(line, '\t', 'null'), fields, line);
  }
  for (const [line, field] of [
    ['\\1', '\x01'],
    ['\\18', '\x018'],
    ['\\1011', 'A1'],
    ['\\x4', '\x04'],
    ['\\x4g', '\x04g'],
    ['\\xg', 'xg'],
    ['\\x', 'x'],
    ['\\501', 'A'],
    ['\\8', '8'],
    ['a\\', 'a\\'],
  ])
    assert.deepEqual(splitTextLine(line, '\t', 'null'), [field], line);
  for (const line of ['\\0', '\\xff', '\\303'])
    assert.throws(() => splitTextLine(line, '\t', 'null'), { sqlstate: '22021' });
});

test('a field of many escapes takes the memory of its text', () => {
  const many = 2 << 20;
  for (const said of ['\\n', '\\x41']) {
    const line = said.repeat(many);
    const before = process.memoryUsage().heapUsed;
    const [field] = splitTextLine(line, '\t', 'null');
    const taken = process.memoryUsage().heapUsed - before;
    assert.ok(taken < 8 * many, `${taken} bytes for ${many} escapes`);
    assert.equal(field?.length, many);
  }
});
