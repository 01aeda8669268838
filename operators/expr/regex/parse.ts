/**
 * Parser of PostgreSQL's advanced regular expressions (the manual's section "Regular Expression Details").
 *
 *   re = branch | branch ...      branch = (quantified atom | constraint)*
 *
 * Traps: `{` is a bound only before a digit; \1 .. \9 are always back references, \10 and up only when so many groups are closed
 * and octal otherwise; parentheses inside a lookaround do not capture; a quantifier may not follow a quantifier or a constraint.
 */
import { charactersOf } from '../text/code_points.ts';
import { anyChar, type CharSet, type ClassName, singleChar } from './char_set.ts';
import { parseBracket } from './parse_bracket.ts';
import { type CharEscape, parseCharEscape } from './parse_escape.ts';
import {
  type Assertion,
  type ParsedRegex,
  type Preference,
  type Regex,
  type RegexOptions,
  regexError,
  UNBOUNDED,
} from './syntax.ts';

const MAX_REPEAT = 255;

const CLASS_ESCAPES: Record<string, { name: ClassName; negated: boolean }> = {
  d: { name: 'digit', negated: false },
  s: { name: 'space', negated: false },
  w: { name: 'word', negated: false },
  D: { name: 'digit', negated: true },
  S: { name: 'space', negated: true },
  W: { name: 'word', negated: true },
};

const CONSTRAINT_ESCAPES: Record<string, Assertion> = {
  A: 'textStart',
  Z: 'textEnd',
  m: 'wordStart',
  M: 'wordEnd',
  y: 'wordBoundary',
  Y: 'notWordBoundary',
};

interface Quantifier {
  min: number;
  max: number;
  prefer: Preference;
}

export class RegexParser {
  private readonly text: string[];
  private readonly options: RegexOptions;
  private at = 0;
  private groups = 0;
  private readonly bodies = new Map<number, Regex>();
  private hasBackrefs = false;

  constructor(pattern: string, options: RegexOptions) {
    this.text = charactersOf(pattern);
    this.options = { ...options };
  }

  parse(): ParsedRegex {
    this.prefix();
    const root = this.options.literal ? this.literal() : this.alternation(false, false);
    if (this.at < this.text.length) throw regexError('parentheses () not balanced');
    const { groups, bodies, hasBackrefs } = this;
    return { root, groups, bodies, icase: this.options.icase, hasBackrefs };
  }

  private peek(offset = 0): string | undefined {
    return this.text[this.at + offset];
  }

  private eat(expected: string): boolean {
    for (let i = 0; i < expected.length; i++) if (this.text[this.at + i] !== expected[i]) return false;
    this.at += expected.length;
    return true;
  }

  /** Director (***: or ***=) and embedded options, which stand only at the start. */
  private prefix(): void {
    if (this.options.literal) return;
    if (this.eat('***')) {
      if (this.eat('=')) {
        this.options.literal = true;
        return;
      }
      if (!this.eat(':')) throw regexError('invalid regexp (reg version 0.8)');
    }
    if (this.peek() !== '(' || this.peek(1) !== '?' || !/[a-zA-Z]/.test(this.peek(2) ?? '')) return;
    this.at += 2;
    for (;;) {
      const c = this.text[this.at++];
      if (c === ')') return;
      if (c === undefined || !applyOption(this.options, c)) throw regexError('invalid embedded option');
      if (c === 'q' && this.peek() !== ')') throw regexError('invalid embedded option');
    }
  }

  private literal(): Regex {
    const items = this.text.slice(this.at).map((c) => this.char(c.codePointAt(0)!));
    this.at = this.text.length;
    return { k: 'concat', items };
  }

  private char(c: number): Regex {
    return { k: 'set', set: singleChar(c, this.options.icase) };
  }

  private alternation(inGroup: boolean, inLook: boolean): Regex {
    const branches = [this.branch(inGroup, inLook)];
    while (this.eat('|')) branches.push(this.branch(inGroup, inLook));
    return branches.length === 1 ? branches[0] : { k: 'alt', branches };
  }

  private branch(inGroup: boolean, inLook: boolean): Regex {
    const items: Regex[] = [];
    for (;;) {
      this.skipBlanks();
      const c = this.peek();
      if (c === undefined || c === '|') break;
      if (c === ')') {
        if (inGroup) break;
        throw regexError('parentheses () not balanced');
      }
      items.push(this.quantified(inLook));
    }
    return { k: 'concat', items };
  }

  /** Comments (?#...), and in expanded syntax blanks and # comments. */
  private skipBlanks(): void {
    for (;;) {
      if (this.peek() === '(' && this.peek(1) === '?' && this.peek(2) === '#') {
        while (this.peek() !== undefined && this.peek() !== ')') this.at++;
        this.at++;
      } else if (this.options.expanded && /\s/.test(this.peek() ?? '')) this.at++;
      else if (this.options.expanded && this.peek() === '#') {
        while (this.peek() !== undefined && this.peek() !== '\n') this.at++;
      } else return;
    }
  }

  private quantified(inLook: boolean): Regex {
    const atom = this.atom(inLook);
    this.skipBlanks();
    const q = this.quantifier();
    if (!q) return atom;
    if (atom.k === 'assert' || atom.k === 'look') throw regexError('quantifier operand invalid');
    this.skipBlanks();
    if (this.quantifier()) throw regexError('quantifier operand invalid');
    return { k: 'repeat', body: atom, ...q };
  }

  private quantifier(): Quantifier | null {
    const c = this.peek();
    if (c === '*' || c === '+' || c === '?') {
      this.at++;
      return { min: c === '+' ? 1 : 0, max: c === '?' ? 1 : UNBOUNDED, prefer: this.preference() };
    }
    if (c === '{' && /[0-9]/.test(this.peek(1) ?? '')) {
      this.at++;
      return this.bound();
    }
    return null;
  }

  private preference(): Preference {
    return this.eat('?') ? 'shorter' : 'longer';
  }

  /** {m}, {m,} or {m,n}, from behind the brace. */
  private bound(): Quantifier {
    const min = this.count();
    let max = min;
    let exact = true;
    if (this.eat(',')) {
      exact = false;
      max = /[0-9]/.test(this.peek() ?? '') ? this.count() : UNBOUNDED;
    }
    if (this.peek() === undefined) throw regexError('braces {} not balanced');
    if (!this.eat('}') || min > max) throw regexError('invalid repetition count(s)');
    const prefer = this.preference();
    return { min, max, prefer: exact ? null : prefer };
  }

  private count(): number {
    let n = 0;
    while (/[0-9]/.test(this.peek() ?? '')) n = n * 10 + Number(this.text[this.at++]);
    if (n > MAX_REPEAT) throw regexError('invalid repetition count(s)');
    return n;
  }

  private atom(inLook: boolean): Regex {
    const c = this.text[this.at++];
    switch (c) {
      case '(':
        return this.group(inLook);
      case '[':
        return this.bracket();
      case '.':
        return { k: 'set', set: anyChar(this.options.newlineStops) };
      case '^':
        return { k: 'assert', what: this.options.newlineAnchors ? 'lineStart' : 'textStart' };
      case '$':
        return { k: 'assert', what: this.options.newlineAnchors ? 'lineEnd' : 'textEnd' };
      case '\\':
        return this.escape(inLook);
      case '*':
      case '+':
      case '?':
        throw regexError('quantifier operand invalid');
      case '{':
        if (/[0-9]/.test(this.peek() ?? '')) throw regexError('quantifier operand invalid');
        return this.char(123);
      default:
        return this.char(c.codePointAt(0)!);
    }
  }

  private group(inLook: boolean): Regex {
    if (this.eat('?')) {
      for (const [sign, ahead, negated] of [
        ['=', true, false],
        ['!', true, true],
        ['<=', false, false],
        ['<!', false, true],
      ] as const) {
        if (this.eat(sign)) return { k: 'look', ahead, negated, body: this.groupBody(true) };
      }
      if (!this.eat(':')) throw regexError('quantifier operand invalid');
      return { k: 'group', capture: 0, body: this.groupBody(inLook) };
    }
    if (inLook) return { k: 'group', capture: 0, body: this.groupBody(true) };
    const capture = ++this.groups;
    const body = this.groupBody(false);
    this.bodies.set(capture, body);
    return { k: 'group', capture, body };
  }

  private groupBody(inLook: boolean): Regex {
    const body = this.alternation(true, inLook);
    if (!this.eat(')')) throw regexError('parentheses () not balanced');
    return body;
  }

  private bracket(): Regex {
    for (const [name, what] of [
      ['[:<:]]', 'wordStart'],
      ['[:>:]]', 'wordEnd'],
    ] as const) {
      if (this.eat(name)) return { k: 'assert', what };
    }
    const { set, next } = parseBracket(this.text, this.at, this.options.icase);
    this.at = next;
    set.excludesNewline = set.negated && this.options.newlineStops;
    return { k: 'set', set };
  }

  private escape(inLook: boolean): Regex {
    const c = this.peek();
    if (c === undefined) throw regexError('invalid escape \\ sequence');
    if (CLASS_ESCAPES[c]) {
      this.at++;
      return { k: 'set', set: this.classSet(CLASS_ESCAPES[c]) };
    }
    if (CONSTRAINT_ESCAPES[c]) {
      this.at++;
      return { k: 'assert', what: CONSTRAINT_ESCAPES[c] };
    }
    const reference = this.backReference(inLook);
    if (reference) return reference;
    const { code, next }: CharEscape = parseCharEscape(this.text, this.at);
    this.at = next;
    return this.char(code);
  }

  private classSet(k: { name: ClassName; negated: boolean }): CharSet {
    const newlineStops = k.negated && this.options.newlineStops;
    return { negated: false, ranges: [], classes: [k], icase: false, excludesNewline: newlineStops };
  }

  private backReference(inLook: boolean): Regex | null {
    const digits = /^[1-9][0-9]*/.exec(this.text.slice(this.at, this.at + 4).join(''))?.[0];
    if (!digits) return null;
    const group = Number(digits);
    if (digits.length > 1 && group > this.bodies.size) return null;
    this.at += digits.length;
    if (!this.bodies.has(group) || inLook) throw regexError('invalid backreference number');
    this.hasBackrefs = true;
    return { k: 'backref', group };
  }
}

/** Applies one option letter; false when there is no such option. */
export function applyOption(options: RegexOptions, letter: string): boolean {
  switch (letter) {
    case 'i':
      options.icase = true;
      return true;
    case 'c':
      options.icase = false;
      return true;
    case 'm':
    case 'n':
      options.newlineStops = true;
      options.newlineAnchors = true;
      return true;
    case 'p':
      options.newlineStops = true;
      options.newlineAnchors = false;
      return true;
    case 'w':
      options.newlineStops = false;
      options.newlineAnchors = true;
      return true;
    case 's':
      options.newlineStops = false;
      options.newlineAnchors = false;
      return true;
    case 'x':
      options.expanded = true;
      return true;
    case 't':
      options.expanded = false;
      return true;
    case 'q':
      options.literal = true;
      return true;
    default:
      return false;
  }
}
