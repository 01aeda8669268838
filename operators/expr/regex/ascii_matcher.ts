/** CompiledRegex over bytes of ASCII: the same search, on tables. Kernels use it; other texts go to the strings of regex.ts. */
import { AsciiAutomaton, AsciiClasses, type AsciiText } from './ascii_automaton.ts';
import type { Automaton, CharClasses } from './automaton.ts';
import { Dissector } from './dissect.ts';
import { type Part, SHORTER } from './structure.ts';

export interface AsciiParts {
  groups: number;
  search: Automaton;
  whole: Automaton;
  structure: Part;
  automatonOf: (part: Part) => Automaton;
  classes: CharClasses;
}

export class AsciiMatcher {
  /** Start and end of the whole match and of every group, -1 where one took no part; as exec left them. */
  readonly spans: number[];
  readonly groups: number;
  readonly #search: AsciiAutomaton;
  readonly #whole: AsciiAutomaton;
  readonly #structure: Part;
  readonly #dissector: Dissector<AsciiText>;

  /** The matcher, or null when some part looks around. */
  static of(parts: AsciiParts): AsciiMatcher | null {
    const cacheable = (p: Part): boolean => parts.automatonOf(p).cacheable && p.children.every(cacheable);
    return parts.search.cacheable && cacheable(parts.structure) ? new AsciiMatcher(parts) : null;
  }

  private constructor({ groups, search, whole, structure, automatonOf, classes }: AsciiParts) {
    const known = new AsciiClasses(classes);
    this.groups = groups;
    this.spans = new Array<number>(2 * (groups + 1)).fill(-1);
    this.#search = new AsciiAutomaton(search, known);
    this.#whole = new AsciiAutomaton(whole, known);
    this.#structure = structure;
    this.#dissector = new Dissector<AsciiText>(
      structure,
      (part) => new AsciiAutomaton(automatonOf(part), known),
      () => {
        throw new Error('an expression with back references has no automaton');
      },
    );
  }

  test(text: AsciiText): boolean {
    return this.#search.shortest(text, 0, 0, text.length) >= 0;
  }

  /** Finds the leftmost match at or after `from`, into `spans`. */
  exec(text: AsciiText, from: number): boolean {
    // Where the match that ends first ends: the leftmost match starts no later.
    const close = this.#search.shortest(text, from, from, text.length);
    if (close < 0) return false;
    const shorter = (this.#structure.flags & SHORTER) !== 0;
    for (let begin = from; ; begin++) {
      begin = this.#whole.nextStart(text, begin, close);
      if (begin < 0) return false;
      if (this.#matchFrom(text, begin, shorter)) return true;
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
    }
  }
}
