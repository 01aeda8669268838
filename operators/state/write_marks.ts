/**
 * Which pages of state memory were written since the last image (checkpoint), and copy on write by hand while an image is being copied.
 *
 *   touch(address) before every write in place          a mark a page: one load and one compare when it is set already
 *
 *   startImage(runs)   the pages of the image that changed: their marks are cleared, they are `pending`
 *     takePending()    the checkpointer copies them a few at a time, between ticks
 *     first touch      of a page still pending hands its bytes to the image first: so the image is that of the moment of startImage()
 *
 * Every write to memory of a Heap must be preceded by touch() or touchRange() in the same tick, wherever it is: blocks that alloc() gave in this
 * tick are touched whole, and so is the payload of a slot that findOrInsert() gave. Reads need nothing. Batches lie in arenas, not here.
 *
 * A tick that may be taken back (undo_log.ts) has its marks put aside, so that every touch() of it is seen: startTick() to endTick().
 *
 * Checked builds mark 64 bytes instead of 64 KiB and keep a copy of every page of the image: startImage() then finds every write that was
 * not announced, by its address.
 */
import { BYTES, PAGE_BYTES, U8 } from '../batch/memory.ts';
import { checked } from '../batch/pages.ts';
import * as undo from './undo_log.ts';

/** Contiguous pages. */
export interface PageRun {
  start: number;
  count: number;
}

const PAGE_COUNT = 65536;
const PAGE_SHIFT = 16;
/** Marks stand for this many bytes, as a power of two. */
const SHIFT = checked ? 6 : PAGE_SHIFT;
const MARKS_A_PAGE = 1 << (PAGE_SHIFT - SHIFT);

/** A mark a page lies in page 0 of the memory itself, which has no other use: kernels look at it there (kernels/assembly/marks.ts). */
const marks = checked ? new Uint8Array(2 ** (32 - SHIFT)) : U8.subarray(0, PAGE_COUNT);

/** The image has this page's bytes as they are now, but for what is marked. */
const KNOWN = 1;
/** Of the image being taken, not copied yet. */
const PENDING = 2;
const flags = new Uint8Array(PAGE_COUNT);

let pendingPages: number[] = [];
let onPreImage: ((page: number) => void) | null = null;
/** Checked builds: the bytes of known pages. */
const copies = new Map<number, Uint8Array>();

/** While a tick may be taken back: the marks of before it, and the pages that it touched. Checked builds look at every touch anyway. */
const marksBefore = checked ? marks : new Uint8Array(PAGE_COUNT);
const NO_MARKS = new Uint8Array(checked ? 0 : PAGE_COUNT);
/** No heap ever had a page from here on. */
let top = 0;
/** What `top` was when the tick began: marks from there on were not put aside. */
let topBefore = 0;
const touched = new Uint8Array(PAGE_COUNT);
const touchedPages = new Uint16Array(PAGE_COUNT);
let touchedCount = 0;
let undoable = false;

/** From here to endTick() every write is kept by the undo log. */
export function startTick(mostLines?: number): void {
  undo.startUndo(mostLines);
  undoable = true;
  if (checked) return;
  topBefore = top;
  marksBefore.set(marks.subarray(0, top));
  marks.set(NO_MARKS.subarray(0, top));
}

export function endTick(): void {
  undo.endUndo();
  undoable = false;
  if (checked) return;
  marks.set(marksBefore.subarray(0, topBefore));
  for (let i = 0; i < touchedCount; i++) {
    const page = touchedPages[i];
    marks[page] = 1;
    touched[page] = 0;
  }
  touchedCount = 0;
}

/** The word at this address is about to be written. */
function touchWord(address: number): void {
  if (marks[address >>> SHIFT] === 0) first(address, address);
}

function touchWordChecked(address: number): void {
  if (undoable) undo.keepLines(address, address);
  if (marks[address >>> SHIFT] === 0) mark(address >>> SHIFT);
}

/** The word at this address is about to be written. */
export const touch: (address: number) => void = checked ? touchWordChecked : touchWord;

/** Bytes in one or two pages, of which one at least is not marked. */
function first(address: number, last: number): void {
  if (!undoable) {
    mark(address >>> SHIFT);
    mark(last >>> SHIFT);
    return;
  }
  undo.keepLines(address, last);
  touchPage(address >>> PAGE_SHIFT);
  touchPage(last >>> PAGE_SHIFT);
}

/** No byte from `address` to `end` was ever handed out by the heap whose pages these are. */
export function unusedUpTo(address: number, end: number): void {
  if (undoable) undo.unusedPages(Math.ceil(address / PAGE_BYTES), end / PAGE_BYTES);
}

function touchPage(page: number): void {
  if (touched[page] !== 0) return;
  touched[page] = 1;
  touchedPages[touchedCount++] = page;
  // Where nothing is to be kept, the next touch need not come here.
  if (undo.isFresh(page)) marks[page] = 1;
  if ((flags[page] & PENDING) !== 0) handOver(page);
}

function mark(index: number): void {
  const page = index >>> (PAGE_SHIFT - SHIFT);
  if ((flags[page] & PENDING) !== 0) handOver(page);
  marks[index] = 1;
}

function handOver(page: number): void {
  flags[page] &= ~PENDING;
  onPreImage?.(page);
}

/** At most 64 KiB are about to be written: the first and the last page are all there is. */
function touchEnds(address: number, bytes: number): void {
  const last = address + bytes - 1;
  if (marks[address >>> SHIFT] === 0 || marks[last >>> SHIFT] === 0) first(address, last);
}

function touchAll(address: number, bytes: number): void {
  const last = address + bytes - 1;
  if (undoable) {
    undo.keepLines(address, last);
    if (!checked) {
      for (let page = address >>> PAGE_SHIFT; page <= last >>> PAGE_SHIFT; page++) touchPage(page);
      return;
    }
  }
  for (let i = address >>> SHIFT; i <= last >>> SHIFT; i++) if (marks[i] === 0) mark(i);
}

/** `bytes` bytes, at least 1 and at most 64 KiB, are about to be written. */
export const touchRange: (address: number, bytes: number) => void = checked ? touchAll : touchEnds;

/** As touchRange for any number of bytes. */
export const touchLarge: (address: number, bytes: number) => void = touchAll;

/** A heap has taken these pages: what was there before is nothing to it. */
export function tookPages(address: number, count: number): void {
  top = Math.max(top, address / PAGE_BYTES + count);
  undo.tookPages(address / PAGE_BYTES, count);
  forgetPages(address, count);
}

/** A heap gives these pages back: what the image knows of them is over. */
export function forgetPages(address: number, count: number): void {
  const start = address / PAGE_BYTES;
  for (let page = start; page < start + count; page++) {
    if ((flags[page] & PENDING) !== 0) handOver(page);
    if (checked) copies.delete(page);
  }
  flags.fill(0, start, start + count);
  marks.fill(0, start * MARKS_A_PAGE, (start + count) * MARKS_A_PAGE);
  if (undoable && !checked) marksBefore.fill(0, start, start + count);
}

function isMarked(page: number): boolean {
  if (MARKS_A_PAGE === 1) return marks[page] !== 0;
  return marks.subarray(page * MARKS_A_PAGE, (page + 1) * MARKS_A_PAGE).includes(1);
}

/**
 * Begins an image of the pages of these runs as they are at this moment. Returns all pages that belong to it (pages never written do not) and those
 * of them that must be copied: they changed since the image before, or are asked for `anew`. `preImage` is called with such a page when it is about to
 * be written and was not taken yet.
 */
export function startImage(
  runs: PageRun[],
  preImage: (page: number) => void,
  anew: ReadonlySet<number> = new Set(),
): { pages: number[]; changed: number[] } {
  if (onPreImage !== null) throw new Error('an image is being taken already');
  const all: number[] = [];
  const changed: number[] = [];
  for (const { start, count } of runs) {
    for (let page = start; page < start + count; page++) {
      if (checked) checkPage(page);
      const isKnown = (flags[page] & KNOWN) !== 0;
      if (isMarked(page) || (isKnown && anew.has(page))) {
        marks.fill(0, page * MARKS_A_PAGE, (page + 1) * MARKS_A_PAGE);
        flags[page] = KNOWN | PENDING;
        changed.push(page);
        if (checked) copies.set(page, U8.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
      } else if (!isKnown) continue;
      all.push(page);
    }
  }
  pendingPages = changed.slice().reverse();
  onPreImage = preImage;
  return { pages: all, changed };
}

/** The next page of the image that was not copied yet; null when all are. The caller copies it before anything else happens. */
export function takePending(): number | null {
  for (;;) {
    const page = pendingPages.pop();
    if (page === undefined) return null;
    if ((flags[page] & PENDING) === 0) continue;
    flags[page] &= ~PENDING;
    return page;
  }
}

/** The image is copied, or given up. */
export function endImage(): void {
  for (const page of pendingPages) flags[page] &= ~PENDING;
  pendingPages = [];
  onPreImage = null;
}

/** An image was not stored: its changed pages have changed still. */
export function changedStill(changed: number[]): void {
  for (const page of changed) marks.fill(1, page * MARKS_A_PAGE, (page + 1) * MARKS_A_PAGE);
}

/** Heaps have these runs again, and these pages of them were loaded from an image; the others were never written. */
export function loadedPages(runs: PageRun[], loaded: number[]): void {
  for (const { start, count } of runs) top = Math.max(top, start + count);
  for (const page of loaded) {
    flags[page] = KNOWN;
    if (checked) copies.set(page, U8.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
  }
}

/** Checked builds: bytes of a known page that differ from the image must be marked. */
function checkPage(page: number): void {
  const copy = copies.get(page);
  if (copy === undefined || (flags[page] & KNOWN) === 0) return;
  const base = page * PAGE_BYTES;
  if (BYTES.compare(copy, 0, PAGE_BYTES, base, base + PAGE_BYTES) === 0) return;
  for (let i = 0; i < PAGE_BYTES; i++) {
    if (U8[base + i] !== copy[i] && marks[(base + i) >>> SHIFT] === 0) {
      throw new Error(`state memory was written without touch() at ${base + i}`);
    }
  }
}
