/**
 * SQL text -> statements. The whole string is parsed before anything of it runs.
 *
 *   text -> Postgres's parser -> statements                                        when all of it is Postgres's SQL
 *        -> Postgres's tokens -> pieces between semicolons -> dialect/ -> statements    otherwise
 *
 * Cost: what libpg-query costs (some 15 microseconds for a small SELECT, 5 ms for an INSERT of 1000 rows). A statement after the first
 * is parsed a second time from its own text, so that its nodes count their positions from its own start.
 */
import { SqlError } from '../../operators/errors.ts';
import type { Statement } from './ast.ts';
import { convert } from './convert.ts';
import type { Piece } from './dialect/piece.ts';
import { splitStatements } from './dialect/split.ts';
import { parseStatement } from './dialect/statement.ts';
import { MAX_NESTING, MAX_TOKENS, measureText } from './nesting.ts';
import { withSyntaxHint } from './other_systems.ts';
import { parsePostgres, type RawStatement, tooDeep } from './pg_parser.ts';
import { codePoints, type Source, withOffset } from './positions.ts';

export { initParser } from './pg_parser.ts';

/** Longest text in bytes: beyond it the tree's JSON form could pass the longest string that JavaScript can hold. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Refuses text that PostgreSQL's encoding check would refuse, and text that is too long or nested too deep. */
function checkText(sql: string): void {
  if (sql.includes('\0')) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  const surrogate = /\p{Surrogate}/u.exec(sql);
  if (surrogate !== null) {
    const unit = surrogate[0].charCodeAt(0);
    const bytes = [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
    const hex = bytes.map((byte) => `0x${byte.toString(16)}`).join(' ');
    throw new SqlError('22021', `invalid byte sequence for encoding "UTF8": ${hex}`);
  }
  if (Buffer.byteLength(sql) > MAX_BYTES) {
    throw new SqlError('54000', 'statement is too long', { detail: `The limit is ${MAX_BYTES} bytes.` });
  }
  // A shorter text cannot nest deeper than it has characters.
  if (sql.length <= MAX_NESTING) return;
  const { depth, tokens } = measureText(sql);
  if (depth > MAX_NESTING) throw tooDeep();
  if (tokens > MAX_TOKENS) {
    throw new SqlError('54000', 'statement is too long', { detail: `The limit is ${MAX_TOKENS} words and symbols.` });
  }
}

/** Parses again from the statement's own text, so that locations count from its start. */
function reparse(source: Source): RawStatement {
  try {
    return parsePostgres(source.text)[0];
  } catch (error) {
    throw error instanceof SqlError ? withOffset(error, source.offset) : error;
  }
}

/** Statements of a text that is all Postgres's SQL. */
function convertAll(sql: string, raw: RawStatement[]): Statement[] {
  const bytes = Buffer.from(sql, 'utf8');
  let counted = 0;
  let characters = 0;
  return raw.map((statement, index) => {
    const end = statement.length === undefined ? bytes.length : statement.start + statement.length;
    // The first statement keeps what stands before it, so that its nodes' positions are right as they are.
    const start = index === 0 ? 0 : statement.start;
    characters += codePoints(bytes.toString('utf8', counted, start));
    counted = start;
    const source = { text: bytes.toString('utf8', start, end).trimEnd(), offset: characters };
    const { kind, node } = start === 0 ? statement : reparse(source);
    return convert(kind, node, source);
  });
}

/**
 * Statements of a text that uses the dialect somewhere. Postgres reads tokens only as far as the grammar follows, so a broken token
 * late in the text is not the error to report when a statement before it is already wrong. `refusal`: what Postgres's parser said.
 */
function parseDialect(sql: string, refusal: SqlError | null): Statement[] {
  let pieces: Piece[];
  try {
    pieces = splitStatements(sql);
  } catch (error) {
    if (refusal !== null && error instanceof SqlError && error.message === refusal.message) throw refusal;
    if (error instanceof SqlError && error.fields.position !== undefined) {
      const sound = [...sql].slice(0, error.fields.position - 1).join('');
      for (const piece of splitStatements(sound)) if (piece.after.text !== null) parseStatement(piece);
    }
    throw error;
  }
  return pieces.map(parseStatement);
}

/** ASOF is the one form of the dialect that Postgres's grammar takes for something else: an alias. */
const READS_DIFFERENTLY = /\basof\b/i;

/** A text that Postgres refuses and that has none of these words is simply wrong: no need to read it again token by token. */
const DIALECT_WORDS =
  /\b(stream|sink|source|subscribe|subscription|acknowledge|replication|flush|emit|watermark|include|system_time|of|fetch|move)\b/i;

/**
 * Parses what a client sent: any number of statements separated by semicolons; '' and ';;' give []. Call initParser() once before.
 * Errors are SqlErrors as PostgreSQL words them; their `position` counts characters in the whole of `sql`.
 */
export function parse(sql: string): Statement[] {
  checkText(sql);
  try {
    return parseText(sql);
  } catch (error) {
    throw error instanceof SqlError ? withSyntaxHint(sql, error) : error;
  }
}

function parseText(sql: string): Statement[] {
  if (READS_DIFFERENTLY.test(sql)) return parseDialect(sql, null);
  let raw: RawStatement[];
  try {
    raw = parsePostgres(sql);
  } catch (error) {
    const mayBeDialect = error instanceof SqlError && error.sqlstate === '42601' && DIALECT_WORDS.test(sql);
    if (!mayBeDialect) throw error;
    return parseDialect(sql, error);
  }
  return convertAll(sql, raw);
}
