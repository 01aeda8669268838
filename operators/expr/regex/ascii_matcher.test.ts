import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { SqlError } from '../../errors.ts';
import { Random, testSeed } from '../../testing/property.ts';
import type { Needle } from './ascii_matcher.ts';
import { type CompiledRegex, compileRegex, defaultOptions } from './regex.ts';
import type { RequiredLiteral } from './required_literal.ts';

const random = new Random(testSeed());

function pattern(depth: number): string {
  if (depth === 0) return random.pick(['a', 'b', 'ab', '.', '[^a]', '\\w', '&', '=', '^', '$', '\\y', '']);
  const sub = () => pattern(depth - 1);
  switch (random.below(6)) {
    case 0:
      return `(${sub()})`;
    case 1:
      return `(${sub()}|${sub()})`;
    case 2:
      return `(?:${sub()})${random.pick(['*', '+', '?', '*?', '+?', '{1,2}', '{2}'])}`;
    default:
      return sub() + sub();
  }
}

function compiled(text: string): CompiledRegex | null {
  try {
    return compileRegex(text, defaultOptions(random.below(4) === 0));
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

test('matches in bytes of ASCII are those in strings', () => {
  const arena = new Arena();
  let compared = 0;
  let literals = 0;
  for (let round = 0; round < 1500; round++) {
    const source = pattern(1 + random.below(3));
    const regex = compiled(source);
    if (regex === null) continue;
    const { ascii } = regex;
    assert.ok(ascii !== null, `an automaton is enough for ${source}`);
    for (let i = 0; i < 8; i++) {
      const text = Array.from({ length: random.below(9) }, () =>
        random.pick(['a', 'b', 'A', '&', '=', ' ', '\n']),
      ).join('');
      const address = arena.copyIn(Buffer.from(text));
      const bytes = { address, length: text.length };
      const from = random.below(text.length + 1);
      const literal: RequiredLiteral | null = ascii.literal;
      const needle: Needle | null = literal && {
        address: arena.copyIn(Buffer.from(literal.text)),
        length: literal.text.length,
      };
      if (literal !== null) literals++;
      for (const known of [null, needle] as (Needle | null)[]) {
        const found: number[] | null = ascii.exec(bytes, from, known) ? ascii.spans : null;
        assert.deepEqual(found, regex.exec(text, from), `${source} in ${JSON.stringify(text)} from ${from}`);
        assert.equal(ascii.test(bytes, known), regex.test(text), `${source} in ${JSON.stringify(text)}`);
      }
      compared++;
    }
  }
  assert.ok(compared > 1000 && literals > 1000);
  arena.release();
});

test('a table that is full starts anew', () => {
  const arena = new Arena();
  // The states remember the last 12 characters: more than the table holds.
  const regex = compileRegex('a.{11}b$', defaultOptions(false));
  const { ascii } = regex;
  assert.ok(ascii !== null);
  for (let i = 0; i < 40; i++) {
    const text = Array.from({ length: 200 }, () => random.pick(['a', 'b'])).join('');
    const address = arena.copyIn(Buffer.from(text));
    assert.equal(ascii.test({ address, length: text.length }, null), regex.test(text));
  }
  arena.release();
});

test('back references and lookaround have no automaton over bytes', () => {
  for (const source of ['(a)\\1', '(?=a)b', '(?<!a)b'])
    assert.equal(compileRegex(source, defaultOptions(false)).ascii, null, source);
});
