/**
 * Reads a few lines of memory with each row: those where texts of later rows lie.
 *
 *   texts of a stretch   |..row..|..........................|next ........................|end
 *                                 <-- LEAD bytes, or more -->
 *
 * Texts of a stream lie in its messages, one behind the other, and a processor that sees lines read in order fetches ahead. Read before the rows are worked on
 * (kernels/assembly/varlen.ts touchTexts), all of them are waited for while nothing is computed; read with the rows, they come while these are computed. Only one run of
 * lines and a few at once: of four runs side by side, or of many lines every few rows, the processor sees nothing coming (docs/decisions/0430).
 *
 * Four words of the kernel's block say where: the next line, where the lines of this row end, bytes of a row, where all of them end. The first row reads the lead.
 */
import { U32 } from '../../../batch/memory.ts';
import { kernels } from '../../../kernels/index.ts';
import { ACCESS, Code, I32, OP } from './module.ts';

/** Words of the block. */
export const AHEAD = { next: 0, until: 1, step: 2, end: 3 } as const;

const LINE = 64;
/** Lines that are read without asking between them. */
const LINES = 4;
const LEAD = 8192;
/** Bytes a row up to which texts are close together: of more than that most would be read in vain. */
const CLOSE = 512;

/** The code: `locals` is the function that it is for, `words` the address of its words. */
export class ReadAhead {
  readonly #words: number;
  readonly #next: number;
  readonly #until: number;
  readonly #step: number;
  readonly #end: number;
  /** Something is made of what is read, lest it be left out. */
  readonly #sum: number;

  constructor(locals: Code, words: number) {
    this.#words = words;
    this.#next = locals.local(I32);
    this.#until = locals.local(I32);
    this.#step = locals.local(I32);
    this.#end = locals.local(I32);
    this.#sum = locals.local(I32);
  }

  /** What a run begins with. */
  begin(): number[] {
    const code = new Code([]);
    for (const [which, local] of [
      [AHEAD.next, this.#next],
      [AHEAD.until, this.#until],
      [AHEAD.step, this.#step],
      [AHEAD.end, this.#end],
    ]) {
      code.i32(this.#words);
      code.access(ACCESS.i32_load, which * 4);
      code.set(local);
    }
    return code.bytes;
  }

  /** What a row begins with. */
  row(): number[] {
    const code = new Code([]);
    const over = code.block();
    const more = code.loop();
    code.get(this.#next);
    code.get(this.#until);
    code.op(OP.i32_ge_u);
    code.branchIf(over);
    for (let line = 0; line < LINES; line++) {
      code.get(this.#sum);
      code.get(this.#next);
      code.access(ACCESS.i32_load8_u, line * LINE);
      code.op(OP.i32_add);
      code.set(this.#sum);
    }
    code.get(this.#next);
    code.i32(LINES * LINE);
    code.op(OP.i32_add);
    code.set(this.#next);
    code.branch(more);
    code.end();
    code.end();
    // The next row's lines, as far as there are any.
    code.get(this.#until);
    code.get(this.#step);
    code.op(OP.i32_add);
    code.tee(this.#until);
    code.get(this.#end);
    code.get(this.#until);
    code.get(this.#end);
    code.op(OP.i32_lt_u, OP.select);
    code.set(this.#until);
    return code.bytes;
  }

  /** What a run ends with: the next one goes on. */
  keep(code: Code): void {
    for (const [which, local] of [
      [AHEAD.next, this.#next],
      [AHEAD.until, this.#until],
    ]) {
      code.i32(this.#words);
      code.get(local);
      code.access(ACCESS.i32_store, which * 4);
    }
  }
}

/** Sets the words so that the rows of a stretch read what lies between their first text and the last; false, and nothing is read, where that is too much. `slots`: addresses of columns. */
export function readAhead(words: number, slots: number[], rows: number): boolean {
  const at = words >>> 2;
  U32[at + AHEAD.next] = 0xffffffff;
  U32[at + AHEAD.end] = 0;
  for (let i = 0; i < slots.length; i++)
    kernels.spanOfTexts(slots[i], rows, words + AHEAD.next * 4, words + AHEAD.end * 4);
  const from = U32[at + AHEAD.next];
  const bytes = U32[at + AHEAD.end] - from;
  const close = bytes > 0 && bytes <= rows * CLOSE;
  if (!close) U32[at + AHEAD.next] = U32[at + AHEAD.end] = 0;
  U32[at + AHEAD.until] = close ? Math.min(from + LEAD, from + bytes) : 0;
  U32[at + AHEAD.step] = close ? Math.ceil(bytes / rows) : 0;
  return close;
}
