import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { characterPosition, codePoints, withOffset } from './positions.ts';

test('a byte offset becomes a 1-based character position, for characters of one to four bytes', () => {
  const text = 'aé漢😀b';
  const starts = [0, 1, 3, 6, 10, 11];
  assert.deepEqual(
    starts.map((byte) => characterPosition(text, byte)),
    [1, 2, 3, 4, 5, 6],
  );
  for (const [i, character] of [...text].entries()) {
    const byte = Buffer.byteLength([...text].slice(0, i).join(''));
    assert.equal(characterPosition(text, byte), i + 1, character);
  }
});

test('an unknown offset has no position; one past the end is the place after the last character', () => {
  assert.equal(characterPosition('ab', -1), undefined);
  assert.equal(characterPosition('ab', undefined), undefined);
  assert.equal(characterPosition('é', 99), 2);
  assert.equal(codePoints('a😀b'), 3);
});

test('an error moves with its statement', () => {
  assert.equal(withOffset(new SqlError('42601', 'x', { position: 3 }), 10).fields.position, 13);
  assert.equal(withOffset(new SqlError('42601', 'x'), 10).fields.position, undefined);
});
