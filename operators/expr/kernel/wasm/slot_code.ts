/** Slots of texts in the code of a kernel: where a text's bytes are, and the slot that shows some of them (batch/slots.ts). */
import { ACCESS, type Code, OP, SIMD, V128 } from './module.ts';
import type { Value } from './values.ts';

/** Longest text whose bytes lie in its slot. */
export const SHORT = 12;

/** Into locals: the text's length, and where its bytes are. */
export function bytesOf(text: Value, size: number, from: number, code: Code): void {
  text.push();
  code.access(ACCESS.i32_load, 8);
  text.push();
  code.i32(4);
  code.op(OP.i32_add);
  text.push();
  code.access(ACCESS.i32_load);
  code.tee(size);
  code.i32(SHORT);
  code.op(OP.i32_gt_u, OP.select);
  code.set(from);
}

/** Into a local: the slot that shows so many bytes, as assembly/texts.ts slotOf() makes it. */
export function slotOf(start: number, length: number, ordinals: number, value: number, code: Code): void {
  const before = () => {
    code.get(start);
    code.i32(4);
    code.op(OP.i32_sub);
  };
  code.get(length);
  code.i32(SHORT);
  code.op(OP.i32_gt_u);
  code.if(V128);
  before();
  code.simdAccess(SIMD.v128_load64_zero);
  code.get(start);
  code.simd(SIMD.i32x4_replace_lane, 2);
  code.else();
  before();
  code.simdAccess(SIMD.v128_load);
  code.get(length);
  code.i32(4);
  code.op(OP.i32_add);
  code.simd(SIMD.i8x16_splat);
  code.get(ordinals);
  code.simd(SIMD.i8x16_gt_s);
  code.simd(SIMD.v128_and);
  code.end();
  code.get(length);
  code.simd(SIMD.i32x4_replace_lane, 0);
  code.set(value);
}
