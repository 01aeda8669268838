/**
 * Random token soup: whatever is thrown at the parser, it answers with statements or with a SqlError, and goes on working. The words are
 * those of the grammar and the dialect, so that much of the soup gets far before it fails. Replay with SEED=n.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../../operators/errors.ts';
import { testSeed, times } from '../../operators/testing/property.ts';
import type { Statement } from './ast.ts';
import { commandTag } from './command_tag.ts';
import { splitStatements } from './dialect/split.ts';
import { parseStatement } from './dialect/statement.ts';
import { initParser, parse } from './parse.ts';

before(initParser);

const seed = testSeed();

const WORDS =
  `SELECT FROM WHERE a b s.v t.x * , , ( ) ( ) ; ; = + - 1 2.5 'x' 'é' $1 "Q" AS OF JOIN LEFT ON ASOF FOR SYSTEM_TIME EMIT WINDOW
  CLOSE CREATE STREAM TABLE SINK SUBSCRIPTION MATERIALIZED VIEW WATERMARK INTERVAL INCLUDE KEY PARTITION WITH connector SUBSCRIBE TO UP COPY STDOUT
  DECLARE c CURSOR FETCH MOVE ALL IN ACKNOWLEDGE DROP IF NOT EXISTS EXPLAIN ANALYZE PREPARE p EXECUTE BEGIN COMMIT SET SHOW x TUMBLE( 'oops $$ /* */
  -- int text [ ] :: CASE WHEN THEN END UNION VALUES INSERT INTO UPDATE DELETE timestamp NULL 😀 e'\\u00e9' U&'\\0061' 1a \u0001 \\ ' "`.split(
    /\s+/,
  );

const OPENINGS = [
  'SELECT * FROM v AS OF',
  'SELECT * FROM a ASOF JOIN',
  'CREATE STREAM s (a int, WATERMARK FOR a AS a -',
  'CREATE STREAM s (a int) INCLUDE',
  'SUBSCRIBE (SELECT',
  'COPY (SUBSCRIBE',
  'DECLARE c CURSOR FOR SUBSCRIBE',
  'CREATE SINK s AS',
  'CREATE MATERIALIZED VIEW v AS SELECT',
  'FETCH 5 FROM c WITH (',
  'CREATE SUBSCRIPTION s FOR',
  'SELECT * FROM a JOIN b FOR SYSTEM_TIME AS OF',
  'EXPLAIN',
  'PREPARE p AS',
  '',
];

const soup = fc
  .tuple(
    fc.constantFrom(...OPENINGS),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }),
    fc.constantFrom(' ', '', '\n'),
  )
  .map(([opening, words, space]) => `${opening} ${words.join(space)}`);

function check(sql: string): void {
  let statements: Statement[];
  try {
    statements = parse(sql);
  } catch (error) {
    assert.ok(error instanceof SqlError, `${JSON.stringify(sql)}: ${(error as Error).stack}`);
    assert.match(error.sqlstate, /^(42|22|0A|54)/, `${JSON.stringify(sql)}: ${error.message}`);
    const { position } = error.fields;
    assert.ok(
      position === undefined || (position >= 1 && position <= [...sql].length + 1),
      `${JSON.stringify(sql)}: ${position}`,
    );
    return;
  }
  for (const statement of statements) {
    assert.ok(commandTag(statement).length > 0);
    assert.ok([...sql].slice(statement.offset).join('').startsWith(statement.text), JSON.stringify(sql));
  }
}

test('token soup gives statements or SqlErrors', { timeout: 60_000 }, () => {
  fc.assert(fc.property(soup, check), { seed, numRuns: times(3000) });
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), check), { seed, numRuns: times(500) });
  assert.equal(parse('SELECT 1').length, 1);
});

/** What a reading gives: the statements' kinds, texts and places, or the error. */
function outcome(read: () => Statement[]): unknown {
  try {
    return read().map(({ k, text, offset }) => [k, text, offset]);
  } catch (error) {
    assert.ok(error instanceof SqlError);
    return [error.sqlstate, error.message, error.fields.position];
  }
}

test("Postgres's own SQL reads the same token by token as whole", { timeout: 60_000 }, () => {
  const ownWords =
    /asof|system_time|emit|stream|sink|subscri|watermark|include|acknowledge|fetch|move|explain|prepare|^of$/i;
  // Comments too: read whole, a statement keeps the comment at its end.
  const unfinished = /^('oops|\$\$|\/\*|1a|\\|'|"|--|\*\/)$/;
  const words = WORDS.filter((word) => !ownWords.test(word) && !unfinished.test(word));
  const plain = fc
    .array(fc.constantFrom(...words), { maxLength: 12 })
    .map((soup) => soup.join(' ').replace(/^[\s;]+/, ''));
  const property = fc.property(plain, (sql) => {
    assert.deepEqual(
      outcome(() => splitStatements(sql).map(parseStatement)),
      outcome(() => parse(sql)),
    );
  });
  fc.assert(property, { seed, numRuns: times(3000) });
});
