/**
 * Where an expression starts in the text: the leftmost of its own token and its operands, as PostgreSQL's exprLocation has it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { exprChildren } from '../logical/walk.ts';
import type { Level } from './level.ts';

/** Byte offset of the start of a bound expression; undefined when unknown. */
export function exprLocation(level: Level, e: Expr): number | undefined {
  const own = level.shared.locations.get(e);
  switch (e.k) {
    case 'col':
    case 'const':
    case 'param':
    case 'case':
    case 'coalesce':
    case 'extreme':
    case 'array':
    case 'row':
      return own;
    case 'subscript':
    case 'field':
      return exprLocation(level, e.arg);
    default: {
      let least = own;
      for (const child of exprChildren(e)) {
        const at = exprLocation(level, child);
        if (at !== undefined && (least === undefined || at < least)) least = at;
      }
      return least;
    }
  }
}
