/**
 * CREATE STREAM and CREATE TABLE with the words that Postgres lacks:
 *
 *   CREATE STREAM name ( column type [NOT NULL] [, ...] [, WATERMARK FOR c AS c - INTERVAL '...'] )
 *     [INCLUDE KEY [AS k] | PARTITION | OFFSET | TIMESTAMP | HEADERS [AS c] [, ...]] [WITH (...)]
 *
 * STREAM becomes TABLE, the watermark and INCLUDE are taken out, and the rest is a CREATE TABLE of Postgres's grammar.
 */
import type { IncludeKind, Statement } from '../ast.ts';
import { createTable } from '../convert_ddl.ts';
import { errorAt } from '../positions.ts';
import { closingIndex, isSymbol, isWord, type Piece, Reader, subPiece } from './piece.ts';
import { parseExpression, Rewrite } from './rewrite.ts';

type CreateRelation = Extract<Statement, { k: 'create_relation' }>;

const INCLUDE_KINDS: IncludeKind[] = ['key', 'partition', 'offset', 'timestamp', 'headers'];

/** WATERMARK FOR c AS c - delay, the tokens of one element of the column list. */
function watermarkOf(piece: Piece): NonNullable<CreateRelation['watermark']> {
  const reader = new Reader(piece, 2);
  const { start: location } = piece.tokens[0];
  const column = reader.name();
  reader.expectWord('as');
  const from = reader.index;
  const expression = parseExpression(subPiece(piece, from));
  const refuse = () =>
    errorAt(
      piece.source,
      '42601',
      `WATERMARK must be ${column} or ${column} minus an interval`,
      piece.tokens[from].start,
    );
  const isColumn = (node: typeof expression | undefined): boolean =>
    node?.ColumnRef?.fields.length === 1 && node.ColumnRef.fields[0].String?.sval === column;
  if (isColumn(expression)) {
    const zero = { A_Const: { sval: { sval: '0' }, location: piece.tokens[from].start } };
    const names = [{ String: { sval: 'pg_catalog' } }, { String: { sval: 'interval' } }];
    return {
      column,
      delay: { TypeCast: { arg: zero, typeName: { names, typemod: -1, location: -1 }, location: -1 } },
      location,
    };
  }
  const operation = expression.A_Expr;
  if (operation?.kind !== 'AEXPR_OP' || operation.name.length !== 1 || operation.name[0].String.sval !== '-')
    throw refuse();
  if (!isColumn(operation.lexpr)) throw refuse();
  return { column, delay: operation.rexpr, location };
}

/** Takes the watermark, with the comma that sets it apart, out of the column list between brackets `open` and `close`. */
function takeWatermark(piece: Piece, rewrite: Rewrite, open: number, close: number): CreateRelation['watermark'] {
  const { tokens } = piece;
  let watermark: CreateRelation['watermark'] = null;
  let elementStart = open + 1;
  let depth = 0;
  for (let i = open + 1; i <= close; i++) {
    if (isSymbol(tokens[i], '(') || isSymbol(tokens[i], '[')) depth++;
    else if (i < close && (isSymbol(tokens[i], ')') || isSymbol(tokens[i], ']'))) depth--;
    if (i !== close && (depth > 0 || !isSymbol(tokens[i], ','))) continue;
    if (isWord(tokens[elementStart], 'watermark') && isWord(tokens[elementStart + 1], 'for')) {
      if (watermark !== null)
        throw errorAt(piece.source, '42601', 'multiple watermarks are not allowed', tokens[elementStart].start);
      watermark = watermarkOf(subPiece(piece, elementStart, i));
      // The comma before it, or the one after it when it comes first.
      const first = elementStart > open + 1 ? elementStart - 1 : elementStart;
      const last = elementStart > open + 1 || i === close ? i - 1 : i;
      rewrite.blank(tokens[first].start, tokens[last].end);
    }
    elementStart = i + 1;
  }
  return watermark;
}

/** Takes INCLUDE ... [, ...] [INCLUDE ...] out of what follows the column list. */
function takeInclude(piece: Piece, rewrite: Rewrite, from: number): CreateRelation['include'] {
  const { tokens } = piece;
  const include: CreateRelation['include'] = [];
  const reader = new Reader(piece, from);
  while (!reader.atEnd()) {
    if (!isWord(reader.peek(), 'include')) {
      // Whatever stands in brackets here belongs to Postgres's clauses.
      const close = isSymbol(reader.peek(), '(') ? closingIndex(tokens, reader.index) : reader.index;
      reader.index = close < 0 ? tokens.length : close + 1;
      continue;
    }
    const { start } = reader.next();
    do {
      const kind = reader.expectWord(...INCLUDE_KINDS) as IncludeKind;
      include.push({ kind, as: reader.takeWords('as') ? reader.name() : kind });
    } while (reader.takeSymbol(','));
    rewrite.blank(start, tokens[reader.index - 1].end);
  }
  return include;
}

/** `at`: index of the word STREAM or TABLE. */
export function createRelation(piece: Piece, at: number): CreateRelation {
  const { tokens, source } = piece;
  const rewrite = new Rewrite(piece);
  const isStream = isWord(tokens[at], 'stream');
  if (isStream) rewrite.replace(tokens[at].start, tokens[at].end, 'TABLE');
  const open = tokens.findIndex((token, i) => i > at && isSymbol(token, '('));
  const close = open < 0 ? -1 : closingIndex(tokens, open);
  const watermark = close < 0 ? null : takeWatermark(piece, rewrite, open, close);
  const include = close < 0 ? [] : takeInclude(piece, rewrite, close + 1);
  const { kind, node } = rewrite.parse();
  // Postgres's grammar also knows CREATE TABLE ... AS query.
  if (kind !== 'CreateStmt') {
    const what = isStream ? 'CREATE STREAM AS' : 'CREATE TABLE AS with WATERMARK or INCLUDE';
    const hint = 'CREATE VIEW names a query, CREATE MATERIALIZED VIEW keeps its rows up to date.';
    throw errorAt(source, '0A000', `${what} is not supported`, tokens[at].start, hint);
  }
  const relation = createTable(node, source);
  return { ...relation, kind: isStream ? 'stream' : 'table', watermark, include };
}
