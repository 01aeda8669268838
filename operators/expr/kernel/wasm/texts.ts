/** Texts: addresses of slots, worked on by the functions of kernels/assembly/text_slots.ts. */
import type { Datum } from '../../../datum.ts';
import { kernelExports } from '../../../kernels/index.ts';
import { onePassProgram } from '../regexes.ts';
import type { Emitter, Value } from './emitter.ts';
import { functions, type Made } from './functions.ts';
import { ACCESS, I32, OP, type Type } from './module.ts';

/** Calls a function of the kernels with what has been pushed. */
function call(name: string, parameters: number, code: Emitter, results: Type[] = [I32]): void {
  const types: Type[] = new Array(parameters).fill(I32);
  code.call(code.imports.index(kernelExports[name], types, results));
}

const isText = (...values: Value[]) => values.every(({ kind }) => kind === 'text');

/** Longest text whose bytes lie in its slot. */
const SHORT = 12;

/** Pushes whether two texts are equal: with a short constant that is two words of 64 bits. */
function equal(a: Value, b: Value, code: Emitter): void {
  const [constant, other] = typeof a.constant === 'string' ? [a.constant, b] : [b.constant, a];
  if (typeof constant !== 'string' || Buffer.byteLength(constant) > SHORT) {
    a.push();
    b.push();
    call('slotsEqual', 2, code);
    return;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(bytes.write(constant, 4));
  for (const word of [0, 8]) {
    other.push();
    code.access(ACCESS.i64_load, word);
    code.i64(bytes.readBigInt64LE(word));
    code.op(OP.i64_eq);
  }
  code.op(OP.i32_and);
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

for (const [name, first] of [
  ['lower', 65],
  ['upper', 97],
] as const)
  functions.set(`${name}(text)`, ([a], code) => {
    if (!isText(a)) return null;
    a.push();
    code.i32(first);
    code.i32(code.slot());
    code.i32(code.room);
    call('slotCase', 4, code);
    return made(code);
  });

/** Functions of one text that give its number of characters. */
export const LENGTHS: ReadonlySet<string> = new Set(
  ['length', 'char_length', 'character_length', 'textlen'].map((name) => `${name}(text)`),
);

for (const name of LENGTHS)
  functions.set(name, ([a], code) => {
    if (!isText(a)) return null;
    a.push();
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
  for (const { push } of [text, from, to]) push();
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

/** The length of a text in which each `from` is replaced: by what that adds to the length before, without the text that it makes. */
export function replacedLength([length, text, from]: Value[], added: number, code: Emitter): Made {
  length.push();
  text.push();
  from.push();
  call('slotOccurrences', 2, code);
  code.op(OP.i64_extend_i32_u);
  code.i64(BigInt(added));
  code.op(OP.i64_mul, OP.i64_add);
  return { kind: 'int' };
}

functions.set('split_part(text,text,int4)', ([text, separator, n], code) => {
  const { constant: between } = separator;
  if (!isText(text) || typeof between !== 'string' || between === '') return null;
  if (typeof n.constant !== 'number' || n.constant < 1 || n.constant > 1000) return null;
  const literal = Buffer.from(between);
  const fields = code.share(
    `fields of ${code.nameOf(text)} by ${between}`,
    () => ({ cursor: code.slot(), separator: code.literal(between) }),
    ({ cursor }) => {
      text.push();
      code.i32(cursor);
      call('slotFields', 2, code, []);
    },
  );
  const out = code.slot();
  code.i32(fields.cursor);
  code.i32(fields.separator);
  code.i32(literal.length);
  code.i32(n.constant);
  code.i32(out);
  call('splitPart', 5, code, []);
  code.i32(out);
  return { kind: 'text' };
});

/** (regexp_match(text, pattern))[index]; null where the expression is not one of one pass. */
export function matchedGroup([text, pattern]: Value[], index: number, code: Emitter): Made | null {
  if (!isText(text) || typeof pattern.constant !== 'string') return null;
  const search = code.share(
    `match of ${code.nameOf(text)} by ${pattern.constant}`,
    () => {
      const made = onePassProgram(pattern.constant, {
        bytes: (count) => code.bytesFor(count),
        literal: (t) => ({ address: code.literal(t), length: Buffer.byteLength(t) }),
      });
      return made && { ...made, found: code.local(I32) };
    },
    (known) => {
      if (known === null) return;
      code.i32(known.program);
      text.push();
      call('slotSearch', 2, code);
      code.get(code.checked());
      code.set(known.found);
    },
  );
  if (search === null || index < 1 || index > Math.max(search.groups, 1)) return null;
  code.get(search.found);
  code.if(I32);
  code.i32(search.program);
  code.i32(search.groups === 0 ? 0 : index);
  text.push();
  code.i32(code.slot());
  call('slotGroup', 4, code);
  code.else();
  code.i32(0);
  code.end();
  return { kind: 'text', nullWhenZero: true };
}
