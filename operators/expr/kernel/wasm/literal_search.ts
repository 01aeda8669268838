/**
 * The places where a literal stands in a text, in the code of a kernel: 32 of them looked at in a step, by the literal's first and last byte; what is found so is
 * compared whole, 16 bytes at once.
 */
import type { Emitter } from './emitter.ts';
import { I32, OP, SIMD } from './module.ts';

/** Longer literals are left to the function of kernels/assembly/regex.ts. */
export const LONGEST = 64;
const STEP = 32;

/** Runs `found` for each place of the literal from that in local `at` on, in order; the place is in the local that it gets. `end` is the text's. */
export function eachPlace(
  literal: string,
  at: number,
  end: number,
  code: Emitter,
  found: (place: number) => void,
): void {
  const bytes = Buffer.from(literal);
  const [bits, place, last] = [code.local(I32), code.local(I32), code.local(I32)];
  code.get(end);
  code.i32(bytes.length);
  code.op(OP.i32_sub);
  code.set(last);
  const over = code.block();
  const windows = code.loop();
  code.get(at);
  code.get(last);
  code.op(OP.i32_gt_u);
  code.branchIf(over);
  pushPlaces(bytes, at, code);
  code.tee(bits);
  code.if();
  const places = code.loop();
  code.get(at);
  code.get(bits);
  code.op(OP.i32_ctz, OP.i32_add);
  code.tee(place);
  code.get(last);
  code.op(OP.i32_gt_u);
  code.branchIf(over);
  if (bytes.length > 2) {
    pushStands(bytes, place, code);
    code.if();
  }
  found(place);
  if (bytes.length > 2) code.end();
  code.get(bits);
  code.get(bits);
  code.i32(1);
  code.op(OP.i32_sub, OP.i32_and);
  code.tee(bits);
  code.branchIf(places);
  code.end();
  code.end();
  code.get(at);
  code.i32(STEP);
  code.op(OP.i32_add);
  code.set(at);
  code.branch(windows);
  code.end();
  code.end();
}

/** Pushes a bit for each of 32 places at which the first and the last byte stand. */
function pushPlaces(bytes: Buffer, at: number, code: Emitter): void {
  const sixteen = (from: number) => {
    const is = (index: number) => {
      code.get(at);
      code.simdAccess(SIMD.v128_load, from + index);
      code.get(code.splat(bytes[index]));
      code.simd(SIMD.i8x16_eq);
    };
    is(0);
    if (bytes.length > 1) {
      is(bytes.length - 1);
      code.simd(SIMD.v128_and);
    }
    code.simd(SIMD.i8x16_bitmask);
  };
  sixteen(0);
  sixteen(16);
  code.i32(16);
  code.op(OP.i32_shl, OP.i32_or);
}

/** Pushes whether the bytes stand at a place. */
function pushStands(bytes: Buffer, place: number, code: Emitter): void {
  for (let from = 0; from < bytes.length; from += 16) {
    const piece = [...bytes.subarray(from, from + 16)];
    const all = (1 << piece.length) - 1;
    code.get(place);
    code.simdAccess(SIMD.v128_load, from);
    code.get(code.vector([...piece, ...new Array<number>(16 - piece.length).fill(0)]));
    code.simd(SIMD.i8x16_eq);
    code.simd(SIMD.i8x16_bitmask);
    code.i32(all);
    code.op(OP.i32_and);
    code.i32(all);
    code.op(OP.i32_eq);
    if (from > 0) code.op(OP.i32_and);
  }
}
