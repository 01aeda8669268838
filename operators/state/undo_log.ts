/**
 * What state memory held before the tick that is running, so that a tick that fails leaves nothing behind: no half of a step is ever seen.
 *
 *   touch(address) before a write in place (write_marks.ts) -> the 64 bytes there, as they were, are kept the first time (a small cache of lines knows;
 *                                                              one kept twice is put back twice, the oldest last)
 *   takeBack()                                               puts them all back, newest first
 *
 * Pages that a heap took in this tick need no copy: they are given back. A heap's older pages that the tick lets go stay until it has ended, so that
 * nobody else writes to them. What lies in JavaScript is kept by undo.ts.
 *
 * Cost: about 20 ns for a line; memory: 68 bytes for a line, counted in the budget.
 */
import { budget } from '../batch/budget.ts';
import { U32 } from '../batch/memory.ts';
import { OutOfMemory } from '../errors.ts';

const LINE_SHIFT = 6;
const LINE_WORDS = 16;
const LINES_A_CHUNK = 8192;
const CHUNK_BYTES = LINES_A_CHUNK * (LINE_WORDS + 1) * 4;
/** Chunks that stay for the next tick. */
const KEPT_CHUNKS = 4;
const CACHE_LINES = 4096;
const PAGE_COUNT = 65536;

interface Chunk {
  lines: Uint32Array;
  words: Uint32Array;
}

const chunks: Chunk[] = [];
/** The chunk that is being filled, and how many lines it has. */
let at = -1;
let used = 0;
/** Lines that were kept lately; line 0 is never handed out. */
const cache = new Uint32Array(CACHE_LINES);
const fresh = new Uint8Array(PAGE_COUNT);
let freshPages: number[] = [];
let running = false;
/** Lines that the tick may still change: tests make it fail in the middle of anything. */
let left = Number.POSITIVE_INFINITY;

/** True while a tick may be taken back. */
export function isUndoable(): boolean {
  return running;
}

export function startUndo(mostLines = Number.POSITIVE_INFINITY): void {
  if (running) throw new Error('a tick is being kept already');
  running = true;
  left = mostLines;
  at = 0;
  used = 0;
  if (chunks.length === 0) addChunk();
  cache.fill(0);
}

function addChunk(): void {
  budget.count('undo', CHUNK_BYTES);
  chunks.push({
    lines: new Uint32Array(LINES_A_CHUNK),
    words: new Uint32Array(LINES_A_CHUNK * LINE_WORDS),
  });
}

/** The bytes from `first` to `last` are about to be written. */
export function keepLines(first: number, last: number): void {
  const end = last >>> LINE_SHIFT;
  for (let line = first >>> LINE_SHIFT; line <= end; line++) {
    const place = line & (CACHE_LINES - 1);
    if (cache[place] === line || fresh[line >>> 10] !== 0) continue;
    keep(line);
    cache[place] = line;
  }
}

function keep(line: number): void {
  if (left-- <= 0) throw new OutOfMemory(LINE_WORDS * 4, Number.POSITIVE_INFINITY);
  if (used === LINES_A_CHUNK) nextChunk();
  const { lines, words } = chunks[at];
  lines[used] = line;
  const from = line * LINE_WORDS;
  const to = used * LINE_WORDS;
  for (let i = 0; i < LINE_WORDS; i++) words[to + i] = U32[from + i];
  used++;
}

function nextChunk(): void {
  if (at + 1 === chunks.length) {
    budget.check(0, CHUNK_BYTES);
    addChunk();
  }
  at++;
  used = 0;
}

/** A heap has taken these pages. */
export function tookPages(page: number, count: number): void {
  if (!running) return;
  fresh.fill(1, page, page + count);
  for (let i = 0; i < count; i++) freshPages.push(page + i);
}

/** Nothing of the time before lies in these pages, though they were a heap's already: no line of theirs need be kept. */
export function unusedPages(page: number, end: number): void {
  for (let p = page; p < end; p++) {
    if (fresh[p] !== 0) continue;
    fresh[p] = 1;
    freshPages.push(p);
  }
}

/** True for pages that the tick may give back at once: nothing of the time before lies there. */
export function isFresh(page: number): boolean {
  return !running || fresh[page] !== 0;
}

/** From here on nothing fails: what was done is being taken back. */
export function endLimit(): void {
  left = Number.POSITIVE_INFINITY;
}

/** Puts everything back as it was at startUndo(). */
export function takeBack(): void {
  for (; at >= 0; at--) {
    const { lines, words } = chunks[at];
    for (let i = used - 1; i >= 0; i--) {
      const to = lines[i] * LINE_WORDS;
      for (let w = 0; w < LINE_WORDS; w++) U32[to + w] = words[i * LINE_WORDS + w];
    }
    used = LINES_A_CHUNK;
  }
}

export function endUndo(): void {
  running = false;
  for (const page of freshPages) fresh[page] = 0;
  freshPages = [];
  while (chunks.length > KEPT_CHUNKS) {
    chunks.pop();
    budget.count('undo', -CHUNK_BYTES);
  }
}
