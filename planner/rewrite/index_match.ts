/**
 * Whether what a condition says is what an index over expressions, or over a part of the rows, has.
 *
 * Expressions are compared by their structure, as the rewrite rules leave them. A condition f implies p when p is true for every row for which f is:
 *
 *   p is f, or an arm of it is (OR)      x < 5 implies x IS NOT NULL      x = 'a' implies what p is for 'a'      an OR implies what all its arms imply
 *
 * What is not understood is not implied: then the index is not used, which is right, too.
 */
import { isPgArray } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { isTrueOf } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { commutatorOf, comparisonOf, isEquality, volatilityOf } from '../analyse/functions.ts';
import { areTexts, asKey, isSameKind, narrowestOf } from '../analyse/key_values.ts';
import type { IndexShape, Relation } from '../catalog_reader.ts';
import { columnsOf, conjuncts, constant, rewriteExpr, sameExpr } from '../logical/expressions.ts';
import { foldExpr } from './fold_constants.ts';
import { simplifyExpr } from './simplify_boolean.ts';

/** Values of these types that are equal are the same in everything. */
const EXACT = new Set<number>([
  OID.bool,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.text,
  OID.varchar,
  OID.date,
  OID.timestamp,
  OID.timestamptz,
  OID.uuid,
]);

/** As the rewrite rules leave it. Constants of comparisons stand on the right. */
export function settled(e: Expr): Expr {
  return rewriteExpr(simplifyExpr(foldExpr(e)), (x) => {
    if (x.k !== 'call' || x.args.length !== 2 || x.args[0].k !== 'const' || x.args[1].k === 'const') return x;
    const fn = commutatorOf(x.fn);
    return fn === null ? x : { ...x, fn, args: [x.args[1], x.args[0]] };
  });
}

const shapes = new WeakMap<IndexShape, IndexShape>();

/** The shape with settled expressions. */
export function settledShape(shape: IndexShape): IndexShape {
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  const made = { ...shape, keys: shape.keys.map(settled), where: shape.where === null ? null : settled(shape.where) };
  shapes.set(shape, made);
  return made;
}

/**
 * What else must be true for every row for which all of these are to be in the index; null: that is not known. All is settled, over positions of the relation's columns; what else there is is said of
 * parameters.
 */
export function neededFor({ where }: IndexShape, given: Expr[], { columns }: Relation): Expr[] | null {
  const needed: Expr[] = [];
  for (const p of conjuncts(where)) {
    if (p.k === 'isnull' && p.negated && p.arg.k === 'col' && columns[p.arg.id].notNull) continue;
    if (implied(given, p)) continue;
    const ofParameter = saidOfParameter(given, p);
    if (ofParameter === null) return null;
    needed.push(ofParameter);
  }
  return needed;
}

/** Where a column is to be equal to a parameter, and p is of that column alone: what p says of the parameter. */
function saidOfParameter(given: Expr[], p: Expr): Expr | null {
  const [id, ...others] = columnsOf(p);
  if (id === undefined || others.length > 0 || volatilityOf(p) !== 'i') return null;
  for (const f of given) {
    if (f.k !== 'call' || f.args.length !== 2 || !isEquality(f.fn)) continue;
    for (const [side, value] of [f.args, [f.args[1], f.args[0]]]) {
      const x = exactColumn(side);
      if (x?.id !== id || value.k !== 'param') continue;
      if (value.t.oid !== x.t.oid && !areTexts(value.t.oid, x.t.oid)) continue;
      return rewriteExpr(p, (e) => (e.k === 'col' ? { ...value, t: e.t } : e));
    }
  }
  return null;
}

function implied(given: Expr[], p: Expr): boolean {
  if (p.k === 'and') return p.args.every((arg) => implied(given, arg));
  if (p.k === 'or' && p.args.some((arm) => implied(given, arm))) return true;
  return given.some((f) => implies(f, p));
}

function implies(f: Expr, p: Expr): boolean {
  if (sameExpr(f, p)) return true;
  if (f.k === 'or') return f.args.every((arm) => implied(conjuncts(arm), p));
  if (p.k === 'isnull' && p.negated) return isTrueOnlyWith(f, p.arg);
  return impliedByLimit(f, p) || impliedByValues(f, p);
}

/** Whether f is true only where x is not NULL. */
function isTrueOnlyWith(f: Expr, x: Expr): boolean {
  if (f.k === 'anyall') return !f.all && isNullWith(f.left, x);
  return isNullWith(f.k === 'isnull' && f.negated ? f.arg : f, x);
}

/** Whether e is NULL where x is. */
function isNullWith(e: Expr, x: Expr): boolean {
  if (sameExpr(e, x)) return true;
  if (e.k === 'call') return e.strict && e.args.some((arg) => isNullWith(arg, x));
  return (e.k === 'cast' || e.k === 'not') && isNullWith(e.arg, x);
}

/** x > 9 says that x > 5: what p says of the limit itself, it says of all beyond. */
function impliedByLimit(f: Expr, p: Expr): boolean {
  if (f.k !== 'call' || p.k !== 'call' || f.args.length !== 2 || p.args.length !== 2) return false;
  const [x, limit] = f.args;
  if (limit.k !== 'const' || !isSameKind(limit.t.oid, x.t.oid) || p.args[1].k !== 'const') return false;
  const value = asKey(limit.v, x.t.oid);
  if (value === null) return false;
  const [own, asked] = [comparisonOf(f.fn)?.name.at(0), comparisonOf(p.fn)?.name];
  const isSide = (own === '<' && comparisonOf(f.fn)?.name !== '<>') || own === '>';
  if (!isSide || asked === undefined || asked === '<>' || asked.at(0) !== own || !sameExpr(x, p.args[0])) return false;
  return isTrueOf({ ...p, args: [constant(value, x.t), p.args[1]] }, [], defaultContext());
}

/** `f` says that x is one of some constants, and `p` is true for each of these. */
function impliedByValues(f: Expr, p: Expr): boolean {
  const values = valuesOf(f);
  if (values === null || volatilityOf(p) !== 'i') return false;
  const { x, is } = values;
  const read = columnsOf(p);
  if (read.size !== 1 || !read.has(x.id)) return false;
  return is.every((value) =>
    isTrueOf(
      rewriteExpr(p, (e) => (e.k === 'col' ? constant(value, e.t) : e)),
      [],
      defaultContext(),
    ),
  );
}

type Column = Extract<Expr, { k: 'col' }>;

/** A column and all values that it has where `f` is true. */
function valuesOf(f: Expr) {
  if (f.k === 'call' && f.args.length === 2 && isEquality(f.fn)) {
    const x = exactColumn(f.args[0]);
    const [, value] = f.args;
    if (x === null || value.k !== 'const' || !isSameKind(value.t.oid, x.t.oid)) return null;
    return { x, is: [value.v].map((v) => asKey(v, x.t.oid)).filter((v) => v !== null) };
  }
  if (f.k !== 'anyall' || f.all || !isEquality(f.fn)) return null;
  const x = exactColumn(f.left);
  const { right } = f;
  if (x === null || right.k !== 'const' || !isPgArray(right.v) || !isSameKind(right.v.elem, x.t.oid)) return null;
  return { x, is: right.v.items.map((v) => asKey(v, x.t.oid)).filter((v) => v !== null) };
}

function exactColumn(e: Expr): Column | null {
  const x = narrowestOf(e);
  return x.k === 'col' && EXACT.has(x.t.oid) ? x : null;
}

/** The index's keys among the arguments of equalities: for each key the other side; null: not all of them are compared. */
export function keyValuesIn({ keys }: IndexShape, given: Expr[], asKey: (value: Expr, oid: number) => Expr | null) {
  const values = keys.map((key) => {
    for (const f of given) {
      const value = comparedWith(f, key, asKey);
      if (value !== null) return value;
    }
    return null;
  });
  return values.includes(null) ? null : (values as Expr[]);
}

function comparedWith(f: Expr, key: Expr, asKey: (value: Expr, oid: number) => Expr | null): Expr | null {
  if (f.k === 'call' && f.args.length === 2 && isEquality(f.fn)) {
    for (const [x, other] of [f.args, [f.args[1], f.args[0]]]) {
      if (sameExpr(x, key) || sameExpr(narrowestOf(x), key)) return asKey(other, key.t.oid);
    }
  }
  // A condition that is a key itself.
  if (key.t.oid !== OID.bool) return null;
  if (sameExpr(f, key)) return constant(true, key.t);
  return f.k === 'not' && sameExpr(f.arg, key) ? constant(false, key.t) : null;
}
