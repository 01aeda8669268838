/**
 * Writes the statements of a kernel that compute expressions for one row.
 *
 *   inline     the template of a function (templates.ts), or one of the forms below: numbers in locals, texts as slots
 *   else       the interpreter's closure of that subexpression inside the fast row ('datum'); EXPLAIN lists these
 *
 * A subexpression that occurs again in the reach of its first occurrence is computed once. Reach is that of `const` in the generated
 * blocks: an arm of CASE sees what its conditions computed, what follows the CASE does not see what its arms did.
 */
import { writeSlot } from '../../batch/slots.ts';
import { type Datum, isDecimal, isPgArray } from '../../datum.ts';
import { type ColType, OID, physOf } from '../../types.ts';
import { columnsOf } from '../columns.ts';
import type { Expr } from '../ir.ts';
import { integerText, parseInteger } from '../text/slot_text.ts';
import { KernelMemory } from './kernel_memory.ts';
import { inOrder } from './logic_order.ts';
import { matchedGroup } from './regexes.ts';
import { isRepeatable } from './repeatable.ts';
import { textOf } from './same_text.ts';
import { type Inline, nullByFirst, OVER, type Site, templates } from './templates.ts';
import { type Kind, kindOf, loadColumn, type Value } from './values.ts';
import './json.ts';
import './numbers.ts';
import './texts.ts';
import './times.ts';

type Node<K extends Expr['k']> = Extract<Expr, { k: K }>;

const SAFE = 9007199254740991n;

/** Most items of an IN list that become comparisons in a row. */
const MAX_LIST = 32;

const INTEGERS = new Map<number, string>([
  [OID.int2, 'int2'],
  [OID.int4, 'int4'],
  [OID.int8, 'int8'],
]);
const TEXTS: ReadonlySet<number> = new Set([OID.text, OID.varchar]);

/** What is known inside a block of the generated code. */
interface Scope {
  values: Map<string, Value>;
  objects: Map<string, string>;
}

const newScope = (): Scope => ({ values: new Map(), objects: new Map() });

export class Generator implements Site {
  readonly lines: string[] = [];
  /** Statements that stand before the row's others. */
  readonly declarations: string[] = [];
  /** Objects that the code uses by name. */
  readonly objects: object[] = [];
  /** Subexpressions left to the interpreter's closures, which the code calls by position. */
  readonly interpreted: Expr[] = [];
  /** What the code's addresses point into. */
  readonly memory = new KernelMemory();
  readonly #constantSlots = new Map<string, number>();
  /** Statement that gives a row up. */
  readonly #giveUp: string;
  readonly #loaded = new Map<number, Value>();
  readonly #scopes: Scope[] = [newScope()];
  /** Objects of share() by key, with the variable that says whether they have started for the row. */
  readonly #shared = new Map<string, { name: string; started: string }>();
  #next = 0;

  constructor(giveUp: string) {
    this.#giveUp = giveUp;
  }

  /** Loads column `id` at row i, from its addresses d<id> and v<id>, for use in expressions. */
  load(id: number, type: ColType): void {
    const { code, value } = loadColumn(physOf(type.oid), id, this.#giveUp);
    this.line(code);
    this.#loaded.set(id, value);
  }

  line(code: string): void {
    this.lines.push(code);
  }

  slot(): number {
    return this.memory.zeroed(16);
  }

  bytes(count: number): number {
    return this.memory.alloc(count);
  }

  literal(text: string): { address: number; length: number } {
    return this.memory.text(text);
  }

  /** Equal constants share a slot. */
  #constantSlot(type: ColType, value: Datum): number {
    const key = `${type.oid}:${textOf(value)}`;
    let slot = this.#constantSlots.get(key);
    if (slot === undefined) {
      slot = this.memory.zeroed(16);
      writeSlot(physOf(type.oid), type.oid, slot, value, this.memory);
      this.#constantSlots.set(key, slot);
    }
    return slot;
  }

  use(object: object): string {
    const known = this.objects.indexOf(object);
    return `h${known >= 0 ? known : this.objects.push(object) - 1}`;
  }

  share(key: string, make: () => object, start: (name: string) => string): string {
    for (const scope of this.#scopes) {
      const known = scope.objects.get(key);
      if (known !== undefined) return known;
    }
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const started = this.#name();
      this.declarations.push(`let ${started} = false;`);
      shared = { name: this.use(make()), started };
      this.#shared.set(key, shared);
    }
    // Blocks that do not see each other share the object; what ran first in a row has run for all.
    this.line(`if (!${shared.started}) { ${shared.started} = true; ${start(shared.name)} }`);
    this.#scope.objects.set(key, shared.name);
    return shared.name;
  }

  get #scope(): Scope {
    return this.#scopes[this.#scopes.length - 1];
  }

  #name(): string {
    return `t${this.#next++}`;
  }

  #open(code: string): void {
    this.line(code);
    this.#scopes.push(newScope());
  }

  #close(): void {
    this.line('}');
    this.#scopes.pop();
  }

  /** Emits statements that compute `e`; the value's code may then be used as often as needed. */
  emit(e: Expr): Value {
    if (e.k === 'col' || e.k === 'const' || !isRepeatable(e)) return this.#emit(e);
    const key = textOf(e);
    for (const scope of this.#scopes) {
      const known = scope.values.get(key);
      if (known !== undefined) return known;
    }
    const value = this.#emit(e);
    this.#scope.values.set(key, value);
    return value;
  }

  #emit(e: Expr): Value {
    switch (e.k) {
      case 'col': {
        const known = this.#loaded.get(e.id);
        if (known === undefined) throw new Error(`column ${e.id} is not loaded`);
        return known;
      }
      case 'const':
        return this.#constant(e);
      case 'and':
      case 'or':
        return this.#logic(e.args, e.k === 'and');
      case 'not': {
        const arg = this.emit(e.arg);
        return { kind: 'bool', v: `(1 - ${arg.v})`, isNull: arg.isNull };
      }
      case 'isnull': {
        if (e.arg.t.oid === OID.record) return this.#datum(e);
        const arg = this.emit(e.arg);
        return { kind: 'bool', v: `(${arg.isNull} ? ${e.negated ? '0 : 1' : '1 : 0'})`, isNull: 'false' };
      }
      case 'istruth': {
        const arg = this.emit(e.arg);
        const is = `(!(${arg.isNull}) && ${arg.v} === ${e.value ? 1 : 0})`;
        return { kind: 'bool', v: `(${is} ? ${e.negated ? '0 : 1' : '1 : 0'})`, isNull: 'false' };
      }
      case 'case':
        return this.#case(e);
      case 'coalesce':
        return this.#coalesce(e);
      case 'call':
        return this.#call(e) ?? this.#datum(e);
      case 'cast':
        return this.#attempt(() => this.#cast(e)) ?? this.#datum(e);
      case 'nullif':
      case 'distinct':
        return this.#attempt(() => this.#pair(e)) ?? this.#datum(e);
      case 'extreme':
        return this.#attempt(() => this.#extreme(e)) ?? this.#datum(e);
      case 'anyall':
        return this.#attempt(() => this.#list(e)) ?? this.#datum(e);
      case 'subscript':
        return this.#attempt(() => this.#subscript(e)) ?? this.#datum(e);
      default:
        return this.#datum(e);
    }
  }

  /** What `make` emits, or nothing at all where it gives null. */
  #attempt(make: () => Value | null): Value | null {
    const mark = this.lines.length;
    const interpreted = this.interpreted.length;
    const depth = this.#scopes.length;
    const scope = newScope();
    this.#scopes.push(scope);
    const value = make();
    // It may have given up in the middle of blocks of its own.
    this.#scopes.length = depth;
    if (value === null) {
      this.lines.length = mark;
      this.interpreted.length = interpreted;
      return null;
    }
    for (const [key, known] of scope.values) this.#scope.values.set(key, known);
    for (const [key, known] of scope.objects) this.#scope.objects.set(key, known);
    return value;
  }

  #constant(e: Node<'const'>): Value {
    const kind = kindOf(physOf(e.t.oid));
    const { v } = e;
    if (v === null) return { kind, v: '0', isNull: 'true', scale: '0' };
    switch (kind) {
      case 'bool':
        return { kind, v: v === true ? '1' : '0', isNull: 'false' };
      case 'int': {
        const big = BigInt(v as number | bigint);
        if (big > SAFE || big < -SAFE) return this.#datum(e);
        return { kind, v: `(${big})`, isNull: 'false' };
      }
      case 'float':
        return { kind, v: `(${Object.is(v, -0) ? '-0' : String(v)})`, isNull: 'false' };
      case 'numeric': {
        if (!isDecimal(v) || v.special !== undefined || v.m > SAFE || v.m < -SAFE) return this.#datum(e);
        return { kind, v: `(${v.m})`, isNull: 'false', scale: String(v.s) };
      }
      default:
        return { kind: 'slot', v: String(this.#constantSlot(e.t, v)), isNull: 'false' };
    }
  }

  /** AND, OR with SQL's three values; later arguments are computed only while the result is open. */
  #logic(args: Expr[], and: boolean): Value {
    const v = this.#name();
    const z = this.#name();
    const stop = and ? 0 : 1;
    this.line(`let ${v} = ${1 - stop}, ${z} = false;`);
    const ordered = inOrder(and ? 'and' : 'or', args);
    ordered.forEach((arg, i) => {
      if (i > 0) this.#open(`if (${v} === ${1 - stop}) {`);
      const value = this.emit(arg);
      this.line(`if (${value.isNull}) ${z} = true; else if (${value.v} === ${stop}) { ${v} = ${stop}; ${z} = false; }`);
    });
    for (let i = 1; i < ordered.length; i++) this.#close();
    // A decided value is never NULL; z stays set only while undecided.
    return { kind: 'bool', v, isNull: z };
  }

  #case(e: Node<'case'>): Value {
    const result = this.#result(e.t);
    let depth = 0;
    for (const { when, then } of e.whens) {
      const condition = this.emit(when);
      this.#open(`if (!(${condition.isNull}) && ${condition.v} === 1) {`);
      this.#assign(result, this.emit(then), e.t);
      this.#close();
      this.#open('else {');
      depth++;
    }
    if (e.else !== null) this.#assign(result, this.emit(e.else), e.t);
    for (; depth > 0; depth--) this.#close();
    return result;
  }

  #coalesce(e: Node<'coalesce'>): Value {
    const result = this.#result(e.t);
    e.args.forEach((arg, i) => {
      if (i > 0) this.#open(`if (${result.isNull}) {`);
      this.#assign(result, this.emit(arg), e.t);
    });
    for (let i = 1; i < e.args.length; i++) this.#close();
    return result;
  }

  /** Variables for a value that several branches may set; NULL at first. */
  #result(type: ColType): Value {
    const kind = kindOf(physOf(type.oid));
    const [v, z, s] = [this.#name(), this.#name(), this.#name()];
    this.line(`let ${v} = 0, ${z} = true${kind === 'numeric' ? `, ${s} = 0` : ''};`);
    return { kind, v, isNull: z, ...(kind === 'numeric' ? { scale: s } : {}) };
  }

  /** Sets the variables of #result; a value of another kind gives the row up. */
  #assign(to: Value, from: Value, type: ColType): void {
    if (from.isNull === 'true') {
      this.line(`${to.isNull} = true;`);
      return;
    }
    const value = from.kind === 'datum' ? this.#plain(from, type) : from;
    if (value.kind !== to.kind) {
      this.line(`if (!(${value.isNull})) ${this.#giveUp}`);
      return;
    }
    const scale = to.scale === undefined ? '' : ` ${to.scale} = ${value.scale};`;
    this.line(`${to.isNull} = ${value.isNull}; if (!${to.isNull}) { ${to.v} = ${value.v};${scale} }`);
  }

  #call(e: Node<'call'>): Value | null {
    if (!templates.has(e.fn) || !isStrict(e)) return null;
    return this.#attempt(() => {
      const args = e.args.map((arg) => this.#argument(arg));
      return this.#apply(e.fn, args, e.args.map(constantOf));
    });
  }

  /** An argument of a template: datums in the form of their kind. */
  #argument(e: Expr): Value {
    const value = this.emit(e);
    return value.kind === 'datum' ? this.#plain(value, e.t) : value;
  }

  /** A strict function by its template. */
  #apply(fn: string, args: Value[], constants: (Datum | undefined)[]): Value | null {
    const made = templates.get(fn)?.(args, constants, this) ?? null;
    return made && this.#strict(made, args);
  }

  #strict(made: Inline, args: Value[]): Value {
    const nulls = [...new Set(args.map((a) => a.isNull))].filter((n) => n !== 'false');
    const isNull = nulls.length === 0 ? 'false' : `(${nulls.join(' || ')})`;
    const v = this.#name();
    const bails = (made.bails ?? []).map((b) => `(${b.replaceAll('$r', v)})`).join(' || ');
    if (bails === '') this.line(`const ${v} = ${isNull === 'false' ? '' : `${isNull} ? 0 : `}${made.value.v};`);
    else {
      this.line(`let ${v} = 0;`);
      this.line(
        `${isNull === 'false' ? '' : `if (!${isNull}) `}{ ${v} = ${made.value.v}; if (${bails}) ${this.#giveUp} }`,
      );
    }
    if (made.nullWhen === undefined) return { ...made.value, v, isNull };
    const z = this.#name();
    this.line(`const ${z} = ${isNull} || ${made.nullWhen.replaceAll('$r', v)};`);
    return { ...made.value, v, isNull: z };
  }

  /** Casts between integers and text, and relabellings. */
  #cast(e: Node<'cast'>): Value | null {
    const { arg, t } = e;
    if (t.typmod !== -1 || e.element !== undefined) return null;
    if (TEXTS.has(arg.t.oid) && TEXTS.has(t.oid)) return this.#argument(arg);
    if (INTEGERS.has(arg.t.oid) && TEXTS.has(t.oid)) {
      const value = this.#argument(arg);
      const v = `${this.use(integerText)}(${value.v}, ${this.slot()}, arena)`;
      return this.#strict({ value: { kind: 'slot', v } }, [value]);
    }
    const integer = INTEGERS.get(t.oid);
    if (TEXTS.has(arg.t.oid) && integer !== undefined) {
      const value = this.#argument(arg);
      if (value.kind !== 'slot') return null;
      const bails = ['$r !== $r', OVER[integer]];
      return this.#strict({ value: { kind: 'int', v: `${this.use(parseInteger)}(${value.v})` }, bails }, [value]);
    }
    return null;
  }

  /** NULLIF and IS [NOT] DISTINCT FROM. */
  #pair(e: Node<'nullif'> | Node<'distinct'>): Value | null {
    const [left, right] = [this.#argument(e.left), this.#argument(e.right)];
    const equal = this.#apply(e.eq, [left, right], [constantOf(e.left), constantOf(e.right)]);
    if (equal === null) return null;
    const same = `(!(${equal.isNull}) && ${equal.v} === 1)`;
    if (e.k === 'nullif') return { ...left, isNull: `(${left.isNull} || ${same})` };
    const bothNull = `(${left.isNull} && ${right.isNull})`;
    return { kind: 'bool', v: `(${bothNull} || ${same} ? ${e.negated ? '1 : 0' : '0 : 1'})`, isNull: 'false' };
  }

  /** GREATEST, LEAST: all arguments are computed first. */
  #extreme(e: Node<'extreme'>): Value | null {
    const args = e.args.map((arg) => this.#argument(arg));
    const best = this.#result(e.t);
    for (const arg of args) {
      if (arg.kind !== best.kind) return null;
      const known = { ...best, isNull: 'false' };
      const given = { ...arg, isNull: 'false' };
      this.#open(`if (!(${arg.isNull})) {`);
      const better = this.#name();
      this.line(`let ${better} = ${best.isNull};`);
      this.#open(`if (!${better}) {`);
      const less = this.#apply(e.lt, e.greatest ? [known, given] : [given, known], [undefined, undefined]);
      if (less === null) return null;
      this.line(`${better} = ${less.v} === 1;`);
      this.#close();
      this.#open(`if (${better}) {`);
      this.#assign(best, given, e.t);
      this.#close();
      this.#close();
    }
    return best;
  }

  /** x op ANY | ALL (constant array). */
  #list(e: Node<'anyall'>): Value | null {
    const list = e.right.k === 'const' ? e.right.v : undefined;
    if (list === undefined || list === null || !isPgArray(list)) return null;
    const items = list.items.filter((item) => item !== null);
    const type = { oid: list.elem, typmod: -1 };
    if (list.items.length === 0 || items.length > MAX_LIST) return null;
    const left = this.#argument(e.left);
    const hasNull = items.length < list.items.length;
    const stop = e.all ? 0 : 1;
    const [v, z] = [this.#name(), this.#name()];
    this.line(`let ${v} = ${1 - stop}, ${z} = ${left.isNull} || ${hasNull};`);
    this.#open(`if (!(${left.isNull})) {`);
    const given = { ...left, isNull: 'false' };
    for (const [i, item] of items.entries()) {
      if (i > 0) this.#open(`if (${v} !== ${stop}) {`);
      const constant = this.#constant({ k: 'const', v: item, t: type });
      const one = constant.kind === 'datum' ? null : this.#apply(e.fn, [given, constant], [constantOf(e.left), item]);
      if (one === null) return null;
      this.line(`if (${one.v} === ${stop}) { ${v} = ${stop}; ${z} = false; }`);
    }
    for (let i = 1; i < items.length; i++) this.#close();
    this.#close();
    return { kind: 'bool', v, isNull: z };
  }

  /** (regexp_match(text, pattern))[n] without the array. */
  #subscript(e: Node<'subscript'>): Value | null {
    const { arg, indexes } = e;
    if (arg.k !== 'call' || !/^regexp_match\(/.test(arg.fn) || !arg.strict || indexes.length !== 1) return null;
    const [{ lower, slice }] = indexes;
    if (slice || lower === null || lower.k !== 'const' || lower.v === null) return null;
    const args = arg.args.map((a) => this.#argument(a));
    const made = matchedGroup(args, arg.args.map(constantOf), Number(lower.v), this);
    return made && this.#strict(made, args);
  }

  /** The interpreter's closure on the datums of the columns it reads; errors of the row (`ofRow`) give it up. */
  #datum(e: Expr): Value {
    const columns = new Set<number>();
    columnsOf(e, columns);
    const index = this.interpreted.push(e) - 1;
    const v = this.#name();
    const loads = [...columns].map((c) => `row[${c}] = readDatum(columns[${c}], i);`).join(' ');
    this.line(
      `let ${v}; try { ${loads} ${v} = f[${index}](row, context); } catch (error) { ofRow(error); ${this.#giveUp} }`,
    );
    const value: Value = { kind: 'datum', v, isNull: `(${v} === null)` };
    const kind = kindOf(physOf(e.t.oid));
    return kind === 'bool' || kind === 'int' || kind === 'float' ? this.#plain(value, e.t) : value;
  }

  /** A datum as a value of its type's kind, so that inline functions can go on with it. */
  #plain(datum: Value, type: ColType): Value {
    const { v, isNull } = datum;
    const kind: Kind = kindOf(physOf(type.oid));
    const n = this.#name();
    switch (kind) {
      case 'bool':
        this.line(`const ${n} = ${v} === true ? 1 : 0;`);
        return { kind, v: n, isNull };
      case 'int':
        this.line(`const ${n} = Number(${v}); if (${n} > ${SAFE} || ${n} < -${SAFE}) ${this.#giveUp}`);
        return { kind, v: n, isNull };
      case 'float':
        return { kind, v, isNull };
      case 'numeric': {
        const s = this.#name();
        this.line(`let ${n} = 0, ${s} = 0;
          if (!${isNull}) { ${n} = Number(${v}.m); ${s} = ${v}.s; if (${v}.special !== undefined || ${n} > ${SAFE} || ${n} < -${SAFE}) ${this.#giveUp} }`);
        return { kind, v: n, isNull, scale: s };
      }
      default: {
        const slot = this.slot();
        this.line(`if (!${isNull}) writeSlot('${physOf(type.oid)}', ${type.oid}, ${slot}, ${v}, arena);`);
        return { kind: 'slot', v: String(slot), isNull };
      }
    }
  }
}

function isStrict({ strict, fn, args }: Node<'call'>): boolean {
  return strict || (nullByFirst.has(fn) && args.slice(1).every((arg) => arg.k === 'const' && arg.v !== null));
}

function constantOf(e: Expr): Datum | undefined {
  return e.k === 'const' ? e.v : undefined;
}
