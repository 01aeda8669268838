/**
 * Finds where the captures of a match lie: divides [begin, end] among the parts of the structure. Longer-preferring parts take the
 * longest piece that lets the rest match, shorter-preferring ones the shortest; earlier parts choose first.
 *
 * Traps: rounds of an iteration are not empty unless the minimum demands it; an alternation takes its first branch that fits.
 */
import { type Part, SHORTER } from './structure.ts';
import { UNBOUNDED } from './syntax.ts';

/** One part's automaton over texts of some form: a string, or bytes of ASCII. */
export interface PartMatcher<T> {
  longest(text: T, begin: number, limit: number): number;
  shortest(text: T, begin: number, from: number, limit: number): number;
}

/** Whether [begin, end] is what the group captured in [from, to], over and over: what a back reference matches. */
export type Repeats<T> = (text: T, from: number, to: number, begin: number, end: number, p: Part) => boolean;

/** Back references in strings. */
export function stringRepeats(icase: boolean): Repeats<string> {
  return (text, from, to, begin, end, p) => {
    const referred = text.slice(from, to);
    const target = text.slice(begin, end);
    if (referred === '') return target === '' && p.min <= p.max;
    if (target === '') return p.min === 0;
    const rounds = target.length / referred.length;
    if (!Number.isInteger(rounds) || rounds < p.min || rounds > p.max) return false;
    const wanted = referred.repeat(rounds);
    return icase ? target.toLowerCase() === wanted.toLowerCase() : target === wanted;
  };
}

export class Dissector<T> {
  private readonly automata = new Map<Part, PartMatcher<T>>();
  /** Length of every match, of parts that have one. */
  private readonly widths = new Map<Part, number>();
  private readonly repeats: Repeats<T>;

  /** Makes the matchers of all parts now, so that the character classes know all sets. */
  constructor(
    root: Part,
    matcherOf: (part: Part) => PartMatcher<T>,
    widthOf: (part: Part) => number | null,
    repeats: Repeats<T>,
  ) {
    this.repeats = repeats;
    this.prepare(root, matcherOf, widthOf);
  }

  private prepare(p: Part, matcherOf: (part: Part) => PartMatcher<T>, widthOf: (part: Part) => number | null): void {
    this.automata.set(p, matcherOf(p));
    const width = widthOf(p);
    if (width !== null) this.widths.set(p, width);
    for (const c of p.children) this.prepare(c, matcherOf, widthOf);
  }

  private automaton(p: Part): PartMatcher<T> {
    return this.automata.get(p)!;
  }

  /** Fills `spans` (start, end by group) for a match of `p` over exactly [begin, end]; false when it cannot be. */
  dissect(p: Part, text: T, begin: number, end: number, spans: number[]): boolean {
    if (!this.inside(p, text, begin, end, spans)) return false;
    if (p.capture > 0) {
      spans[2 * p.capture] = begin;
      spans[2 * p.capture + 1] = end;
    }
    return true;
  }

  private inside(p: Part, text: T, begin: number, end: number, spans: number[]): boolean {
    switch (p.op) {
      case 'plain':
        return true;
      case 'group':
        return this.dissect(p.children[0], text, begin, end, spans);
      case 'alt':
        return p.children.some(
          (c) => this.automaton(c).longest(text, begin, end) === end && this.dissect(c, text, begin, end, spans),
        );
      case 'concat':
        return this.sequence(p, text, begin, end, spans);
      case 'backref':
        return this.backReference(p, text, begin, end, spans);
      case 'iterate':
        return this.iteration(p, text, begin, end, spans);
    }
  }

  private sequence(p: Part, text: T, begin: number, end: number, spans: number[]): boolean {
    const [left, right] = p.children;
    const only = this.onlyCut(left, right, begin, end);
    // The whole matches here, so it does with the one cut that there is.
    if (only >= 0) return this.dissect(left, text, begin, only, spans) && this.dissect(right, text, only, end, spans);
    const first = this.automaton(left);
    const second = this.automaton(right);
    const shorter = (left.flags & SHORTER) !== 0;
    let mid = shorter ? first.shortest(text, begin, begin, end) : first.longest(text, begin, end);
    while (mid >= 0) {
      if (second.longest(text, mid, end) === end) {
        if (this.dissect(left, text, begin, mid, spans) && this.dissect(right, text, mid, end, spans)) return true;
        clear(left, spans);
        clear(right, spans);
      }
      if (shorter) mid = mid >= end ? -1 : first.shortest(text, begin, mid + 1, end);
      else mid = mid <= begin ? -1 : first.longest(text, begin, mid - 1);
    }
    return false;
  }

  /** Where [begin, end] must be cut because one of the parts has a fixed width; -1 when neither has. */
  private onlyCut(left: Part, right: Part, begin: number, end: number): number {
    const before = this.widths.get(left);
    if (before !== undefined) return begin + before;
    const after = this.widths.get(right);
    return after === undefined ? -1 : end - after;
  }

  private backReference(p: Part, text: T, begin: number, end: number, spans: number[]): boolean {
    const from = spans[2 * p.group];
    return from >= 0 && this.repeats(text, from, spans[2 * p.group + 1], begin, end, p);
  }

  /** All ways to cut [begin, end] into rounds, in the order of preference; the first that verifies wins. */
  private iteration(p: Part, text: T, begin: number, end: number, spans: number[]): boolean {
    if (p.min <= 0 && begin === end) return true;
    const min = Math.max(p.min, 1);
    const max = p.max === UNBOUNDED ? UNBOUNDED : p.max;
    const child = p.children[0];
    const shorter = (child.flags & SHORTER) !== 0;
    const ends = [begin];
    const round = (k: number): boolean => {
      for (const stop of this.roundEnds(child, text, ends[k - 1], end, shorter)) {
        ends[k] = stop;
        if (stop === end && k >= min && this.verify(child, text, ends, k, spans)) return true;
        if (k >= max) continue;
        const empty = stop === ends[k - 1];
        if (stop === end ? k >= min || !empty : empty && (k >= min || min - k < end - stop)) continue;
        if (round(k + 1)) return true;
      }
      return false;
    };
    return round(1);
  }

  /** Ends of one round from `from`, best first. */
  private *roundEnds(child: Part, text: T, from: number, end: number, shorter: boolean): Iterable<number> {
    const a = this.automaton(child);
    if (shorter) {
      for (let e = a.shortest(text, from, from, end); e >= 0; e = e >= end ? -1 : a.shortest(text, from, e + 1, end)) {
        yield e;
      }
      return;
    }
    for (let e = a.longest(text, from, end); e >= 0; e = e <= from ? -1 : a.longest(text, from, e - 1)) yield e;
  }

  private verify(child: Part, text: T, ends: number[], rounds: number, spans: number[]): boolean {
    for (let i = 1; i <= rounds; i++) {
      clear(child, spans);
      if (!this.dissect(child, text, ends[i - 1], ends[i], spans)) {
        clear(child, spans);
        return false;
      }
    }
    return true;
  }
}

/** Forgets the captures inside a part. */
function clear(p: Part, spans: number[]): void {
  if (p.capture > 0) {
    spans[2 * p.capture] = -1;
    spans[2 * p.capture + 1] = -1;
  }
  for (const c of p.children) clear(c, spans);
}
