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

interface Join {
  node: PgNode;
  /** Highest location of the left side and lowest of the right: the join's words stand between. Infinite where a side has none. */
  after: number;
  before: number;
}

/** Every join of a tree with the place of its words. One pass: a node's range is folded into its parent's after all its children's. */
function joinsOf(root: PgNode): Join[] {
  const nodes: { node: PgNode; parent: number; key: string; low: number; high: number }[] = [];
  const joins = new Map<number, Join>();
  const enter = (node: PgNode, parent: number, key: string): void => {
    nodes.push({ node, parent, key, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY });
  };
  enter(root, -1, '');
  // Parents come before children, so that the second loop, from the end, sees children first.
  for (let at = 0; at < nodes.length; at++) {
    const entry = nodes[at];
    if (entry.key === 'JoinExpr') {
      joins.set(at, { node: entry.node, after: Number.NEGATIVE_INFINITY, before: Number.POSITIVE_INFINITY });
    }
    for (const [key, value] of Object.entries(entry.node)) {
      if (key === 'location' && value >= 0) entry.low = entry.high = value;
      else if (value !== null && typeof value === 'object') enter(value, at, key);
    }
  }
  for (let at = nodes.length - 1; at > 0; at--) {
    const { parent, key, low, high } = nodes[at];
    const above = nodes[parent];
    above.low = Math.min(above.low, low);
    above.high = Math.max(above.high, high);
    const join = joins.get(parent);
    if (join !== undefined && key === 'larg') join.after = high;
    if (join !== undefined && key === 'rarg') join.before = low;
  }
  return [...joins.values()];
}

function markJoins(root: PgNode, marks: Marks, piece: Piece): void {
  if (marks.asof.length === 0) return;
  // Narrowest last: only sides without any location, such as (SELECT) s, leave a choice.
  const joins = joinsOf(root).sort((a, b) => b.before - b.after - (a.before - a.after));
  const joinOf = new Map<number, PgNode>();
  for (const { node, after, before } of joins) {
    for (let i = firstAfter(marks.asof, after); i < marks.asof.length && marks.asof[i].start < before; i++) {
      joinOf.set(i, node);
      if (Number.isFinite(before - after)) break;
    }
  }
  marks.asof.forEach((token, i) => {
    const join = joinOf.get(i);
    if (join === undefined) throw syntaxErrorAt(piece, token);
    join.asof = true;
  });
}

/** Index of the first token that starts after a location; tokens are in order. */
function firstAfter(tokens: Token[], location: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle].start > location) high = middle;
    else low = middle + 1;
  }
  return low;
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
