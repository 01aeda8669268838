/**
 * An expression of one pass (regex/one_pass.ts) as the code of a kernel: a state is a block, a transition a branch to it, a capture a local.
 *
 *   block  block  block            states in an order in which most transitions go forward, so that each is a branch out of blocks
 *     state 0                      what goes back sets the number of its state, and the loop around all of them branches by that
 *   end    state 1
 *   end           state 2
 *   ...                            a state: its own characters are passed over (byte_set.ts) -> does it accept here? -> the literal -> the next character
 *
 * Same as the walk in kernels/assembly/regex.ts, of which each step looks up a class, a transition and what is captured. A character beyond ASCII that is come to leaves
 * the row to the interpreter; others are not looked at.
 */
import {
  ACCEPT_ALWAYS,
  ACCEPT_AT_END,
  ACCEPT_NEVER,
  type LiteralStep,
  type OnePassState,
} from '../../regex/one_pass.ts';
import { ByteSet } from './byte_set.ts';
import type { Emitter } from './emitter.ts';
import { ACCESS, I32, type Label, OP } from './module.ts';

/** What is walked over; the numbers are locals with addresses. */
export interface Walked {
  states: OnePassState[];
  leaves: Leave[];
  /** The literal that stands at `place`; null where no place is known. */
  literal: { length: number; place: number } | null;
  /** Start and end of the text, and where the match begins. */
  from: number;
  end: number;
  begin: number;
  /** 0, or the end of the match. */
  last: number;
  /** What is wanted of the captures: by slot of the expression the local, 0 where that took no part. */
  captures: Map<number, number>;
}

interface Edge {
  to: number;
  saves: number;
  set: ByteSet;
}

/** How a state is left: its own characters, those that lead to others, and the step over the literal where that may stand behind the own ones. */
export interface Leave {
  own: Edge | undefined;
  others: Edge[];
  step: LiteralStep | null;
}

/** Of all states; `slots`: what is wanted of the captures. */
export function leavesOf(
  states: OnePassState[],
  ofByte: Uint8Array,
  slots: Iterable<number>,
  literal: { text: string; steps: (LiteralStep | null)[] } | null,
): Leave[] {
  let wanted = 0;
  for (const slot of slots) wanted |= 1 << slot;
  return states.map((state, i) => {
    const edges = edgesOf(state, ofByte, wanted);
    const own = edges.find(({ to, saves }) => to === i && saves === 0);
    const isPassed = literal !== null && own?.set.has(literal.text.charCodeAt(0)) === true;
    const step = literal === null || isPassed ? null : literal.steps[i];
    return { own, others: edges.filter((edge) => edge !== own), step };
  });
}

/** The characters that lead from a state to others, as far as what is wanted tells them apart. */
function edgesOf({ next, saves }: OnePassState, ofByte: Uint8Array, wanted: number): Edge[] {
  const classes = new Map<string, { to: number; saves: number; of: Set<number> }>();
  next.forEach((to, cls) => {
    if (to < 0) return;
    const kept = saves[cls] & wanted;
    const key = `${to} ${kept}`;
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { to, saves: kept, of: new Set([cls]) });
    else known.of.add(cls);
  });
  return [...classes.values()].flatMap(({ to, saves, of }) => {
    const set = new ByteSet((byte) => of.has(ofByte[byte]));
    return set.isEmpty ? [] : [{ to, saves, set }];
  });
}

/** The states that each leads to: without passing over its own characters. */
type Ways = (state: number) => number[];

/** All states that can be come to, each before those that it leads to as far as that is possible. */
function ordered(ways: Ways): number[] {
  const seen = new Set<number>();
  const order: number[] = [];
  const visit = (state: number) => {
    if (seen.has(state)) return;
    seen.add(state);
    for (const to of ways(state)) visit(to);
    order.push(state);
  };
  visit(0);
  visit(1);
  return order.reverse();
}

/** Writes the walk from where the match begins. */
export function walk(walked: Walked, code: Emitter): void {
  new Walk(walked, code).write();
}

class Walk {
  readonly #walked: Walked;
  readonly #code: Emitter;
  readonly #order: number[];
  /** Labels of the states' blocks, and of what is behind all of them. */
  readonly #labels = new Map<number, Label>();
  #done: Label = 0;
  /** States that are come to by the loop, the first two of which are those that the walk begins with. */
  readonly #entries = [0, 1];
  #again: Label = 0;
  readonly #entry: number;
  readonly #at: number;
  readonly #byte: number;
  /** By slot: the captures of the path, which may go on behind the last place where it accepts. */
  readonly #path = new Map<number, number>();

  constructor(walked: Walked, code: Emitter) {
    this.#walked = walked;
    this.#code = code;
    const ways: Ways = (state) => {
      const { others, step } = walked.leaves[state];
      return [...others.map(({ to }) => to), ...(step === null ? [] : [step.state])];
    };
    this.#order = ordered(ways);
    this.#entry = code.local(I32);
    this.#at = code.local(I32);
    this.#byte = code.local(I32);
    for (const slot of walked.captures.keys()) this.#path.set(slot, code.local(I32));
    this.#order.forEach((state, i) => {
      const back = ways(state).filter((to) => this.#order.indexOf(to) <= i);
      for (const to of back) if (!this.#entries.includes(to)) this.#entries.push(to);
    });
  }

  write(): void {
    const code = this.#code;
    const { from, begin, last } = this.#walked;
    for (const local of [last, ...this.#path.values()]) {
      code.i32(0);
      code.set(local);
    }
    code.get(begin);
    code.set(this.#at);
    code.get(begin);
    code.get(from);
    code.op(OP.i32_ne);
    code.set(this.#entry);
    this.#done = code.block();
    const goesBack = this.#entries.length > 2;
    if (goesBack) this.#again = code.loop();
    for (const state of [...this.#order].reverse()) this.#labels.set(state, code.block());
    code.get(this.#entry);
    code.branchTable(this.#entries.map((state) => this.#labelOf(state)));
    this.#order.forEach((state, i) => {
      code.end();
      this.#state(state, i);
    });
    if (goesBack) code.end();
    code.end();
  }

  #labelOf(state: number): Label {
    const label = this.#labels.get(state);
    if (label === undefined) throw new Error(`state ${state} has no code`);
    return label;
  }

  /** Goes to a state from the one that is i-th in order. */
  #goTo(state: number, i: number): void {
    const code = this.#code;
    if (this.#order.indexOf(state) > i) {
      code.branch(this.#labelOf(state));
      return;
    }
    code.i32(this.#entries.indexOf(state));
    code.set(this.#entry);
    code.branch(this.#again);
  }

  #state(state: number, i: number): void {
    const { states, leaves, literal, end } = this.#walked;
    const { accept } = states[state];
    const code = this.#code;
    const { own, others, step } = leaves[state];
    own?.set.skip(this.#at, end, code);
    if (accept === ACCEPT_ALWAYS) this.#accept(state);
    this.#atEnd(() => {
      if (accept === ACCEPT_AT_END) this.#accept(state);
      code.branch(this.#done);
    });
    if (literal !== null && step !== null) {
      code.get(this.#at);
      code.get(literal.place);
      code.op(OP.i32_eq);
      code.if();
      this.#follow(step.state, step.saves, literal.length, i);
      code.end();
    }
    code.get(this.#at);
    code.access(ACCESS.i32_load8_u);
    code.set(this.#byte);
    for (const edge of others) {
      edge.set.pushHas(this.#byte, code);
      code.if();
      this.#follow(edge.to, edge.saves, 1, i);
      code.end();
    }
    code.get(this.#byte);
    code.i32(127);
    code.op(OP.i32_gt_u);
    code.bailIf();
    code.branch(this.#done);
  }

  #atEnd(then: () => void): void {
    const code = this.#code;
    code.get(this.#at);
    code.get(this.#walked.end);
    code.op(OP.i32_eq);
    code.if();
    then();
    code.end();
  }

  #follow(to: number, saves: number, characters: number, i: number): void {
    const code = this.#code;
    for (const [slot, local] of this.#path) {
      if ((saves & (1 << slot)) === 0) continue;
      code.get(this.#at);
      code.set(local);
    }
    code.get(this.#at);
    code.i32(characters);
    code.op(OP.i32_add);
    code.set(this.#at);
    this.#goTo(to, i);
  }

  #accept(state: number): void {
    const code = this.#code;
    const { states, captures, last } = this.#walked;
    if (states[state].accept === ACCEPT_NEVER) return;
    code.get(this.#at);
    code.set(last);
    for (const [slot, local] of captures) {
      const saved = (states[state].acceptSaves & (1 << slot)) !== 0;
      code.get(saved ? this.#at : (this.#path.get(slot) as number));
      code.set(local);
    }
  }
}
