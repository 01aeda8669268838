/** What paths give: modes, errors and `silent`, ids of objects, datetimes and zones, bounds of what a path may take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultContext } from '../../context.ts';
import '../../functions/index.ts';
import { PathCall } from './path.ts';

const ctx = defaultContext({ timeZone: 'America/New_York' });
const query = (path: string, document: string, silent = false, zoned = false, vars = '{}') =>
  new PathCall(zoned).query(document, path, vars, silent, ctx);
const texts = (path: string, document: string, vars = '{}') =>
  new PathCall(false).query(document, path, vars, false, ctx).map((v) => JSON.stringify(v));

test('lax mode unwraps, wraps and overlooks; strict mode tells', () => {
  assert.deepEqual(query('$.a', '[{"a": "x"}, {"b": 1}, {"a": "y"}]'), ['x', 'y']);
  assert.deepEqual(query('$[0][*].a', '{"a": "x"}'), ['x']);
  assert.deepEqual(query('strict $.**.a', '{"a": {"a": "x"}, "b": 1}').length, 2);
  for (const [path, code] of [
    ['strict $.a', '2203A'],
    ['strict $.b', '2203A'],
    ['strict $[0]', '22039'],
    ['strict $.c[1]', '22033'],
    ['strict $.c.*', '2203C'],
  ]) {
    assert.throws(() => query(path, '{"c": [true]}'), { sqlstate: code }, path);
    assert.deepEqual(query(path, '{"c": [true]}', true), []);
  }
});

test('silent keeps what was found before the error, but variables and zones are always told', () => {
  assert.deepEqual(query('$[*].string()', '["a", null, "b"]', true), ['a']);
  assert.throws(() => query('$x', '1', true), { sqlstate: '42704' });
  assert.throws(() => query('$', '1', true, false, '[]'), { sqlstate: '22023' });
  const mixed = '$.date() < "2024-01-01 00:00:00+00".timestamp_tz()';
  assert.throws(() => query(mixed, '"2024-01-01"', true), { sqlstate: '0A000' });
  assert.deepEqual(query(mixed, '"2024-01-01"', false, true), [false]);
});

test('unknown is neither true nor false', () => {
  assert.deepEqual(query('$ ? (@ > "a")', '[1, "b", null, "a"]'), ['b']);
  assert.deepEqual(query('$ ? (!(@ > "a"))', '[1, "b", "a"]'), ['a']);
  assert.deepEqual(query('$ ? ((@ > "a") is unknown)', '[true, "b", null]'), [true]);
  assert.deepEqual(query('strict $[*] == "a"', '["a", 1]'), [null]);
  assert.deepEqual(query('$[*] == "a"', '["a", 1]'), [true]);
});

test('ids of objects are their places in the binary form', () => {
  assert.deepEqual(texts('$.keyvalue().id.string()', '{"a": 1, "b": 2}'), ['"0"', '"0"']);
  assert.deepEqual(texts('$[*].keyvalue().id.string()', '[{"a": 1}, {"a": 2}]'), ['"12"', '"36"']);
  assert.deepEqual(texts('$x.keyvalue().id.string()', '1', '{"x": {"p": 1}}'), ['"10000000016"']);
});

test('datetimes', () => {
  assert.deepEqual(query('$[*].datetime()', '["2024-02-29", "12:00:00+05", "2024-02-29T12:00:00.5Z"]'), [
    '2024-02-29',
    '12:00:00+05:00',
    '2024-02-29T12:00:00.5+00:00',
  ]);
  assert.deepEqual(query('$.datetime("dd.mm.yyyy HH24:MI")', '"29.02.2024 13:45"'), ['2024-02-29T13:45:00']);
  assert.deepEqual(query('$.timestamp_tz()', '"2024-07-01"', false, true), ['2024-07-01T00:00:00-04:00']);
  assert.throws(() => query('$.datetime()', '"29.02.2024"'), { sqlstate: '22031' });
});

test('a hostile path is an error, not the end', () => {
  const filters = (n: number) => `$${' ? (exists(@'.repeat(n)}${'))'.repeat(n)}`;
  assert.equal(query(filters(80), '1').length, 1);
  const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
  assert.equal(query('$.**', deep).length, 1000);
  assert.throws(() => query(`strict $${'[*]'.repeat(999)}`, deep), { sqlstate: '54001' });
  // As deep as may be: each `.**` and each filter nests.
  const mixed = `$${'.**{0}.**{0}.**{0} ? (exists(@'.repeat(80)}${'))'.repeat(80)}`;
  assert.equal(query(mixed, '1').length, 1);
  assert.throws(() => query(`$${'.**{0}'.repeat(5000)}`, '1'), { sqlstate: '54001' });
  const wide = `[${Array.from({ length: 3000 }, (_, i) => i).join()}]`;
  assert.throws(() => query(`$${'.**'.repeat(4)}${' ? (@ < 0)'.repeat(2)}`, deep), { sqlstate: '54000' });
  assert.throws(() => query('$[*] < (-$[*])', wide), { sqlstate: '54000' });
  assert.deepEqual(query('$[*] ? (@ > $[0] && @ < $[2])', wide).length, 1);
});

test('steps over what is long count as many', () => {
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
  const keys = (n: number) => `{${numbers(n).map((i) => `"${i}": ${i}`)}}`;
  const hostile: [string, string][] = [
    [
      '$.a[*] ? (exists($.o.keyvalue().value.keyvalue()) && 1 == 2)',
      `{"a": [${numbers(3000)}], "o": {"x": ${keys(3000)}}}`,
    ],
    ['$[*] ? (1e131071 / 7 < @)', `[${numbers(1000)}]`],
    ['$.a[*] ? ($.n.string() == "x")', `{"a": [${numbers(1000)}], "n": 1e131071}`],
    ['$[*] ? (1e131071 == 1e-16000 * @)', `[${numbers(10_000)}]`],
    ['$.a[*] ? ($.s like_regex "a*c$")', `{"a": [${numbers(3000)}], "s": "${'ab'.repeat(20_000)}"}`],
    ['$.a[*] ? (exists($.o."2999"))', `{"a": [${numbers(30_000)}], "o": ${keys(3000)}}`],
    ['$.a[*] ? ($.b[*] == "x")', `{"a": [${numbers(3000)}], "b": [[${numbers(3000)}], []]}`],
    ['$.a[*] ? ($.s.datetime() == @)', `{"a": [${numbers(10_000)}], "s": "${'2'.repeat(10_000)}"}`],
  ];
  for (const [path, document] of hostile) {
    assert.throws(() => query(path, document), { sqlstate: '54000' }, path);
  }
  // What is first found ends it, however long the rest is, and an operand that is one array is not copied.
  const wide = `{"a": [${numbers(10_000)}], "b": [${numbers(10_000)}]}`;
  assert.equal(
    query('$.a[*] ? (exists($.b.**) && $.b == 0 && exists($.b[*]) && exists($.**{1}))', wide).length,
    10_000,
  );
});
