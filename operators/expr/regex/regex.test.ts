/** Regular expressions: leftmost-longest matching, preferences, captures, and no exponential time. Breadth is in the slow test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegex, defaultOptions, parseFlags } from './regex.ts';
import { similarToRegex } from './similar.ts';

/** Whole match and groups as text; null when there is no match. */
function match(pattern: string, text: string, flags = ''): (string | null)[] | null {
  const spans = compileRegex(pattern, parseFlags(flags).options).exec(text);
  if (!spans) return null;
  return Array.from({ length: spans.length / 2 }, (_, i) =>
    spans[2 * i] < 0 ? null : text.slice(spans[2 * i], spans[2 * i + 1]),
  );
}

test('the longest match wins over the first alternative', () => {
  assert.deepEqual(match('a|ab', 'abc'), ['ab']);
  assert.deepEqual(match('a?(ab)?', 'ab'), ['ab', 'ab']);
});

test('the first quantifier of a branch decides for the whole', () => {
  assert.deepEqual(match('a+?b+', 'aabb'), ['aab']);
  assert.deepEqual(match('(a+?)|b', 'aa'), ['aa', 'aa']);
  assert.deepEqual(match('(\\d+?)(\\d*)', '123'), ['1', '1', '']);
  assert.deepEqual(match('(a*)(a*)', 'aa'), ['aa', 'aa', '']);
});

test('constraints, classes, back references', () => {
  assert.deepEqual(match('\\mfoo\\M', 'a foo b'), ['foo']);
  assert.equal(match('(?<!a)b', 'ab'), null);
  assert.deepEqual(match('(..)\\1', 'xabab'), ['abab', 'ab']);
  assert.deepEqual(match('^b.', 'a\nbc', 'n'), ['bc']);
  assert.equal(match('^b', 'a\nb'), null);
  assert.deepEqual(match('.{3}', 'a😀\n'), ['a😀\n']);
  assert.deepEqual(match('(?i)[[:upper:]]+', 'xYz1'), ['xYz']);
});

test('time is linear where backtracking explodes', () => {
  const text = 'a'.repeat(3000);
  assert.equal(compileRegex('(a+)+b', defaultOptions(false)).test(text), false);
  assert.equal(compileRegex('(a|a)*(a|aa)*$b', defaultOptions(false)).test(text), false);
  assert.deepEqual(match('(?:a|aa)+', text), [text]);
});

test('errors', () => {
  assert.throws(() => match('(', 'a'), /invalid regular expression: parentheses \(\) not balanced/);
  assert.throws(() => match('a**', 'a'), /quantifier operand invalid/);
  assert.throws(() => match('a', 'a', 'z'), /invalid regular expression option: "z"/);
});

test('SIMILAR TO', () => {
  assert.equal(similarToRegex('a_%.(b|c)', '\\'), '^(?:a..*\\.(?:b|c))$');
  assert.equal(similarToRegex('a#"b#"c', '#'), '^(?:a){1,1}?(b){1,1}(?:c)$');
});
