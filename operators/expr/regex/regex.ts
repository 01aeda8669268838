/**
 * PostgreSQL's regular expressions: compile once (bounded cache), then test or find. Matching is POSIX: the leftmost match, and
 * of those the longest (or shortest, where the expression prefers it), with captures chosen by the dissector.
 */
import { SqlError } from '../../errors.ts';
import { turn } from '../../turn.ts';
import { AsciiMatcher } from './ascii_matcher.ts';
import { Automaton, CharClasses } from './automaton.ts';
import { Dissector, stringRepeats } from './dissect.ts';
import { applyOption, RegexParser } from './parse.ts';
import { requiredLiteral } from './required_literal.ts';
import { type Part, SHORTER, structureOf } from './structure.ts';
import type { ParsedRegex, Regex, RegexOptions } from './syntax.ts';

/** A match: start and end (UTF-16) of the whole, then of every group; -1 where a group took no part. */
export type Spans = number[];

export class CompiledRegex {
  readonly groups: number;
  private readonly hasBackrefs: boolean;
  private readonly search: Automaton;
  private readonly whole: Automaton;
  private readonly structure: Part;
  private readonly dissector: Dissector<string>;
  private readonly makeAscii: () => AsciiMatcher | null;
  private madeAscii: AsciiMatcher | null | undefined;
  /** Plain characters every match starts with. */
  private readonly prefix: string;

  constructor(parsed: ParsedRegex) {
    const { root, bodies, groups, hasBackrefs, icase } = parsed;
    const classes = new CharClasses();
    this.groups = groups;
    this.hasBackrefs = hasBackrefs;
    this.search = new Automaton(root, classes, bodies, true);
    this.whole = new Automaton(root, classes, bodies);
    this.structure = structureOf(root);
    const automata = new Map<Part, Automaton>();
    const automatonOf = (p: Part): Automaton => {
      const known = automata.get(p) ?? new Automaton(p.regex, classes, bodies);
      automata.set(p, known);
      return known;
    };
    // A character of a string has one unit or two, so no part has a fixed width.
    this.dissector = new Dissector(this.structure, automatonOf, () => null, stringRepeats(icase));
    this.prefix = literalPrefix(root);
    const { search, whole, structure } = this;
    const literal = requiredLiteral(root);
    const parts = { root, groups, search, whole, structure, automatonOf, classes, literal };
    this.makeAscii = () => (hasBackrefs ? null : AsciiMatcher.of(parts));
  }

  /** The expression over bytes of ASCII; null where it needs more than an automaton. */
  get ascii(): AsciiMatcher | null {
    if (this.madeAscii === undefined) this.madeAscii = this.makeAscii();
    return this.madeAscii;
  }

  /** Does the expression match anywhere at or after `from`? */
  test(text: string, from = 0): boolean {
    if (this.hasBackrefs) return this.exec(text, from) !== null;
    const first = this.candidate(text, from);
    return first >= 0 && this.search.shortest(text, first, first, text.length) >= 0;
  }

  /** The leftmost match at or after `from`; null when there is none. */
  exec(text: string, from = 0): Spans | null {
    const first = this.candidate(text, from);
    if (first < 0) return null;
    // Where the match that ends first ends: the leftmost match starts no later.
    const close = this.search.shortest(text, first, first, text.length);
    if (close < 0) return null;
    const shorter = (this.structure.flags & SHORTER) !== 0;
    const lastBegin = this.hasBackrefs ? text.length : close;
    for (let begin = first; begin >= 0 && begin <= lastBegin; ) {
      if (this.whole.mayStart(text, begin)) {
        const spans = this.matchFrom(text, begin, shorter);
        if (spans) return spans;
        turn.look();
      }
      begin = this.candidate(text, begin + (isPair(text, begin) ? 2 : 1));
    }
    return null;
  }

  /** The first place at or after `from` where a match could start; -1 when there is none. */
  private candidate(text: string, from: number): number {
    if (from > text.length) return -1;
    return this.prefix === '' ? from : text.indexOf(this.prefix, from);
  }

  private matchFrom(text: string, begin: number, shorter: boolean): Spans | null {
    let low = begin;
    let high = text.length;
    for (;;) {
      const end = shorter ? this.whole.shortest(text, begin, low, high) : this.whole.longest(text, begin, high);
      if (end < 0) return null;
      const spans = new Array<number>(2 * (this.groups + 1)).fill(-1);
      spans[0] = begin;
      spans[1] = end;
      if (this.groups === 0 && !this.hasBackrefs) return spans;
      if (this.dissector.dissect(this.structure, text, begin, end, spans)) return spans;
      if (shorter) {
        if (end >= high) return null;
        low = end + 1;
      } else {
        if (end <= begin) return null;
        high = end - 1;
      }
      turn.look();
    }
  }
}

/** The characters that every match starts with, as far as the expression begins with plain ones. */
function literalPrefix(root: Regex): string {
  let prefix = '';
  for (const item of root.k === 'concat' ? root.items : [root]) {
    if (item.k !== 'set' || item.set.icase || item.set.negated) break;
    const { ranges, classes } = item.set;
    if (classes.length > 0 || ranges.length !== 1 || ranges[0][0] !== ranges[0][1]) break;
    prefix += String.fromCodePoint(ranges[0][0]);
  }
  return prefix;
}

function isPair(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c >= 0xd800 && c < 0xdc00;
}

/** Flags of a regexp_ function: the syntax options, and `g`. */
export interface RegexFlags {
  options: RegexOptions;
  global: boolean;
}

/** Parses a flags argument; unknown letters are 22023. */
export function parseFlags(flags: string): RegexFlags {
  const options = defaultOptions(false);
  let global = false;
  for (const letter of flags) {
    if (letter === 'g') global = true;
    else if (letter === 'b' || letter === 'e')
      throw new SqlError('0A000', `regular expression option "${letter}" is not supported`);
    else if (!applyOption(options, letter)) {
      throw new SqlError('22023', `invalid regular expression option: "${letter}"`);
    }
  }
  return { options, global };
}

export function defaultOptions(icase: boolean): RegexOptions {
  return { icase, newlineStops: false, newlineAnchors: false, expanded: false, literal: false };
}

const MAX_CACHED = 500;
const cache = new Map<string, CompiledRegex>();

/** The compiled form of a pattern; errors are 2201B. */
export function compileRegex(pattern: string, options: RegexOptions): CompiledRegex {
  const { icase, newlineStops, newlineAnchors, expanded, literal } = options;
  const bits = [icase, newlineStops, newlineAnchors, expanded, literal].map(Number).join('');
  const key = bits + pattern;
  let compiled = cache.get(key);
  if (!compiled) {
    compiled = new CompiledRegex(new RegexParser(pattern, options).parse());
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
    cache.set(key, compiled);
  }
  return compiled;
}
