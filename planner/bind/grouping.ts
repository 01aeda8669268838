/**
 * The aggregate step of a SELECT. Above it only grouping expressions and aggregates exist: every expression is rewritten in terms
 * of them, and a column that is neither is error 42803. A column that the grouped primary key determines becomes a key too.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { mapExpr, mapExprsDeep, planExprs, planInputs, visitExpr } from '../logical/walk.ts';
import type { GroupClause } from './group_clause.ts';
import { type ColumnInfo, colRef, type Level, type NamespaceItem, type SetFunction } from './level.ts';
import { subqueryOf } from './subquery.ts';
import { meaningText } from './target.ts';

interface Key {
  col: Col;
  expr: Expr;
  text: string;
}

export class Grouping {
  private readonly level: Level;
  private readonly keys: Key[];
  private readonly sets: number[][] | null;
  /** Window calls whose arguments are rewritten. */
  private readonly rewritten = new Set<number>();
  /** Set-returning functions that run below the aggregate, or whose arguments are rewritten. */
  private readonly below: Set<SetFunction>;
  /** Positions of keys that are in every grouping set: these may determine other columns. */
  private readonly common: number[];

  constructor(level: Level, clause: GroupClause | null, below: ReadonlySet<SetFunction>) {
    this.level = level;
    this.below = new Set(below);
    const exprs = clause?.keys ?? [];
    this.sets = clause?.sets ?? null;
    this.keys = exprs.map((expr) => this.newKey(expr));
    this.common = this.keys.map((_, i) => i).filter((i) => !this.sets || this.sets.every((s) => s.includes(i)));
  }

  private newKey(expr: Expr): Key {
    const info = expr.k === 'col' ? this.level.shared.columns.get(expr.id) : undefined;
    const name = info?.label.slice(info.label.indexOf('.') + 1) ?? 'key';
    const col = this.level.newCol(name, expr.t, { kind: 'aggregate', label: name, shape: info?.shape });
    return { col, expr, text: meaningText(this.level, expr) };
  }

  /** Rewrites an expression to stand above the aggregate step. */
  rewrite(expr: Expr): Expr {
    if (expr.k === 'const' || expr.k === 'param') return expr;
    const simple = this.keys.every((k) => k.expr.k === 'col');
    return mapExpr(expr, (x) => this.replace(x, simple));
  }

  private replace(x: Expr, simple: boolean): Expr | null {
    const { level } = this;
    if (x.k === 'const' || x.k === 'param') return null;
    if (x.k !== 'col' && simple) return null;
    const text = meaningText(level, x);
    const key = this.keys.find((k) => k.text === text);
    // Without a location: PostgreSQL gives none for grouped columns either.
    if (key) return colRef(key.col);
    if (x.k !== 'col') return null;
    const sub = subqueryOf(level, x.id);
    if (sub && !sub.grouped && level.subqueries.get(x.id) === sub) {
      sub.grouped = true;
      sub.test = sub.test.map((t) => this.rewrite(t));
      if (sub.kind !== 'call') this.checkTopDown(sub.right);
      sub.right = mapExprsDeep(sub.right, (e) =>
        mapExpr(e, (inner) => {
          if (inner.k === 'col') return this.replaceColumn(inner, true);
          return sub.kind === 'call' ? this.keyFor(inner) : null;
        }),
      );
    }
    this.rewriteArguments(x.id);
    return this.replaceColumn(x, false);
  }

  /** An argument may be what the query is grouped by. */
  private keyFor(x: Expr): Expr | null {
    if (x.k === 'const' || x.k === 'param') return null;
    const text = meaningText(this.level, x);
    const key = this.keys.find((k) => k.text === text);
    return key ? colRef(key.col) : null;
  }

  /** Checks the columns of a subquery from its select list down, so that PostgreSQL's first error is the one reported. */
  private checkTopDown(plan: Logical): void {
    for (const e of planExprs(plan)) {
      visitExpr(e, (x) => {
        if (x.k === 'col') this.replaceColumn(x, true);
        return true;
      });
    }
    for (const input of planInputs(plan)) this.checkTopDown(input);
  }

  /** Window functions and set-returning functions stand above the aggregate: their arguments are rewritten where they are met. */
  private rewriteArguments(id: number): void {
    if (this.level.shared.columns.get(id)?.level !== this.level || this.rewritten.has(id)) return;
    this.rewritten.add(id);
    const window = this.level.windows.find((w) => w.call.out.id === id)?.call;
    if (window) {
      window.args = window.args.map((a) => this.rewrite(a));
      window.filter = window.filter && this.rewrite(window.filter);
    }
    const set = [...this.level.setFunctions.values()].find((f) => f.cols.some((c) => c.id === id));
    if (!set || this.below.has(set)) return;
    this.below.add(set);
    set.args = set.args.map((a) => this.rewrite(a));
  }

  private replaceColumn(x: Expr & { k: 'col' }, inSubquery: boolean): Expr | null {
    const info = this.level.shared.columns.get(x.id);
    if (info?.level !== this.level || info.kind !== 'from') return null;
    const text = meaningText(this.level, x);
    const known = this.keys.find((k) => k.text === text);
    if (known) return colRef(known.col);
    if (info.item && this.determined(info, info.item)) {
      const key = this.newKey({ k: 'col', id: x.id, t: x.t });
      const position = this.keys.push(key) - 1;
      for (const s of this.sets ?? []) s.push(position);
      return colRef(key.col);
    }
    const message = inSubquery
      ? `subquery uses ungrouped column "${info.label}" from outer query`
      : `column "${info.label}" must appear in the GROUP BY clause or be used in an aggregate function`;
    throw this.level.error('42803', message, this.level.shared.locations.get(x));
  }

  /** True when the primary key of the column's table is among the grouping columns. */
  private determined(info: ColumnInfo, item: NamespaceItem): boolean {
    const relation = item.relation;
    if (relation?.kind !== 'table' || !relation.key || !info.origin) return false;
    return relation.key.every((position) =>
      this.common.some((i) => {
        const { expr } = this.keys[i];
        const key = expr.k === 'col' ? this.level.shared.columns.get(expr.id) : undefined;
        return key?.item === item && key.origin?.attnum === position + 1;
      }),
    );
  }

  /** The aggregate node. Call after everything above it has been rewritten. */
  node(input: Logical): Logical {
    // Direct arguments have one value a group; they are taken from any of its rows.
    for (const { call, direct } of this.level.aggregates) {
      if (direct) for (const arg of call.args) this.rewrite(arg);
    }
    const grouping = this.level.grouping.map((g) => ({
      out: g.out,
      keys: g.args.map((a) => {
        const text = meaningText(this.level, a);
        const position = this.keys.findIndex((k) => k.text === text);
        if (position >= 0) return position;
        const message = 'arguments to GROUPING must be grouping expressions of the associated query level';
        throw this.level.error('42803', message, this.level.shared.locations.get(a) ?? g.location);
      }),
    }));
    return {
      op: 'aggregate',
      input,
      keys: this.keys.map(({ col, expr }) => ({ col, expr })),
      aggregates: this.level.aggregates.map((a) => a.call),
      ...(this.sets ? { groupingSets: this.sets } : {}),
      ...(grouping.length > 0 ? { grouping } : {}),
    };
  }
}
