/**
 * A run of Postgres's tokens with its statement's text, and the reading of it token by token.
 *
 * A Piece is a whole statement, or the part of one that stands for itself: the query of a sink, the statement after EXPLAIN. Its nodes
 * always count from the start of the whole statement's text, because what is handed to Postgres's parser is the text with everything
 * else replaced by blanks, byte for byte (see rewrite.ts).
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Option } from '../ast.ts';
import { parsePostgres, TOKEN, type Token } from '../pg_parser.ts';
import { characterPosition, errorAt, type Source } from '../positions.ts';

export interface Piece {
  source: Source;
  /** UTF-8 form of the statement's text: what tokens and locations count in. */
  bytes: Buffer;
  tokens: Token[];
  /** The token that follows in what the client sent (a semicolon, a closing bracket), and its character position there: an error at
   *  the piece's end is an error at that token. The text is null at the end of input. */
  after: { text: string | null; position(): number };
}

/** PostgreSQL's longest identifier in bytes; longer ones are cut. */
const MAX_IDENTIFIER = 63;

function truncated(name: string): string {
  if (Buffer.byteLength(name) <= MAX_IDENTIFIER) return name;
  let bytes = 0;
  let kept = '';
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_IDENTIFIER) break;
    kept += character;
  }
  return kept;
}

/** The name that an identifier or keyword token stands for. */
function nameOf(token: Token): string {
  if (token.type === TOKEN.UIDENT) {
    const select = parsePostgres(`SELECT ${token.text}`)[0].node;
    return select.targetList[0].ResTarget.val.ColumnRef.fields[0].String.sval;
  }
  if (token.text.startsWith('"')) return truncated(token.text.slice(1, -1).replaceAll('""', '"'));
  return truncated(token.text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
}

/** The value of a string token of any spelling: '...', E'...', U&'...', $$...$$. */
function stringOf(token: Token): string {
  if (/^'[^']*'$/.test(token.text)) return token.text.slice(1, -1);
  const select = parsePostgres(`SELECT ${token.text}`)[0].node;
  return select.targetList[0].ResTarget.val.A_Const.sval.sval ?? '';
}

/** True for an unquoted word, given in lower case. Quoted names are never words. */
export function isWord(token: Token | undefined, ...words: string[]): boolean {
  if (token === undefined) return false;
  if (token.type !== TOKEN.IDENT && token.keywordKind === 0) return false;
  return words.includes(token.text.toLowerCase());
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.text === symbol;
}

/** Index of the bracket that closes the one at `open`; -1 when none does. */
export function closingIndex(tokens: Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '(') || isSymbol(tokens[i], '[')) depth++;
    if ((isSymbol(tokens[i], ')') || isSymbol(tokens[i], ']')) && --depth === 0) return i;
  }
  return -1;
}

/** The error that PostgreSQL gives when a statement goes wrong at a token, or at its end (undefined). */
export function syntaxErrorAt(piece: Piece, token: Token | undefined): SqlError {
  if (token !== undefined) {
    return errorAt(piece.source, '42601', `syntax error at or near "${token.text}"`, token.start);
  }
  const { text } = piece.after;
  const position = piece.after.position();
  return new SqlError('42601', text === null ? 'syntax error at end of input' : `syntax error at or near "${text}"`, {
    position,
  });
}

/** Reads a piece's tokens in order. Every `expect` raises PostgreSQL's syntax error at the token that does not fit. */
export class Reader {
  readonly piece: Piece;
  index: number;

  constructor(piece: Piece, index = 0) {
    this.piece = piece;
    this.index = index;
  }

  peek(ahead = 0): Token | undefined {
    return this.piece.tokens[this.index + ahead];
  }

  next(): Token {
    const token = this.peek();
    if (token === undefined) throw this.error();
    this.index++;
    return token;
  }

  error(token = this.peek()): SqlError {
    return syntaxErrorAt(this.piece, token);
  }

  atEnd(): boolean {
    return this.index >= this.piece.tokens.length;
  }

  expectEnd(): void {
    if (!this.atEnd()) throw this.error();
  }

  /** Takes a sequence of words if all of it stands here. */
  takeWords(...words: string[]): boolean {
    if (!words.every((word, ahead) => isWord(this.peek(ahead), word))) return false;
    this.index += words.length;
    return true;
  }

  expectWord(...words: string[]): string {
    if (!isWord(this.peek(), ...words)) throw this.error();
    return this.next().text.toLowerCase();
  }

  takeSymbol(symbol: string): boolean {
    if (!isSymbol(this.peek(), symbol)) return false;
    this.index++;
    return true;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.error();
  }

  /** A name as it may stand for a column or a relation: no keyword of the kinds that Postgres keeps to itself. */
  name(): string {
    const token = this.peek();
    const named = token?.type === TOKEN.IDENT || token?.type === TOKEN.UIDENT;
    if (!named && !(token !== undefined && (token.keywordKind === 1 || token.keywordKind === 2))) throw this.error();
    return nameOf(this.next());
  }

  /** name or schema.name */
  qualifiedName(): { schema?: string; name: string; location: number } {
    const location = this.peek()?.start ?? -1;
    const first = this.name();
    if (!this.takeSymbol('.')) return { name: first, location };
    // After a dot any word is a name.
    const token = this.next();
    if (token.type !== TOKEN.IDENT && token.type !== TOKEN.UIDENT && token.keywordKind === 0) throw this.error(token);
    return { schema: first, name: nameOf(token), location };
  }

  /** A tick: digits only. */
  tick(): bigint {
    const token = this.peek();
    if (token === undefined || !/^[0-9]+$/.test(token.text)) throw this.error();
    this.index++;
    return BigInt(token.text);
  }

  /** ( name [= value] [, ...] ), or nothing when no WITH ( stands here. `known`: the names that are allowed, when they are known here. */
  withOptions(statement: string, known?: string[]): Option[] {
    const options: Option[] = [];
    if (!isWord(this.peek(), 'with') || !isSymbol(this.peek(1), '(')) return options;
    this.index += 2;
    if (this.takeSymbol(')')) return options;
    do {
      const token = this.next();
      if (token.type !== TOKEN.IDENT && token.type !== TOKEN.UIDENT && token.keywordKind === 0) throw this.error(token);
      const name = nameOf(token);
      if (known !== undefined && !known.includes(name)) {
        const message = `unrecognized ${statement} option "${name}"`;
        throw errorAt(this.piece.source, '42601', message, token.start, `Known options: ${known.join(', ')}.`);
      }
      if (options.some((option) => option.name === name)) {
        throw errorAt(this.piece.source, '42601', `option "${name}" specified more than once`, token.start);
      }
      options.push({ name, value: this.takeSymbol('=') ? this.optionValue() : 'true', location: token.start });
    } while (this.takeSymbol(','));
    this.expectSymbol(')');
    return options;
  }

  private optionValue(): string {
    const sign = this.takeSymbol('-') ? '-' : '';
    const token = this.next();
    if (token.type === TOKEN.ICONST || token.type === TOKEN.FCONST) return sign + token.text;
    if (sign !== '') throw this.error(token);
    if (token.type === TOKEN.SCONST || token.type === TOKEN.USCONST) return stringOf(token);
    if (token.type === TOKEN.IDENT || token.type === TOKEN.UIDENT || token.keywordKind !== 0) return nameOf(token);
    throw this.error(token);
  }
}

/** The part of a piece from token `from` up to token `to` (exclusive). */
export function subPiece(piece: Piece, from: number, to = piece.tokens.length): Piece {
  const { source, tokens } = piece;
  const next = tokens[to];
  if (next === undefined) return { ...piece, tokens: tokens.slice(from, to) };
  const position = () => characterPosition(source.text, next.start)! + source.offset;
  const after = { text: next.text, position };
  return { ...piece, tokens: tokens.slice(from, to), after };
}
