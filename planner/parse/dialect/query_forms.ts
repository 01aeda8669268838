/**
 * What the dialect adds inside queries. Each form is taken out of the text before Postgres's parser sees it, and then marked on the
 * node it belongs to (ast.ts lists the marks):
 *
 *   a ASOF [LEFT] JOIN b ON ...           the word ASOF goes       -> the join whose two sides stand around it
 *   b FOR SYSTEM_TIME AS OF expression    the whole phrase goes    -> the relation named just before it
 *   v AS OF tick | timestamp              likewise
 *   query EMIT ON WINDOW CLOSE            likewise                 -> the statement's query
 *
 * In plain Postgres `a ASOF JOIN b` reads as an alias named asof; in Tidemark it never does, `a AS asof JOIN b` still does.
 */
import type { PgNode } from '../ast.ts';
import { type RawStatement, TOKEN, type Token } from '../pg_parser.ts';
import { errorAt } from '../positions.ts';
import { expressionEnd } from './expression_extent.ts';
import { closingIndex, isSymbol, isWord, type Piece, subPiece, syntaxErrorAt } from './piece.ts';
import { parseExpression, Rewrite } from './rewrite.ts';

interface RelationMark {
  field: 'asOf' | 'systemTimeAsOf';
  /** Token index of the phrase's first word. */
  at: number;
  expression: PgNode;
}

interface Marks {
  asof: Token[];
  relations: RelationMark[];
  emit: Token | null;
}

/** Can this token stand just before a table's name? Then ASOF after it is that name, not the join's word. */
function opensTable(token: Token | undefined): boolean {
  if (token === undefined) return true;
  if (['(', ',', '.'].includes(token.text)) return true;
  return isWord(token, 'from', 'join', 'as', 'only', 'lateral', 'update', 'into', 'using', 'table');
}

/** Does the expression after AS OF start here? Words that could go on a query after an alias named "of" do not start one. */
function startsPointInTime(tokens: Token[], at: number): boolean {
  const token = tokens[at];
  if (token === undefined) return false;
  const { ICONST, FCONST, SCONST, USCONST, PARAM } = TOKEN;
  if ([ICONST, FCONST, SCONST, USCONST, PARAM].includes(token.type as 266)) return true;
  if (isWord(token, 'timestamp', 'current_timestamp', 'localtimestamp', 'current_date', 'cast')) return true;
  const isName = token.type === TOKEN.IDENT;
  const after = tokens[at + 1];
  return isName && (isSymbol(after, '(') || isSymbol(after, '.') || after?.type === SCONST);
}

/** Finds the forms in a piece and takes them out of its rewrite. */
function takeOut(piece: Piece, rewrite: Rewrite): Marks {
  const { tokens, source } = piece;
  const marks: Marks = { asof: [], relations: [], emit: null };
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    if (isWord(token, 'asof') && !opensTable(tokens[i - 1])) {
      const side = tokens[i + 1];
      if (isWord(side, 'right', 'full', 'cross', 'natural')) {
        throw errorAt(source, '0A000', `ASOF ${side.text.toUpperCase()} JOIN is not supported`, token.start);
      }
      if (isWord(side, 'join', 'inner', 'left')) {
        marks.asof.push(token);
        rewrite.blank(token.start, token.end);
      }
    } else if (isWord(token, 'for') && isWord(tokens[i + 1], 'system_time')) {
      for (const [ahead, word] of [
        [2, 'as'],
        [3, 'of'],
      ] as const) {
        if (!isWord(tokens[i + ahead], word)) throw syntaxErrorAt(piece, tokens[i + ahead]);
      }
      i = takeRelationMark('systemTimeAsOf', i, i + 4);
    } else if (isWord(token, 'as') && isWord(tokens[i + 1], 'of') && startsPointInTime(tokens, i + 2)) {
      i = takeRelationMark('asOf', i, i + 2);
    } else if (isWord(token, 'emit') && isWord(tokens[i + 1], 'on') && isWord(tokens[i + 2], 'window')) {
      if (!isWord(tokens[i + 3], 'close')) throw syntaxErrorAt(piece, tokens[i + 3]);
      if (depth > 0) {
        const message = 'EMIT ON WINDOW CLOSE is only allowed at the end of a whole query';
        throw errorAt(source, '42601', message, token.start);
      }
      const after = tokens[i + 4];
      if (marks.emit !== null || (after !== undefined && !isWord(after, 'with'))) {
        throw syntaxErrorAt(piece, marks.emit === null ? after : token);
      }
      marks.emit = token;
      rewrite.blank(token.start, tokens[i + 3].end);
      i += 3;
    }
  }
  return marks;

  /** Takes out a phrase whose expression starts at token `from`; gives the index of its last token. */
  function takeRelationMark(field: RelationMark['field'], at: number, from: number): number {
    const end = expressionEnd(tokens, from);
    if (end === from) throw syntaxErrorAt(piece, tokens[from]);
    marks.relations.push({ field, at, expression: parseExpression(subPiece(piece, from, end)) });
    rewrite.blank(tokens[at].start, tokens[end - 1].end);
    return end - 1;
  }
}

/** Calls `visit` for every wrapped node ({ Type: content }) of a tree. Its own stack: a tree may be as deep as the nesting limit. */
function eachNode(root: PgNode, visit: (kind: string, content: PgNode) => void): void {
  const pending: PgNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const [key, value] of Object.entries(node)) {
      if (value === null || typeof value !== 'object') continue;
      if (/^[A-Z]/.test(key)) visit(key, value);
      pending.push(value);
    }
  }
}

/** Lowest and highest location in a tree; an empty range ( Infinity, -Infinity ) when it has none. */
function locationRange(root: PgNode): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const pending: PgNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const [key, value] of Object.entries(node)) {
      if (key === 'location' && value >= 0) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      } else if (value !== null && typeof value === 'object') pending.push(value);
    }
  }
  return { low, high };
}

function markJoins(root: PgNode, marks: Marks, piece: Piece): void {
  if (marks.asof.length === 0) return;
  const joins: { node: PgNode; after: number; before: number }[] = [];
  eachNode(root, (kind, node) => {
    if (kind !== 'JoinExpr') return;
    joins.push({ node, after: locationRange(node.larg).high, before: locationRange(node.rarg).low });
  });
  for (const token of marks.asof) {
    const around = joins.filter((join) => join.after < token.start && token.start < join.before);
    around.sort((a, b) => a.before - a.after - (b.before - b.after));
    if (around.length === 0) throw syntaxErrorAt(piece, token);
    around[0].node.asof = true;
  }
}

/** Does the table reference whose name starts at token `at` end just before token `end`?  name[.name]* [*] [[AS] alias [(c, ...)]] */
function isTableReference(tokens: Token[], at: number, end: number): boolean {
  let i = at + 1;
  while (isSymbol(tokens[i], '.')) i += 2;
  if (isSymbol(tokens[i], '*')) i++;
  if (i < end && isWord(tokens[i], 'as')) i++;
  if (i < end) i++;
  if (i < end && isSymbol(tokens[i], '(')) i = closingIndex(tokens, i) + 1;
  return i === end;
}

function markRelations(root: PgNode, marks: Marks, piece: Piece): void {
  if (marks.relations.length === 0) return;
  const relations = new Map<number, PgNode>();
  eachNode(root, (kind, node) => {
    if (kind === 'RangeVar') relations.set(node.location ?? 0, node);
  });
  const { tokens } = piece;
  for (const { field, at, expression } of marks.relations) {
    let name = at - 1;
    while (name >= 0 && !relations.has(tokens[name].start)) name--;
    if (name < 0 || !isTableReference(tokens, name, at)) throw syntaxErrorAt(piece, tokens[at]);
    const relation = relations.get(tokens[name].start)!;
    if (relation[field] !== undefined) throw syntaxErrorAt(piece, tokens[at]);
    relation[field] = expression;
  }
}

/** A statement that may hold the dialect's forms, parsed and marked. `emit`: the word EMIT, when the query ends so. */
export interface MarkedStatement {
  raw: RawStatement;
  emit: Token | null;
}

/** Parses a piece of Postgres's grammar plus the forms above. */
export function parseWithForms(piece: Piece, rewrite = new Rewrite(piece)): MarkedStatement {
  const marks = takeOut(piece, rewrite);
  const raw = rewrite.parse();
  markJoins(raw.node, marks, piece);
  markRelations(raw.node, marks, piece);
  return { raw, emit: marks.emit };
}
