/** CompiledRegex over bytes of ASCII: the same search, on tables. Kernels use it; other texts go to the strings of regex.ts. */
import { kernels } from '../../kernels/index.ts';
import { turn } from '../../turn.ts';
import { AsciiAutomaton, AsciiClasses, type AsciiText } from './ascii_automaton.ts';
import type { Automaton, CharClasses } from './automaton.ts';
import { Dissector } from './dissect.ts';
import { type OnePass, onePass } from './one_pass.ts';
import { fixedWidth, type RequiredLiteral } from './required_literal.ts';
import { type Part, SHORTER } from './structure.ts';
import type { Regex } from './syntax.ts';

export interface AsciiParts {
  root: Regex;
  groups: number;
  search: Automaton;
  whole: Automaton;
  structure: Part;
  automatonOf: (part: Part) => Automaton;
  classes: CharClasses;
  literal: RequiredLiteral | null;
}

/** Where the bytes of the required literal lie. */
export interface Needle {
  address: number;
  length: number;
}

/** Occurrences of the literal without a match before the automaton, which is linear in the text, has to say whether there is one. */
const MAX_TRIES = 8;

export class AsciiMatcher {
  /** Start and end of the whole match and of every group, -1 where one took no part; as exec left them. */
  readonly spans: number[];
  readonly groups: number;
  /** What every match contains: callers keep its bytes and hand them in. */
  readonly literal: RequiredLiteral | null;
  /** Classes of characters, and over them the states of an expression whose captures need no dissecting. */
  readonly classes: AsciiClasses;
  readonly onePass: OnePass | null;
  readonly #search: AsciiAutomaton;
  readonly #whole: AsciiAutomaton;
  readonly #structure: Part;
  readonly #dissector: Dissector<AsciiText>;

  /** The matcher, or null when some part looks around. */
  static of(parts: AsciiParts): AsciiMatcher | null {
    const cacheable = (p: Part): boolean => parts.automatonOf(p).cacheable && p.children.every(cacheable);
    return parts.search.cacheable && cacheable(parts.structure) ? new AsciiMatcher(parts) : null;
  }

  private constructor({ root, groups, search, whole, structure, automatonOf, classes, literal }: AsciiParts) {
    const known = new AsciiClasses(classes);
    this.groups = groups;
    this.classes = known;
    this.onePass = onePass(root, groups, classes, known);
    this.literal = literal;
    this.spans = new Array<number>(2 * (groups + 1)).fill(-1);
    this.#search = new AsciiAutomaton(search, known);
    this.#whole = new AsciiAutomaton(whole, known);
    this.#structure = structure;
    this.#dissector = new Dissector<AsciiText>(
      structure,
      (part) => new AsciiAutomaton(automatonOf(part), known),
      (part) => fixedWidth(part.regex),
      () => {
        throw new Error('an expression with back references has no automaton');
      },
    );
  }

  test(text: AsciiText, needle: Needle | null): boolean {
    let from = 0;
    if (this.literal !== null && needle !== null) {
      const at = find(text, this.literal.least, needle);
      if (at < 0) return false;
      from = Math.max(0, at - this.literal.most);
    }
    return this.#search.shortest(text, from, from, text.length) >= 0;
  }

  /** Finds the leftmost match at or after `from`, into `spans`. */
  exec(text: AsciiText, from: number, needle: Needle | null): boolean {
    const shorter = (this.#structure.flags & SHORTER) !== 0;
    if (this.literal !== null && needle !== null) return this.#aroundLiteral(text, from, needle, this.literal, shorter);
    return this.#anywhere(text, from, shorter);
  }

  #anywhere(text: AsciiText, from: number, shorter: boolean): boolean {
    // Where the match that ends first ends: the leftmost match starts no later.
    const close = this.#search.shortest(text, from, from, text.length);
    return close >= 0 && this.#startWithin(text, from, close, shorter);
  }

  /** Only places at the right distance before an occurrence of the literal are tried, from left to right. */
  #aroundLiteral(text: AsciiText, from: number, needle: Needle, literal: RequiredLiteral, shorter: boolean): boolean {
    const { least, most } = literal;
    let begin = from;
    let tries = 0;
    for (let at = find(text, from + least, needle); at >= 0; at = find(text, at + 1, needle)) {
      begin = Math.max(begin, at - most);
      if (++tries > MAX_TRIES) return this.#anywhere(text, begin, shorter);
      if (this.#startWithin(text, begin, at - least, shorter)) return true;
      begin = Math.max(begin, at - least + 1);
    }
    return false;
  }

  /** Finds the leftmost match that starts in [begin, last]. */
  #startWithin(text: AsciiText, begin: number, last: number, shorter: boolean): boolean {
    for (; ; begin++) {
      begin = this.#whole.nextStart(text, begin, last);
      if (begin < 0) return false;
      if (this.#matchFrom(text, begin, shorter)) return true;
      turn.look();
    }
  }

  #matchFrom(text: AsciiText, begin: number, shorter: boolean): boolean {
    let low = begin;
    let high = text.length;
    const { spans } = this;
    for (;;) {
      const end = shorter ? this.#whole.shortest(text, begin, low, high) : this.#whole.longest(text, begin, high);
      if (end < 0) return false;
      spans.fill(-1);
      spans[0] = begin;
      spans[1] = end;
      if (this.groups === 0 || this.#dissector.dissect(this.#structure, text, begin, end, spans)) return true;
      if (shorter) {
        if (end >= high) return false;
        low = end + 1;
      } else {
        if (end <= begin) return false;
        high = end - 1;
      }
      turn.look();
    }
  }
}

function find(text: AsciiText, from: number, needle: Needle): number {
  const { address, length } = text;
  const at = kernels.findBytes(address + from, address + length, needle.address, needle.length);
  return at === 0 ? -1 : (at >>> 0) - address;
}
