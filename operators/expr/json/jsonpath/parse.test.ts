/** Paths as text: what is read, the normal form, errors with their places, bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePath } from './parse.ts';
import { pathDatum, pathText } from './print.ts';

const normal = (path: string): string => pathText(parsePath(path));

test('the normal form', () => {
  const forms: [string, string][] = [
    ['$', '$'],
    ['strict$.a', 'strict $."a"'],
    ['lax $ . a [ 0,last-1 TO last ]', '$."a"[0,last - 1 to last]'],
    ['$.**{2 to last}.*', '$.**{2 to last}.*'],
    ['1 + 2*3 - -$', '((1 + 2 * 3) - -$)'],
    ['- -1.50', '1.50'],
    ['0x1F + 1_000', '(31 + 1000)'],
    ['$ ? (@.a>1&&(@.b<>"x"||!exists(@.c)))', '$?(@."a" > 1 && (@."b" != "x" || !(exists (@."c"))))'],
    ['$ ? ((@ == 1) is unknown)', '$?((@ == 1) is unknown)'],
    [
      '$ ? (@ like_regex "a\\\\d" flag "qi" || @ starts with $p)',
      '$?(@ like_regex "a\\\\d" flag "iq" || @ starts with $"p")',
    ],
    ['$.size', '$."size"'],
    ['$.SIZE().x', '$.size()."x"'],
    ['$.decimal(+5,-2).time_tz(3).datetime("HH24")', '$.decimal(5,-2).time_tz(3).datetime("HH24")'],
    ['"\\u0041\\x42\\u{1F600}\\ud83d\\ude00\\q"', '"AB😀😀q"'],
    ['/* a */ $ /* b */ . a', '$."a"'],
    ['(1).type()', '(1).type()'],
    ['$ == 1 || $ == 2 || $ == 3', '(($ == 1 || $ == 2) || $ == 3)'],
  ];
  for (const [path, expected] of forms) {
    assert.equal(normal(path), expected, path);
    assert.equal(normal(expected), expected);
    assert.equal(normal(pathDatum(parsePath(path))), expected);
  }
});

test('what is stored can be read again', () => {
  for (const path of ['(!($ == 1)).type()', '(exists ($)).type()', '(($ == 1) is unknown).type()']) {
    assert.equal(pathDatum(parsePath(path)), path);
  }
});

test('errors tell their place', () => {
  const errors: [string, string, string][] = [
    ['', '22P02', 'invalid input syntax for type jsonpath: ""'],
    ['$.a[', '42601', 'syntax error at end of jsonpath input'],
    ['$.a[1)', '42601', 'syntax error at or near ")" of jsonpath input'],
    ['$ ? (@.a)', '42601', 'syntax error at or near ")" of jsonpath input'],
    ['(1 == 1) + 1', '42601', 'syntax error at or near "+" of jsonpath input'],
    ['$.foo()', '42601', 'syntax error at or near "(" of jsonpath input'],
    ['"abc', '42601', 'unterminated quoted string at end of jsonpath input'],
    ['1a', '42601', 'trailing junk after numeric literal at or near "1a" of jsonpath input'],
    ['"\\u00"', '42601', 'invalid Unicode escape sequence at or near "\\u00" of jsonpath input'],
    ['"\\u0000"', '22P05', 'unsupported Unicode escape sequence'],
    ['$ + @', '42601', '@ is not allowed in root expressions'],
    ['last', '42601', 'LAST is allowed only in array subscripts'],
    ['$ ? (@ like_regex "(")', '2201B', 'invalid regular expression: parentheses () not balanced'],
    ['$ ? (@ like_regex "a" flag "x")', '0A000', 'XQuery "x" flag (expanded regular expressions) is not implemented'],
    ['$.**{3000000000}', '22003', 'value "3000000000" is out of range for type integer'],
  ];
  for (const [path, sqlstate, message] of errors) assert.throws(() => parsePath(path), { sqlstate, message }, path);
});

test('nesting is bounded, lists of alternatives and of steps are not', () => {
  const nested: [string, string, string][] = [
    ['(', '$', ')'],
    ['-', '$', ''],
    ['1 + (', '$', ')'],
    ['$ ? (1 == ', '1', ')'],
    ['$[', '0', ']'],
    ['!(', '1 == 1', ')'],
    ['', '$', ' + 1'],
  ];
  for (const [open, inner, close] of nested) {
    const path = (n: number) => open.repeat(n) + inner + close.repeat(n);
    assert.doesNotThrow(() => normal(path(80)), open);
    assert.throws(() => parsePath(path(100_000)), { sqlstate: '54001' }, open);
  }
  const many = Array.from({ length: 5000 }, (_, i) => `$ == ${i}`).join(' || ');
  assert.equal(pathDatum(parsePath(many)), `(${many})`);
  assert.equal(normal(pathDatum(parsePath(many))), normal(many));
  assert.equal(normal(`$${'.a'.repeat(5000)}`).length, 1 + 5000 * 4);
});
