/** The operators of a path between numbers: exact, as those of numeric. */
import type { Decimal } from '../../../datum.ts';
import { add, divide, modulo, multiply, subtract } from '../../decimal/arithmetic.ts';
import { type Item, isNumber, PathError, soft } from './item.ts';
import type { ArithmeticOperator } from './syntax.ts';

const OPERATIONS: Record<ArithmeticOperator, (a: Decimal, b: Decimal) => Decimal> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': modulo,
};

export function calculate(op: ArithmeticOperator, left: Item[], right: Item[]): Decimal {
  const a = single(left, 'left', op);
  const b = single(right, 'right', op);
  return soft(() => OPERATIONS[op](a, b));
}

function single(items: Item[], side: string, op: string): Decimal {
  const [n] = items;
  if (items.length === 1 && isNumber(n)) return n;
  throw new PathError('22038', `${side} operand of jsonpath operator ${op} is not a single numeric value`);
}
