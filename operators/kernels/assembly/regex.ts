/**
 * Search with a one-pass expression (operators/expr/regex/one_pass.ts) in a text: from one occurrence of its literal to the next, every place at the
 * right distance before it, from left to right. Two nanoseconds a character of what matches; the automata and the dissector it replaces took 40 (q21).
 * The literal is known to stand where it was found: it is one step where no state on the way accepts. A state that goes to itself needs no other look, and one
 * that does so for all characters but one looks for that, 16 bytes a step.
 *
 * For kernels in JavaScript, and for expressions of which those in WebAssembly would have too much code (operators/expr/kernel/wasm/regexes.ts).
 */
import {
  CLASS_BYTES,
  REGEX_CLASSES,
  REGEX_GROUPS,
  REGEX_LATER,
  REGEX_LEAST,
  REGEX_MOST,
  REGEX_NEEDLE,
  REGEX_NEEDLE_LENGTH,
  REGEX_SPANS,
  REGEX_START,
  REGEX_TRIED,
  SEARCH_FOUND,
  SEARCH_GIVEN_UP,
  SEARCH_NONE,
  SEARCH_NOT_ASCII,
  STATE_ACCEPT,
  STATE_ACCEPT_SAVES,
  STATE_LITERAL,
  STATE_LITERAL_SAVES,
  STATE_NEXT,
  STATE_SAVES,
  STATE_STOP,
  STOP_MANY,
  STOP_NONE,
} from '../regex_layout';
import { findByte, findBytes, isAscii } from './texts';

/** Places tried without a match before the caller's automaton, which is linear in the text, has to say whether there is one. */
const MAX_TRIES = 16;

export function searchOnePass(program: usize, text: usize, end: usize): i32 {
  const needle: usize = load<u32>(program, REGEX_NEEDLE);
  const length: usize = load<u32>(program, REGEX_NEEDLE_LENGTH);
  const least: usize = load<u32>(program, REGEX_LEAST);
  const most: usize = load<u32>(program, REGEX_MOST);
  let begin = text;
  let tries = 0;
  // Without the literal there is no match, whatever the other characters are.
  const first = findBytes(text + least, end, needle, length);
  if (first === 0) return SEARCH_NONE;
  if (!isAscii(text, end)) return SEARCH_NOT_ASCII;
  for (let at = first; at !== 0; at = findBytes(at + 1, end, needle, length)) {
    if (at - text > most) begin = max(begin, at - most);
    for (; begin <= at - least; begin++) {
      if (matchAt(program, text, begin, at, end)) return SEARCH_FOUND;
      if (++tries > MAX_TRIES) return SEARCH_GIVEN_UP;
    }
  }
  return SEARCH_NONE;
}

@inline
function save(spans: usize, saves: u32, position: usize): void {
  for (; saves !== 0; saves &= saves - 1) store<u32>(spans + (ctz(saves) << 2), <u32>position);
}

/**
 * Of words of 4 bytes, as they were stored: a load of two that were stored one by one waits until both have left for the cache. Few of them: memory.copy and
 * memory.fill are calls of 20 ns out of WebAssembly.
 */
@inline
function copyWords(to: usize, from: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 4) store<u32>(to + at, load<u32>(from + at));
}

/** Whether the character at `at` leads from the state to itself and sets no capture. */
@inline
function stays(program: usize, state: usize, at: usize): bool {
  const entry = state + <usize>load<u8>(program + load<u8>(at), REGEX_CLASSES) * CLASS_BYTES;
  return load<u64>(entry, STATE_NEXT) === <u64>state;
}

/** Tries the match that begins at `begin`, with the literal at `literal`. */
function matchAt(program: usize, text: usize, begin: usize, literal: usize, end: usize): bool {
  const spans: usize = load<u32>(program, REGEX_SPANS);
  const tried: usize = load<u32>(program, REGEX_TRIED);
  const bytes = <usize>load<u32>(program, REGEX_GROUPS) << 3;
  for (let at: usize = 0; at < bytes; at += 8) store<i64>(tried + at, -1);
  let state: usize = begin === text ? load<u32>(program, REGEX_START) : load<u32>(program, REGEX_LATER);
  let accepted: usize = 0;
  let last: usize = 0;
  /** The path's captures at the last accepting state are kept in `spans`, because the path has set others since. */
  let kept = false;
  for (let at = begin; ; ) {
    const accept = load<u32>(state, STATE_ACCEPT);
    if (accept === 1 || (accept === 2 && at === end)) {
      accepted = state;
      last = at;
      kept = false;
    }
    if (at === end) break;
    let next: usize = at === literal ? load<u32>(state, STATE_LITERAL) : 0;
    let saves: u32 = 0;
    let step: usize = 1;
    if (next !== 0) {
      saves = load<u32>(state, STATE_LITERAL_SAVES);
      step = load<u32>(program, REGEX_NEEDLE_LENGTH);
    } else {
      const entry = state + <usize>load<u8>(program + load<u8>(at), REGEX_CLASSES) * CLASS_BYTES;
      next = load<u32>(entry, STATE_NEXT);
      if (next === 0) break;
      saves = load<u32>(entry, STATE_SAVES);
      if (next === state && saves === 0) {
        const stop = load<u32>(state, STATE_STOP);
        if (stop === <u32>STOP_NONE) at = end;
        else if (stop < <u32>STOP_MANY) at = findByte(at + 1, end, <u8>stop);
        else {
          do at++;
          while (at < end && stays(program, state, at));
        }
        continue;
      }
    }
    if (saves !== 0) {
      if (accepted !== 0 && !kept) {
        copyWords(spans, tried, bytes);
        kept = true;
      }
      save(tried, saves, at - text);
    }
    at += step;
    state = next;
  }
  if (accepted === 0) return false;
  if (!kept) copyWords(spans, tried, bytes);
  save(spans, load<u32>(accepted, STATE_ACCEPT_SAVES), last - text);
  store<u32>(spans, <u32>(begin - text));
  store<u32>(spans, <u32>(last - text), 4);
  return true;
}
