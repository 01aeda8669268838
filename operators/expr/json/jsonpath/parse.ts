/**
 * The parser of SQL/JSON paths: recursive descent, operators by precedence.
 *
 *   ||   &&   == != < <= > >= "starts with" like_regex (one of them)   + -   * / %   unary + -   . [] ?
 *
 * A predicate and a value are different things: `$ ? (@.a)` and `(1 == 1) + 1` are syntax errors, at the token behind what is not
 * of the kind wanted. `@` outside filters and `last` outside subscripts are refused when the whole path is known to be well
 * formed. Nesting is bounded: whoever walks a path recurses.
 */
import { SqlError } from '../../../errors.ts';
import { negate } from '../../decimal/arithmetic.ts';
import { compileRegex } from '../../regex/regex.ts';
import type { RegexOptions } from '../../regex/syntax.ts';
import { Lexer, numberValue, pathError, type Token } from './lexer.ts';
import {
  type ArithmeticOperator,
  type Chain,
  type ComparisonOperator,
  type DatetimeMethod,
  isPredicate,
  type JsonPath,
  LAST_LEVEL,
  type LikeRegex,
  type SimpleMethod,
  type Step,
  type Subscript,
} from './syntax.ts';

/** Deeper paths are refused with 54001, as documents of more than a thousand levels are. */
const MAX_DEPTH = 250;
/**
 * How deep operands and parentheses nest in the text. A level of the path takes two of them at most as it is printed, so that every
 * path that was accepted can be read again.
 */
const MAX_NESTING = 2 * MAX_DEPTH + 10;

const SIMPLE_METHODS: ReadonlySet<string> = new Set<SimpleMethod>([
  'type',
  'size',
  'abs',
  'floor',
  'ceiling',
  'double',
  'keyvalue',
  'bigint',
  'integer',
  'number',
  'boolean',
  'string',
]);
const DATETIME_METHODS: ReadonlySet<string> = new Set<DatetimeMethod>([
  'datetime',
  'date',
  'time',
  'time_tz',
  'timestamp',
  'timestamp_tz',
]);

/** How tightly binary operators bind. */
const PRECEDENCE: Record<string, number> = { '||': 1, '&&': 2, '+': 4, '-': 4, '*': 5, '/': 5, '%': 5 };
const COMPARISON = 3;
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const VALUE = 4;

/** A chain and how deep it nests. */
interface Parsed {
  chain: Chain;
  depth: number;
}

/** Only whole chains of one predicate are predicates: `(1 == 1).type()` is a value. */
function isCondition({ chain }: Parsed): boolean {
  return chain.length === 1 && isPredicate(chain[0]);
}

export function parsePath(text: string): JsonPath {
  return new Parser(text).path();
}

class Parser {
  private readonly text: string;
  private readonly lexer: Lexer;
  private token: Token;
  private nesting = 0;
  private filters = 0;
  private subscripts = 0;
  /** What is refused once the syntax is known to be right. */
  private misplaced: SqlError | null = null;

  constructor(text: string) {
    this.text = text;
    this.lexer = new Lexer(text);
    this.token = this.lexer.next();
  }

  path(): JsonPath {
    if (this.atEnd()) {
      throw new SqlError('22P02', `invalid input syntax for type jsonpath: "${this.text}"`);
    }
    const strict = this.takeWord('strict');
    if (!strict) this.takeWord('lax');
    const { chain } = this.expression(1);
    if (!this.atEnd()) throw this.unexpected();
    if (this.misplaced) throw this.misplaced;
    return { lax: !strict, chain };
  }

  private atEnd(): boolean {
    return this.token.kind === 'end';
  }

  private unexpected(): SqlError {
    return pathError('syntax error', this.token.near);
  }

  private advance(): Token {
    const { token } = this;
    this.token = this.lexer.next();
    return token;
  }

  private is(symbol: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === symbol;
  }

  private take(symbol: string): boolean {
    if (!this.is(symbol)) return false;
    this.advance();
    return true;
  }

  private expect(symbol: string): void {
    if (!this.take(symbol)) throw this.unexpected();
  }

  /** The keyword here, in lower case; undefined for what is no name. */
  private word(): string | undefined {
    return this.token.kind === 'name' ? this.token.text.toLowerCase() : undefined;
  }

  private takeWord(word: string): boolean {
    if (this.word() !== word) return false;
    this.advance();
    return true;
  }

  private expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.unexpected();
  }

  private node(step: Step, ...operands: Parsed[]): Parsed {
    const depth = 1 + Math.max(0, ...operands.map((o) => o.depth));
    if (depth > MAX_DEPTH) throw tooDeep();
    return { chain: [step], depth };
  }

  private condition(): Parsed {
    const parsed = this.expression(1);
    if (!isCondition(parsed)) throw this.unexpected();
    return parsed;
  }

  private value(): Parsed {
    const parsed = this.expression(VALUE);
    if (isCondition(parsed)) throw this.unexpected();
    return parsed;
  }

  /** Operators that bind at least as tightly as `least`. */
  private expression(least: number): Parsed {
    if (++this.nesting > MAX_NESTING) throw tooDeep();
    let left = this.unary(least < VALUE);
    for (;;) {
      const { kind, text } = this.token;
      const word = this.word();
      const comparison = kind === 'symbol' && COMPARISONS.has(text);
      const precedence =
        comparison || word === 'starts' || word === 'like_regex'
          ? COMPARISON
          : ((kind === 'symbol' ? PRECEDENCE[text] : undefined) ?? 0);
      if (precedence < least) break;
      const logic = precedence < COMPARISON;
      if (isCondition(left) !== logic) throw this.unexpected();
      this.advance();
      if (word === 'starts') left = this.startsWith(left);
      else if (word === 'like_regex') left = this.likeRegex(left);
      else left = this.binary(text, left, this.expression(precedence + 1));
    }
    this.nesting--;
    return left;
  }

  private binary(op: string, left: Parsed, right: Parsed): Parsed {
    const logic = op === '&&' || op === '||';
    if (isCondition(right) !== logic) throw this.unexpected();
    if (COMPARISONS.has(op)) {
      return this.node(
        { k: 'compare', op: op as ComparisonOperator, left: left.chain, right: right.chain },
        left,
        right,
      );
    }
    if (!logic) {
      return this.node(
        { k: 'arithmetic', op: op as ArithmeticOperator, left: left.chain, right: right.chain },
        left,
        right,
      );
    }
    const k = op === '&&' ? 'and' : 'or';
    const [first] = left.chain;
    // Hundreds of alternatives are one node, not a deep tree.
    if (first.k === k) {
      first.args.push(right.chain);
      return { chain: left.chain, depth: Math.max(left.depth, right.depth + 1) };
    }
    return this.node({ k, args: [left.chain, right.chain] }, left, right);
  }

  private startsWith(left: Parsed): Parsed {
    this.expectWord('with');
    const { kind, text } = this.token;
    if (kind !== 'string' && kind !== 'variable') throw this.unexpected();
    this.advance();
    const prefix: Step = kind === 'string' ? { k: 'literal', value: text } : { k: 'variable', name: text };
    return this.node({ k: 'startsWith', arg: left.chain, prefix: [prefix] }, left);
  }

  private likeRegex(left: Parsed): Parsed {
    const pattern = this.string();
    const flags = this.takeWord('flag') ? this.string() : '';
    return this.node(likeRegex(left.chain, pattern, flags), left);
  }

  private string(): string {
    if (this.token.kind !== 'string') throw this.unexpected();
    return this.advance().text;
  }

  /** `conditions`: a condition may stand here, or begin what stands here. */
  private unary(conditions: boolean): Parsed {
    const { kind, text } = this.token;
    if (conditions && this.word() === 'exists') return this.exists();
    if (conditions && this.is('!')) {
      this.advance();
      return this.not();
    }
    if (kind !== 'symbol' || (text !== '+' && text !== '-')) return this.accessors();
    if (++this.nesting > MAX_NESTING) throw tooDeep();
    this.advance();
    const arg = this.unary(false);
    if (isCondition(arg)) throw this.unexpected();
    this.nesting--;
    const [first] = arg.chain;
    if (arg.chain.length === 1 && first.k === 'literal' && typeof first.value === 'object' && first.value) {
      return text === '+' ? arg : this.node({ k: 'literal', value: negate(first.value) });
    }
    return this.node({ k: 'sign', op: text, arg: arg.chain }, arg);
  }

  /** `!` takes a condition in parentheses, or exists. */
  private not(): Parsed {
    let arg: Parsed;
    if (this.word() === 'exists') arg = this.exists();
    else {
      this.expect('(');
      arg = this.condition();
      this.expect(')');
    }
    return this.node({ k: 'not', arg: arg.chain }, arg);
  }

  private exists(): Parsed {
    this.advance();
    this.expect('(');
    const arg = this.value();
    this.expect(')');
    return this.node({ k: 'exists', arg: arg.chain }, arg);
  }

  private accessors(): Parsed {
    let parsed: Parsed;
    if (this.take('(')) {
      parsed = this.expression(1);
      this.expect(')');
      if (isCondition(parsed) && this.takeWord('is')) {
        this.expectWord('unknown');
        return this.node({ k: 'isUnknown', arg: parsed.chain }, parsed);
      }
    } else parsed = this.node(this.primary());
    const chain = [...parsed.chain];
    let { depth } = parsed;
    const add = (step: Step, inner = 0): void => {
      chain.push(step);
      depth = Math.max(depth, inner + 1);
    };
    for (;;) {
      if (this.take('.')) add(this.member());
      else if (this.take('[')) {
        this.subscripts++;
        const { step, inner } = this.subscript();
        this.subscripts--;
        add(step, inner);
      } else if (this.take('?')) {
        this.expect('(');
        this.filters++;
        const condition = this.condition();
        this.filters--;
        this.expect(')');
        add({ k: 'filter', condition: condition.chain }, condition.depth);
      } else break;
    }
    if (depth > MAX_DEPTH) throw tooDeep();
    return { chain, depth };
  }

  private primary(): Step {
    const { kind, text } = this.token;
    switch (kind) {
      case 'string':
        this.advance();
        return { k: 'literal', value: text };
      case 'variable':
        this.advance();
        return { k: 'variable', name: text };
      case 'integer':
      case 'number': {
        const value = numberValue(text);
        this.advance();
        return { k: 'literal', value };
      }
      case 'name':
        if (text === 'null' || text === 'true' || text === 'false') {
          this.advance();
          return { k: 'literal', value: text === 'null' ? null : text === 'true' };
        }
        if (!this.takeWord('last')) throw this.unexpected();
        if (this.subscripts === 0) this.refuse('LAST is allowed only in array subscripts');
        return { k: 'last' };
      default:
        if (this.take('$')) return { k: 'root' };
        if (!this.take('@')) throw this.unexpected();
        if (this.filters === 0) this.refuse('@ is not allowed in root expressions');
        return { k: 'current' };
    }
  }

  private refuse(message: string): void {
    this.misplaced ??= new SqlError('42601', message);
  }

  /** Behind a point: a key, `*`, `**` or a method. */
  private member(): Step {
    if (this.take('*')) return { k: 'anyKey' };
    if (this.take('**')) return this.descend();
    const { kind, text } = this.token;
    if (kind !== 'name' && kind !== 'string') throw this.unexpected();
    const method = kind === 'name' ? text.toLowerCase() : '';
    this.advance();
    const simple = SIMPLE_METHODS.has(method);
    const callable = simple || DATETIME_METHODS.has(method) || method === 'decimal';
    if (!callable || !this.take('(')) return { k: 'key', name: text };
    if (simple) {
      this.expect(')');
      return { k: 'method', name: method as SimpleMethod };
    }
    return method === 'decimal' ? this.decimal() : this.datetime(method as DatetimeMethod);
  }

  private descend(): Step {
    if (!this.take('{')) return { k: 'descend', first: 0, last: LAST_LEVEL };
    const first = this.level();
    const last = this.takeWord('to') ? this.level() : first;
    this.expect('}');
    return { k: 'descend', first, last };
  }

  private level(): number {
    if (this.takeWord('last')) return LAST_LEVEL;
    if (this.token.kind !== 'integer') throw this.unexpected();
    const { text } = this.advance();
    const { m } = numberValue(text);
    if (m > 2147483647n) throw new SqlError('22003', `value "${text}" is out of range for type integer`);
    return Number(m);
  }

  private decimal(): Step {
    const list = [];
    if (!this.is(')')) {
      do {
        const negative = this.take('-');
        if (!negative) this.take('+');
        if (this.token.kind !== 'integer') throw this.unexpected();
        const n = numberValue(this.advance().text);
        list.push(negative ? negate(n) : n);
      } while (this.take(','));
    }
    this.expect(')');
    if (list.length > 2) {
      throw new SqlError('42601', 'invalid input syntax for type jsonpath', {
        detail: '.decimal() can only have an optional precision[,scale].',
      });
    }
    return { k: 'decimal', precision: list[0] ?? null, scale: list[1] ?? null };
  }

  private datetime(method: DatetimeMethod): Step {
    const { kind } = this.token;
    let template: string | null = null;
    let precision = null;
    if (method === 'datetime' && kind === 'string') template = this.advance().text;
    else if (method !== 'datetime' && method !== 'date' && kind === 'integer') {
      precision = numberValue(this.advance().text);
    }
    this.expect(')');
    return { k: 'datetime', method, template, precision };
  }

  private subscript(): { step: Step; inner: number } {
    if (this.take('*')) {
      this.expect(']');
      return { step: { k: 'anyItem' }, inner: 0 };
    }
    const list: Subscript[] = [];
    let inner = 0;
    do {
      const from = this.value();
      const to = this.takeWord('to') ? this.value() : null;
      list.push({ from: from.chain, to: to?.chain ?? null });
      inner = Math.max(inner, from.depth, to?.depth ?? 0);
    } while (this.take(','));
    this.expect(']');
    return { step: { k: 'subscripts', list }, inner };
  }
}

function tooDeep(): SqlError {
  return new SqlError('54001', 'stack depth limit exceeded', {
    detail: `A jsonpath may nest ${MAX_DEPTH} levels deep.`,
  });
}

/** Flags are those of XQuery; `q` takes the pattern literally and leaves only `i` a meaning. */
function likeRegex(arg: Chain, pattern: string, written: string): LikeRegex {
  for (const c of written) {
    if (!'ismxq'.includes(c)) {
      throw new SqlError('42601', 'invalid input syntax for type jsonpath', {
        detail: `Unrecognized flag character "${c}" in LIKE_REGEX predicate.`,
      });
    }
  }
  const has = (flag: string) => written.includes(flag);
  const literal = has('q');
  if (has('x') && !literal) {
    throw new SqlError('0A000', 'XQuery "x" flag (expanded regular expressions) is not implemented');
  }
  const options: RegexOptions = {
    icase: has('i'),
    newlineStops: !literal && !has('s'),
    newlineAnchors: !literal && has('m'),
    expanded: false,
    literal,
  };
  compileRegex(pattern, options);
  return { k: 'likeRegex', arg, pattern, flags: [...'ismxq'].filter(has).join(''), options };
}
