/**
 * Types written as text, as regtype's input and to_regtype read them: `int4`, `timestamp(3) with time zone`, `"char"[]`.
 *
 *   type  := [SETOF] base [ '[' [n] ']' ... | ARRAY ['[' n ']'] ]
 *   base  := words of the SQL standard (double precision, character varying(5), interval day to second(3), ...)
 *          | name ['.' name] [ '(' number, ... ')' ]
 *
 * The text becomes the node that the grammar would make of it, which type_name.ts resolves.
 */
import { SqlError } from '../../operators/errors.ts';
import { QUOTED_KEYWORDS } from '../../operators/expr/text/keywords.ts';
import type { PgNode } from '../parse/ast.ts';
import { intervalFields } from './typmod.ts';

interface Token {
  /** Word: folded to lower case and not quoted; only these are key words. */
  kind: 'word' | 'quoted' | 'number' | 'sign';
  text: string;
}

const TOKEN = /\s*(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(-?\d+)|(\S))/y;
const ALL_INTERVAL_FIELDS = 0x7fff;

function syntaxError(near: string | undefined): SqlError {
  return new SqlError(
    '42601',
    near === undefined ? 'syntax error at end of input' : `syntax error at or near "${near}"`,
  );
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m; m = TOKEN.exec(text)) {
    if (m[1] !== undefined) tokens.push({ kind: 'quoted', text: m[1].replaceAll('""', '"') });
    else if (m[2] !== undefined) tokens.push({ kind: 'word', text: m[2].toLowerCase() });
    else if (m[3] !== undefined) tokens.push({ kind: 'number', text: m[3] });
    else tokens.push({ kind: 'sign', text: m[4] });
  }
  return tokens;
}

/** Standard names of one word: key words of the grammar, so they are found before other names are. */
const STANDARD: Record<string, string> = {
  json: 'json',
  numeric: 'numeric',
  varchar: 'varchar',
  int: 'int4',
  integer: 'int4',
  smallint: 'int2',
  bigint: 'int8',
  real: 'float4',
  decimal: 'numeric',
  dec: 'numeric',
  boolean: 'bool',
};

class TypeText {
  private readonly tokens: Token[];
  private at = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  private word(...words: string[]): string | null {
    const token = this.tokens[this.at];
    if (token?.kind !== 'word' || !words.includes(token.text)) return null;
    this.at++;
    return token.text;
  }

  private sign(text: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== 'sign' || token.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(ok: unknown): void {
    if (!ok) throw syntaxError(this.tokens[this.at]?.text);
  }

  private number(): number {
    const token = this.tokens[this.at];
    this.expect(token?.kind === 'number');
    this.at++;
    return Number(token.text);
  }

  /** '(' number, ... ')' when there is one. */
  private numbers(): number[] {
    if (!this.sign('(')) return [];
    const values = [this.number()];
    while (this.sign(',')) values.push(this.number());
    this.expect(this.sign(')'));
    return values;
  }

  type(): PgNode {
    const setof = this.word('setof') !== null;
    const node: PgNode = { ...this.base(), setof };
    const arrayBounds: PgNode[] = [];
    if (this.word('array')) {
      arrayBounds.push({});
      if (this.sign('[')) this.closeBound();
    } else {
      while (this.sign('[')) {
        arrayBounds.push({});
        this.closeBound();
      }
    }
    this.expect(this.at === this.tokens.length);
    return { ...node, arrayBounds };
  }

  private closeBound(): void {
    if (this.sign(']')) return;
    this.number();
    this.expect(this.sign(']'));
  }

  private base(): PgNode {
    return this.standard() ?? this.named();
  }

  private standard(): PgNode | null {
    const start = this.at;
    const word = this.tokens[start]?.kind === 'word' ? this.tokens[start].text : null;
    const next = this.tokens[start + 1];
    if (word === null || (next?.kind === 'sign' && next.text === '.')) return null;
    this.at++;
    switch (word) {
      case 'national':
        this.expect(this.tokens[this.at]?.text === 'character' || this.tokens[this.at]?.text === 'char');
        this.at++;
        return this.characters();
      case 'character':
      case 'char':
      case 'nchar':
        return this.characters();
      case 'bit':
        return this.bits();
      case 'double':
        this.expect(this.word('precision'));
        return typeNode('float8', []);
      case 'float':
        return floatNode(this.numbers());
      case 'time':
      case 'timestamp': {
        const precision = this.numbers();
        return typeNode(this.zone() ? `${word}tz` : word, precision);
      }
      case 'interval':
        return this.interval();
    }
    const name = Object.hasOwn(STANDARD, word) ? STANDARD[word] : undefined;
    if (name !== undefined) return typeNode(name, name === 'numeric' || name === 'varchar' ? this.numbers() : []);
    this.at = start;
    return null;
  }

  private characters(): PgNode {
    if (this.word('varying')) return typeNode('varchar', this.numbers());
    const length = this.numbers();
    return typeNode('bpchar', length.length === 0 ? [1] : length);
  }

  private bits(): PgNode {
    if (this.word('varying')) return typeNode('varbit', this.numbers());
    const length = this.numbers();
    return typeNode('bit', length.length === 0 ? [1] : length);
  }

  private zone(): boolean {
    const word = this.word('with', 'without');
    if (word === null) return false;
    this.expect(this.word('time') && this.word('zone'));
    return word === 'with';
  }

  private interval(): PgNode {
    const words: string[] = [];
    const next = (): string | null => this.word('year', 'month', 'day', 'hour', 'minute', 'second', 'to');
    for (let word = next(); word !== null; word = next()) words.push(word);
    const fields = intervalFields(words.join(' '));
    this.expect(fields !== undefined);
    const precision = this.numbers();
    if (words.length > 0) this.expect(precision.length === 0 || words[words.length - 1] === 'second');
    if (words.length === 0 && precision.length === 0) return typeNode('interval', []);
    return typeNode('interval', [fields ?? ALL_INTERVAL_FIELDS, ...precision]);
  }

  private named(): PgNode {
    const first = this.tokens[this.at];
    this.expect(!(first?.kind === 'word' && QUOTED_KEYWORDS.has(first.text)));
    const names = [this.name()];
    while (this.sign('.')) names.push(this.name());
    return { names: names.map(stringNode), typmods: this.numbers().map(numberNode), typemod: -1 };
  }

  private name(): string {
    const token = this.tokens[this.at];
    this.expect(token?.kind === 'word' || token?.kind === 'quoted');
    this.at++;
    return token.text;
  }
}

const SINGLE_DIGITS = 24;
const DOUBLE_DIGITS = 53;

function floatNode(bits: number[]): PgNode {
  if (bits.length === 0) return typeNode('float8', []);
  if (bits[0] < 1) throw new SqlError('22023', 'precision for type float must be at least 1 bit');
  if (bits[0] > DOUBLE_DIGITS) throw new SqlError('22023', 'precision for type float must be less than 54 bits');
  return typeNode(bits[0] <= SINGLE_DIGITS ? 'float4' : 'float8', []);
}

function stringNode(sval: string): PgNode {
  return { String: { sval } };
}

function numberNode(ival: number): PgNode {
  return { A_Const: { ival: { ival } } };
}

function typeNode(name: string, typmods: number[]): PgNode {
  return { names: [stringNode('pg_catalog'), stringNode(name)], typmods: typmods.map(numberNode), typemod: -1 };
}

/** The TypeName node of a type written as text. Throws 42601. */
export function typeTextNode(text: string): PgNode {
  if (text.trim() === '') throw new SqlError('42601', `invalid type name "${text}"`);
  return new TypeText(text).type();
}
