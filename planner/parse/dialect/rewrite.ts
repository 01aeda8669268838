/**
 * Text for Postgres's parser, made from a piece of a statement by replacing what Postgres does not know with blanks, byte for byte:
 *
 *   user     CREATE STREAM s (a int, WATERMARK FOR a AS a - INTERVAL '1 s') INCLUDE KEY AS k WITH (format = 'json')
 *   parser   CREATE TABLE  s (a int                                       )                  WITH (format = 'json')
 *
 * So every location in the tree is already a byte offset of the user's text. Only character positions of errors need care, since a
 * blanked character of several bytes becomes several blanks.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { PgNode } from '../ast.ts';
import { parsePostgres, type RawStatement } from '../pg_parser.ts';
import { characterPosition } from '../positions.ts';
import { type Piece, syntaxErrorAt } from './piece.ts';

const BLANK = 0x20;

/** Byte offset of a 1-based character position. */
function byteOffset(text: string, position: number): number {
  let characters = 1;
  let units = 0;
  while (units < text.length && characters < position) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
    characters++;
  }
  return Buffer.byteLength(text.slice(0, units));
}

export class Rewrite {
  private readonly piece: Piece;
  private readonly bytes: Buffer;

  /** Starts as the piece's own text among blanks. */
  constructor(piece: Piece) {
    const { source, tokens } = piece;
    const original = Buffer.from(source.text, 'utf8');
    this.piece = piece;
    this.bytes = Buffer.alloc(original.length, BLANK);
    if (tokens.length > 0) original.copy(this.bytes, tokens[0].start, tokens[0].start, tokens[tokens.length - 1].end);
  }

  /** Replaces the bytes from `start` to `end` by `text` (ASCII, not longer) and blanks. */
  replace(start: number, end: number, text: string): void {
    this.bytes.fill(BLANK, start, end);
    this.bytes.write(text, start, 'ascii');
  }

  blank(start: number, end: number): void {
    this.bytes.fill(BLANK, start, end);
  }

  /** Postgres's tree of the text as it now stands; error positions are those of what the client sent. */
  parse(): RawStatement {
    const text = this.bytes.toString('utf8');
    const statements = parseInPlace(this.piece, text, this.bytes.length);
    if (statements.length === 0) throw syntaxErrorAt(this.piece, undefined);
    return statements[0];
  }
}

/** Parses text that stands byte for byte in the place of the piece's own, which ends at byte `end`. */
function parseInPlace(piece: Piece, text: string, end: number): RawStatement[] {
  try {
    return parsePostgres(text);
  } catch (error) {
    if (!(error instanceof SqlError) || error.fields.position === undefined) throw error;
    const offset = byteOffset(text, error.fields.position);
    if (offset >= end && error.message.startsWith('syntax error')) throw syntaxErrorAt(piece, undefined);
    const position = characterPosition(piece.source.text, offset)! + piece.source.offset;
    throw new SqlError(error.sqlstate, error.message, { ...error.fields, position });
  }
}

/** An expression that stands between tokens as a wrapped node. It must start at byte 7 or later, to leave room for SELECT. */
export function parseExpression(piece: Piece): PgNode {
  const { source, tokens } = piece;
  if (tokens.length === 0) throw syntaxErrorAt(piece, undefined);
  const { start } = tokens[0];
  const { end } = tokens[tokens.length - 1];
  const expression = Buffer.from(source.text, 'utf8').toString('utf8', start, end);
  const text = `${' '.repeat(start - 'SELECT('.length)}SELECT(${expression})`;
  const select = parseInPlace(piece, text, end)[0].node;
  const value = select.targetList?.[0]?.ResTarget?.val;
  const isRow = value?.RowExpr?.row_format === 'COERCE_IMPLICIT_CAST';
  if (value === undefined || isRow) throw syntaxErrorAt(piece, tokens[0]);
  return value;
}
