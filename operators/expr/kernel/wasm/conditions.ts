/**
 * AND, OR, CASE, COALESCE and lists of a kernel in WebAssembly (emitter.ts).
 *
 *   costs something   a block that is entered only where the result is open, as the interpreter does it
 *   is free           computed at once and combined: OR of the comparisons of an IN list, select for the results of CASE
 *
 * Free is what takes a few instructions and raises no error: comparisons of what is there already. Rows of streams come in no order that a processor could
 * foresee, and a branch that it guesses wrong costs as much as ten comparisons.
 */
import { isPgArray } from '../../../datum.ts';
import { OID } from '../../../types.ts';
import type { Expr } from '../../ir.ts';
import { inOrder } from '../logic_order.ts';
import type { Emitter, Node } from './emitter.ts';
import { functions } from './functions.ts';
import { I32, OP } from './module.ts';
import { isShort } from './texts.ts';
import { type Kind, kindOf, TYPE_OF, Unsupported, type Value } from './values.ts';

/** Most items of an IN list that become comparisons in a row. */
const MAX_LIST = 32;
const COMPARISON = /^(text|int[248]+|bool|numeric_|date_|time_|timestamp_|timestamptz_)(eq|ne|lt|le|gt|ge)\(/;

/** A comparison in a few instructions: of numbers, or whether a text is a short constant. */
function isComparison({ fn, args }: Node<'call'>): boolean {
  if (!COMPARISON.test(fn)) return false;
  return !fn.startsWith('text') || args.some((arg) => arg.k === 'const' && typeof arg.v === 'string' && isShort(arg.v));
}

const callOf = (fn: string, ...args: Expr[]): Expr => ({
  k: 'call',
  fn,
  args,
  t: { oid: OID.bool, typmod: -1 },
  strict: true,
});

/** Whether the code that comes next may compute it without asking whether it is wanted. */
function isFree(code: Emitter, e: Expr): boolean {
  if (e.k === 'col' || e.k === 'const') return true;
  if (code.isKnown(e)) return true;
  switch (e.k) {
    case 'call':
      return e.strict && isComparison(e) && e.args.every((arg) => isFree(code, arg));
    case 'and':
    case 'or':
      return e.args.every((arg) => isFree(code, arg));
    case 'not':
    case 'isnull':
    case 'istruth':
      return isFree(code, e.arg);
    default:
      return false;
  }
}

/** Pushes whether the value is present and this truth. */
export function isTruth(code: Emitter, arg: Value, truth: number): void {
  arg.push();
  if (truth === 0) code.op(OP.i32_eqz);
  if (arg.isNull === null) return;
  arg.isNull();
  code.op(OP.i32_eqz, OP.i32_and);
}

/** AND, OR with SQL's three values; later arguments that cost something are computed only while the result is open. */
export function logic(code: Emitter, args: Expr[], and: boolean): Value {
  const [v, z] = [code.local(I32), code.local(I32)];
  const stop = and ? 0 : 1;
  const combine = and ? OP.i32_and : OP.i32_or;
  let mayBeNull = false;
  let opened = 0;
  const put = (value: number, local: number) => {
    code.i32(value);
    code.set(local);
  };
  put(1 - stop, v);
  put(0, z);
  inOrder(and ? 'and' : 'or', args).forEach((arg, i) => {
    if (i > 0 && !isFree(code, arg)) {
      code.get(v);
      code.i32(stop);
      code.op(OP.i32_ne);
      code.open();
      opened++;
    }
    const value = code.emit(arg);
    if (value.isNull === null && !mayBeNull) {
      code.get(v);
      value.push();
      code.op(combine);
      code.set(v);
      return;
    }
    if (value.isNull !== null) {
      mayBeNull = true;
      value.isNull();
      code.if();
      // What is decided stays so.
      code.get(v);
      code.i32(stop);
      code.op(OP.i32_ne);
      code.set(z);
      code.else();
    }
    value.push();
    code.i32(stop);
    code.op(OP.i32_eq);
    code.if();
    put(stop, v);
    put(0, z);
    code.end();
    if (value.isNull !== null) code.end();
  });
  for (; opened > 0; opened--) code.close();
  return { kind: 'bool', push: () => code.get(v), isNull: mayBeNull ? () => code.get(z) : null, scale: 0 };
}

/** Locals that several branches may set; NULL at first. `complete`: one of them always does. */
function resultOf(code: Emitter, kind: Kind, complete: boolean) {
  const [v, z] = [code.local(TYPE_OF[kind]), code.local(I32)];
  let scale: number | null = null;
  let mayBeNull = !complete;
  code.i32(1);
  code.set(z);
  const sameForm = (from: Value) => {
    if (from.kind !== kind || (scale !== null && scale !== from.scale)) throw new Unsupported('arms of several scales');
    scale = from.scale;
  };
  const assign = (from: Value) => {
    if (from.isNull !== null) mayBeNull = true;
    if (from.constant === null) {
      code.i32(1);
      code.set(z);
      return;
    }
    sameForm(from);
    from.push();
    code.set(v);
    code.pushNull(from);
    code.set(z);
  };
  /** `present`: it is known not to be NULL where the condition is true. */
  const assignIf = (condition: number, from: Value, present: boolean) => {
    sameForm(from);
    from.push();
    code.get(v);
    code.get(condition);
    code.op(OP.select);
    code.set(v);
    if (!mayBeNull || present) return;
    code.i32(0);
    code.get(z);
    code.get(condition);
    code.op(OP.select);
    code.set(z);
  };
  const isNull = () => code.get(z);
  const value = (): Value => ({
    kind,
    push: () => code.get(v),
    isNull: mayBeNull ? isNull : null,
    scale: scale ?? 0,
  });
  return { assign, assignIf, value, isNull: z };
}

export function caseOf(code: Emitter, e: Node<'case'>): Value {
  const conditions = [code.emit(e.whens[0].when)];
  if (selects(code, e)) return selected(code, e, conditions);
  const result = resultOf(code, kindOf(e.t), e.else !== null);
  e.whens.forEach(({ when, then }, i) => {
    isTruth(code, i === 0 ? conditions[0] : code.emit(when), 1);
    code.open();
    result.assign(code.emit(then));
    code.otherwise();
  });
  if (e.else !== null) result.assign(code.emit(e.else));
  for (let i = 0; i < e.whens.length; i++) code.close();
  return result.value();
}

/** True when nothing but ELSE costs anything, and the results are constants. */
function selects(code: Emitter, { whens }: Node<'case'>): boolean {
  return whens.every(({ when, then }) => isFree(code, when) && then.k === 'const' && then.v !== null);
}

/** CASE without branches: ELSE alone is computed only where it is wanted. */
function selected(code: Emitter, e: Node<'case'>, conditions: Value[]): Value {
  for (const { when } of e.whens.slice(1)) conditions.push(code.emit(when));
  const truths = conditions.map((condition) => {
    const local = code.local(I32);
    isTruth(code, condition, 1);
    code.set(local);
    return local;
  });
  const kind = kindOf(e.t);
  const result = resultOf(code, kind, e.else !== null);
  const rest = e.else ?? { k: 'const' as const, v: null, t: e.t };
  const guarded = !isFree(code, rest);
  if (guarded) {
    code.i32(0);
    code.set(result.isNull);
    truths.forEach((local, i) => {
      code.get(local);
      if (i > 0) code.op(OP.i32_or);
    });
    code.op(OP.i32_eqz);
    code.open();
  }
  result.assign(code.emit(rest));
  if (guarded) code.close();
  for (let i = truths.length - 1; i >= 0; i--) result.assignIf(truths[i], code.emit(e.whens[i].then), guarded);
  return result.value();
}

export function coalesce(code: Emitter, e: Node<'coalesce'>): Value {
  const result = resultOf(code, kindOf(e.t), false);
  e.args.forEach((arg, i) => {
    if (i > 0) {
      code.get(result.isNull);
      code.open();
    }
    result.assign(code.emit(arg));
  });
  for (let i = 1; i < e.args.length; i++) code.close();
  return result.value();
}

/** x op ANY | ALL (constant array). */
export function list(code: Emitter, e: Node<'anyall'>): Value {
  const list = e.right.k === 'const' ? e.right.v : undefined;
  const make = functions.get(e.fn);
  if (list === undefined || list === null || !isPgArray(list) || make === undefined) throw new Unsupported('a list');
  const items = list.items.filter((item) => item !== null);
  const type = { oid: list.elem, typmod: -1 };
  if (items.length === 0 || items.length > MAX_LIST) throw new Unsupported('a list of so many');
  const left = code.emit(e.left);
  const stop = e.all ? 0 : 1;
  const [v, z] = [code.local(I32), code.local(I32)];
  const present = items.map((item) => {
    const constant: Expr = { k: 'const', v: item, t: type };
    return { constant: code.constant(constant), free: isFree(code, callOf(e.fn, e.left, constant)) };
  });
  code.i32(1 - stop);
  code.set(v);
  if (items.length < list.items.length) code.i32(1);
  else code.pushNull(left);
  code.set(z);
  code.pushNull(left);
  code.op(OP.i32_eqz);
  code.open();
  const done = code.block();
  for (const { constant, free } of present) {
    const one = code.strict([{ ...left, isNull: null }, constant], (args) => make(args, code));
    if (free) {
      one.push();
      code.get(v);
      code.op(e.all ? OP.i32_and : OP.i32_or);
      code.set(v);
      continue;
    }
    one.push();
    code.i32(stop);
    code.op(OP.i32_eq);
    code.if();
    code.i32(stop);
    code.set(v);
    code.branch(done);
    code.end();
  }
  code.end();
  const mayBeNull = left.isNull !== null || items.length < list.items.length;
  if (mayBeNull) {
    // Decided by an item, whatever the NULLs.
    code.get(z);
    code.get(v);
    code.i32(1 - stop);
    code.op(OP.i32_eq, OP.i32_and);
    code.set(z);
  }
  code.close();
  return { kind: 'bool', push: () => code.get(v), isNull: mayBeNull ? () => code.get(z) : null, scale: 0 };
}
