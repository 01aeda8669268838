/**
 * Inline forms of regular expression functions with a constant pattern: the automata over bytes (regex/ascii_matcher.ts). A text beyond ASCII
 * goes to the interpreter; so do patterns with back references or lookaround.
 */
import type { Arena } from '../../batch/arena.ts';
import { I32, U8, U32 } from '../../batch/memory.ts';
import { varlenAddress } from '../../batch/slots.ts';
import type { Datum } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { kernels } from '../../kernels/index.ts';
import * as layout from '../../kernels/regex_layout.ts';
import { turn } from '../../turn.ts';
import type { AsciiMatcher, Needle } from '../regex/ascii_matcher.ts';
import { ACCEPT_NEVER, literalSteps, type OnePass } from '../regex/one_pass.ts';
import { compileRegex, defaultOptions, parseFlags, type RegexFlags } from '../regex/regex.ts';
import type { RequiredLiteral } from '../regex/required_literal.ts';
import { BAIL, copy, isAscii, piece, room, seal } from '../text/slot_text.ts';
import { type Inline, type Site, slot, type Template, templates } from './templates.ts';
import type { Value } from './values.ts';

const { SEARCH_FOUND, SEARCH_GIVEN_UP, SEARCH_NONE, SEARCH_NOT_ASCII } = layout;

/** A statement may be ended between so many. */
const LOOK_MATCHES = 64;

/** Stands for NULL among addresses of slots. */
const NO_MATCH = 0;

const MATCHED = 1;

/** What is asked of the memory of a kernel. */
type Memory = Pick<Site, 'bytes' | 'literal'>;

function needleOf({ literal }: AsciiMatcher, site: Memory): Needle | null {
  return literal === null ? null : site.literal(literal.text);
}

/** One search per row for everything that asks about the same text and pattern. */
class RegexSearch {
  readonly #matcher: AsciiMatcher;
  readonly #needle: Needle | null;
  readonly #onePass: OnePassSearch | null;
  readonly #text = { address: 0, length: 0 };
  #outcome = 0;
  /** Where the spans are: here, or in the kernel's. */
  #fromKernel = false;
  /** Of the last search: the matcher's own are those of whoever searched last, for all searches of one pattern share it. */
  readonly #found: number[] = [];

  constructor(matcher: AsciiMatcher, site: Site) {
    this.#matcher = matcher;
    this.#needle = needleOf(matcher, site);
    this.#onePass = this.#needle && OnePassSearch.of(matcher, this.#needle, site);
  }

  start(text: number): void {
    const address = varlenAddress(text);
    const length = U32[text >>> 2];
    this.#text.address = address;
    this.#text.length = length;
    const found = this.#onePass === null ? SEARCH_GIVEN_UP : this.#onePass.search(address, address + length);
    this.#fromKernel = found !== SEARCH_GIVEN_UP;
    if (found === SEARCH_FOUND) this.#outcome = MATCHED;
    else if (found === SEARCH_NONE) this.#outcome = NO_MATCH;
    else if (found === SEARCH_NOT_ASCII || !isAscii(address, length)) this.#outcome = BAIL;
    else if (this.#matcher.exec(this.#text, 0, this.#needle)) {
      this.#outcome = MATCHED;
      const { spans } = this.#matcher;
      for (let i = 0; i < spans.length; i++) this.#found[i] = spans[i];
    } else this.#outcome = NO_MATCH;
  }

  /** Slot of a group of the match (0: all of it), NO_MATCH where it took no part, BAIL. */
  group(group: number, out: number): number {
    if (this.#outcome !== MATCHED) return this.#outcome;
    if (this.#fromKernel && this.#onePass !== null) return this.#onePass.group(group, this.#text.address, out);
    const from = this.#found[2 * group];
    return from < 0 ? NO_MATCH : piece(out, this.#text.address + from, this.#text.address + this.#found[2 * group + 1]);
  }
}

/** The search kernel's program for an expression that is one pass (operators/kernels/assembly/regex.ts). */
class OnePassSearch {
  readonly program: number;
  readonly #spans: number;

  static of(matcher: AsciiMatcher, needle: Needle, site: Memory): OnePassSearch | null {
    const { onePass, literal } = matcher;
    return onePass && literal && new OnePassSearch(matcher, onePass, literal, needle, site);
  }

  private constructor(matcher: AsciiMatcher, states: OnePass, literal: RequiredLiteral, needle: Needle, site: Memory) {
    const { ofByte, count } = matcher.classes;
    const groups = matcher.groups + 1;
    const program = site.bytes(layout.REGEX_BYTES);
    const stateBytes = layout.STATE_NEXT + count * layout.CLASS_BYTES;
    const first = site.bytes(states.length * stateBytes);
    this.program = program;
    this.#spans = site.bytes(groups * 8);
    put(program + layout.REGEX_START, first);
    put(program + layout.REGEX_LATER, first + stateBytes);
    put(program + layout.REGEX_NEEDLE, needle.address);
    put(program + layout.REGEX_NEEDLE_LENGTH, needle.length);
    put(program + layout.REGEX_LEAST, literal.least);
    put(program + layout.REGEX_MOST, literal.most);
    put(program + layout.REGEX_GROUPS, groups);
    put(program + layout.REGEX_SPANS, this.#spans);
    put(program + layout.REGEX_TRIED, site.bytes(groups * 8));
    U8.set(ofByte, program + layout.REGEX_CLASSES);
    const stateAt = (i: number) => first + i * stateBytes;
    const steps = literalSteps(states, literal.text, matcher.classes.ofByte);
    states.forEach(({ accept, acceptSaves, next, saves }, i) => {
      const state = stateAt(i);
      const step = steps[i];
      put(state + layout.STATE_ACCEPT, accept);
      put(state + layout.STATE_ACCEPT_SAVES, acceptSaves);
      put(state + layout.STATE_LITERAL, step === null ? 0 : stateAt(step.state));
      put(state + layout.STATE_LITERAL_SAVES, step?.saves ?? 0);
      put(
        state + layout.STATE_STOP,
        stopOf(ofByte, (cls) => next[cls] === i && saves[cls] === 0),
      );
      next.forEach((to, cls) => {
        const entry = state + cls * layout.CLASS_BYTES;
        put(entry + layout.STATE_NEXT, to < 0 ? 0 : stateAt(to));
        put(entry + layout.STATE_SAVES, saves[cls]);
      });
    });
  }

  search(address: number, end: number): number {
    return kernels.searchOnePass(this.program, address, end);
  }

  group(group: number, text: number, out: number): number {
    const at = (this.#spans >>> 2) + group * 2;
    const from = I32[at];
    return from < 0 ? NO_MATCH : piece(out, text + from, text + I32[at + 1]);
  }
}

/** Where a state that goes to itself in these classes stops to. */
function stopOf(ofByte: Uint8Array, stays: (cls: number) => boolean): number {
  const stops = [...ofByte.subarray(0, 128).keys()].filter((byte) => !stays(ofByte[byte]));
  if (stops.length > 1) return layout.STOP_MANY;
  return stops.length === 0 ? layout.STOP_NONE : stops[0];
}

function put(address: number, value: number): void {
  U32[address >>> 2] = value;
}

/** Whether the text matches anywhere: 1, 0 or BAIL. */
class RegexTest {
  readonly #matcher: AsciiMatcher;
  readonly #needle: Needle | null;
  readonly #text = { address: 0, length: 0 };

  constructor(matcher: AsciiMatcher, site: Site) {
    this.#matcher = matcher;
    this.#needle = needleOf(matcher, site);
  }

  test(text: number): number {
    this.#text.address = varlenAddress(text);
    this.#text.length = U32[text >>> 2];
    if (!isAscii(this.#text.address, this.#text.length)) return BAIL;
    return this.#matcher.test(this.#text, this.#needle) ? 1 : 0;
  }
}

/** regexp_replace: a replacement is literals and groups in turn. */
class RegexReplacement {
  readonly #matcher: AsciiMatcher;
  readonly #needle: Needle | null;
  readonly #parts: ({ address: number; length: number } | { group: number })[];
  readonly #global: boolean;
  readonly #text = { address: 0, length: 0 };
  /** Address and length of the pieces of the result. */
  readonly #pieces: number[] = [];

  constructor(
    matcher: AsciiMatcher,
    parts: ({ address: number; length: number } | { group: number })[],
    global: boolean,
    site: Site,
  ) {
    this.#matcher = matcher;
    this.#needle = needleOf(matcher, site);
    this.#parts = parts;
    this.#global = global;
  }

  replace(slotAddress: number, out: number, arena: Arena): number {
    const text = this.#text;
    text.address = varlenAddress(slotAddress);
    text.length = U32[slotAddress >>> 2];
    if (!isAscii(text.address, text.length)) return BAIL;
    const pieces = this.#pieces;
    pieces.length = 0;
    const { spans } = this.#matcher;
    let copied = 0;
    let found = 0;
    for (let at = 0; at <= text.length && this.#matcher.exec(text, at, this.#needle); ) {
      if (++found % LOOK_MATCHES === 0) turn.look();
      pieces.push(text.address + copied, spans[0] - copied);
      this.#addReplacement(spans);
      copied = spans[1];
      at = spans[1] > spans[0] ? spans[1] : spans[1] + 1;
      if (!this.#global) break;
    }
    if (pieces.length === 0) return slotAddress;
    pieces.push(text.address + copied, text.length - copied);
    let length = 0;
    for (let i = 1; i < pieces.length; i += 2) length += pieces[i];
    const to = room(out, length, arena);
    for (let i = 0, end = to; i < pieces.length; i += 2) {
      copy(pieces[i], end, pieces[i + 1]);
      end += pieces[i + 1];
    }
    return seal(out, to, length);
  }

  #addReplacement(spans: number[]): void {
    for (const part of this.#parts) {
      if ('address' in part) this.#pieces.push(part.address, part.length);
      else if (2 * part.group < spans.length && spans[2 * part.group] >= 0)
        this.#pieces.push(
          this.#text.address + spans[2 * part.group],
          spans[2 * part.group + 1] - spans[2 * part.group],
        );
    }
  }
}

/** The matcher of a constant pattern with constant flags; null where the interpreter must run it or report it. */
function matcherOf(
  pattern: Datum | undefined,
  flags: Datum | undefined,
  icase = false,
): { matcher: AsciiMatcher; flags: RegexFlags } | null {
  if (typeof pattern !== 'string') return null;
  try {
    const parsed = typeof flags === 'string' ? parseFlags(flags) : { options: defaultOptions(icase), global: false };
    const matcher = compileRegex(pattern, parsed.options).ascii;
    return matcher && { matcher, flags: parsed };
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** An expression of one pass: its states over the classes of ASCII, and what every match contains. */
export interface OnePassRegex {
  states: OnePass;
  ofByte: Uint8Array;
  groups: number;
  literal: RequiredLiteral | null;
}

/** Null for a pattern that is not one pass. */
export function onePassRegex(pattern: Datum | undefined, icase: boolean): OnePassRegex | null {
  const made = matcherOf(pattern, undefined, icase);
  if (made === null || made.matcher.onePass === null) return null;
  const { onePass, classes, groups, literal } = made.matcher;
  return { states: onePass, ofByte: classes.ofByte, groups, literal };
}

/** Whether a match can begin at the start of the text alone. */
export function isAnchored({ states }: OnePassRegex): boolean {
  const { accept, next } = states[1];
  return accept === ACCEPT_NEVER && next.every((to) => to < 0);
}

/** The program of a pattern that is one pass and contains a literal, for kernels/assembly/regex.ts; null for any other. */
export function onePassProgram(pattern: string, icase: boolean, memory: Memory): { program: number } | null {
  const made = matcherOf(pattern, undefined, icase);
  const needle = made && needleOf(made.matcher, memory);
  return made && needle && OnePassSearch.of(made.matcher, needle, memory);
}

function shared(
  text: Value,
  pattern: Datum | undefined,
  flags: Datum | undefined,
  site: Site,
): { search: string; groups: number } | null {
  const made = matcherOf(pattern, flags);
  if (made === null || made.flags.global || text.kind !== 'slot') return null;
  const search = site.share(
    `match of ${text.v} by ${pattern} ${flags ?? ''}`,
    () => new RegexSearch(made.matcher, site),
    (name) => `${name}.start(${text.v});`,
  );
  return { search, groups: made.matcher.groups };
}

function group(search: string, index: number, site: Site): Inline {
  return { ...slot(`${search}.group(${index}, ${site.slot()})`, `$r === ${BAIL}`), nullWhen: `$r === ${NO_MATCH}` };
}

/** (regexp_match(text, pattern [, flags]))[index] without the array. */
export function matchedGroup(
  args: Value[],
  constants: (Datum | undefined)[],
  index: number,
  site: Site,
): Inline | null {
  // A flags argument that is no constant may be an error.
  if (args.length === 3 && typeof constants[2] !== 'string') return null;
  const found = shared(args[0], constants[1], constants[2], site);
  if (found === null) return null;
  const last = Math.max(found.groups, 1);
  // Beyond the groups there is no element; the search still decides whether the row bails.
  if (index < 1 || index > last) return { ...group(found.search, 0, site), nullWhen: 'true' };
  return group(found.search, found.groups === 0 ? 0 : index, site);
}

templates.set('substring(text,text)', ([text], [, pattern], site) => {
  const found = shared(text, pattern, undefined, site);
  return found && group(found.search, found.groups > 0 ? 1 : 0, site);
});

function test(negated: boolean, icase: boolean): Template {
  return ([text], [, pattern], site) => {
    const made = matcherOf(pattern, undefined, icase);
    if (made === null || text.kind !== 'slot') return null;
    const result = `${site.use(new RegexTest(made.matcher, site))}.test(${text.v})`;
    return {
      value: { kind: 'bool', v: negated ? `(1 - ${result})` : result },
      bails: ['$r < 0 || $r > 1'],
    };
  };
}
templates.set('textregexeq(text,text)', test(false, false));
templates.set('textregexne(text,text)', test(true, false));
templates.set('texticregexeq(text,text)', test(false, true));
templates.set('texticregexne(text,text)', test(true, true));

/** Literals and groups of a replacement text: \1 .. \9 groups, \& the whole, \\ a backslash. */
function replacementParts(
  replacement: string,
  site: Site,
): ({ address: number; length: number } | { group: number })[] {
  return replacement
    .split(/(\\[1-9&\\])/)
    .filter((part) => part !== '')
    .map((part) => {
      const code = /^\\([1-9&])$/.exec(part)?.[1];
      if (code !== undefined) return { group: code === '&' ? 0 : Number(code) };
      return site.literal(part === '\\\\' ? '\\' : part);
    });
}

const replace: Template = ([text], [, pattern, replacement, flags], site) => {
  const made = matcherOf(pattern, flags);
  if (made === null || text.kind !== 'slot' || typeof replacement !== 'string') return null;
  const work = new RegexReplacement(made.matcher, replacementParts(replacement, site), made.flags.global, site);
  return slot(`${site.use(work)}.replace(${text.v}, ${site.slot()}, arena)`, `$r === ${BAIL}`);
};
templates.set('regexp_replace(text,text,text)', replace);
templates.set('regexp_replace(text,text,text,text)', (args, constants, site) =>
  typeof constants[3] === 'string' ? replace(args, constants, site) : null,
);
