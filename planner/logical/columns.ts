/**
 * Which columns a logical plan node gives, and which it takes from outside (correlation).
 */
import type { Col, Logical } from './plan.ts';

/** The output columns of a node, in order. */
export function outputColumns(p: Logical): Col[] {
  switch (p.op) {
    case 'get':
    case 'values':
    case 'setop':
    case 'recursive':
    case 'working':
    case 'once':
      return p.cols;
    case 'topn':
      return p.rank ? [...outputColumns(p.input), p.rank.out] : outputColumns(p.input);
    case 'filter':
    case 'distinct':
    case 'single_row':
    case 'temporal':
      return outputColumns(p.input);
    case 'project':
      return p.items.map((i) => i.col);
    case 'join':
      return p.kind === 'semi' || p.kind === 'anti'
        ? outputColumns(p.left)
        : [...outputColumns(p.left), ...outputColumns(p.right)];
    case 'asof':
      return [...outputColumns(p.left), ...outputColumns(p.right)];
    case 'apply':
      return 'out' in p ? [...outputColumns(p.left), p.out] : [...outputColumns(p.left), ...outputColumns(p.right)];
    case 'aggregate':
      return [...p.keys.map((k) => k.col), ...p.aggregates.map((a) => a.out), ...(p.grouping ?? []).map((g) => g.out)];
    case 'window':
      return [...outputColumns(p.input), ...p.windows.map((w) => w.out)];
    case 'tablefunc':
      return [...outputColumns(p.input), ...p.cols, ...(p.ordinality ? [p.ordinality] : [])];
    case 'timewindow':
      return [...outputColumns(p.input), p.start, p.end];
  }
}

/** A one-row plan without columns: FROM of a SELECT that has none. */
export function oneRow(): Logical {
  return { op: 'values', rows: [[]], cols: [] };
}
