/**
 * Following a view's changes:
 *
 *   SUBSCRIBE [TO] view | (query) [WITH (snapshot = ..., progress = ...)] [AS OF tick] [UP TO tick]
 *   CREATE SUBSCRIPTION [IF NOT EXISTS] s FOR view | (query) [WITH (retention = '...')]
 *   ACKNOWLEDGE s UP TO tick
 */
import type { Option, SelectNode, Statement, SubscribeStatement, SubscribeTarget } from '../ast.ts';
import { errorAt } from '../positions.ts';
import { closingIndex, isSymbol, isWord, type Piece, Reader, subPiece, syntaxErrorAt } from './piece.ts';
import { parseWithForms } from './query_forms.ts';

/** A query that stands for itself in a dialect statement. */
export function queryOf(piece: Piece): SelectNode {
  const end = piece.tokens.find((token) => isSymbol(token, ';'));
  if (end !== undefined) throw syntaxErrorAt(piece, end);
  const { raw, emit } = parseWithForms(piece);
  if (raw.kind !== 'SelectStmt' || raw.node.intoClause !== undefined) throw syntaxErrorAt(piece, piece.tokens[0]);
  return { select: raw.node, text: piece.source.text, ...(emit === null ? {} : { emitOnWindowClose: true }) };
}

/** view | (query) */
function target(reader: Reader): SubscribeTarget {
  const { piece } = reader;
  if (!isSymbol(reader.peek(), '(')) return { relation: reader.qualifiedName() };
  const close = closingIndex(piece.tokens, reader.index);
  if (close < 0) throw syntaxErrorAt(piece, undefined);
  // What ends the query is its bracket, not the statement's end.
  const query = subPiece(piece, reader.index + 1, close);
  if (query.tokens.length === 0) throw syntaxErrorAt(piece, piece.tokens[close]);
  reader.index = close + 1;
  return { query: queryOf(query) };
}

function flag(options: Option[], name: string, absent: boolean, piece: Piece): boolean {
  const option = options.find((candidate) => candidate.name === name);
  if (option === undefined) return absent;
  if (/^(true|on|yes|1)$/i.test(option.value)) return true;
  if (/^(false|off|no|0)$/i.test(option.value)) return false;
  throw errorAt(piece.source, '42601', `${name} requires a Boolean value`, option.location);
}

export function subscribe(piece: Piece): SubscribeStatement {
  const reader = new Reader(piece);
  reader.expectWord('subscribe');
  reader.takeWords('to');
  const from = target(reader);
  const options = reader.withOptions('SUBSCRIBE', ['snapshot', 'progress']);
  const asOf = reader.takeWords('as', 'of') ? reader.tick() : null;
  const upTo = reader.takeWords('up', 'to') ? reader.tick() : null;
  reader.expectEnd();
  return {
    ...piece.source,
    k: 'subscribe',
    target: from,
    snapshot: flag(options, 'snapshot', true, piece),
    progress: flag(options, 'progress', false, piece),
    asOf,
    upTo,
  };
}

/** Is this CREATE SUBSCRIPTION Tidemark's (FOR a view) and not Postgres's (CONNECTION to a server)? */
export function isSubscriptionForView(piece: Piece): boolean {
  const { tokens } = piece;
  const decides = tokens.find((token) => isWord(token, 'for', 'connection'));
  return isWord(tokens[1], 'subscription') && !isWord(decides, 'connection');
}

export function createSubscription(piece: Piece): Statement {
  const reader = new Reader(piece, 2);
  const ifNotExists = reader.takeWords('if', 'not', 'exists');
  const { schema, name } = reader.qualifiedName();
  reader.expectWord('for');
  const from = target(reader);
  const options = reader.withOptions('CREATE SUBSCRIPTION');
  reader.expectEnd();
  const named = schema === undefined ? { name } : { schema, name };
  return { ...piece.source, k: 'create_subscription', ifNotExists, ...named, target: from, options };
}

export function acknowledge(piece: Piece): Statement {
  const reader = new Reader(piece, 1);
  const { schema, name } = reader.qualifiedName();
  reader.expectWord('up');
  reader.expectWord('to');
  const upTo = reader.tick();
  reader.expectEnd();
  return { ...piece.source, k: 'acknowledge', ...(schema === undefined ? { name } : { schema, name }), upTo };
}
