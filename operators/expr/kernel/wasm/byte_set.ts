/**
 * Sets of ASCII characters in the code of a kernel: whether a byte is in one, and which of 16 bytes are not.
 *
 *   few ranges      comparisons: of one character, or of the distance from a range's start as an unsigned number
 *   many            a table of 256 bytes in the kernel's memory
 *
 * A byte beyond ASCII is in no set.
 */
import { U8 } from '../../../batch/memory.ts';
import type { Emitter } from './emitter.ts';
import { ACCESS, I32, type Label, OP, SIMD, V128 } from './module.ts';

/** Most ranges that are compared. */
const MOST_COMPARED = 3;

type Range = [low: number, high: number];

const ASCII = 128;

function rangesOf(isIn: (byte: number) => boolean): Range[] {
  const ranges: Range[] = [];
  for (let byte = 0; byte < ASCII; byte++) {
    if (!isIn(byte)) continue;
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === byte - 1) last[1] = byte;
    else ranges.push([byte, byte]);
  }
  return ranges;
}

export class ByteSet {
  readonly #isIn: (byte: number) => boolean;
  readonly #inside: Range[];
  readonly #outside: Range[];
  /** Of the table, in the memory of the one kernel that the set is for. */
  #address = 0;

  constructor(isIn: (byte: number) => boolean) {
    this.#isIn = isIn;
    this.#inside = rangesOf(isIn);
    this.#outside = rangesOf((byte) => !isIn(byte));
  }

  get isEmpty(): boolean {
    return this.#inside.length === 0;
  }

  has(byte: number): boolean {
    return byte < ASCII && this.#isIn(byte);
  }

  /** Pushes whether the byte in a local is in the set. */
  pushHas(byte: number, code: Emitter): void {
    if (this.#outside.length < this.#inside.length && this.#outside.length < MOST_COMPARED) {
      code.get(byte);
      code.i32(ASCII);
      code.op(OP.i32_lt_u);
      if (this.#outside.length === 0) return;
      this.#pushWithin(this.#outside, byte, code);
      code.op(OP.i32_eqz, OP.i32_and);
    } else if (this.#inside.length <= MOST_COMPARED) this.#pushWithin(this.#inside, byte, code);
    else {
      code.get(byte);
      code.access(ACCESS.i32_load8_u, this.#table(code));
    }
  }

  #pushWithin(ranges: Range[], byte: number, code: Emitter): void {
    ranges.forEach(([low, high], i) => {
      code.get(byte);
      code.i32(low);
      if (low === high) code.op(OP.i32_eq);
      else {
        code.op(OP.i32_sub);
        code.i32(high - low);
        code.op(OP.i32_le_u);
      }
      if (i > 0) code.op(OP.i32_or);
    });
  }

  #table(code: Emitter): number {
    if (this.#address === 0) {
      this.#address = code.memory.zeroed(256);
      for (let byte = 0; byte < ASCII; byte++) if (this.#isIn(byte)) U8[this.#address + byte] = 1;
    }
    return this.#address;
  }

  /** Moves the address in a local to the first byte that is not in the set, or to the end. */
  skip(at: number, end: number, code: Emitter): void {
    const over = code.block();
    const next = code.loop();
    if (Math.min(this.#inside.length, this.#outside.length) <= MOST_COMPARED) this.#skipSixteen(at, over, code);
    else {
      code.get(at);
      code.access(ACCESS.i32_load8_u);
      code.access(ACCESS.i32_load8_u, this.#table(code));
      code.op(OP.i32_eqz);
      code.branchIf(over);
      forward(at, 1, code);
    }
    code.get(at);
    code.get(end);
    code.op(OP.i32_lt_u);
    code.branchIf(next);
    code.end();
    code.end();
    code.get(at);
    code.get(end);
    code.get(at);
    code.get(end);
    code.op(OP.i32_lt_u, OP.select);
    code.set(at);
  }

  #skipSixteen(at: number, over: Label, code: Emitter): void {
    const found = code.local(I32);
    this.#pushStops(at, code);
    code.tee(found);
    code.if();
    code.get(at);
    code.get(found);
    code.op(OP.i32_ctz, OP.i32_add);
    code.set(at);
    code.branch(over);
    code.end();
    forward(at, 16, code);
  }

  /** Pushes a bit for each of 16 bytes that is not in the set. */
  #pushStops(at: number, code: Emitter): void {
    const bytes = code.local(V128);
    code.get(at);
    code.simdAccess(SIMD.v128_load);
    code.set(bytes);
    if (this.#inside.length < this.#outside.length) {
      this.#inside.forEach((range, i) => {
        pushWithin(range, i, bytes, code);
      });
      code.simd(SIMD.i8x16_bitmask);
      code.i32(0xffff);
      code.op(OP.i32_xor);
      return;
    }
    // What is beyond ASCII has the bit that makes the mask.
    code.get(bytes);
    this.#outside.forEach((range, i) => {
      pushWithin(range, i + 1, bytes, code);
    });
    code.simd(SIMD.i8x16_bitmask);
  }
}

/** Pushes which of 16 bytes are within the range, united with what is on the stack unless it is the first. */
function pushWithin([low, high]: Range, i: number, bytes: number, code: Emitter): void {
  code.get(bytes);
  code.get(code.splat(low));
  if (low === high) code.simd(SIMD.i8x16_eq);
  else {
    code.simd(SIMD.i8x16_sub);
    code.get(code.splat(high - low + 1));
    code.simd(SIMD.i8x16_lt_u);
  }
  if (i > 0) code.simd(SIMD.v128_or);
}

function forward(at: number, by: number, code: Emitter): void {
  code.get(at);
  code.i32(by);
  code.op(OP.i32_add);
  code.set(at);
}
