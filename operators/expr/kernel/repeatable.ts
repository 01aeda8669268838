/** Which expressions a kernel may compute once for all places where they stand. */
import type { Expr } from '../ir.ts';
import { templates } from './templates.ts';

/** True when computing the expression again gives the same: all its functions have templates, which are pure. */
export function isRepeatable(e: Expr): boolean {
  switch (e.k) {
    case 'col':
    case 'const':
      return true;
    case 'call':
      return templates.has(e.fn) && e.args.every(isRepeatable);
    case 'subscript':
      return e.arg.k === 'call' && e.arg.fn.startsWith('regexp_match(') && e.arg.args.every(isRepeatable);
    case 'cast':
    case 'not':
    case 'isnull':
    case 'istruth':
      return isRepeatable(e.arg);
    case 'and':
    case 'or':
    case 'coalesce':
      return e.args.every(isRepeatable);
    default:
      return false;
  }
}
