/** What a foreign key does, in the words of SQL. */
import type { ReferentialAction } from '../../../planner/parse/ast.ts';

export const ACTIONS: Record<ReferentialAction, string> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};
