import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { SqlError } from '../../operators/errors.ts';
import { initParser, parsePostgres, scanPostgres } from './pg_parser.ts';

before(initParser);

function failure(work: () => unknown): SqlError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SqlError, String(error));
    return error;
  }
  return assert.fail('should not parse');
}

test('tokens stand where they are in the UTF-8 form; comments are left out', () => {
  const text = 'SELECT é /* é */ , "X" -- é\n>= $1';
  const bytes = Buffer.from(text);
  const tokens = scanPostgres(text);
  assert.deepEqual(
    tokens.map((token) => token.text),
    ['SELECT', 'é', ',', '"X"', '>=', '$1'],
  );
  for (const { text: word, start, end } of tokens) assert.equal(bytes.toString('utf8', start, end), word);
  assert.deepEqual(scanPostgres(''), []);
});

test('scanner errors carry a position', () => {
  const at = (text: string) => {
    const { sqlstate, message, fields } = failure(() => scanPostgres(text));
    return [sqlstate, message, fields.position];
  };
  assert.deepEqual(at("SELECT 'é', 'x"), ['42601', 'unterminated quoted string at or near "\'x"', 13]);
  assert.deepEqual(at("SELECT é,\n 'x\ny"), ['42601', 'unterminated quoted string at or near "\'x\ny"', 12]);
  assert.deepEqual(at("SELECT '1ab', 1ab"), ['42601', 'trailing junk after numeric literal at or near "1ab"', 15]);
});

test('a fault of the module ends one statement only', { timeout: 60_000 }, async () => {
  // Past the check of nesting.ts: so deep that the stack overflows inside the module.
  const deep = `SELECT ${'1 + '.repeat(30_000)}1`;
  assert.equal(parsePostgres('SELECT 1').length, 1);
  // In this turn the spare module begins to load.
  await turn();
  for (let round = 0; round < 3; round++) {
    await pause(200);
    assert.equal(failure(() => parsePostgres(deep)).sqlstate, '54001');
    assert.equal(parsePostgres('SELECT 1').length, 1);
  }
});
