import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Prepared, PreparedStatements } from './prepared_statements.ts';

const named = (name: string, text: string) => ({ name, text }) as Prepared;

test('a name gives what was prepared under it last, and nothing when that is gone', () => {
  const statements = new PreparedStatements();
  statements.add(named('a', '1'));
  statements.add(named('b', '2'));
  const texts = () => ['a', 'b', 'a'].map((name) => statements.get(name).text);
  assert.deepEqual(texts(), ['1', '2', '1']);
  assert.equal(statements.lastName, 'a');
  statements.add(named('a', '3'));
  assert.deepEqual(texts(), ['3', '2', '3']);
  statements.drop('a');
  assert.throws(() => statements.get('a'), { sqlstate: '26000' });
  assert.equal(statements.get('b').text, '2');
  statements.add(named('', '4'));
  statements.get('b');
  statements.dropNamed();
  assert.throws(() => statements.get('b'), { sqlstate: '26000' });
  assert.equal(statements.get('').text, '4');
});
