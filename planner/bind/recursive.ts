/**
 * WITH RECURSIVE: base UNION [ALL] step, where step reads the working table.
 */
import type { Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { formatType } from '../types/type_name.ts';
import type { Level, Output } from './level.ts';
import { locationOf, names } from './node.ts';
import { checkRecursiveForm } from './recursive_form.ts';
import { converted, matchColumns } from './set_operation.ts';
import { visibleOnly } from './visible.ts';

/** Binds a WITH item that refers to itself; `scope` is a level of its own. */
export function bindRecursive(scope: Level, c: PgNode): { plan: Logical; outputs: Output[] } {
  const name: string = c.ctename;
  const stmt = c.ctequery.SelectStmt;
  checkRecursiveForm(scope, c, stmt);
  const { shared } = scope;
  const id = shared.newId();
  const options = { resolveUnknown: true, keepOrder: false };
  const baseQuery = shared.binders.select(scope, { SelectStmt: stmt.larg }, options);
  const given = names(c.aliascolnames);
  if (given.length > baseQuery.outputs.length) {
    throw scope.error(
      '42P10',
      `WITH query "${name}" has ${baseQuery.outputs.length} columns available but ${given.length} columns specified`,
      locationOf(c),
    );
  }
  const base = {
    plan: visibleOnly(baseQuery),
    outputs: baseQuery.outputs.map((o, i) => ({ ...o, name: given[i] ?? o.name, origin: undefined })),
  };
  scope.ctes.set(name, {
    name,
    use: () => {
      const cols = base.outputs.map((o) => shared.newCol(o.name, o.col.type));
      return { plan: { op: 'working', id, cols }, outputs: cols.map((col) => ({ name: col.name, col })) };
    },
  });
  const stepQuery = shared.binders.select(scope, { SelectStmt: stmt.rarg }, { ...options, resolveUnknown: false });
  const step = { plan: visibleOnly(stepQuery), outputs: stepQuery.outputs };
  const types = matchColumns(scope, base, step, 'UNION');
  types.forEach((t, i) => {
    const own = base.outputs[i].col.type;
    if (own.oid === t.oid) return;
    const message = `recursive query "${name}" column ${i + 1} has type ${formatType(own.oid)} in non-recursive term but type ${formatType(t.oid)} overall`;
    throw scope.error('42804', message, base.outputs[i].location, {
      hint: 'Cast the output of the non-recursive term to the correct type.',
    });
  });
  const cols = base.outputs.map((o) => shared.newCol(o.name, o.col.type));
  const plan: Logical = {
    op: 'recursive',
    id,
    base: base.plan,
    step: converted(scope, step, types, 'UNION'),
    all: stmt.all === true,
    cols,
  };
  return { plan, outputs: cols.map((col) => ({ name: col.name, col })) };
}
