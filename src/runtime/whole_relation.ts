/** SELECT * FROM a relation, for statements that name it alone. */
import type { SelectNode } from '../../planner/parse/ast.ts';

export function wholeRelation({ schema, name }: { schema?: string; name: string }, text: string): SelectNode {
  const schemaname = schema === undefined ? {} : { schemaname: schema };
  const from = { RangeVar: { ...schemaname, relname: name, inh: true, relpersistence: 'p' } };
  const all = { ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } };
  return {
    select: { targetList: [all], fromClause: [from], limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' },
    text,
  };
}
