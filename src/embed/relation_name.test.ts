import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isName, quotedName } from './relation_name.ts';

test('names are folded as in SQL, and are nothing else', () => {
  const names: [string, string][] = [
    ['Bids', '"bids"'],
    [' shop.Bids ', '"shop"."bids"'],
    ['"Odd "" name"', '"Odd "" name"'],
    ['shop."A.b"', '"shop"."A.b"'],
    ['Größe_1$', '"größe_1$"'],
    ['ÄRGER', '"Ärger"'],
  ];
  for (const [text, quoted] of names) {
    assert.ok(isName(text));
    assert.equal(quotedName(text), quoted);
  }
  for (const text of ['', 'a b', 'a.b.c', '1a', 'a;', 'a--', '"a', 'a"', '""', 'SELECT 1', '(a)', 'a.', '.a']) {
    assert.ok(!isName(text), text);
    assert.throws(() => quotedName(text), { code: '42602' });
  }
});
