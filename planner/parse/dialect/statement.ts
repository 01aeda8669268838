/**
 * One statement that may use the dialect anywhere: its own statements, or Postgres's with the dialect inside. Statements that carry
 * others (EXPLAIN, PREPARE, COPY (...), DECLARE ... FOR) are read in two steps: the part inside as a statement, the part around it by
 * Postgres's grammar with SELECT standing for the part inside.
 */
import type { Statement } from '../ast.ts';
import { convert } from '../convert.ts';
import { fetch } from '../convert_session.ts';
import { errorAt } from '../positions.ts';
import { alterStream } from './alter_stream.ts';
import { createSink, trailingOptions } from './create_sink.ts';
import { createRelation } from './create_stream.ts';
import { DROP_WORDS, dropRelations } from './drop.ts';
import { closingIndex, isSymbol, isWord, type Piece, Reader, subPiece, syntaxErrorAt } from './piece.ts';
import { parseWithForms } from './query_forms.ts';
import { createSlot, dropSlot } from './replication_slot.ts';
import { Rewrite } from './rewrite.ts';
import { acknowledge, createSubscription, isSubscriptionForView, subscribe } from './subscribe.ts';

type Of<K extends Statement['k']> = Extract<Statement, { k: K }>;

/** Says of a statement that its query ends with EMIT ON WINDOW CLOSE; false when the statement has no query that is maintained. */
function emitOnWindowClose(statement: Statement): boolean {
  if (statement.k === 'explain' || statement.k === 'prepare') return emitOnWindowClose(statement.inner);
  if (statement.k !== 'select' && statement.k !== 'create_view') return false;
  statement.query.emitOnWindowClose = true;
  return true;
}

/** Postgres's statement around token `from` .. `to`, in whose place SELECT stands. */
function around<K extends Statement['k']>(piece: Piece, from: number, to: number): Of<K> {
  const rewrite = new Rewrite(piece);
  rewrite.replace(piece.tokens[from].start, piece.tokens[to - 1].end, 'SELECT');
  const { kind, node } = rewrite.parse();
  return convert(kind, node, piece.source) as Of<K>;
}

const EXPLAINABLE: Statement['k'][] = [
  'select',
  'modifying_select',
  'insert',
  'update',
  'delete',
  'merge',
  'create_view',
  'create_relation',
  'create_sink',
  'declare_cursor',
  'execute',
  'subscribe',
];
const PREPARABLE: Statement['k'][] = ['select', 'modifying_select', 'insert', 'update', 'delete', 'merge', 'subscribe'];

/** EXPLAIN [ANALYZE] [VERBOSE] [( options )] statement */
function explainStatement(piece: Piece): Statement | null {
  const { tokens } = piece;
  let at = 1;
  if (isSymbol(tokens[at], '(')) {
    const close = closingIndex(tokens, at);
    // EXPLAIN (SELECT ...) has a query in brackets there, not options.
    const isQuery = isWord(tokens[at + 1], 'select', 'with', 'values', 'table') || isSymbol(tokens[at + 1], '(');
    if (close < 0 || isQuery) return null;
    at = close + 1;
  }
  while (isWord(tokens[at], 'analyze', 'analyse', 'verbose')) at++;
  if (at >= tokens.length) return null;
  const inner = parseStatement(subPiece(piece, at));
  if (!EXPLAINABLE.includes(inner.k)) throw syntaxErrorAt(piece, tokens[at]);
  return { ...around<'explain'>(piece, at, tokens.length), inner };
}

/** PREPARE name [( types )] AS statement */
function prepareStatement(piece: Piece): Statement | null {
  const { tokens } = piece;
  const at = (isSymbol(tokens[2], '(') ? closingIndex(tokens, 2) : 1) + 2;
  if (!isWord(tokens[at - 1], 'as') || at >= tokens.length) return null;
  const inner = parseStatement(subPiece(piece, at));
  if (!PREPARABLE.includes(inner.k)) throw syntaxErrorAt(piece, tokens[at]);
  return { ...around<'prepare'>(piece, at, tokens.length), inner };
}

/** COPY (SUBSCRIBE ...) TO STDOUT */
function copySubscribe(piece: Piece): Statement | null {
  const { tokens } = piece;
  if (!isSymbol(tokens[1], '(') || !isWord(tokens[2], 'subscribe')) return null;
  const close = closingIndex(tokens, 1);
  if (close < 0) throw syntaxErrorAt(piece, undefined);
  const inner = subscribe(subPiece(piece, 2, close));
  const copy = around<'copy'>(piece, 2, close);
  delete copy.node.query;
  return { ...copy, subscribe: inner };
}

/** DECLARE name ... CURSOR ... FOR SUBSCRIBE ... */
function declareSubscribe(piece: Piece): Statement | null {
  const { tokens } = piece;
  const at = tokens.findIndex((token, i) => isWord(token, 'for') && isWord(tokens[i + 1], 'subscribe')) + 1;
  if (at === 0) return null;
  const query = subscribe(subPiece(piece, at));
  return { ...around<'declare_cursor'>(piece, at, tokens.length), query };
}

/** FETCH | MOVE ... WITH (timeout = '...') */
function fetchWithOptions(piece: Piece): Statement | null {
  const end = trailingOptions(piece);
  if (end === piece.tokens.length || end === 0) return null;
  const reader = new Reader(piece, end);
  const options = reader.withOptions('FETCH', ['timeout']);
  const { node } = new Rewrite(subPiece(piece, 0, end)).parse();
  return { ...fetch(node, piece.source), options };
}

/** Index of the word that CREATE [OR REPLACE] [TEMP ...] creates. */
function createdKind(piece: Piece): number {
  let at = 1;
  while (isWord(piece.tokens[at], 'or', 'replace', 'temp', 'temporary', 'local', 'global', 'unlogged')) at++;
  return at;
}

/** CREATE of what only the dialect has; null for Postgres's own. */
function createStatement(piece: Piece): Statement | null {
  const { tokens, source } = piece;
  if (isWord(tokens[1], 'sink')) return createSink(piece);
  if (isWord(tokens[1], 'source')) {
    throw errorAt(source, '0A000', 'CREATE SOURCE is not supported', tokens[1].start, 'Use CREATE STREAM.');
  }
  if (isSubscriptionForView(piece)) return createSubscription(piece);
  if (isWord(tokens[1], 'replication')) return createSlot(piece);
  const at = createdKind(piece);
  if (isWord(tokens[at], 'stream')) return createRelation(piece, at);
  const dialect = isWord(tokens[at], 'table') && tokens.some((token) => isWord(token, 'watermark', 'include'));
  return dialect && !hasQuery(piece) ? createRelation(piece, at) : null;
}

/** Does AS query stand in a CREATE TABLE? Then WATERMARK and INCLUDE are names there. */
function hasQuery({ tokens }: Piece): boolean {
  let depth = 0;
  return tokens.some((token, i) => {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    const query = tokens[i + 1];
    if (depth > 0 || !isWord(token, 'as')) return false;
    return isSymbol(query, '(') || isWord(query, 'select', 'with', 'values', 'table', 'execute');
  });
}

function dialectStatement(piece: Piece): Statement | null {
  const { tokens, source } = piece;
  const [first, second] = tokens;
  if (isWord(first, 'create')) return createStatement(piece);
  if (isWord(first, 'subscribe')) return subscribe(piece);
  if (isWord(first, 'acknowledge')) return acknowledge(piece);
  if (isWord(first, 'alter') && isWord(second, 'stream')) return alterStream(piece);
  if (isWord(first, 'drop') && isWord(second, ...DROP_WORDS)) return dropRelations(piece);
  if (isWord(first, 'drop') && isWord(second, 'replication')) return dropSlot(piece);
  if (isWord(first, 'flush') && second === undefined) return { ...source, k: 'utility', tag: 'FLUSH', node: {} };
  if (isWord(first, 'explain')) return explainStatement(piece);
  if (isWord(first, 'prepare')) return prepareStatement(piece);
  if (isWord(first, 'copy')) return copySubscribe(piece);
  if (isWord(first, 'declare')) return declareSubscribe(piece);
  if (isWord(first, 'fetch', 'move')) return fetchWithOptions(piece);
  return null;
}

/** Parses a piece with at least one token as one statement. */
export function parseStatement(piece: Piece): Statement {
  const own = dialectStatement(piece);
  if (own !== null) return own;
  const { raw, emit } = parseWithForms(piece);
  const statement = convert(raw.kind, raw.node, piece.source);
  if (emit !== null && !emitOnWindowClose(statement)) throw syntaxErrorAt(piece, emit);
  return statement;
}
