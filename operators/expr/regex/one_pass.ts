/**
 * Expressions of which at most one path fits at every character: the captures of a match are known when its end is, without dissecting.
 *
 *   state      what can come after one character (or at the start): for each class of characters the next state and the captures set on the way
 *   accept     never, always, or only at the end of the text, with the captures set on the way there
 *
 *   (&|^)channel_id=([^&]*)       '&' can only be the first branch, 'c' only what follows the second: one pass
 *   (a*)(a*)                      an 'a' can be in either group: not
 *
 * With one path for a text there is nothing to prefer, so the captures are those of the dissector for the same end, and the end is the last that
 * accepts: the longest. Left out: shorter preferences, captures within repetitions (only those of the last round count), other constraints than ^ and $.
 */
import type { AsciiClasses } from './ascii_automaton.ts';
import type { CharClasses } from './automaton.ts';
import { type Regex, UNBOUNDED } from './syntax.ts';

type Instruction =
  | { op: 'set'; set: number }
  | { op: 'split'; to: number[] }
  | { op: 'save'; slot: number }
  | { op: 'start' }
  | { op: 'end' }
  | { op: 'accept' };

export const ACCEPT_NEVER = 0;
export const ACCEPT_ALWAYS = 1;
export const ACCEPT_AT_END = 2;

export interface OnePassState {
  accept: number;
  /** Slots (bits: start of group g is 2g, its end 2g + 1) that get the position where the state accepts. */
  acceptSaves: number;
  /** By class: number of the next state or -1, and the slots that get the position before the character. */
  next: number[];
  saves: number[];
}

/** States 0 and 1: at the start of the text and anywhere else. */
export type OnePass = OnePassState[];

const MAX_PROGRAM = 2000;
const MAX_STATES = 200;
/** Slots are bits of a word. */
const MAX_GROUPS = 14;

class NotOnePass extends Error {}

class Builder {
  readonly program: Instruction[] = [];
  readonly #classes: CharClasses;

  constructor(classes: CharClasses) {
    this.#classes = classes;
  }

  emit(r: Regex, repeated: boolean): void {
    if (this.program.length > MAX_PROGRAM) throw new NotOnePass();
    switch (r.k) {
      case 'set':
        this.program.push({ op: 'set', set: this.#classes.addSet(r.set) });
        return;
      case 'assert':
        if (r.what !== 'textStart' && r.what !== 'textEnd') throw new NotOnePass();
        this.program.push({ op: r.what === 'textStart' ? 'start' : 'end' });
        return;
      case 'group':
        if (r.capture === 0) {
          this.emit(r.body, repeated);
          return;
        }
        if (repeated) throw new NotOnePass();
        this.program.push({ op: 'save', slot: 2 * r.capture });
        this.emit(r.body, repeated);
        this.program.push({ op: 'save', slot: 2 * r.capture + 1 });
        return;
      case 'concat':
        for (const item of r.items) this.emit(item, repeated);
        return;
      case 'alt':
        this.#choice(r.branches.map((branch) => () => this.emit(branch, repeated)));
        return;
      case 'repeat':
        this.#repeat(r);
        return;
      default:
        throw new NotOnePass();
    }
  }

  /** One of the branches; the split that joins them again has one way. */
  #choice(branches: (() => void)[]): void {
    const split: Instruction = { op: 'split', to: [] };
    this.program.push(split);
    const ends = branches.map((branch) => {
      split.to.push(this.program.length);
      branch();
      const end: Instruction = { op: 'split', to: [] };
      this.program.push(end);
      return end;
    });
    for (const end of ends) end.to.push(this.program.length);
  }

  #repeat({ body, min, max, prefer }: Extract<Regex, { k: 'repeat' }>): void {
    if (prefer === 'shorter') throw new NotOnePass();
    for (let i = 0; i < min; i++) this.emit(body, true);
    if (max === UNBOUNDED) {
      const split: Instruction = { op: 'split', to: [] };
      const loop = this.program.push(split) - 1;
      split.to.push(this.program.length);
      this.emit(body, true);
      this.program.push({ op: 'split', to: [loop] });
      split.to.push(this.program.length);
      return;
    }
    for (let i = min; i < max; i++) this.#choice([() => this.emit(body, true), () => undefined]);
  }
}

/** The state of what can come from `entry` on. */
class Closure {
  readonly state: OnePassState;
  /** Instruction behind the character, by class. */
  readonly targets: number[];
  readonly #program: Instruction[];
  readonly #members: (cls: number, set: number) => boolean;
  readonly #atStart: boolean;
  readonly #seen = new Set<number>();

  constructor(
    program: Instruction[],
    entry: number,
    atStart: boolean,
    classes: number,
    members: (cls: number, set: number) => boolean,
  ) {
    this.#program = program;
    this.#members = members;
    this.#atStart = atStart;
    this.targets = new Array<number>(classes).fill(-1);
    this.state = {
      accept: ACCEPT_NEVER,
      acceptSaves: 0,
      next: new Array<number>(classes).fill(-1),
      saves: new Array<number>(classes).fill(0),
    };
    this.#visit(entry, 0, false);
  }

  #visit(at: number, saves: number, ended: boolean): void {
    // Two ways to one place would be two paths for one text.
    if (this.#seen.has(at)) throw new NotOnePass();
    this.#seen.add(at);
    const instruction = this.#program[at];
    switch (instruction.op) {
      case 'split':
        for (const to of instruction.to) this.#visit(to, saves, ended);
        return;
      case 'save':
        this.#visit(at + 1, saves | (1 << instruction.slot), ended);
        return;
      case 'start':
        if (this.#atStart) this.#visit(at + 1, saves, ended);
        return;
      case 'end':
        this.#visit(at + 1, saves, true);
        return;
      case 'accept':
        this.state.accept = ended ? ACCEPT_AT_END : ACCEPT_ALWAYS;
        this.state.acceptSaves = saves;
        return;
      case 'set':
        if (!ended) this.#consume(at, instruction.set, saves);
    }
  }

  #consume(at: number, set: number, saves: number): void {
    // Class 0 is the end of the text.
    for (let cls = 1; cls < this.targets.length; cls++) {
      if (!this.#members(cls, set)) continue;
      if (this.targets[cls] >= 0) throw new NotOnePass();
      this.targets[cls] = at + 1;
      this.state.saves[cls] = saves;
    }
  }
}

/** The states of an expression that is one pass, over these classes of ASCII; null for others. */
export function onePass(root: Regex, groups: number, classes: CharClasses, ascii: AsciiClasses): OnePass | null {
  if (groups > MAX_GROUPS) return null;
  try {
    const builder = new Builder(classes);
    builder.emit(root, false);
    builder.program.push({ op: 'accept' });
    return states(builder.program, ascii.count, (cls, set) => classes.isMember(cls, set));
  } catch (error) {
    if (error instanceof NotOnePass) return null;
    throw error;
  }
}

function states(program: Instruction[], classes: number, members: (cls: number, set: number) => boolean): OnePass {
  const entries = [0, 0];
  const made: OnePass = [];
  for (let i = 0; i < entries.length; i++) {
    if (i >= MAX_STATES) throw new NotOnePass();
    const { state, targets } = new Closure(program, entries[i], i === 0, classes, members);
    targets.forEach((target, cls) => {
      if (target < 0) return;
      const known = entries.indexOf(target, 2);
      state.next[cls] = known >= 0 ? known : entries.push(target) - 1;
    });
    made.push(state);
  }
  return made;
}

/** Where the literal leads from a state in one step, and the slots that get the position before it. */
export interface LiteralStep {
  state: number;
  saves: number;
}

/** The step over the literal from each state; null where it does not fit, or what lies on the way has to be seen: accepting states, later captures. */
export function literalSteps(states: OnePass, literal: string, ofByte: Uint8Array): (LiteralStep | null)[] {
  return states.map((_, from) => {
    let state = from;
    let saves = 0;
    for (let i = 0; i < literal.length; i++) {
      const cls = ofByte[literal.charCodeAt(i)];
      if (i === 0) saves = states[state].saves[cls];
      else if (states[state].accept !== ACCEPT_NEVER || states[state].saves[cls] !== 0) return null;
      state = states[state].next[cls];
      if (state < 0) return null;
    }
    return { state, saves };
  });
}
