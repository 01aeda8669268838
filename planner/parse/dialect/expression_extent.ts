/**
 * Where does the expression end that follows AS OF? Postgres's grammar cannot be asked, since it does not know the phrase, and the
 * expression may be followed by an alias, ON, WHERE. So the phrase takes the operands below, joined by + - * /, and no more; what
 * stands inside an operand is Postgres's business.
 *
 *   operand := constant | $1 | ( ... ) | CAST ( ... ) | name[.name ...] [( ... )] | type 'constant' [unit [TO unit]]
 *              each with :: type or AT TIME ZONE operand after it
 */
import { TOKEN, type Token } from '../pg_parser.ts';
import { closingIndex, isSymbol, isWord } from './piece.ts';

const CONSTANTS: number[] = [TOKEN.ICONST, TOKEN.FCONST, TOKEN.SCONST, TOKEN.USCONST, TOKEN.PARAM];
const UNITS = ['year', 'month', 'day', 'hour', 'minute', 'second'];

function afterBrackets(tokens: Token[], at: number): number {
  if (!isSymbol(tokens[at], '(')) return at;
  const close = closingIndex(tokens, at);
  return close < 0 ? tokens.length : close + 1;
}

function isNameToken(token: Token | undefined): boolean {
  return (
    token !== undefined &&
    (token.type === TOKEN.IDENT || token.type === TOKEN.UIDENT || (token.keywordKind > 0 && token.keywordKind < 4))
  );
}

/** After a type's name: name[.name] [(n)] [WITH | WITHOUT TIME ZONE] []... ; `at` itself when none stands there. */
function typeEnd(tokens: Token[], at: number): number {
  if (!isNameToken(tokens[at])) return at;
  let i = at + 1;
  while (isSymbol(tokens[i], '.')) i += 2;
  i = afterBrackets(tokens, i);
  if (isWord(tokens[i], 'with', 'without') && isWord(tokens[i + 1], 'time') && isWord(tokens[i + 2], 'zone')) i += 3;
  while (isSymbol(tokens[i], '[')) i = closingIndex(tokens, i) < 0 ? tokens.length : closingIndex(tokens, i) + 1;
  return i;
}

/** After the unit of an interval constant: DAY TO SECOND (3). */
function unitEnd(tokens: Token[], at: number): number {
  if (!isWord(tokens[at], ...UNITS)) return at;
  let i = afterBrackets(tokens, at + 1);
  if (isWord(tokens[i], 'to') && isWord(tokens[i + 1], ...UNITS)) i = afterBrackets(tokens, i + 2);
  return i;
}

function operandStart(tokens: Token[], at: number): number {
  const token = tokens[at];
  if (token === undefined) return at;
  if (CONSTANTS.includes(token.type)) return at + 1;
  if (isSymbol(token, '(')) return afterBrackets(tokens, at);
  if (isWord(token, 'cast', 'current_timestamp', 'localtimestamp', 'current_date'))
    return afterBrackets(tokens, at + 1);
  if (!isNameToken(token)) return at;
  const constant = typeEnd(tokens, at);
  if (tokens[constant]?.type === TOKEN.SCONST) return unitEnd(tokens, constant + 1);
  let i = at + 1;
  while (isSymbol(tokens[i], '.')) i += 2;
  return afterBrackets(tokens, i);
}

function operandEnd(tokens: Token[], at: number): number {
  let i = operandStart(tokens, at);
  if (i === at) return at;
  for (;;) {
    let end = i;
    if (isSymbol(tokens[i], '::')) end = typeEnd(tokens, i + 1);
    else if (isWord(tokens[i], 'at') && isWord(tokens[i + 1], 'time') && isWord(tokens[i + 2], 'zone')) {
      end = operandStart(tokens, i + 3);
    }
    if (end <= i) return i;
    i = end;
  }
}

/** Index after the expression that starts at token `at`; `at` itself when none starts there. */
export function expressionEnd(tokens: Token[], at: number): number {
  let i = operandEnd(tokens, at);
  while (i > at && i < tokens.length && ['+', '-', '*', '/'].includes(tokens[i].text)) {
    const end = operandEnd(tokens, i + 1);
    if (end === i + 1) return i;
    i = end;
  }
  return i;
}
