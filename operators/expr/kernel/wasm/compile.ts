/**
 * The kernel of a map node as WebAssembly: the loops of row_loop.ts, run over the rows of a batch.
 *
 *   texts close together:       run(), which reads lines ahead (read_ahead.ts)               otherwise
 *   for each stretch of rows:   touch the texts that are read -> run()                       or, with a filter that calls nothing,
 *                               select() -> touch the texts of the chosen rows -> run()
 *
 * Texts are touched before they are worked on (kernels/assembly/varlen.ts): where they are not in the processor's cache a hundred loads then wait for memory
 * together, while in the loop, whose branches depend on what was read, each waits alone. Rows that run() leaves are done by the interpreter, in their place.
 * Columns that are only passed on are shared when every row was kept; else run() has copied them, or they are picked by the numbers of the rows that were.
 *
 * Property test: compile.test.ts compares it with the interpreter on random expressions and rows, as the kernel in JavaScript.
 */
import type { Batch } from '../../../batch/batch.ts';
import type { BatchBuilder } from '../../../batch/builder.ts';
import { I32, U8, U32 } from '../../../batch/memory.ts';
import { kernels } from '../../../kernels/index.ts';
import * as layout from '../../../kernels/text_layout.ts';
import type { ColType } from '../../../types.ts';
import type { Expr } from '../../ir.ts';
import { compileMap, type MapKernel, type MapLoop } from '../compile.ts';
import { passOn } from '../pass_on.ts';
import { readAhead } from './read_ahead.ts';
import { emitLoops, type Loops, releaseLoops, UNDECIDED, WORDS } from './row_loop.ts';

/** Rows whose texts are touched at once: they stay in the second-level cache until they are worked on. */
const STRETCH = 1024;
/** The texts of fewer rows are not. */
const TOUCHED = 16;
/** Least bytes that are taken at once for long texts. */
const ROOM = 4096;

const itemsOf = (project: Expr[] | null, inputTypes: ColType[]): Expr[] =>
  project ?? inputTypes.map((t, id) => ({ k: 'col', id, t }));

/** The kernel; null where an expression cannot be written as WebAssembly. */
export function compileWasmMap(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): MapKernel | null {
  const items = itemsOf(project, inputTypes);
  const loops = emitLoops(filter, items, inputTypes, outTypes, false);
  if (loops === null) return null;
  const made: Loops[] = [loops];
  const kernelOf = (of: Loops): MapLoop => compiled(of, filter !== null);
  let inJavaScript: MapKernel | null = null;
  const withNulls = (): MapLoop => {
    const general = emitLoops(filter, items, inputTypes, outTypes, true);
    if (general !== null) {
      made.push(general);
      return kernelOf(general);
    }
    // There is more of it: too much, perhaps.
    inJavaScript = compileMap(filter, project, inputTypes, outTypes);
    return inJavaScript;
  };
  // Each is compiled when the first batch comes that it is for.
  let plain: MapLoop | null = null;
  let nullable: MapLoop | null = null;
  const kernel: MapLoop = (input, out, context, slow) => {
    if (hasNulls(input, loops.inputs)) {
      nullable ??= withNulls();
      return nullable(input, out, context, slow);
    }
    plain ??= kernelOf(loops);
    return plain(input, out, context, slow);
  };
  const release = () => {
    for (const each of made) releaseLoops(each);
    inJavaScript?.release();
  };
  return Object.assign(kernel, { release });
}

/** True when the node's kernel is WebAssembly once it has seen some rows. */
export function isWasmMap(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): boolean {
  const loops = emitLoops(filter, itemsOf(project, inputTypes), inputTypes, outTypes, false);
  if (loops !== null) releaseLoops(loops);
  return loops !== null;
}

/** Rows that JavaScript looks over sooner than a kernel is called. */
const FEW = 256;
/** Four validity bytes of values that are there. */
const PRESENT = 0x01010101;

function hasNulls({ columns, n }: Batch, read: number[]): boolean {
  for (let i = 0; i < read.length; i++) {
    const { valid } = columns[read[i]];
    if (valid !== 0 && !allPresent(valid, n)) return true;
  }
  return false;
}

function allPresent(valid: number, n: number): boolean {
  if (n > FEW) return kernels.allSet(valid, n) !== 0;
  const word = valid >>> 2;
  const words = n >>> 2;
  for (let i = 0; i < words; i++) if (I32[word + i] !== PRESENT) return false;
  for (let i = words * 4; i < n; i++) if (U8[valid + i] === 0) return false;
  return true;
}

/** Compiles the loops; what it gives runs them over a batch. The variables are those of the batch at hand: ticks of a hundred rows pay for each object. */
function compiled(loops: Loops, filtered: boolean): MapLoop {
  const { inputs, outputs, present, passed, copies, texts, block } = loops;
  const { begins } = loops.run;
  const functions = new Map([['run', loops.run]]);
  if (loops.select !== null) functions.set('select', loops.select);
  const made = loops.run.imports.compile(functions);
  const run: (at: number, end: number) => number = made.run;
  const select: ((row: number, end: number, put: number) => number) | null = made.select ?? null;
  const finish = passOn(passed, copies);
  const copied = copies ? [...passed] : [];
  const word = block >>> 2;
  const room = word + WORDS.room;
  /** Address of the numbers of the rows that were put out; without a filter only when one of them failed. */
  let list = 0;
  /** Rows left to the interpreter. */
  let left = 0;
  /** Without a filter: rows that gave none, as they failed. */
  let lost: number[] = [];
  /** Addresses of the columns whose texts are read, in the batch at hand. */
  const slots = texts.map(() => 0);
  /** Bytes taken for long texts last. */
  let size = 0;

  /** Does rows from .. end, or those that stand there in the list; the batch has n. */
  const runTo = (from: number, end: number, out: BatchBuilder, n: number, slow: (row: number) => void): void => {
    for (let at = run(from, end); at < end; at = run(at, end)) {
      if (U32[word + WORDS.status] === layout.TEXT_ROOM) {
        // Twice as much each time: several long texts of one row have to fit in one piece.
        size = Math.max(ROOM, size * 2, U32[room + layout.ROOM_NEEDED / 4] + 16);
        U32[room + layout.ROOM_NEXT / 4] = out.arena.alloc(size);
        U32[room + layout.ROOM_END / 4] = U32[room + layout.ROOM_NEXT / 4] + size;
        continue;
      }
      if (left++ === 0) for (const k of present) kernels.fillBytes(out.columns[k].valid, 1, n);
      const before = U32[word + WORDS.put];
      const row = select === null ? at : U32[(list >>> 2) + at] & ~UNDECIDED;
      out.n = before;
      slow(row);
      if (filtered) U32[(list >>> 2) + before] = row;
      else if (out.n === before) lost.push(row);
      U32[word + WORDS.put] = out.n;
      at++;
    }
  };

  /** Texts of a few rows were written just now. */
  const touch = ({ columns }: Batch, at: number, rows: number, n: number): void => {
    if (n < TOUCHED) return;
    for (const id of texts) kernels.touchTexts(columns[id].data + at, rows, n);
  };

  /** Whether texts are read with the rows: where those of the batch lie close together. */
  const readsAhead = ({ columns, n }: Batch): boolean => {
    if (select !== null || texts.length === 0) return false;
    for (let i = 0; i < texts.length; i++) slots[i] = columns[texts[i]].data;
    return readAhead(block + WORDS.ahead * 4, slots, n);
  };

  /** Not every row was kept: lists those that were, and picks their weights. */
  const keep = (input: Batch, out: BatchBuilder): void => {
    if (!filtered) {
      list = out.arena.alloc(input.n * 4);
      listOthers(lost, input.n, list >>> 2);
    }
    kernels.gatherColumn(list, out.n, 4, input.weights, 0, out.weights, 0);
  };

  return (input, out, _, slow) => {
    const { n } = input;
    out.reserve(n);
    list = filtered ? out.arena.alloc(n * 4) : 0;
    left = 0;
    if (lost.length > 0) lost = [];
    size = 0;
    U32[word + WORDS.put] = 0;
    U32[word + WORDS.chosen] = list;
    U32[room + layout.ROOM_NEXT / 4] = 0;
    U32[room + layout.ROOM_END / 4] = 0;
    let at = word + WORDS.columns;
    for (let i = 0; i < inputs.length; i++) {
      const { data, valid } = input.columns[inputs[i]];
      U32[at++] = data;
      U32[at++] = valid;
    }
    for (let i = 0; i < outputs.length; i++) {
      const { data, valid } = out.columns[outputs[i]];
      U32[at++] = data;
      U32[at++] = valid;
    }
    for (let i = 0; i < copied.length; i++) {
      const [output, passedOn] = copied[i];
      U32[at++] = input.columns[passedOn].data;
      U32[at++] = out.columns[output].data;
    }
    for (let i = 0; i < begins.length; i++) begins[i](out.arena);
    const ahead = readsAhead(input);
    const stretch = texts.length > 0 && !ahead ? STRETCH : n;
    for (let from = 0; from < n; from += stretch) {
      const end = Math.min(from + stretch, n);
      if (select === null) {
        if (!ahead) touch(input, from * 16, 0, end - from);
        runTo(from, end, out, n, slow);
        continue;
      }
      const first = U32[word + WORDS.put];
      U32[word + WORDS.undecided] = 0;
      const last = select(from, end, first);
      if (outputs.length === 0 && U32[word + WORDS.undecided] === 0) {
        U32[word + WORDS.put] = last;
        continue;
      }
      touch(input, 0, list + first * 4, last - first);
      runTo(first, last, out, n, slow);
    }
    out.n = U32[word + WORDS.put];
    if (left === 0) for (let i = 0; i < present.length; i++) out.columns[present[i]].valid = 0;
    if (out.n < n) keep(input, out);
    return finish(input, out, list);
  };
}

/** Lists the rows that are not among these, which are in order. */
function listOthers(lost: number[], n: number, list: number): void {
  let next = 0;
  for (let row = 0; row < n; row++) {
    if (row === lost[next]) next++;
    else U32[list++] = row;
  }
}
