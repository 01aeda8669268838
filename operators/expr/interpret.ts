/**
 * The reference interpreter: what every expression means, in PostgreSQL's own terms. Two forms that must agree:
 *
 *   evaluate(e, row, ctx)         walks the tree; the plainest statement of the semantics
 *   bindExpr(e)(row, ctx)         closures resolved once; what slow paths run (no code generation)
 *
 * Traps: arguments are all evaluated, left to right, before the NULL check of a strict function (so `1/0 + NULL` is an error);
 * AND / OR stop at the first decisive value, not at NULL; IS NULL of a row looks at its fields; `x = ANY ('{}')` is false even
 * for NULL x; a CASE arm is evaluated only when reached; the indexes of a NULL array are not evaluated.
 */
import type { Datum, PgRecord } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { colType, OID } from '../types.ts';
import { buildArray, subscriptArray } from './array_nodes.ts';
import { elementType } from './array_types.ts';
import { castDatum, castElements } from './cast.ts';
import { resolveCall } from './functions/index.ts';
import type { BoundFunction } from './functions/registry.ts';
import type { EvalContext, Expr } from './ir.ts';

export type BoundExpr = (row: Datum[], ctx: EvalContext) => Datum;

type Node<K extends Expr['k']> = Extract<Expr, { k: K }>;

/** Functions resolved for a node of the tree, so that `evaluate` does not look names up per row. */
const resolved = new WeakMap<Expr, BoundFunction>();

function callOf(e: Node<'call'>): BoundFunction {
  let fn = resolved.get(e);
  if (!fn) {
    fn = resolveCall(e.fn, { argTypes: e.args.map((a) => a.t), resultType: e.t, variadic: e.variadic ?? false });
    resolved.set(e, fn);
  }
  return fn;
}

/** A function of two arguments of the given nodes' types, such as the equality of DISTINCT. */
function pairOf(owner: Expr, fn: string, left: Expr, right: Expr): BoundFunction {
  let bound = resolved.get(owner);
  if (!bound) {
    bound = resolveCall(fn, {
      argTypes: [left.t, right.t],
      resultType: { oid: OID.bool, typmod: -1 },
      variadic: false,
    });
    resolved.set(owner, bound);
  }
  return bound;
}

/** Whether it is true; what fails is not. */
export function isTrueOf(expr: Expr, row: Datum[], ctx: EvalContext): boolean {
  try {
    return evaluate(expr, row, ctx) === true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}

/** Value of an expression over one row: `col.id` is a position in `row`. Errors are SqlErrors as PostgreSQL raises them. */
export function evaluate(e: Expr, row: Datum[], ctx: EvalContext): Datum {
  switch (e.k) {
    case 'col':
      return row[e.id];
    case 'const':
      return e.v;
    case 'param':
      return paramValue(e.n, ctx);
    case 'call': {
      const args = e.args.map((a) => evaluate(a, row, ctx));
      if (e.strict && args.includes(null)) return null;
      return callOf(e)(args, ctx);
    }
    case 'cast':
      return castValue(e, evaluate(e.arg, row, ctx), ctx);
    case 'and': {
      let result: Datum = true;
      for (const a of e.args) {
        const v = evaluate(a, row, ctx);
        if (v === false) return false;
        if (v === null) result = null;
      }
      return result;
    }
    case 'or': {
      let result: Datum = false;
      for (const a of e.args) {
        const v = evaluate(a, row, ctx);
        if (v === true) return true;
        if (v === null) result = null;
      }
      return result;
    }
    case 'not': {
      const v = evaluate(e.arg, row, ctx);
      return v === null ? null : !v;
    }
    case 'isnull':
      return isNull(evaluate(e.arg, row, ctx), e.negated);
    case 'istruth':
      return (evaluate(e.arg, row, ctx) === e.value) !== e.negated;
    case 'distinct': {
      const l = evaluate(e.left, row, ctx);
      const r = evaluate(e.right, row, ctx);
      return isDistinct(l, r, pairOf(e, e.eq, e.left, e.right), ctx) !== e.negated;
    }
    case 'case':
      for (const w of e.whens) {
        if (evaluate(w.when, row, ctx) === true) return evaluate(w.then, row, ctx);
      }
      return e.else ? evaluate(e.else, row, ctx) : null;
    case 'coalesce':
      for (const a of e.args) {
        const v = evaluate(a, row, ctx);
        if (v !== null) return v;
      }
      return null;
    case 'nullif': {
      const l = evaluate(e.left, row, ctx);
      const r = evaluate(e.right, row, ctx);
      if (l === null || r === null) return l;
      return pairOf(e, e.eq, e.left, e.right)([l, r], ctx) === true ? null : l;
    }
    case 'extreme':
      return extreme(
        e,
        e.args.map((a) => evaluate(a, row, ctx)),
        ctx,
      );
    case 'anyall':
      return anyAll(e, evaluate(e.left, row, ctx), evaluate(e.right, row, ctx), ctx);
    case 'array':
      return buildArray(
        e,
        e.items.map((a) => evaluate(a, row, ctx)),
      );
    case 'subscript': {
      // The indexes of a NULL array are not evaluated.
      const a = evaluate(e.arg, row, ctx);
      if (a === null) return null;
      return subscriptArray(
        e,
        a,
        e.indexes.map((i) => (i.lower ? evaluate(i.lower, row, ctx) : null)),
        e.indexes.map((i) => (i.upper ? evaluate(i.upper, row, ctx) : null)),
        ctx,
      );
    }
    case 'row':
      return record(
        e,
        e.items.map((a) => evaluate(a, row, ctx)),
      );
    case 'field':
      return fieldOf(evaluate(e.arg, row, ctx), e.index);
  }
}

/** The closure form of an expression. Unknown functions are reported here (0A000), not per row. */
export function bindExpr(e: Expr): BoundExpr {
  switch (e.k) {
    case 'col': {
      const id = e.id;
      return (row) => row[id];
    }
    case 'const': {
      const v = e.v;
      return () => v;
    }
    case 'param': {
      const n = e.n;
      return (_row, ctx) => paramValue(n, ctx);
    }
    case 'call':
      return bindCall(e);
    case 'cast': {
      const arg = bindExpr(e.arg);
      return (row, ctx) => castValue(e, arg(row, ctx), ctx);
    }
    case 'and':
    case 'or':
      return bindLogic(e);
    case 'not': {
      const arg = bindExpr(e.arg);
      return (row, ctx) => {
        const v = arg(row, ctx);
        return v === null ? null : !v;
      };
    }
    case 'isnull': {
      const arg = bindExpr(e.arg);
      const negated = e.negated;
      return (row, ctx) => isNull(arg(row, ctx), negated);
    }
    case 'istruth': {
      const arg = bindExpr(e.arg);
      const { value, negated } = e;
      return (row, ctx) => (arg(row, ctx) === value) !== negated;
    }
    case 'distinct': {
      const [left, right, eq] = [bindExpr(e.left), bindExpr(e.right), pairOf(e, e.eq, e.left, e.right)];
      return (row, ctx) => isDistinct(left(row, ctx), right(row, ctx), eq, ctx) !== e.negated;
    }
    case 'case':
      return bindCase(e);
    case 'coalesce': {
      const args = e.args.map(bindExpr);
      return (row, ctx) => {
        for (const a of args) {
          const v = a(row, ctx);
          if (v !== null) return v;
        }
        return null;
      };
    }
    case 'nullif': {
      const [left, right, eq] = [bindExpr(e.left), bindExpr(e.right), pairOf(e, e.eq, e.left, e.right)];
      return (row, ctx) => {
        const l = left(row, ctx);
        const r = right(row, ctx);
        if (l === null || r === null) return l;
        return eq([l, r], ctx) === true ? null : l;
      };
    }
    case 'extreme': {
      const args = e.args.map(bindExpr);
      pairOf(e, e.lt, e.args[0], e.args[0]);
      return (row, ctx) =>
        extreme(
          e,
          args.map((a) => a(row, ctx)),
          ctx,
        );
    }
    case 'anyall': {
      const [left, right] = [bindExpr(e.left), bindExpr(e.right)];
      return (row, ctx) => anyAll(e, left(row, ctx), right(row, ctx), ctx);
    }
    case 'array': {
      const items = e.items.map(bindExpr);
      return (row, ctx) =>
        buildArray(
          e,
          items.map((a) => a(row, ctx)),
        );
    }
    case 'subscript':
      return bindSubscript(e);
    case 'row': {
      const items = e.items.map(bindExpr);
      return (row, ctx) =>
        record(
          e,
          items.map((a) => a(row, ctx)),
        );
    }
    case 'field': {
      const arg = bindExpr(e.arg);
      const index = e.index;
      return (row, ctx) => fieldOf(arg(row, ctx), index);
    }
  }
}

function bindCall(e: Node<'call'>): BoundExpr {
  const fn = callOf(e);
  const args = e.args.map(bindExpr);
  const strict = e.strict;
  if (args.length === 1) {
    const a = args[0];
    return (row, ctx) => {
      const x = a(row, ctx);
      return strict && x === null ? null : fn([x], ctx);
    };
  }
  if (args.length === 2) {
    const [a, b] = args;
    return (row, ctx) => {
      const x = a(row, ctx);
      const y = b(row, ctx);
      return strict && (x === null || y === null) ? null : fn([x, y], ctx);
    };
  }
  return (row, ctx) => {
    const values = new Array<Datum>(args.length);
    let sawNull = false;
    for (let i = 0; i < args.length; i++) {
      const v = args[i](row, ctx);
      if (v === null) sawNull = true;
      values[i] = v;
    }
    return strict && sawNull ? null : fn(values, ctx);
  };
}

function bindLogic(e: Node<'and'> | Node<'or'>): BoundExpr {
  const args = e.args.map(bindExpr);
  const decisive = e.k === 'or';
  return (row, ctx) => {
    let sawNull = false;
    for (const a of args) {
      const v = a(row, ctx);
      if (v === decisive) return decisive;
      if (v === null) sawNull = true;
    }
    return sawNull ? null : !decisive;
  };
}

function bindCase(e: Node<'case'>): BoundExpr {
  const whens = e.whens.map((w) => bindExpr(w.when));
  const thens = e.whens.map((w) => bindExpr(w.then));
  const otherwise = e.else ? bindExpr(e.else) : null;
  return (row, ctx) => {
    for (let i = 0; i < whens.length; i++) {
      if (whens[i](row, ctx) === true) return thens[i](row, ctx);
    }
    return otherwise ? otherwise(row, ctx) : null;
  };
}

function bindSubscript(e: Node<'subscript'>): BoundExpr {
  const arg = bindExpr(e.arg);
  const lowers = e.indexes.map((i) => (i.lower ? bindExpr(i.lower) : null));
  const uppers = e.indexes.map((i) => (i.upper ? bindExpr(i.upper) : null));
  return (row, ctx) => {
    const a = arg(row, ctx);
    if (a === null) return null;
    const l = lowers.map((b) => (b ? b(row, ctx) : null));
    const u = uppers.map((b) => (b ? b(row, ctx) : null));
    return subscriptArray(e, a, l, u, ctx);
  };
}

function castValue(e: Node<'cast'>, v: Datum, ctx: EvalContext): Datum {
  if (v === null) return null;
  if (e.element === undefined) return castDatum(v, e.arg.t, e.t, e.explicit, ctx);
  let bound = resolved.get(e);
  if (!bound) {
    const argTypes = [colType(elementType(e.arg.t.oid))];
    bound = resolveCall(e.element, { argTypes, resultType: colType(elementType(e.t.oid)), variadic: false });
    resolved.set(e, bound);
  }
  const convert = bound;
  return castElements(v, e.t, (item) => convert([item], ctx), e.explicit);
}

function isNull(v: Datum, negated: boolean): boolean {
  if (v !== null && typeof v === 'object' && 'k' in v && v.k === 'record') {
    return v.values.every((f) => (f === null) !== negated);
  }
  return (v === null) !== negated;
}

function isDistinct(l: Datum, r: Datum, eq: BoundFunction, ctx: EvalContext): boolean {
  if (l === null || r === null) return l !== r;
  return eq([l, r], ctx) !== true;
}

function extreme(e: Node<'extreme'>, values: Datum[], ctx: EvalContext): Datum {
  const lt = pairOf(e, e.lt, e.args[0], e.args[0]);
  let best: Datum = null;
  for (const v of values) {
    if (v === null) continue;
    if (best === null || lt(e.greatest ? [best, v] : [v, best], ctx) === true) best = v;
  }
  return best;
}

function anyAll(e: Node<'anyall'>, left: Datum, right: Datum, ctx: EvalContext): Datum {
  if (right === null) return null;
  if (typeof right !== 'object' || !('k' in right) || right.k !== 'array') throw new Error('ANY/ALL wants an array');
  if (right.items.length === 0) return e.all;
  if (left === null) return null;
  let fn = resolved.get(e);
  if (!fn) {
    const types = [e.left.t, { oid: right.elem, typmod: -1 }];
    fn = resolveCall(e.fn, { argTypes: types, resultType: e.t, variadic: false });
    resolved.set(e, fn);
  }
  let sawNull = false;
  for (const item of right.items) {
    const v = item === null ? null : fn([left, item], ctx);
    if (v === !e.all) return !e.all;
    if (v === null) sawNull = true;
  }
  return sawNull ? null : e.all;
}

function record(e: Node<'row'>, values: Datum[]): PgRecord {
  return { k: 'record', types: e.items.map((i) => i.t.oid), values, ...(e.names ? { names: e.names } : {}) };
}

function fieldOf(v: Datum, index: number): Datum {
  if (v === null) return null;
  if (typeof v !== 'object' || !('k' in v) || v.k !== 'record') throw new Error('a field of something not a record');
  return v.values[index];
}

function paramValue(n: number, ctx: EvalContext): Datum {
  if (ctx.params === undefined) throw new SqlError('08P01', `no value was bound for parameter $${n}`);
  return ctx.params[n - 1] ?? null;
}
