/**
 * bindQuery: a query statement to its plan, result columns and presentation order.
 */
import type { BoundQuery } from '../logical/plan.ts';
import { refuseTooLarge } from '../logical/written_out.ts';
import type { SelectNode } from '../parse/ast.ts';
import type { BindEnv } from './env.ts';
import { Level } from './level.ts';
import { bindSelect } from './select.ts';
import { guarded, newShared } from './start.ts';

/** Binds a query. Throws SqlError with PostgreSQL's SQLSTATE, text and position (counted from the start of `node.text`). */
export function bindQuery(node: SelectNode, env: BindEnv): BoundQuery {
  return guarded(() => queryAt(new Level(newShared(env), null, node.text, node.seen), node));
}

/** Binds a query within the statement's outermost level. */
export function queryAt(top: Level, node: SelectNode): BoundQuery {
  const { shared } = top;
  const { env } = shared;
  const query = bindSelect(top, { SelectStmt: node.select }, { resolveUnknown: true, keepOrder: env.mode === 'read' });
  refuseTooLarge(query.plan);
  return {
    plan: query.plan,
    columns: query.outputs.map((o) => ({
      col: { ...o.col, name: o.name },
      ...(o.origin ? { origin: o.origin } : {}),
    })),
    order: query.order,
    dependencies: [...shared.dependencies],
    types: [...shared.types],
    parameters: env.paramTypes,
    emitOnWindowClose: node.emitOnWindowClose === true,
    ...(shared.asOf ? { asOf: shared.asOf } : {}),
  };
}
