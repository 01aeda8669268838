/** The direct subexpressions of an expression, left to right. */
import type { Expr } from './ir.ts';

export function children(e: Expr): Expr[] {
  switch (e.k) {
    case 'col':
    case 'const':
    case 'param':
      return [];
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
    case 'extreme':
      return e.args;
    case 'cast':
    case 'not':
    case 'isnull':
    case 'istruth':
    case 'field':
      return [e.arg];
    case 'distinct':
    case 'nullif':
    case 'anyall':
      return [e.left, e.right];
    case 'case': {
      const arms = e.whens.flatMap((w) => [w.when, w.then]);
      return e.else === null ? arms : [...arms, e.else];
    }
    case 'array':
    case 'row':
      return e.items;
    case 'subscript':
      return [e.arg, ...e.indexes.flatMap((i) => [i.lower, i.upper]).filter((x) => x !== null)];
  }
}
