/** Which variables of a block's tree are those of its DECLARE. */
import type { PgNode, PlpgsqlBody } from '../../../planner/parse/ast.ts';

/** Variables of DECLARE, and FOUND. FOR, CASE and handlers make theirs when they begin; one of DECLARE with such a name stands before them. */
export function declared({ variables, block }: PlpgsqlBody): PgNode[] {
  const made = ['sqlstate', 'sqlerrm'];
  visitLoops(block, (node) => made.push(node.var?.PLpgSQL_var.refname ?? variables[node.t_varno]?.PLpgSQL_var.refname));
  const nameOf = ({ PLpgSQL_var: variable }: PgNode): string | undefined => variable?.refname;
  return variables.filter((variable, i) => {
    const name = nameOf(variable);
    if (name === undefined || !made.includes(name)) return true;
    const alike = variables.filter((other) => nameOf(other) === name).length;
    const isFirst = !variables.slice(0, i).some((other) => nameOf(other) === name);
    return isFirst && !name.startsWith('sql') && alike > made.filter((other) => other === name).length;
  });
}

/** FOR over integers, and CASE. */
function visitLoops(tree: PgNode, visit: (node: PgNode) => void): void {
  for (const [key, value] of Object.entries(tree)) {
    if (key === 'PLpgSQL_stmt_fori' || key === 'PLpgSQL_stmt_case') visit(value);
    if (typeof value === 'object' && value !== null) visitLoops(value, visit);
  }
}
