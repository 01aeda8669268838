/**
 * A logical plan as text, one node a line, inputs indented under it. Columns are written name#id, so that correlation shows.
 *
 *   project x#3=a#1
 *     filter a#1 > 5
 *       get t a#1 b#2
 */

import type { Expr } from '../../operators/expr/ir.ts';
import type { WindowFrame } from '../../operators/plan.ts';
import { outputColumns } from './columns.ts';
import { datumText, exprText } from './expr_text.ts';
import type { Col, Logical, LogicalAggregate, LogicalWindow, OrderItem } from './plan.ts';
import { planInputs, visitPlan } from './walk.ts';

/** The lines of a plan. A node that is used several times is printed once; later uses refer to its number. */
export function printLogical(plan: Logical): string {
  const names = new Map<number, string>();
  const uses = new Map<Logical, number>();
  const below = (p: Logical): Logical[] => (p.op === 'once' ? [p.item.plan] : planInputs(p));
  const look = (p: Logical): void => {
    for (const c of outputColumns(p)) names.set(c.id, c.name);
    for (const input of below(p)) uses.set(input, (uses.get(input) ?? 0) + 1);
    if (p.op === 'once') visitPlan(p.item.plan, look);
  };
  visitPlan(plan, look);
  const printer = new Printer(names);
  const numbers = new Map<Logical, number>();
  const lines = (p: Logical, depth: number): string[] => {
    const indent = '  '.repeat(depth);
    const known = numbers.get(p);
    if (known !== undefined) return [`${indent}shared ${known}`];
    const isShared = (uses.get(p) ?? 0) > 1 && p.op !== 'get' && p.op !== 'values';
    if (isShared) numbers.set(p, numbers.size + 1);
    const mark = isShared ? ` (shared ${numbers.get(p)})` : '';
    return [indent + printer.node(p) + mark, ...below(p).flatMap((i) => lines(i, depth + 1))];
  };
  return lines(plan, 0).join('\n');
}

class Printer {
  private readonly names: Map<number, string>;

  constructor(names: Map<number, string>) {
    this.names = names;
  }

  private id = (id: number): string => `${this.names.get(id) ?? '?'}#${id}`;
  private expr = (e: Expr): string => exprText(e, this.id);
  private exprs = (es: Expr[]): string => es.map(this.expr).join(', ');
  private cols = (cols: Col[]): string => cols.map((c) => this.id(c.id)).join(' ');

  private order(items: OrderItem[]): string {
    return items.map((o) => this.expr(o.expr) + direction(o.desc, o.nullsFirst)).join(', ');
  }

  private item = (i: { col: Col; expr: Expr }): string =>
    i.expr.k === 'col' && i.expr.id === i.col.id ? this.id(i.col.id) : `${this.id(i.col.id)}=${this.expr(i.expr)}`;

  private aggregate = (a: LogicalAggregate): string => {
    const order = a.orderBy.length > 0 ? ` order by ${this.order(a.orderBy)}` : '';
    const filter = a.filter ? ` filter ${this.expr(a.filter)}` : '';
    return `${this.id(a.out.id)}=${bare(a.fn)}(${a.distinct ? 'distinct ' : ''}${this.exprs(a.args)}${order})${filter}`;
  };

  private window = (w: LogicalWindow): string => {
    const parts = [
      w.partition.length > 0 ? `partition by ${this.exprs(w.partition)}` : '',
      w.order.length > 0 ? `order by ${this.order(w.order)}` : '',
      frameText(w.frame),
    ];
    const filter = w.filter ? ` filter ${this.expr(w.filter)}` : '';
    const over = parts.filter((x) => x !== '').join(' ');
    return `${this.id(w.out.id)}=${bare(w.fn)}(${this.exprs(w.args)})${filter} over (${over})`;
  };

  /** One node without its inputs. */
  node(p: Logical): string {
    switch (p.op) {
      case 'get':
        return `get ${p.relation.name} ${this.cols(p.cols)}`;
      case 'values':
        return p.cols.length === 0
          ? 'one row'
          : `values ${this.cols(p.cols)}: ${p.rows.map((r) => `(${this.exprs(r)})`).join(', ')}`;
      case 'filter':
        return `filter ${this.expr(p.predicate)}`;
      case 'project':
        return `project ${p.items.map(this.item).join(', ')}`;
      case 'join':
        return `join ${p.kind}${p.on ? ` on ${this.expr(p.on)}` : ''}`;
      case 'apply':
        return this.apply(p);
      case 'aggregate':
        return this.group(p);
      case 'window':
        return `window ${p.windows.map(this.window).join(', ')}`;
      case 'distinct':
        return 'distinct';
      case 'setop':
        return `${p.kind}${p.all ? ' all' : ''} ${this.cols(p.cols)}`;
      case 'topn':
        return this.topn(p);
      case 'tablefunc': {
        const out = [...p.cols, ...(p.ordinality ? [p.ordinality] : [])];
        return `tablefunc${p.left ? ' left' : ''} ${this.cols(out)}=${bare(p.fn)}(${this.exprs(p.args)})`;
      }
      case 'timewindow': {
        const keys = p.keys.length > 0 ? ` by ${p.keys.map(this.id).join(' ')}` : '';
        const sizes = `size ${p.size} slide ${p.slide} offset ${p.offset}`;
        return `${p.kind} ${this.id(p.start.id)} ${this.id(p.end.id)} of ${this.id(p.time)} ${sizes}${keys}`;
      }
      case 'asof': {
        const test = `${this.id(p.leftTime)} ${p.strict ? '>' : '>='} ${this.id(p.rightTime)}`;
        return `asof ${p.leftOuter ? 'left' : 'inner'} on ${this.expr(p.on)} time ${test}`;
      }
      case 'recursive':
        return `recursive ${p.id} ${p.all ? 'all ' : ''}${this.cols(p.cols)}`;
      case 'working':
        return `working ${p.id} ${this.cols(p.cols)}`;
      case 'once':
        return `once ${p.item.id} ${p.cols.map((c, i) => `${this.id(c.id)}=${this.id(p.item.outputs[p.columns[i]].id)}`).join(' ')}`;
      case 'single_row':
        return `single row per (${p.keys.map(this.id).join(' ')})`;
      case 'temporal': {
        const bound = (id: number | null): string => (id === null ? '-' : this.id(id));
        return `temporal from ${bound(p.from)} until ${bound(p.until)}`;
      }
    }
  }

  private apply(p: Logical & { op: 'apply' }): string {
    if (!('out' in p)) return `apply ${p.kind}${p.on ? ` on ${this.expr(p.on)}` : ''}`;
    if (p.kind !== 'in') return `apply ${p.kind} ${this.id(p.out.id)}`;
    const quantifier = p.all ? 'all' : 'any';
    return `apply in ${this.id(p.out.id)}=(${this.exprs(p.test)}) ${p.fn.map(bare).join(', ')} ${quantifier}`;
  }

  private group(p: Logical & { op: 'aggregate' }): string {
    const keys = p.keys.length > 0 ? ` by ${p.keys.map(this.item).join(', ')}` : '';
    const sets = p.groupingSets ? ` sets ${p.groupingSets.map((s) => `(${s.join(' ')})`).join(' ')}` : '';
    const grouping = (p.grouping ?? []).map((g) => `${this.id(g.out.id)}=grouping(${g.keys.join(' ')})`);
    const calls = [...p.aggregates.map(this.aggregate), ...grouping].join(', ');
    return `aggregate${keys}${sets}${calls ? `: ${calls}` : ''}`;
  }

  private topn(p: Logical & { op: 'topn' }): string {
    const parts = [
      p.partition.length > 0 ? `per (${this.exprs(p.partition)})` : '',
      p.order.length > 0 ? `order by ${this.order(p.order)}` : '',
      p.offset ? `offset ${this.expr(p.offset)}` : '',
      p.limit ? `limit ${this.expr(p.limit)}` : '',
      p.withTies ? 'with ties' : '',
    ];
    return `topn ${parts.filter((x) => x !== '').join(' ')}`;
  }
}

function bare(fn: string): string {
  return fn.slice(0, fn.indexOf('('));
}

function direction(desc: boolean, nullsFirst: boolean): string {
  return `${desc ? ' desc' : ''}${nullsFirst === desc ? '' : nullsFirst ? ' nulls first' : ' nulls last'}`;
}

function frameText(f: WindowFrame): string {
  const bound = (b: WindowFrame['start']): string => {
    if (b.k === 'current') return 'current';
    if (b.k === 'unboundedPreceding' || b.k === 'unboundedFollowing') return 'unbounded';
    return `${datumText(b.offset)} ${b.k}`;
  };
  const exclude = f.exclude === 'none' ? '' : ` exclude ${f.exclude}`;
  const text = `${f.mode} ${bound(f.start)}..${bound(f.end)}${exclude}`;
  return text === 'range unbounded..current' ? '' : text;
}
