import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { outputText } from './index.ts';

test('fields of a record are quoted for blanks of ASCII alone', () => {
  const shown = (text: string) =>
    outputText({ k: 'record', values: [text], types: [OID.text] }, OID.record, defaultContext());
  for (const plain of ['a', '\u00a0', '\u2028', '\u3000', '\ufeff', '\u0085']) assert.equal(shown(plain), `(${plain})`);
  for (const blank of ['', ' ', '\t', '\n', '\v', '\f', '\r', 'a b']) assert.equal(shown(blank), `("${blank}")`);
  assert.equal(shown('"\\'), '("""\\\\")');
});
