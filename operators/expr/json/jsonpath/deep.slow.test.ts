/** Paths of every depth: what the parser takes is printed so that it takes it again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePath } from './parse.ts';
import { pathDatum } from './print.ts';

test('what is accepted can be read again however deep it is', () => {
  const paths: ((n: number) => string)[] = [
    (n) => `1 + ${'- '.repeat(n)}$.a`,
    (n) => `${'- '.repeat(n)}($ + 1)`,
    (n) => `$${' + 1'.repeat(n)}`,
    (n) => `$${' * 2 + 1'.repeat(n)}`,
    (n) => `${'1 - ('.repeat(n)}$${')'.repeat(n)}`,
    (n) => `${'-(1 - '.repeat(n)}$${')'.repeat(n)}`,
    (n) => `${'('.repeat(n)}$.a${' * 2 + 1).b'.repeat(n)}`,
    (n) => `$${'[1 - $'.repeat(n)}${']'.repeat(n)}`,
    (n) => `$ ? (${'!exists($ ? ('.repeat(n)}1 == 1${'))'.repeat(n)})`,
    (n) => `$ ? (${'(1 == 1 && (2 == 2 || '.repeat(n)}1 == 1${'))'.repeat(n)})`,
    (n) => `$ ? (${'('.repeat(n)}1 == 1${') is unknown'.repeat(n)})`,
    (n) => `$ ? (1 == $ ? (${'1 + $ ? ('.repeat(n)}@ + 1 like_regex "a"${') < 1'.repeat(n)}))`,
    (n) => `${'1 ? (1 == '.repeat(n)}1 .abs()${')'.repeat(n)}`,
  ];
  for (const path of paths) {
    let n = 1;
    for (; n < 600; n++) {
      let stored: string;
      try {
        stored = pathDatum(parsePath(path(n)));
      } catch (e) {
        assert.equal((e as { sqlstate?: string }).sqlstate, '54001', path(n));
        break;
      }
      assert.equal(pathDatum(parsePath(stored)), stored, path(n));
    }
    assert.ok(n > 80, path(1));
  }
});
