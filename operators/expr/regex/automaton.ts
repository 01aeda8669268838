/**
 * Finite automata over a regular expression's syntax tree: a nondeterministic program, run through a deterministic automaton that
 * is built as it goes (states are sets of program positions). No backtracking: time is linear in the text for any pattern.
 *
 *   transition(state, class of the next character or end)  ->  does a match end here?  and the next state
 *
 * Constraints (^, \y, ...) are decided when the next character is known, so a state also remembers what the previous character
 * was. Programs with lookaround depend on more than that and run without the state cache.
 * Size: states are dropped all at once beyond MAX_STATES.
 */
import { type CharSet, isWordChar, setMatches } from './char_set.ts';
import { type Assertion, type Regex, regexError, UNBOUNDED } from './syntax.ts';

type Instruction =
  | { op: 'set'; set: number }
  | { op: 'any' }
  | { op: 'split'; x: number; y: number }
  | { op: 'jump'; to: number }
  | { op: 'assert'; what: Assertion }
  | { op: 'look'; ahead: boolean; negated: boolean; body: Automaton }
  | { op: 'accept' };

/** What a character is to the constraints. */
export type Kind = 0 | 1 | 2 | 3;
export const NONE: Kind = 0;
const NEWLINE: Kind = 1;
const WORD: Kind = 2;
const OTHER: Kind = 3;

export interface State {
  /** Program positions before following splits and constraints, sorted. */
  positions: number[];
  previous: Kind;
  /** By character class; class 0 is the end of the text. */
  transitions: (Transition | undefined)[];
}

export interface Transition {
  accepts: boolean;
  next: State | null;
}

const MAX_PROGRAM = 100_000;
const MAX_STATES = 2000;
export const END_CLASS = 0;

/** Classes of characters that no set of the expression tells apart; shared by all automata of one expression. */
export class CharClasses {
  readonly sets: CharSet[] = [];
  private readonly members: boolean[][] = [[]];
  readonly kinds: Kind[] = [NONE];
  private readonly ids = new Map<string, number>();
  private readonly small = new Int32Array(256).fill(-1);
  private readonly large = new Map<number, number>();

  addSet(set: CharSet): number {
    const at = this.sets.indexOf(set);
    return at >= 0 ? at : this.sets.push(set) - 1;
  }

  classOf(c: number): number {
    const known = c < 256 ? this.small[c] : (this.large.get(c) ?? -1);
    return known >= 0 ? known : this.learn(c);
  }

  private learn(c: number): number {
    const members = this.sets.map((s) => setMatches(s, c));
    const kind = kindOf(c);
    const key = `${kind}${members.map(Number).join('')}`;
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.members.push(members) - 1;
      this.kinds[id] = kind;
      this.ids.set(key, id);
    }
    if (c < 256) this.small[c] = id;
    else if (this.large.size < 65536) this.large.set(c, id);
    return id;
  }

  isMember(classId: number, set: number): boolean {
    return this.members[classId][set];
  }
}

function kindOf(c: number): Kind {
  return c === 10 ? NEWLINE : isWordChar(c) ? WORD : OTHER;
}

export class Automaton {
  private readonly program: Instruction[] = [];
  private readonly classes: CharClasses;
  private readonly backrefBodies: Map<number, Regex>;
  /** Transitions depend on the state and the next character alone: there is no lookaround. */
  readonly cacheable: boolean;
  /** The previous character matters to some constraint. */
  readonly contextual: boolean;
  private states = new Map<string, State>();
  /** Start states by what the previous character is. */
  private starts: (State | undefined)[] = [];

  /** `anywhere`: the match may start at any later place, too. All sets must be added before the first character is classed. */
  constructor(regex: Regex, classes: CharClasses, backrefBodies: Map<number, Regex>, anywhere = false) {
    this.classes = classes;
    this.backrefBodies = backrefBodies;
    if (anywhere) this.program.push({ op: 'split', x: 3, y: 1 }, { op: 'any' }, { op: 'jump', to: 0 });
    this.emit(regex, true);
    this.program.push({ op: 'accept' });
    this.cacheable = !this.program.some((i) => i.op === 'look');
    this.contextual = this.program.some((i) => i.op === 'assert');
  }

  /** The last index <= limit where a match from `begin` ends; -1 when there is none. Indexes are UTF-16, at characters. */
  longest(text: string, begin: number, limit: number): number {
    let state = this.start(text, begin);
    let last = -1;
    for (let i = begin; ; ) {
      const c = i < text.length ? codeAt(text, i) : -1;
      const cls = c < 0 ? END_CLASS : this.classes.classOf(c);
      const t = state.transitions[cls] ?? this.transition(state, cls, text, i);
      if (t.accepts) last = i;
      i += c > 0xffff ? 2 : 1;
      if (t.next === null || i > limit) return last;
      state = t.next;
    }
  }

  /** The first index in [from, limit] where a match from `begin` ends; -1 when there is none. */
  shortest(text: string, begin: number, from: number, limit: number): number {
    let state = this.start(text, begin);
    for (let i = begin; ; ) {
      const c = i < text.length ? codeAt(text, i) : -1;
      const cls = c < 0 ? END_CLASS : this.classes.classOf(c);
      const t = state.transitions[cls] ?? this.transition(state, cls, text, i);
      if (t.accepts && i >= from) return i;
      i += c > 0xffff ? 2 : 1;
      if (t.next === null || i > limit) return -1;
      state = t.next;
    }
  }

  /** Can a match start at `begin`, as far as its first character tells? */
  mayStart(text: string, begin: number): boolean {
    const state = this.start(text, begin);
    const cls = begin < text.length ? this.classes.classOf(codeAt(text, begin)) : END_CLASS;
    const t = state.transitions[cls] ?? this.transition(state, cls, text, begin);
    return t.accepts || t.next !== null;
  }

  private start(text: string, begin: number): State {
    return this.startAfter(this.contextual ? previousKind(text, begin) : NONE);
  }

  /** The start state where the previous character is of this kind (NONE unless `contextual`). */
  startAfter(kind: Kind): State {
    let state = this.starts[kind];
    if (!state) {
      state = this.stateOf([0], kind);
      this.starts[kind] = state;
    }
    return state;
  }

  /** What the next character (by class) does; `text` and `at` matter to lookaround only. */
  transition(state: State, cls: number, text: string, at: number): Transition {
    const { accepts, sets } = this.closure(state, this.classes.kinds[cls], text, at);
    const positions: number[] = [];
    if (cls !== END_CLASS) {
      for (const p of sets) {
        const ins = this.program[p];
        if (ins.op === 'any' || (ins.op === 'set' && this.classes.isMember(cls, ins.set))) positions.push(p + 1);
      }
    }
    const next = positions.length === 0 ? null : this.stateOf(positions, this.classes.kinds[cls]);
    const t = { accepts, next };
    if (this.cacheable) state.transitions[cls] = t;
    return t;
  }

  private stateOf(positions: number[], previous: Kind): State {
    const sorted = positions.sort((a, b) => a - b);
    const kind = this.contextual ? previous : NONE;
    const key = `${kind}:${sorted.join()}`;
    let state = this.states.get(key);
    if (!state) {
      if (this.states.size >= MAX_STATES) {
        this.states = new Map();
        this.starts = [];
      }
      state = { positions: sorted, previous: kind, transitions: [] };
      this.states.set(key, state);
    }
    return state;
  }

  /** Character instructions reachable without consuming anything, and whether the end is. */
  private closure(state: State, next: Kind, text: string, at: number): { accepts: boolean; sets: number[] } {
    const seen = new Set<number>();
    const sets: number[] = [];
    let accepts = false;
    const stack = [...state.positions];
    while (stack.length > 0) {
      const p = stack.pop()!;
      if (seen.has(p)) continue;
      seen.add(p);
      const ins = this.program[p];
      switch (ins.op) {
        case 'set':
        case 'any':
          sets.push(p);
          break;
        case 'split':
          stack.push(ins.x, ins.y);
          break;
        case 'jump':
          stack.push(ins.to);
          break;
        case 'assert':
          if (holds(ins.what, state.previous, next)) stack.push(p + 1);
          break;
        case 'look':
          if (looks(ins, text, at)) stack.push(p + 1);
          break;
        case 'accept':
          accepts = true;
      }
    }
    return { accepts, sets };
  }

  /** `constraints` false: a copy for a back reference, which repeats the text but not its surroundings. */
  private emit(r: Regex, constraints: boolean): void {
    if (this.program.length > MAX_PROGRAM) throw regexError('regular expression is too complex');
    switch (r.k) {
      case 'set':
        this.program.push({ op: 'set', set: this.classes.addSet(r.set) });
        break;
      case 'assert':
        if (constraints) this.program.push({ op: 'assert', what: r.what });
        break;
      case 'look':
        if (constraints) {
          const body = new Automaton(r.body, this.classes, this.backrefBodies, !r.ahead);
          this.program.push({ op: 'look', ahead: r.ahead, negated: r.negated, body });
        }
        break;
      case 'group':
        this.emit(r.body, constraints);
        break;
      case 'backref':
        this.emit(this.backrefBodies.get(r.group)!, false);
        break;
      case 'concat':
        for (const item of r.items) this.emit(item, constraints);
        break;
      case 'alt':
        this.emitAlternatives(r.branches, constraints);
        break;
      case 'repeat':
        this.emitRepeat(r.body, r.min, r.max, constraints);
    }
  }

  private emitAlternatives(branches: Regex[], constraints: boolean): void {
    const ends: { op: 'jump'; to: number }[] = [];
    branches.forEach((b, i) => {
      if (i === branches.length - 1) {
        this.emit(b, constraints);
        return;
      }
      const split = { op: 'split' as const, x: this.program.length + 1, y: 0 };
      this.program.push(split);
      this.emit(b, constraints);
      const end = { op: 'jump' as const, to: 0 };
      this.program.push(end);
      ends.push(end);
      split.y = this.program.length;
    });
    for (const e of ends) e.to = this.program.length;
  }

  private emitRepeat(body: Regex, min: number, max: number, constraints: boolean): void {
    for (let i = 0; i < min; i++) this.emit(body, constraints);
    if (max === UNBOUNDED) {
      const loop = this.program.length;
      const split = { op: 'split' as const, x: loop + 1, y: 0 };
      this.program.push(split);
      this.emit(body, constraints);
      this.program.push({ op: 'jump', to: loop });
      split.y = this.program.length;
      return;
    }
    const splits: { op: 'split'; x: number; y: number }[] = [];
    for (let i = min; i < max; i++) {
      const split = { op: 'split' as const, x: this.program.length + 1, y: 0 };
      this.program.push(split);
      splits.push(split);
      this.emit(body, constraints);
    }
    for (const s of splits) s.y = this.program.length;
  }
}

/** The code point at UTF-16 index i. */
function codeAt(text: string, i: number): number {
  const c = text.charCodeAt(i);
  return c >= 0xd800 && c < 0xdc00 ? text.codePointAt(i)! : c;
}

function previousKind(text: string, at: number): Kind {
  if (at === 0) return NONE;
  let c = text.charCodeAt(at - 1);
  if (c >= 0xdc00 && c < 0xe000 && at > 1) c = text.codePointAt(at - 2)!;
  return kindOf(c);
}

function holds(what: Assertion, previous: Kind, next: Kind): boolean {
  switch (what) {
    case 'textStart':
      return previous === NONE;
    case 'textEnd':
      return next === NONE;
    case 'lineStart':
      return previous === NONE || previous === NEWLINE;
    case 'lineEnd':
      return next === NONE || next === NEWLINE;
    case 'wordStart':
      return previous !== WORD && next === WORD;
    case 'wordEnd':
      return previous === WORD && next !== WORD;
    case 'wordBoundary':
      return (previous === WORD) !== (next === WORD);
    case 'notWordBoundary':
      return (previous === WORD) === (next === WORD);
  }
}

function looks(ins: { ahead: boolean; negated: boolean; body: Automaton }, text: string, at: number): boolean {
  const found = ins.ahead
    ? ins.body.shortest(text, at, at, text.length) >= 0
    : ins.body.shortest(text, 0, at, at) === at;
  return found !== ins.negated;
}
