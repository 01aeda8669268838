/**
 * The order in which PostgreSQL does the actions of one ALTER TABLE, whatever the order in which they are written: what goes, NOT NULL, keys, then what needs
 * these. Columns come before all but what goes (alter_columns.ts).
 */
import type { AlterAction } from '../../planner/parse/ast.ts';

export function inOrder(actions: AlterAction[]): AlterAction[] {
  return [...actions].sort((a, b) => passOf(a) - passOf(b));
}

function passOf(action: AlterAction): number {
  switch (action.k) {
    case 'drop_constraint':
    case 'drop_identity':
      return 0;
    case 'set_not_null':
      return action.notNull ? 1 : 0;
    case 'set_default':
      return action.value === null ? 0 : 3;
    case 'add_key':
      return 2;
    case 'add_check':
    case 'add_identity':
      return 3;
    case 'add_foreign_key':
      return 4;
    default:
      return 5;
  }
}
