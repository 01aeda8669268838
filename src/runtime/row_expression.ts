/** Expressions that statements and the catalog have outside of queries: over the columns of one row (CHECK, GENERATED, USING), or over none (DEFAULT). */
import { type BoundExpr, bindExpr } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { volatilityOf } from '../../planner/analyse/functions.ts';
import { bindScalar } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { rewriteExpr } from '../../planner/logical/expressions.ts';
import type { Col } from '../../planner/logical/plan.ts';
import { visitExpr } from '../../planner/logical/walk.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** Binds one as bindScalar() does, without parameters. */
export function bindAlone(
  engine: TidemarkEngine,
  node: PgNode,
  text: string,
  session: SessionContext,
  options: Parameters<typeof bindScalar>[3],
): Expr {
  return bindScalar(node, text, { ...engine.bindEnv(session, [], 'read'), allowParams: false }, options);
}

/** The columns that an expression over a row may name; their ids are positions. */
export function rowColumns({ columns }: Relation): Col[] {
  return columns.flatMap(({ name, type, dropped }, id) => (dropped ? [] : [{ id, name, type }]));
}

/** Positions of the columns, in the order in which the expression names them. */
export function columnsOf(expr: Expr): number[] {
  const columns: number[] = [];
  visitExpr(expr, (x) => {
    if (x.k === 'col' && !columns.includes(x.id)) columns.push(x.id);
    return true;
  });
  return columns;
}

export function isImmutable(expr: Expr): boolean {
  return volatilityOf(rewriteExpr(expr, concatenation)) === 'i';
}

/** text || any, which PostgreSQL writes out as text || any::text: whether it is immutable hangs on the cast. */
function concatenation(e: Expr): Expr {
  if (e.k !== 'call' || !/^(textanycat|anytextcat)\(/.test(e.fn)) return e;
  const text = colType(OID.text);
  const args = e.args.map((arg): Expr => (arg.t.oid === OID.text ? arg : { k: 'cast', arg, t: text, explicit: false }));
  return { ...e, fn: 'textcat(text,text)', args };
}

const evaluators = new WeakMap<Expr, BoundExpr>();

/** What evaluates an expression that stays, made once. */
export function evaluatorOf(expr: Expr): BoundExpr {
  const known = evaluators.get(expr);
  if (known !== undefined) return known;
  const made = bindExpr(expr);
  evaluators.set(expr, made);
  return made;
}
