/**
 * A JSON parser that keeps positions and the exact text of numbers, with PostgreSQL's errors (22P02 and a DETAIL that says what
 * was expected and found). Strings are checked but stay escaped until `decodeString`, since the json type accepts escapes that
 * text cannot hold (\u0000, lone surrogates).
 */
import { SqlError } from '../../errors.ts';
import { turn } from '../../turn.ts';
import { isOver, MAX_VALUES } from '../part_limits.ts';
import { TextBuilder } from '../text/text_builder.ts';

export interface JsonObjectNode {
  kind: 'object';
  start: number;
  end: number;
  /** In source order, duplicates kept; keys decoded only when asked for. */
  entries: { key: JsonStringNode; value: JsonNode }[];
}

export interface JsonArrayNode {
  kind: 'array';
  start: number;
  end: number;
  items: JsonNode[];
}

/** `raw` is the text between the quotes, escapes as written. */
export interface JsonStringNode {
  kind: 'string';
  start: number;
  end: number;
  raw: string;
}

export interface JsonAtomNode {
  kind: 'number' | 'true' | 'false' | 'null';
  start: number;
  end: number;
}

export type JsonNode = JsonObjectNode | JsonArrayNode | JsonStringNode | JsonAtomNode;

/** Deeper nesting is refused: every walk over a tree recurses. (PostgreSQL refuses at some 6000 levels, by its stack size.) */
const MAX_DEPTH = 1000;
const LOOK_VALUES = 4096;

function jsonError(detail: string): SqlError {
  return new SqlError('22P02', 'invalid input syntax for type json', { detail });
}

function tooManyValues(): SqlError {
  return new SqlError('54000', `number of values of a JSON document exceeds the maximum allowed (${MAX_VALUES})`, {
    hint: 'Store its parts as rows.',
  });
}

type TokenKind = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'number' | 'true' | 'false' | 'null' | 'end';

const isAlphanumeric = (c: number) =>
  (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95 || c > 127;
const isDigit = (c: number) => c >= 48 && c <= 57;

/** Tokens of one character, by its code. */
const MARKS: TokenKind[] = [];
for (const mark of ['{', '}', '[', ']', ',', ':'] as const) MARKS[mark.charCodeAt(0)] = mark;

function endOfDigits(text: string, at: number): number {
  let end = at;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

class Parser {
  private readonly text: string;
  private at = 0;
  private kind: TokenKind = 'end';
  private start = 0;
  /** How many have begun. */
  values = 0;

  constructor(text: string) {
    this.text = text;
    this.next();
  }

  document(): JsonNode {
    const node = this.value(1);
    if (!this.is('end')) throw this.unexpected('Expected end of input');
    return node;
  }

  /** The current token is of a kind. (A method, so that the type checker does not take `kind` for constant.) */
  private is(kind: TokenKind): boolean {
    return this.kind === kind;
  }

  private unexpected(expected: string): SqlError {
    if (this.is('end')) return jsonError('The input string ended unexpectedly.');
    return jsonError(`${expected}, but found "${this.text.slice(this.start, this.at)}".`);
  }

  private invalidToken(): SqlError {
    return jsonError(`Token "${this.text.slice(this.start, this.at)}" is invalid.`);
  }

  private value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new SqlError('54001', 'stack depth limit exceeded');
    if (++this.values % LOOK_VALUES === 0) this.look();
    const start = this.start;
    switch (this.kind) {
      case '{':
        return this.object(start, depth);
      case '[':
        return this.array(start, depth);
      case 'string':
        return this.string();
      case 'number':
      case 'true':
      case 'false':
      case 'null': {
        const node: JsonAtomNode = { kind: this.kind, start, end: this.at };
        this.next();
        return node;
      }
      default:
        throw this.unexpected('Expected JSON value');
    }
  }

  private look(): void {
    if (isOver(this.values, MAX_VALUES)) throw tooManyValues();
    turn.look();
  }

  private string(): JsonStringNode {
    const node: JsonStringNode = {
      kind: 'string',
      start: this.start,
      end: this.at,
      raw: this.text.slice(this.start + 1, this.at - 1),
    };
    this.next();
    return node;
  }

  private object(start: number, depth: number): JsonObjectNode {
    const entries: JsonObjectNode['entries'] = [];
    this.next();
    if (this.is('string')) {
      for (;;) {
        if (!this.is('string')) throw this.unexpected('Expected string');
        const key = this.string();
        if (!this.is(':')) throw this.unexpected('Expected ":"');
        this.next();
        entries.push({ key, value: this.value(depth + 1) });
        if (!this.is(',')) break;
        this.next();
      }
      if (!this.is('}')) throw this.unexpected('Expected "," or "}"');
    } else if (!this.is('}')) throw this.unexpected('Expected string or "}"');
    const node: JsonObjectNode = { kind: 'object', start, end: this.at, entries };
    this.next();
    return node;
  }

  private array(start: number, depth: number): JsonArrayNode {
    const items: JsonNode[] = [];
    this.next();
    if (!this.is(']')) {
      for (;;) {
        items.push(this.value(depth + 1));
        if (!this.is(',')) break;
        this.next();
      }
      if (!this.is(']')) throw this.unexpected('Expected "," or "]"');
    }
    const node: JsonArrayNode = { kind: 'array', start, end: this.at, items };
    this.next();
    return node;
  }

  private next(): void {
    const { text } = this;
    let at = this.at;
    let c = text.charCodeAt(at);
    while (c === 32 || c === 9 || c === 10 || c === 13) c = text.charCodeAt(++at);
    this.start = at;
    this.at = at;
    if (at >= text.length) {
      this.kind = 'end';
      return;
    }
    const mark = MARKS[c];
    if (mark !== undefined) {
      this.at = at + 1;
      this.kind = mark;
    } else if (c === 34) this.lexString();
    else if (c === 45 || isDigit(c)) this.lexNumber();
    else this.lexWord();
  }

  private lexWord(): void {
    const { text, start } = this;
    let at = start;
    while (at < text.length && isAlphanumeric(text.charCodeAt(at))) at++;
    this.at = at === start ? start + 1 : at;
    const word = text.slice(start, at);
    if (word !== 'true' && word !== 'false' && word !== 'null') throw this.invalidToken();
    this.kind = word;
  }

  private lexNumber(): void {
    const { text } = this;
    let at = this.start;
    if (text[at] === '-') at++;
    let bad = false;
    if (text[at] === '0') at++;
    else {
      const end = endOfDigits(text, at);
      bad = end === at;
      at = end;
    }
    if (text[at] === '.') {
      const end = endOfDigits(text, at + 1);
      bad = bad || end === at + 1;
      at = end;
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      const end = endOfDigits(text, at);
      bad = bad || end === at;
      at = end;
    }
    while (isAlphanumeric(text.charCodeAt(at))) {
      at++;
      bad = true;
    }
    this.at = at;
    if (bad) throw this.invalidToken();
    this.kind = 'number';
  }

  private lexString(): void {
    const { text } = this;
    let at = this.start + 1;
    for (;;) {
      if (at >= text.length) {
        this.at = at;
        throw this.invalidToken();
      }
      const c = text.charCodeAt(at);
      if (c === 34) break;
      if (c < 32) throw jsonError(`Character with value 0x${c.toString(16).padStart(2, '0')} must be escaped.`);
      if (c === 92) at = this.lexEscape(at + 1);
      else at++;
    }
    this.at = at + 1;
    this.kind = 'string';
  }

  /** From the character after a backslash to the one after the escape. */
  private lexEscape(at: number): number {
    const { text } = this;
    if (at >= text.length) {
      this.at = at;
      throw this.invalidToken();
    }
    if (text[at] === 'u') {
      for (let i = 1; i <= 4; i++) {
        if (at + i >= text.length) {
          this.at = text.length;
          throw this.invalidToken();
        }
        if (!/[0-9a-fA-F]/.test(text[at + i])) throw jsonError('"\\u" must be followed by four hexadecimal digits.');
      }
      return at + 5;
    }
    if (!'"\\/bfnrt'.includes(text[at])) {
      throw jsonError(`Escape sequence "\\${String.fromCodePoint(text.codePointAt(at)!)}" is invalid.`);
    }
    return at + 1;
  }
}

/** The last text parsed: a row's document is mostly asked for several fields, one after the other. */
let lastText = '';
let lastNode: JsonNode | null = null;
/** Trees with more values are not kept for that. */
const KEPT_VALUES = 1 << 18;

/** The tree of a JSON text; treat it as read-only, it may be handed out again. */
export function parseJson(text: string): JsonNode {
  if (lastNode && text === lastText) return lastNode;
  const parser = new Parser(text);
  const node = parser.document();
  if (parser.values > KEPT_VALUES) return node;
  lastText = text;
  lastNode = node;
  return node;
}

const SIMPLE_ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The characters of a JSON string; \u0000 is 22P05, broken surrogate pairs are 22P02. */
export function decodeString(node: JsonStringNode): string {
  const { raw } = node;
  if (!raw.includes('\\')) return raw;
  const text = new TextBuilder();
  let high = -1;
  let from = 0;
  for (let at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
    const c = raw[at + 1];
    if (high !== -1 && (at > from || c !== 'u')) throw lowSurrogate();
    text.add(raw.slice(from, at));
    from = at + 2;
    if (c !== 'u') {
      text.add(SIMPLE_ESCAPES[c] ?? c);
      continue;
    }
    const code = Number.parseInt(raw.slice(from, from + 4), 16);
    from += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      if (high !== -1) throw jsonError('Unicode high surrogate must not follow a high surrogate.');
      high = code;
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      if (high === -1) throw lowSurrogate();
      text.add(String.fromCharCode(high, code));
      high = -1;
    } else {
      if (high !== -1) throw lowSurrogate();
      if (code === 0) {
        throw new SqlError('22P05', 'unsupported Unicode escape sequence', {
          detail: '\\u0000 cannot be converted to text.',
        });
      }
      text.add(String.fromCharCode(code));
    }
  }
  if (high !== -1) throw lowSurrogate();
  text.add(raw.slice(from));
  return text.take();
}

function lowSurrogate(): SqlError {
  return jsonError('Unicode low surrogate must follow a high surrogate.');
}
