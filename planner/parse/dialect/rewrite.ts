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
    const { bytes, tokens } = piece;
    this.piece = piece;
    this.bytes = Buffer.alloc(bytes.length, BLANK);
    if (tokens.length > 0) bytes.copy(this.bytes, tokens[0].start, tokens[0].start, tokens[tokens.length - 1].end);
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
    const statements = parseInPlace(this.piece, text, 0, this.bytes.length);
    if (statements.length === 0) throw syntaxErrorAt(this.piece, undefined);
    return statements[0];
  }
}

/**
 * Parses `text` in the place of the piece: its byte 0 is byte `shift` of the statement. A syntax error at byte `end` of `text` or later
 * is one at the piece's end.
 */
function parseInPlace(piece: Piece, text: string, shift: number, end: number): RawStatement[] {
  try {
    return parsePostgres(text);
  } catch (error) {
    if (!(error instanceof SqlError) || error.fields.position === undefined) throw error;
    const offset = byteOffset(text, error.fields.position);
    if (offset >= end && error.message.startsWith('syntax error')) throw syntaxErrorAt(piece, undefined);
    const { source } = piece;
    const position = characterPosition(source.text, offset + shift)! + source.offset;
    throw new SqlError(error.sqlstate, error.message, { ...error.fields, position });
  }
}

/** Fields of libpg-query's nodes that are byte offsets. */
const LOCATIONS = new Set(['location', 'list_start', 'list_end', 'rexpr_list_start', 'rexpr_list_end']);

/** Adds `shift` to every known byte offset in a tree. */
function shiftLocations(root: PgNode, shift: number): void {
  const pending: PgNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const [key, value] of Object.entries(node)) {
      if (LOCATIONS.has(key) && value >= 0) node[key] = value + shift;
      else if (value !== null && typeof value === 'object') pending.push(value);
    }
  }
}

const OPENING = 'SELECT(';

/** An expression that is all of a piece, as a wrapped node whose locations count from the start of the statement. */
export function parseExpression(piece: Piece): PgNode {
  const { bytes, tokens } = piece;
  if (tokens.length === 0) throw syntaxErrorAt(piece, undefined);
  const { start } = tokens[0];
  const { end } = tokens[tokens.length - 1];
  const shift = start - OPENING.length;
  const text = `${OPENING}${bytes.toString('utf8', start, end)})`;
  const select = parseInPlace(piece, text, shift, end - shift)[0].node;
  const value = select.targetList?.[0]?.ResTarget?.val;
  const isRow = value?.RowExpr?.row_format === 'COERCE_IMPLICIT_CAST';
  if (value === undefined || isRow) throw syntaxErrorAt(piece, tokens[0]);
  shiftLocations(value, shift);
  return value;
}
