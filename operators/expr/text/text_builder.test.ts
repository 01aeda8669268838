/** A text that is read or made character by character takes the memory of a text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { OID } from '../../types.ts';
import { parseArray } from '../array/text.ts';
import { defaultContext } from '../context.ts';
import { outputText } from '../io/index.ts';
import { parseJsonb } from '../json/value.ts';
import { parseRange } from '../range/text.ts';
import { encodingOf } from './encodings.ts';
import { initcap, toLower, toUpper } from './letter_case.ts';
import { translate } from './strings.ts';
import { TextBuilder } from './text_builder.ts';

const MANY = 4 << 20;

test('pieces come together as they came', () => {
  const random = new Random(testSeed());
  const builder = new TextBuilder();
  for (let i = 0; i < 20; i++) {
    const pieces = Array.from({ length: random.below(20_000) }, () => 'xy'.repeat(random.below(3)) + random.below(10));
    for (const piece of pieces) builder.add(piece);
    assert.equal(builder.take(), pieces.join(''));
  }
  assert.equal(builder.take(), '');
});

test('a long text takes no node for each of its characters', () => {
  const plain = 'x'.repeat(MANY);
  const bytes = Buffer.from(plain);
  const context = { ...defaultContext(), byteaOutput: 'escape' as const };
  const read: [name: string, text: string, read: (text: string) => unknown][] = [
    ['JSON string', `"${plain}\\n"`, parseJsonb],
    ['escaped JSON string', `"${'\\n'.repeat(MANY)}"`, parseJsonb],
    ['bytea', plain, () => outputText(bytes, OID.bytea, context)],
    ['encoded bytes', plain, () => encodingOf('escape').encode(bytes)],
  ];
  for (const change of [toUpper, toLower, initcap, (text: string) => translate(text, 'x', 'y')])
    read.push([`changed by ${change.name || 'translate'}`, `ñ${plain}`, change]);
  for (const [kind, said] of [
    ['plain', plain],
    ['escaped', '\\"'.repeat(MANY)],
  ]) {
    read.push([`${kind} array, quoted`, `{"${said}"}`, (text) => parseArray(text, OID.text, (item) => item)]);
    read.push([`${kind} array`, `{${said}}`, (text) => parseArray(text, OID.text, (item) => item)]);
    read.push([`${kind} range`, `["${said}",)`, (text) => parseRange(text, OID.text, (bound) => bound)]);
  }
  for (const [name, text, parse] of read) {
    const before = process.memoryUsage().heapUsed;
    const kept = parse(text);
    const taken = process.memoryUsage().heapUsed - before;
    assert.ok(taken < 12 * MANY, `${name}: ${taken} bytes for ${text.length} characters`);
    assert.ok(kept);
  }
});
