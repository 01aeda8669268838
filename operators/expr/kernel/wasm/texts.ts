/** Texts: addresses of slots, worked on by the functions of kernels/assembly/text_slots.ts. */
import type { Datum } from '../../../datum.ts';
import { kernelExports } from '../../../kernels/index.ts';
import type { Emitter } from './emitter.ts';
import { functions, type Made } from './functions.ts';
import { ACCESS, I32, OP, SIMD, type Type, V128 } from './module.ts';
import { SHORT } from './slot_code.ts';
import type { Value } from './values.ts';

/** Number of a function of the kernels. */
export function imported(name: string, parameters: number, code: Emitter, results: Type[] = [I32]): number {
  const types: Type[] = new Array(parameters).fill(I32);
  return code.imports.index(kernelExports[name], types, results);
}

/** Calls a function of the kernels with what has been pushed. */
function call(name: string, parameters: number, code: Emitter): void {
  code.call(imported(name, parameters, code));
}

/** The text's bytes are read, wherever these lie. */
export function isRead(code: Emitter, { column }: Value): void {
  if (column !== undefined) code.texts.add(column);
}

/** Pushes texts whose bytes are read. */
function pushRead(code: Emitter, ...texts: Value[]): void {
  for (const text of texts) {
    isRead(code, text);
    text.push();
  }
}

export const isText = (...values: Value[]) => values.every(({ kind }) => kind === 'text');

export const isShort = (text: string) => Buffer.byteLength(text) <= SHORT;

/** Pushes whether two texts are equal: with a short constant that is one comparison of slots. */
function equal(a: Value, b: Value, code: Emitter): void {
  const [constant, other] = typeof a.constant === 'string' ? [a.constant, b] : [b.constant, a];
  if (typeof constant !== 'string' || !isShort(constant)) {
    a.push();
    b.push();
    call('slotsEqual', 2, code);
    return;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(bytes.write(constant, 4));
  if (other.slot === undefined) {
    other.push();
    code.simdAccess(SIMD.v128_load);
  } else code.get(other.slot);
  code.get(code.vector([...bytes]));
  code.simd(SIMD.i8x16_eq);
  code.simd(SIMD.i8x16_bitmask);
  code.i32(0xffff);
  code.op(OP.i32_eq);
}

functions.set('texteq(text,text)', ([a, b], code) => {
  if (!isText(a, b)) return null;
  equal(a, b, code);
  return { kind: 'bool' };
});
functions.set('textne(text,text)', ([a, b], code) => {
  if (!isText(a, b)) return null;
  equal(a, b, code);
  code.op(OP.i32_eqz);
  return { kind: 'bool' };
});

/** The address that a function has pushed, when it is one. */
function made(code: Emitter): Made {
  code.get(code.checked());
  return { kind: 'text' };
}

/** Moved here, to the least numbers that bytes with a sign can be, 26 letters are found by one comparison. */
const LEAST = -128;

for (const [name, first] of [
  ['lower', 65],
  ['upper', 97],
] as const)
  functions.set(`${name}(text)`, ([a], code) => {
    if (!isText(a)) return null;
    const [out, slot, address] = [code.slot(), code.local(V128), code.local(I32)];
    const splat = (byte: number) => code.get(code.splat(byte));
    pushRead(code, a);
    code.access(ACCESS.i32_load);
    code.i32(SHORT);
    code.op(OP.i32_gt_u);
    code.if();
    a.push();
    code.i32(first);
    code.i32(out);
    code.i32(code.room);
    call('slotCase', 4, code);
    code.get(code.checked());
    code.tee(address);
    code.simdAccess(SIMD.v128_load);
    code.set(slot);
    code.else();
    // Of a short one the slot is changed: the length and the zeros behind the text are no letters, and ASCII.
    a.push();
    code.simdAccess(SIMD.v128_load);
    code.tee(slot);
    code.simd(SIMD.i8x16_bitmask);
    code.bailIf();
    code.i32(out);
    code.get(slot);
    splat((LEAST + 26) & 0xff);
    code.get(slot);
    splat((first - LEAST) & 0xff);
    code.simd(SIMD.i8x16_sub);
    code.simd(SIMD.i8x16_gt_s);
    splat(0x20);
    code.simd(SIMD.v128_and);
    code.simd(SIMD.v128_xor);
    code.tee(slot);
    code.simdAccess(SIMD.v128_store);
    code.i32(out);
    code.set(address);
    code.end();
    code.get(address);
    return { kind: 'text', slot };
  });

/** Functions of one text that give its number of characters. */
export const LENGTHS: ReadonlySet<string> = new Set(
  ['length', 'char_length', 'character_length', 'textlen'].map((name) => `${name}(text)`),
);

for (const name of LENGTHS)
  functions.set(name, ([a], code) => {
    if (!isText(a)) return null;
    pushRead(code, a);
    call('slotCharacters', 1, code);
    code.op(OP.i64_extend_i32_u);
    return { kind: 'int' };
  });

functions.set('octet_length(text)', ([a], code) => {
  if (!isText(a)) return null;
  a.push();
  code.access(ACCESS.i32_load);
  code.op(OP.i64_extend_i32_u);
  return { kind: 'int' };
});

functions.set('replace(text,text,text)', ([text, from, to], code) => {
  if (!isText(text, from, to)) return null;
  pushRead(code, text, from, to);
  code.i32(code.slot());
  code.i32(code.room);
  call('slotReplace', 5, code);
  return made(code);
});

/** How many characters each replacement adds; null where the result might be too long for a text. */
export function lengthening(from: Datum, to: Datum): number | null {
  if (typeof from !== 'string' || typeof to !== 'string' || from === '') return null;
  return Buffer.byteLength(to) > Buffer.byteLength(from) ? null : [...to].length - [...from].length;
}

/** Pushes how often `from` stands in the text, times a number. */
function occurrences(text: Value, from: Value, by: number, code: Emitter): void {
  pushRead(code, text, from);
  call('slotOccurrences', 2, code);
  code.op(OP.i64_extend_i32_u);
  code.i64(BigInt(by));
  code.op(OP.i64_mul);
}

/** The length of a text in which each `from` is replaced: by what that adds to the length before, without the text that it makes. */
export function replacedLength([length, text, from]: Value[], added: number, code: Emitter): Made {
  length.push();
  occurrences(text, from, added, code);
  code.op(OP.i64_add);
  return { kind: 'int' };
}

/** What all replacements of `from` take from a text's length. */
export function replacements([text, from]: Value[], taken: number, code: Emitter): Made {
  occurrences(text, from, taken, code);
  return { kind: 'int' };
}
