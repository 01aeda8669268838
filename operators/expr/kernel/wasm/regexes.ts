/**
 * Matches of regular expressions of one pass in a kernel: the text is searched once a row for all that is asked of it.
 *
 *   literal that every match contains -> the places at the right distance before it, from left to right -> the walk from there (one_pass_walk.ts)
 *
 * What can begin at the text's start alone is walked from there. The code is written when it is known which groups are wanted. An expression of which there would be too
 * much code is searched by kernels/assembly/regex.ts, as in JavaScript.
 *
 * Only characters that a match has, or that stand where one might begin, are looked at: one beyond ASCII among them leaves the row, others do not matter. Where one
 * stands between a place and the literal, the distance in bytes is not the one in characters, so these are all seen.
 */
import { literalSteps } from '../../regex/one_pass.ts';
import type { RequiredLiteral } from '../../regex/required_literal.ts';
import { isAnchored, type OnePassRegex, onePassProgram, onePassRegex } from '../regexes.ts';
import type { Emitter } from './emitter.ts';
import { functions, type Made } from './functions.ts';
import { eachPlace, LONGEST } from './literal_search.ts';
import { I32, OP, SIMD, V128 } from './module.ts';
import { type Leave, leavesOf, type Walked, walk } from './one_pass_walk.ts';
import { bytesOf, slotOf } from './slot_code.ts';
import { imported, isRead, isText } from './texts.ts';
import { Unsupported, type Value } from './values.ts';

/** Bytes of code that the searches of one kernel may have together. */
const MOST_CODE = 8192;
/** Places tried without a match before the row is left to the interpreter, whose automaton is linear in the text. */
const MOST_TRIES = 16;
/** Characters between a place and the literal that are looked at in one step. */
const NEAR = 16;

interface Group {
  slot: number;
  /** Locals: the slot's bytes; where the group starts, or 0 where it took no part. */
  value: number;
  start: number;
}

/** One search and what is asked of it. */
class Search {
  /** Local: not 0 where the text matches. */
  readonly found: number;
  readonly #pattern: string;
  readonly #icase: boolean;
  readonly #regex: OnePassRegex;
  readonly #groups = new Map<number, Group>();
  /** The same for all copies of the search. */
  #leaves: Leave[] | null = null;

  /** Null where the expression is not one of one pass, or every place of a text would have to be tried. */
  static of(pattern: string, icase: boolean, code: Emitter): Search | null {
    const regex = onePassRegex(pattern, icase);
    if (regex === null || (regex.literal === null && !isAnchored(regex))) return null;
    return new Search(pattern, icase, regex, code);
  }

  private constructor(pattern: string, icase: boolean, regex: OnePassRegex, code: Emitter) {
    this.#pattern = pattern;
    this.#icase = icase;
    this.#regex = regex;
    this.found = code.local(I32);
  }

  /** The last group that there is; an expression without groups has one, which is all of it. */
  get last(): number {
    return Math.max(this.#regex.groups, 1);
  }

  group(n: number, code: Emitter): Group {
    const index = this.#regex.groups === 0 ? 0 : n;
    const known = this.#groups.get(index);
    if (known !== undefined) return known;
    const group = { slot: code.slot(), value: code.local(V128), start: code.local(I32) };
    this.#groups.set(index, group);
    return group;
  }

  /** Writes the search; there may be several copies of it. */
  write(text: Value, code: Emitter): void {
    const before = code.bytes.length;
    if (this.#isNear()) this.#walk(text, code);
    const length = code.bytes.length - before;
    code.searches += length;
    if (length > 0 && code.searches <= MOST_CODE) return;
    code.searches -= length;
    code.bytes.length = before;
    this.#call(text, code);
  }

  #isNear(): boolean {
    const { literal } = this.#regex;
    return literal === null || (literal.text.length <= LONGEST && literal.least <= NEAR);
  }

  /** By the function of the kernels, which looks for a literal. */
  #call(text: Value, code: Emitter): void {
    const made = onePassProgram(this.#pattern, this.#icase, {
      bytes: (count) => code.bytesFor(count),
      literal: (t) => ({ address: code.literal(t), length: Buffer.byteLength(t) }),
    });
    if (made === null) throw new Unsupported('so much code of a regular expression');
    code.i32(made.program);
    text.push();
    code.call(imported('slotSearch', 2, code));
    code.get(code.checked());
    code.set(this.found);
    for (const [n, { slot, value, start }] of this.#groups) {
      code.i32(0);
      code.set(start);
      code.get(this.found);
      code.if();
      code.i32(made.program);
      code.i32(n);
      text.push();
      code.i32(slot);
      code.call(imported('slotGroup', 4, code));
      code.set(start);
      code.i32(slot);
      code.simdAccess(SIMD.v128_load);
      code.set(value);
      code.end();
    }
  }

  #walk(text: Value, code: Emitter): void {
    const { literal, states, ofByte } = this.#regex;
    const [from, end, begin] = [code.local(I32), code.local(I32), code.local(I32)];
    const captures = new Map<number, number>();
    const stops = new Map<number, number>();
    for (const [n, { start }] of this.#groups) {
      const stop = n === 0 ? this.found : code.local(I32);
      stops.set(n, stop);
      code.i32(0);
      code.set(start);
      if (n > 0) captures.set(2 * n, start).set(2 * n + 1, stop);
    }
    bytesOf(text, end, from, code);
    code.get(end);
    code.get(from);
    code.op(OP.i32_add);
    code.set(end);
    code.get(from);
    code.set(begin);
    const isSearched = literal !== null && !isAnchored(this.#regex);
    this.#leaves ??= leavesOf(
      states,
      ofByte,
      captures.keys(),
      isSearched ? { text: literal.text, steps: literalSteps(states, literal.text, ofByte) } : null,
    );
    const walked = { states, leaves: this.#leaves, literal: null, from, end, begin, last: this.found, captures };
    if (isSearched) this.#around(literal, walked, code);
    else walk(walked, code);
    if (this.#groups.size === 0) return;
    code.get(this.found);
    code.if();
    for (const [n, group] of this.#groups) {
      if (n === 0) {
        code.get(begin);
        code.set(group.start);
      }
      this.#cut(group, stops.get(n) as number, code);
    }
    code.end();
  }

  /** The group's slot, in the local and in memory. */
  #cut({ slot, value, start }: Group, stop: number, code: Emitter): void {
    const length = code.local(I32);
    code.get(start);
    code.if();
    code.get(stop);
    code.get(start);
    code.op(OP.i32_sub);
    code.set(length);
    slotOf(start, length, code.ordinals(), value, code);
    code.i32(slot);
    code.get(value);
    code.simdAccess(SIMD.v128_store);
    code.end();
  }

  /** Tries the places around the literal until one matches. */
  #around({ text, least, most }: RequiredLiteral, walked: Walked, code: Emitter): void {
    const { from, end, begin, last } = walked;
    const [at, tries] = [code.local(I32), code.local(I32)];
    code.i32(0);
    code.set(last);
    code.i32(0);
    code.set(tries);
    code.get(from);
    code.i32(least);
    code.op(OP.i32_add);
    code.set(at);
    const matched = code.block();
    eachPlace(text, at, end, code, (place) => {
      bailBetween(place, least, code);
      beginAt(place, most, walked, code);
      const behind = code.block();
      const next = code.loop();
      code.get(begin);
      code.get(place);
      code.i32(least);
      code.op(OP.i32_sub, OP.i32_gt_u);
      code.branchIf(behind);
      walk({ ...walked, literal: { length: text.length, place } }, code);
      code.get(last);
      code.branchIf(matched);
      add(begin, 1, code);
      add(tries, 1, code);
      code.get(tries);
      code.i32(MOST_TRIES);
      code.op(OP.i32_gt_u);
      code.bailIf();
      code.branch(next);
      code.end();
      code.end();
    });
    code.end();
  }
}

function add(local: number, by: number, code: Emitter): void {
  code.get(local);
  code.i32(by);
  code.op(OP.i32_add);
  code.set(local);
}

/** Leaves the row when a character beyond ASCII stands between the last place before a literal and the literal. */
function bailBetween(literal: number, least: number, code: Emitter): void {
  const between = least - 1;
  if (between < 1) return;
  code.get(literal);
  code.i32(16);
  code.op(OP.i32_sub);
  code.simdAccess(SIMD.v128_load);
  code.simd(SIMD.i8x16_bitmask);
  code.i32(0x10000 - (0x10000 >> between));
  code.op(OP.i32_and);
  code.bailIf();
}

/** The first place to try with a literal: not one that was tried, and at most so far before it. */
function beginAt(literal: number, most: number, { from, begin }: Walked, code: Emitter): void {
  const first = code.local(I32);
  code.get(literal);
  code.i32(most);
  code.op(OP.i32_sub);
  code.tee(first);
  code.get(begin);
  code.get(first);
  code.get(begin);
  code.op(OP.i32_gt_u);
  code.get(literal);
  code.get(from);
  code.op(OP.i32_sub);
  code.i32(most);
  code.op(OP.i32_gt_u, OP.i32_and, OP.select);
  code.set(begin);
}

function searchOf(text: Value, pattern: Value, icase: boolean, code: Emitter): Search | null {
  const { constant } = pattern;
  if (!isText(text) || typeof constant !== 'string') return null;
  return code.share(
    `match${icase ? ' in any case' : ''} of ${code.nameOf(text)} by ${constant}`,
    () => Search.of(constant, icase, code),
    (search) => {
      if (search === null) return;
      isRead(code, text);
      code.later(() => search.write(text, code));
    },
  );
}

/** Pushes the address of a group's slot, or 0. */
function pushGroup(search: Search, n: number, code: Emitter): Made {
  const { slot, value, start } = search.group(n, code);
  code.i32(slot);
  code.i32(0);
  code.get(start);
  code.op(OP.select);
  return { kind: 'text', nullWhenZero: true, slot: value };
}

/** (regexp_match(text, pattern))[index]; null where the expression is not one of one pass. */
export function matchedGroup([text, pattern]: Value[], index: number, code: Emitter): Made | null {
  const search = searchOf(text, pattern, false, code);
  if (search === null || index < 1 || index > search.last) return null;
  return pushGroup(search, index, code);
}

functions.set('substring(text,text)', ([text, pattern], code) => {
  const search = searchOf(text, pattern, false, code);
  return search && pushGroup(search, 1, code);
});

for (const [name, icase, negated] of [
  ['textregexeq', false, false],
  ['textregexne', false, true],
  ['texticregexeq', true, false],
  ['texticregexne', true, true],
] as const)
  functions.set(`${name}(text,text)`, ([text, pattern], code) => {
    const search = searchOf(text, pattern, icase, code);
    if (search === null) return null;
    code.get(search.found);
    code.op(OP.i32_eqz);
    if (!negated) code.op(OP.i32_eqz);
    return { kind: 'bool' };
  });
