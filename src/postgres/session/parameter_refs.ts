/** Where a syntax tree speaks of parameters: `$1` in a simple query refers to nothing. */
import type { SqlError } from '../../../operators/errors.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { errorAt } from '../../../planner/parse/positions.ts';

interface ParamRef {
  number: number;
  location?: number;
}

function find(node: unknown): ParamRef | null {
  if (typeof node !== 'object' || node === null) return null;
  for (const [key, value] of Object.entries(node)) {
    const found = key === 'ParamRef' ? (value as ParamRef) : find(value);
    if (found !== null) return found;
  }
  return null;
}

/** 42P02 for the first parameter of a statement that has no values to give. */
export function noSuchParameter(statement: Statement): SqlError {
  const found = find(statement);
  return errorAt(statement, '42P02', `there is no parameter $${found?.number ?? 1}`, found?.location);
}
