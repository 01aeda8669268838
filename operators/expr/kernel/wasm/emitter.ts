/**
 * Writes the instructions of a kernel that compute expressions for one row: what generator.ts does in JavaScript, as WebAssembly.
 *
 *   kind      WebAssembly value              from
 *   bool      i32, 0 or 1                    bool
 *   int       i64, all of its range          int2, int4, int8, date, timestamps, time
 *   numeric   i64 mantissa, a scale that is known when the kernel is made      constants, integers, what is computed of them
 *   text      i32, address of a slot         text, varchar
 *
 * Why a second backend: the optimizing compiler of JavaScript takes 50 to 150 ms of a core for a large kernel, twice, and a kernel that sees a
 * hundred rows a tick runs interpreted until then; every call of a kernel function costs 15 ns from JavaScript and 2 from here. Only a part of the
 * expressions can be written here: Unsupported, and the node keeps its kernel in JavaScript. As there, what is odd in a row (an overflow, a division by zero, a
 * text beyond ASCII where that matters) leaves the row to the interpreter. docs/decisions/0200.
 */
import type { Arena } from '../../../batch/arena.ts';
import { U8 } from '../../../batch/memory.ts';
import { writeSlot } from '../../../batch/slots.ts';
import { type Datum, isDecimal } from '../../../datum.ts';
import { TEXT_ROOM } from '../../../kernels/text_layout.ts';
import { type ColType, type Phys, physOf } from '../../../types.ts';
import type { Expr } from '../../ir.ts';
import { KernelMemory } from '../kernel_memory.ts';
import { textOf } from '../same_text.ts';
import { caseOf, coalesce, isTruth, list, logic } from './conditions.ts';
import { comparedRemainder } from './divisibility.ts';
import { functions, type Made } from './functions.ts';
import { ACCESS, Code, I32, I64, Imports, type Label, OP, SIMD, type Type, V128 } from './module.ts';
import { matchedGroup } from './regexes.ts';
import { LENGTHS, lengthening, replacedLength, replacements } from './texts.ts';
import { type Kind, kindOf, TEXTS, TYPE_OF, Unsupported, type Value } from './values.ts';

export type Node<K extends Expr['k']> = Extract<Expr, { k: K }>;

/** What has been computed where the code is. */
interface Scope {
  values: Map<string, Value>;
  /** Keys of share(). */
  started: Set<string>;
}

const newScope = (): Scope => ({ values: new Map(), started: new Set() });

const LOADS: Partial<Record<Phys, [code: number, shift: number]>> = {
  bool: [ACCESS.i32_load8_u, 0],
  i32: [ACCESS.i64_load32_s, 2],
  u32: [ACCESS.i64_load32_u, 2],
  i64: [ACCESS.i64_load, 3],
};

export class Emitter extends Code {
  readonly imports = new Imports();
  /** What the code's addresses point into. */
  readonly memory = new KernelMemory();
  /** To be told of every batch. */
  readonly begins: ((arena: Arena) => void)[] = [];
  /** Locals that are 0 at the start of every row. */
  readonly #flags: number[] = [];
  /** Locals that are set at the start of every run. */
  readonly firsts: { local: number; push: (code: Code) => void }[] = [];
  readonly #vectors = new Map<string, number>();
  /** Code that is written when all the rest is, and where it stands. */
  readonly #later: { at: number; depth: number; write: () => void }[] = [];
  readonly #constantSlots = new Map<string, number>();
  readonly #loaded = new Map<number, Value>();
  readonly #scopes: Scope[] = [newScope()];
  readonly #shared = new Map<string, { flag: number | null; made: unknown }>();
  /** Where the row goes to the interpreter; why is in the local. */
  odd: Label = 0;
  readonly status: number;
  /** Address of the room for long texts (kernels/text_layout.ts). */
  room = 0;
  /** Columns of the input whose long texts are read. */
  readonly texts = new Set<number>();
  /** Bytes of code of searches by regular expressions. */
  searches = 0;
  readonly #plain: boolean;
  readonly #names = new Map<() => void, number>();

  /** `plain`: without calls, and nothing is written later. */
  constructor(parameters: Type[], plain = false) {
    super(parameters);
    this.#plain = plain;
    this.status = this.local(I32);
  }

  /** Equal for one value at several places. */
  nameOf({ push }: Value): number {
    const known = this.#names.get(push) ?? this.#names.size;
    this.#names.set(push, known);
    return known;
  }

  flag(): number {
    const local = this.local(I32);
    this.#flags.push(local);
    return local;
  }

  /** What every row begins with: emitted last, stands first. */
  rowStart(): number[] {
    const code = new Code([]);
    for (const local of this.#flags) {
      code.i32(0);
      code.set(local);
    }
    return code.bytes;
  }

  /** What every run begins with. */
  runStart(): number[] {
    const code = new Code([]);
    for (const { local, push } of this.firsts) {
      push(code);
      code.set(local);
    }
    return code.bytes;
  }

  /** What `write` writes at the end stands here; it leaves no label of its own, and nothing on the stack. */
  later(write: () => void): void {
    if (this.#plain) throw new Unsupported('so much for a filter');
    this.#later.push({ at: this.bytes.length, depth: this.depth, write });
  }

  /** Writes what was put off. */
  settle(): void {
    const { bytes, depth } = this;
    for (const place of this.#later.reverse()) {
      this.bytes = [];
      this.depth = place.depth;
      place.write();
      bytes.splice(place.at, 0, ...this.bytes);
    }
    this.bytes = bytes;
    this.depth = depth;
  }

  /**
   * A local with these 16 bytes. They are read from memory when a run begins: a constant would be put together anew, in up to five instructions, wherever it is used
   * (docs/decisions/0614).
   */
  vector(bytes: number[]): number {
    const key = bytes.join();
    const known = this.#vectors.get(key);
    if (known !== undefined) return known;
    const local = this.local(V128);
    const address = this.memory.alloc(16);
    U8.set(bytes, address);
    this.firsts.push({
      local,
      push: (code) => {
        code.i32(address);
        code.simdAccess(SIMD.v128_load);
      },
    });
    this.#vectors.set(key, local);
    return local;
  }

  /** A local with this byte, 16 times. */
  splat(byte: number): number {
    return this.vector(new Array(16).fill(byte));
  }

  /** A local with the bytes 0 to 15. */
  ordinals(): number {
    return this.vector([...new Array(16).keys()]);
  }

  slot(): number {
    return this.memory.zeroed(16);
  }

  /** A text's bytes. */
  literal(text: string): number {
    return this.memory.text(text).address;
  }

  bytesFor(count: number): number {
    return this.memory.alloc(count);
  }

  /** Gives the row up when the number on the stack is not 0. */
  bailIf(): void {
    this.branchIf(this.odd);
  }

  /** The address of a text on the stack, or why there is none (text_layout.ts): then the row is left. */
  checked(): number {
    const local = this.local(I32);
    this.tee(local);
    this.i32(TEXT_ROOM);
    this.op(OP.i32_ge_u);
    this.if();
    this.get(local);
    this.set(this.status);
    this.branch(this.odd);
    this.end();
    return local;
  }

  /**
   * What equal keys of one row have in common: `start` runs at the first place that the row comes to. It is emitted where no place before is passed by every row that
   * comes here; with the same key places differ in constants alone, so a NULL leaves out all of them.
   */
  share<T>(key: string, make: () => T, start: (made: T) => void): T {
    const known = this.#shared.get(key);
    const shared = known ?? { flag: null, made: make() };
    this.#shared.set(key, shared);
    if (this.#scopes.some(({ started }) => started.has(key))) return shared.made as T;
    this.#scopes[this.#scopes.length - 1].started.add(key);
    if (known === undefined && this.#scopes.length > 1) shared.flag = this.flag();
    const asks = known !== undefined && shared.flag !== null;
    if (asks) {
      this.get(shared.flag as number);
      this.op(OP.i32_eqz);
      this.if();
    }
    if (shared.flag !== null) {
      this.i32(1);
      this.set(shared.flag);
    }
    start(shared.made as T);
    if (asks) this.end();
    return shared.made as T;
  }

  /** Loads column `id` at row `row` from the addresses in two locals (of the data and the validity bytes; null: no row of the batch is NULL). */
  load(id: number, type: ColType, data: number, valid: number | null, row: number): void {
    const kind = kindOf(type);
    const [code, shift] = kind === 'text' ? [null, 4] : (LOADS[physOf(type.oid)] ?? [undefined, 0]);
    if (code === undefined) throw new Unsupported('a numeric column');
    const value = this.local(TYPE_OF[kind]);
    this.get(data);
    this.get(row);
    this.i32(shift);
    this.op(OP.i32_shl, OP.i32_add);
    if (code !== null) this.access(code);
    this.set(value);
    const isNull = valid === null ? null : this.#isNullAt(valid, row);
    this.#loaded.set(id, { kind, push: () => this.get(value), isNull, scale: 0, column: id });
  }

  #isNullAt(valid: number, row: number): () => void {
    const isNull = this.local(I32);
    this.get(valid);
    this.if(I32);
    this.get(valid);
    this.get(row);
    this.op(OP.i32_add);
    this.access(ACCESS.i32_load8_u);
    this.op(OP.i32_eqz);
    this.else();
    this.i32(0);
    this.end();
    this.set(isNull);
    return () => this.get(isNull);
  }

  open(): void {
    this.if();
    this.#scopes.push(newScope());
  }

  otherwise(): void {
    this.#scopes.pop();
    this.else();
    this.#scopes.push(newScope());
  }

  close(): void {
    this.#scopes.pop();
    this.end();
  }

  /** Emits what computes `e`; the value may then be pushed as often as needed. */
  emit(e: Expr): Value {
    if (e.k === 'col' || e.k === 'const') return this.#emit(e);
    const key = textOf(e);
    for (const scope of this.#scopes) {
      const known = scope.values.get(key);
      if (known !== undefined) return known;
    }
    const value = this.#emit(e);
    this.#scopes[this.#scopes.length - 1].values.set(key, value);
    return value;
  }

  /** True when the value of `e` has been computed where the code is now. */
  isKnown(e: Expr): boolean {
    const key = textOf(e);
    return this.#scopes.some(({ values }) => values.has(key));
  }

  #emit(e: Expr): Value {
    switch (e.k) {
      case 'col': {
        const known = this.#loaded.get(e.id);
        if (known === undefined) throw new Error(`column ${e.id} is not loaded`);
        return known;
      }
      case 'const':
        return this.constant(e);
      case 'and':
      case 'or':
        return logic(this, e.args, e.k === 'and');
      case 'not': {
        const arg = this.emit(e.arg);
        return this.#bool(() => {
          arg.push();
          this.op(OP.i32_eqz);
        }, arg.isNull);
      }
      case 'isnull': {
        const arg = this.emit(e.arg);
        return this.#bool(() => {
          this.pushNull(arg);
          if (e.negated) this.op(OP.i32_eqz);
        }, null);
      }
      case 'istruth': {
        const arg = this.emit(e.arg);
        return this.#bool(() => {
          isTruth(this, arg, e.value ? 1 : 0);
          if (e.negated) this.op(OP.i32_eqz);
        }, null);
      }
      case 'case':
        return caseOf(this, e);
      case 'coalesce':
        return coalesce(this, e);
      case 'call': {
        const make = functions.get(e.fn);
        if (!e.strict || make === undefined) throw new Unsupported(e.fn);
        const counted = LENGTHS.has(e.fn)
          ? this.#replacedLength(e)
          : e.fn === 'int4mi(int4,int4)'
            ? this.#replacements(e)
            : comparedRemainder(this, e);
        if (counted !== null) return counted;
        return this.strict(
          e.args.map((arg) => this.emit(arg)),
          (args) => make(args, this),
        );
      }
      case 'cast':
        if (e.t.typmod === -1 && e.element === undefined && TEXTS.has(e.t.oid) && TEXTS.has(e.arg.t.oid))
          return this.emit(e.arg);
        throw new Unsupported('a cast');
      case 'anyall':
        return list(this, e);
      case 'subscript':
        return this.#subscript(e);
      default:
        throw new Unsupported(e.k);
    }
  }

  /** length(replace(text, from, to)) by what it takes from length(text). */
  #replacedLength(e: Node<'call'>): Value | null {
    const replaced = replacedText(e);
    if (replaced === null) return null;
    const { text, from, added } = replaced;
    const args = [this.emit({ ...e, args: [text] }), this.emit(text), this.emit(from)];
    return this.strict(args, (values) => replacedLength(values, added, this));
  }

  /** length(text) - length(replace(text, from, to)), which is how SQL counts in a text: nobody's length is needed. */
  #replacements({ args: [whole, rest] }: Node<'call'>): Value | null {
    if (whole.k !== 'call' || rest.k !== 'call' || !LENGTHS.has(whole.fn) || !LENGTHS.has(rest.fn)) return null;
    const replaced = replacedText(rest);
    if (replaced === null || textOf(replaced.text) !== textOf(whole.args[0])) return null;
    const { text, from, added } = replaced;
    return this.strict([this.emit(text), this.emit(from)], (values) => replacements(values, -added, this));
  }

  pushNull({ isNull }: Value): void {
    if (isNull === null) this.i32(0);
    else isNull();
  }

  #bool(push: () => void, isNull: Value['isNull']): Value {
    const local = this.local(I32);
    push();
    this.set(local);
    return { kind: 'bool', push: () => this.get(local), isNull, scale: 0 };
  }

  constant({ v, t }: Node<'const'>): Value {
    const kind = this.#kindOfConstant(t);
    if (kind === null)
      return { kind: 'text', push: notPushed, isNull: v === null ? notPushed : null, scale: 0, constant: v };
    if (v === null) {
      const push = () => (TYPE_OF[kind] === I64 ? this.i64(0n) : this.i32(0));
      return { kind, push, isNull: () => this.i32(1), scale: 0, constant: null };
    }
    const present = (push: () => void, scale = 0): Value => ({ kind, push, isNull: null, scale, constant: v });
    switch (kind) {
      case 'bool':
        return present(() => this.i32(v === true ? 1 : 0));
      case 'int': {
        const big = BigInt(v as number | bigint);
        return present(() => this.i64(big));
      }
      case 'numeric': {
        if (!isDecimal(v) || v.special !== undefined || BigInt.asIntN(64, v.m) !== v.m)
          throw new Unsupported('a wide numeric');
        return present(() => this.i64(v.m), v.s);
      }
      default: {
        const slot = this.#constantSlot(t, v);
        return present(() => this.i32(slot));
      }
    }
  }

  /** Null where only a function that looks at the constant itself can use it. */
  #kindOfConstant(type: ColType): Kind | null {
    try {
      return kindOf(type);
    } catch (error) {
      if (error instanceof Unsupported) return null;
      throw error;
    }
  }

  /** Equal constants share a slot. */
  #constantSlot(type: ColType, value: Datum): number {
    const key = `${type.oid}:${textOf(value)}`;
    let slot = this.#constantSlots.get(key);
    if (slot === undefined) {
      slot = this.slot();
      writeSlot(physOf(type.oid), type.oid, slot, value, this.memory);
      this.#constantSlots.set(key, slot);
    }
    return slot;
  }

  /** A strict function of these arguments: `make` pushes its value, which is asked for only where no argument is NULL. */
  strict(args: Value[], make: (args: Value[]) => Made | null): Value {
    const nulls = [...new Set(args.flatMap(({ isNull }) => isNull ?? []))];
    const isNull = this.local(I32);
    nulls.forEach((push, i) => {
      push();
      if (i > 0) this.op(OP.i32_or);
    });
    if (nulls.length > 0) {
      this.tee(isNull);
      this.op(OP.i32_eqz);
      this.if();
    }
    const made = make(args.map((arg) => ({ ...arg, isNull: null })));
    if (made === null) throw new Unsupported('a function of these arguments');
    const local = this.local(TYPE_OF[made.kind]);
    this.set(local);
    if (made.nullWhenZero === true) {
      this.get(local);
      this.op(OP.i32_eqz);
      this.set(isNull);
    }
    if (nulls.length > 0) this.end();
    const mayBeNull = nulls.length > 0 || made.nullWhenZero === true;
    return {
      kind: made.kind,
      push: () => this.get(local),
      isNull: mayBeNull ? () => this.get(isNull) : null,
      scale: made.scale ?? 0,
      slot: made.slot,
    };
  }

  /** (regexp_match(text, pattern))[n] without the array. */
  #subscript(e: Node<'subscript'>): Value {
    const { arg, indexes } = e;
    if (arg.k !== 'call' || arg.fn !== 'regexp_match(text,text)' || !arg.strict || indexes.length !== 1)
      throw new Unsupported('a subscript');
    const [{ lower, slice }] = indexes;
    if (slice || lower === null || lower.k !== 'const' || lower.v === null) throw new Unsupported('a slice');
    const n = Number(lower.v);
    return this.strict(
      arg.args.map((a) => this.emit(a)),
      (args) => matchedGroup(args, n, this),
    );
  }
}

/** What length(replace(text, from, to)) is made of; null where it is something else, or the result might be too long. */
function replacedText({ args: [inner] }: Node<'call'>) {
  if (inner.k !== 'call' || inner.fn !== 'replace(text,text,text)' || !inner.strict) return null;
  const [text, from, to] = inner.args;
  const added = from.k === 'const' && to.k === 'const' ? lengthening(from.v, to.v) : null;
  return added === null ? null : { text, from, added };
}

function notPushed(): never {
  throw new Unsupported('a constant of this type');
}
