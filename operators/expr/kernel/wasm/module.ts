/**
 * A writer of WebAssembly: the instructions of one function as bytes, and the module around it, which shares the one memory and imports what the
 * function calls. Only what emitter.ts uses.
 *
 *   code.block() ... code.branchIf(label) ... code.end()      labels are depths of nesting; the distance that the format wants is worked out here
 */
import { memory } from '../../../batch/memory.ts';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type Type = typeof I32 | typeof I64 | typeof F64 | typeof V128;

/** Instructions without operands. */
export const OP = {
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_u: 0x4b,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_gt_s: 0x55,
  i64_le_s: 0x57,
  i64_le_u: 0x58,
  i64_ge_s: 0x59,
  i32_ctz: 0x68,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i64_ctz: 0x7a,
  i64_popcnt: 0x7b,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_rem_s: 0x81,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_rotr: 0x8a,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_u: 0xad,
  f64_convert_i64_s: 0xb9,
  i64_extend32_s: 0xc4,
} as const;

/** Loads and stores, which have an alignment and an offset. */
export const ACCESS = {
  i32_load: 0x28,
  i64_load: 0x29,
  i32_load8_u: 0x2d,
  i64_load32_s: 0x34,
  i64_load32_u: 0x35,
  i32_store: 0x36,
  i64_store: 0x37,
  i32_store8: 0x3a,
} as const;

/** Instructions on 128 bits: behind a prefix. */
export const SIMD = {
  v128_load: 0x00,
  v128_store: 0x0b,
  i8x16_splat: 0x0f,
  i32x4_replace_lane: 0x1c,
  i8x16_eq: 0x23,
  i8x16_lt_u: 0x26,
  i8x16_gt_s: 0x27,
  v128_and: 0x4e,
  v128_or: 0x50,
  v128_xor: 0x51,
  v128_load64_zero: 0x5d,
  i8x16_bitmask: 0x64,
  i8x16_sub: 0x71,
} as const;

const EMPTY = 0x40;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;

function unsigned(value: number): number[] {
  const out: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value === 0 ? low : low | 128);
  } while (value !== 0);
  return out;
}

function signed(value: bigint): number[] {
  for (const out: number[] = []; ; value >>= 7n) {
    const low = Number(value & 127n);
    const last = value >> 7n === (low & 64 ? -1n : 0n);
    out.push(last ? low : low | 128);
    if (last) return out;
  }
}

const named = (name: string) => [...unsigned(Buffer.byteLength(name)), ...Buffer.from(name)];
const vector = (items: number[][]) => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];

/** A nesting of blocks; branching to it leaves a block, or begins a loop again. */
export type Label = number;

/** The instructions of a function. */
export class Code {
  bytes: number[] = [];
  readonly #locals: Type[];
  readonly parameters: readonly Type[];
  /** Blocks that are open. */
  protected depth = 0;

  constructor(parameters: Type[]) {
    this.#locals = [...parameters];
    this.parameters = parameters;
  }

  local(type: Type): number {
    return this.#locals.push(type) - 1;
  }

  op(...codes: number[]): void {
    for (const code of codes) this.bytes.push(code);
  }

  access(code: number, offset = 0): void {
    this.bytes.push(code, 0, ...unsigned(offset));
  }

  simd(code: number, ...immediates: number[]): void {
    this.bytes.push(0xfd, ...unsigned(code), ...immediates);
  }

  /** A load or store of 128 bits. */
  simdAccess(code: number, offset = 0): void {
    this.bytes.push(0xfd, ...unsigned(code), 0, ...unsigned(offset));
  }

  i32(value: number): void {
    this.bytes.push(0x41, ...signed(BigInt(value | 0)));
  }

  i64(value: bigint): void {
    this.bytes.push(0x42, ...signed(value));
  }

  get(local: number): void {
    this.bytes.push(LOCAL_GET, ...unsigned(local));
  }

  set(local: number): void {
    this.bytes.push(LOCAL_SET, ...unsigned(local));
  }

  tee(local: number): void {
    this.bytes.push(LOCAL_TEE, ...unsigned(local));
  }

  call(index: number): void {
    this.bytes.push(CALL, ...unsigned(index));
  }

  block(): Label {
    this.bytes.push(0x02, EMPTY);
    return ++this.depth;
  }

  loop(): Label {
    this.bytes.push(0x03, EMPTY);
    return ++this.depth;
  }

  if(result?: Type): void {
    this.bytes.push(0x04, result ?? EMPTY);
    this.depth++;
  }

  else(): void {
    this.bytes.push(0x05);
  }

  end(): void {
    this.bytes.push(0x0b);
    this.depth--;
  }

  branch(label: Label): void {
    this.bytes.push(0x0c, ...unsigned(this.depth - label));
  }

  branchIf(label: Label): void {
    this.bytes.push(0x0d, ...unsigned(this.depth - label));
  }

  /** Takes a number off the stack and branches to the label of that place, or to the last one. */
  branchTable(labels: Label[]): void {
    const distances = labels.map((label) => unsigned(this.depth - label));
    this.bytes.push(0x0e, ...unsigned(labels.length - 1), ...distances.flat());
  }

  body(): number[] {
    const locals = vector(this.#locals.slice(this.parameters.length).map((type) => [1, type]));
    const content = [...locals, ...this.bytes, 0x0b];
    return [...unsigned(content.length), ...content];
  }
}

/** A function of JavaScript or of another module. */
type Callable = (...args: number[]) => unknown;

interface Imported {
  name: string;
  type: number;
  value: Callable;
}

/** What a module imports; functions are numbered as they are asked for. */
export class Imports {
  readonly #types: number[][] = [];
  readonly #functions: Imported[] = [];

  #type(parameters: readonly Type[], results: Type[]): number {
    const type = [0x60, ...vector(parameters.map((t) => [t])), ...vector(results.map((t) => [t]))];
    const known = this.#types.findIndex((t) => t.join() === type.join());
    return known >= 0 ? known : this.#types.push(type) - 1;
  }

  /** Index of a function; asked again with the same value it is the same. */
  index(value: Callable, parameters: Type[], results: Type[]): number {
    const known = this.#functions.findIndex((f) => f.value === value);
    if (known >= 0) return known;
    const name = `f${this.#functions.length}`;
    return this.#functions.push({ name, type: this.#type(parameters, results), value }) - 1;
  }

  /** How many functions are imported. */
  get count(): number {
    return this.#functions.length;
  }

  /** Compiles a module of functions that give a word and have these imports in common. */
  compile(functions: Map<string, Code>): Record<string, (...args: number[]) => number> {
    const codes = [...functions.values()];
    const types = codes.map(({ parameters }) => this.#type(parameters, [I32]));
    const bytes = Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, vector(this.#types)),
      ...section(
        2,
        vector([
          // Shared, as large as memory.ts makes it.
          [...named('env'), ...named('memory'), 2, 3, ...unsigned(1), ...unsigned(65536)],
          ...this.#functions.map((f) => [...named('env'), ...named(f.name), 0, ...unsigned(f.type)]),
        ]),
      ),
      ...section(3, vector(types.map(unsigned))),
      ...section(
        7,
        vector([...functions.keys()].map((name, i) => [...named(name), 0, ...unsigned(this.#functions.length + i)])),
      ),
      ...section(10, vector(codes.map((code) => code.body()))),
    ]);
    const env: Record<string, WebAssembly.Memory | Callable> = { memory };
    for (const { name, value } of this.#functions) env[name] = value;
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env });
    return instance.exports as Record<string, (...args: number[]) => number>;
  }
}
