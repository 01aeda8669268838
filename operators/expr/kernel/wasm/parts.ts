/**
 * split_part of a kernel in WebAssembly: all fields that a row asks for of one text and separator, cut out where the first of them is asked for.
 *
 *   64 bytes -> a bit for each separator, and one where the text ends -> the lowest bit is taken off for every field that is passed over
 *
 * For a separator of one byte that is written out here: which fields these are is known when the code is made, so there is no loop, and nothing branches on where
 * the separators stand. Longer separators, and texts whose fields do not all end within 64 bytes, are done by assembly/parts.ts.
 */
import { U32 } from '../../../batch/memory.ts';
import * as layout from '../../../kernels/text_layout.ts';
import type { Emitter } from './emitter.ts';
import { functions } from './functions.ts';
import { I32, I64, OP, SIMD, V128 } from './module.ts';
import { bytesOf, slotOf } from './slot_code.ts';
import { imported, isRead, isText } from './texts.ts';
import type { Value } from './values.ts';

/** Fields of one text that are cut out at once; more are cut out by themselves. */
const MOST_PARTS = 16;
/** Bytes that are looked at at once. */
const WINDOW = 64;
/** Fields further behind are not within the window as a rule, and each costs an instruction. */
const LAST_FIELD = 16;

interface Part {
  /** In memory, and in a local. */
  slot: number;
  value: number;
}

/** The fields of a text that a row asks for: all of the code is written before the list is complete. */
class Parts {
  readonly #separator: string;
  readonly #address: number;
  readonly #parts = new Map<number, Part>();
  /** Number of the function that does what is not done here. */
  readonly #kernel: number;

  constructor(separator: string, code: Emitter) {
    this.#separator = separator;
    this.#kernel = imported('slotParts', 2, code, []);
    this.#address = code.bytesFor(layout.PARTS_FIRST + MOST_PARTS * layout.PART_BYTES);
    const word = this.#address >>> 2;
    U32[word + layout.PARTS_SEPARATOR / 4] = code.literal(separator);
    U32[word + layout.PARTS_LENGTH / 4] = Buffer.byteLength(separator);
  }

  /** Field n; null when there are too many. */
  part(n: number, code: Emitter): Part | null {
    const known = this.#parts.get(n);
    if (known !== undefined) return known;
    if (this.#parts.size === MOST_PARTS) return null;
    const part = { slot: code.slot(), value: code.local(V128) };
    this.#parts.set(n, part);
    return part;
  }

  /** Writes what cuts the fields out; the locals are those of `code`. */
  write(text: Value, code: Emitter): void {
    const parts = [...this.#parts].sort(([a], [b]) => a - b);
    const word = this.#address >>> 2;
    U32[word + layout.PARTS_COUNT / 4] = parts.length;
    parts.forEach(([n, { slot }], i) => {
      const at = word + (layout.PARTS_FIRST + i * layout.PART_BYTES) / 4;
      U32[at] = n;
      U32[at + 1] = slot;
    });
    const last = parts[parts.length - 1][0];
    if (Buffer.byteLength(this.#separator) !== 1 || last > LAST_FIELD) {
      this.#call(text, parts, code);
      return;
    }
    const [size, from, found] = [code.local(I32), code.local(I32), code.local(I64)];
    bytesOf(text, size, from, code);
    findAll(this.#separator.charCodeAt(0), size, from, found, code);
    code.get(size);
    code.i32(WINDOW);
    code.op(OP.i32_gt_u);
    code.get(found);
    code.op(OP.i64_popcnt, OP.i32_wrap_i64);
    code.i32(last);
    code.op(OP.i32_lt_s, OP.i32_and);
    code.if();
    this.#call(text, parts, code);
    code.else();
    cut(parts, size, from, found, code);
    code.end();
  }

  #call(text: Value, parts: [number, Part][], code: Emitter): void {
    text.push();
    code.i32(this.#address);
    code.call(this.#kernel);
    for (const [, { slot, value }] of parts) {
      code.i32(slot);
      code.simdAccess(SIMD.v128_load);
      code.set(value);
    }
  }
}

/** Into a local: a bit for each of the first 64 bytes that is this one, and for the text's end if it is among them. */
function findAll(byte: number, size: number, from: number, found: number, code: Emitter): void {
  const wanted = code.splat(byte);
  const sixteen = (at: number) => {
    code.get(from);
    code.simdAccess(SIMD.v128_load, at);
    code.get(wanted);
    code.simd(SIMD.i8x16_eq);
    code.simd(SIMD.i8x16_bitmask);
  };
  const half = (at: number) => {
    sixteen(at);
    sixteen(at + 16);
    code.i32(16);
    code.op(OP.i32_shl, OP.i32_or, OP.i64_extend_i32_u);
  };
  const end = code.local(I64);
  half(0);
  half(32);
  code.i64(32n);
  code.op(OP.i64_shl, OP.i64_or);
  // 0 where the end is not within the 64 bytes, and one less is all bits then.
  code.i64(1n);
  code.get(size);
  code.op(OP.i64_extend_i32_u, OP.i64_shl);
  code.i64(0n);
  code.get(size);
  code.i32(WINDOW);
  code.op(OP.i32_lt_u, OP.select);
  code.tee(end);
  code.i64(1n);
  code.op(OP.i64_sub, OP.i64_and);
  code.get(end);
  code.op(OP.i64_or);
  code.set(found);
}

/** The slots of these fields, in order; where there are fewer they are empty. */
function cut(parts: [number, Part][], size: number, from: number, found: number, code: Emitter): void {
  const [bit, start, length] = [code.local(I32), code.local(I32), code.local(I32)];
  const ordinals = code.ordinals();
  const lowest = () => {
    code.get(found);
    code.op(OP.i64_ctz, OP.i32_wrap_i64);
    code.set(bit);
  };
  const takeOff = () => {
    code.get(found);
    code.get(found);
    code.i64(1n);
    code.op(OP.i64_sub, OP.i64_and);
    code.set(found);
  };
  /** Pushes the lesser of what `push` pushes, and the size. */
  const within = (push: () => void) => {
    push();
    code.get(size);
    push();
    code.get(size);
    code.op(OP.i32_lt_u, OP.select);
  };
  const behindBit = () => {
    code.get(bit);
    code.i32(1);
    code.op(OP.i32_add);
  };
  /** The field whose end is the lowest bit. */
  let field = 1;
  code.i32(-1);
  code.set(bit);
  for (const [n, { slot, value }] of parts) {
    if (n > field) {
      for (; field < n - 1; field++) takeOff();
      lowest();
      takeOff();
      field++;
    }
    within(behindBit);
    code.set(start);
    lowest();
    within(() => code.get(bit));
    code.get(start);
    code.op(OP.i32_sub);
    code.set(length);
    code.get(from);
    code.get(start);
    code.op(OP.i32_add);
    code.set(start);
    slotOf(start, length, ordinals, value, code);
    code.i32(slot);
    code.get(value);
    code.simdAccess(SIMD.v128_store);
  }
}

functions.set('split_part(text,text,int4)', ([text, separator, n], code) => {
  const { constant: between } = separator;
  const { constant: field } = n;
  if (!isText(text) || typeof between !== 'string' || between === '') return null;
  if (typeof field !== 'number' || field < 1 || field > 1000) return null;
  for (let list = 0; ; list++) {
    const parts = code.share(
      `fields ${list} of ${code.nameOf(text)} by ${between}`,
      () => new Parts(between, code),
      (made) => {
        isRead(code, text);
        code.later(() => made.write(text, code));
      },
    );
    const part = parts.part(field, code);
    if (part === null) continue;
    code.i32(part.slot);
    return { kind: 'text', slot: part.value };
  }
});
