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
  /** Class of each character of ASCII. */
  ofByte: Uint8Array;
  /** The steps over the literal that stands at `place`; null where no place is known. */
  literal: { text: string; steps: (LiteralStep | null)[]; place: number } | null;
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
  isIn: boolean[];
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
      const { others, step } = this.#leave(state);
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
    const { states, literal, end } = this.#walked;
    const { accept } = states[state];
    const code = this.#code;
    const { own, others, step } = this.#leave(state);
    if (own !== undefined) new ByteSet((byte) => own.isIn[byte]).skip(this.#at, end, code);
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
      this.#follow(step.state, step.saves, literal.text.length, i);
      code.end();
    }
    code.get(this.#at);
    code.access(ACCESS.i32_load8_u);
    code.set(this.#byte);
    for (const edge of others) {
      new ByteSet((byte) => edge.isIn[byte]).pushHas(this.#byte, code);
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

  /** The state's own characters, those that lead to others, and the step over the literal where it may stand behind the own ones. */
  #leave(state: number): { own: Edge | undefined; others: Edge[]; step: LiteralStep | null } {
    const { literal } = this.#walked;
    const edges = this.#edgesOf(state);
    const own = edges.find(({ to, saves }) => to === state && saves === 0);
    const step = literal?.steps[state] ?? null;
    const passed = literal !== null && own?.isIn[literal.text.charCodeAt(0)] === true;
    return { own, others: edges.filter((edge) => edge !== own), step: passed ? null : step };
  }

  /** The characters that lead from the state to others, as far as what is wanted tells them apart. */
  #edgesOf(state: number): Edge[] {
    const { states, ofByte, captures } = this.#walked;
    const { next, saves } = states[state];
    const edges: Edge[] = [];
    const wanted = [...captures.keys()].reduce((mask, slot) => mask | (1 << slot), 0);
    for (let byte = 0; byte < ofByte.length; byte++) {
      const cls = ofByte[byte];
      if (next[cls] < 0) continue;
      const kept = saves[cls] & wanted;
      let edge = edges.find((e) => e.to === next[cls] && e.saves === kept);
      if (edge === undefined) {
        edge = { to: next[cls], saves: kept, isIn: new Array<boolean>(ofByte.length).fill(false) };
        edges.push(edge);
      }
      edge.isIn[byte] = true;
    }
    return edges;
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
