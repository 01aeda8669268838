/**
 * SET a = 1, (b, c) = (SELECT ...): what each column is assigned, and the row with that.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Relation } from '../catalog_reader.ts';
import type { Col } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { bindExprList } from './expr_list.ts';
import { colRef, type Level } from './level.ts';
import { locationOf, rawLocation, syntaxKey } from './node.ts';
import { rowSubquery } from './subquery.ts';
import { assigned, columnPosition, defaultValue } from './target_relation.ts';

export interface Assignment {
  position: number;
  expr: Expr | 'default';
}

/** Binds a SET list. */
export function bindAssignments(level: Level, relation: Relation, list: PgNode[]): Assignment[] {
  // (b, c) = row gives one list item a column, each with the same row: it is bound at the first.
  let row: Assignment['expr'][] = [];
  const exprs = list.map(({ ResTarget: t }): Assignment['expr'] => {
    const multi = t.val.MultiAssignRef;
    if (!multi) return t.val.SetToDefault ? 'default' : level.bindIn('update', t.val);
    const column: number = multi.colno ?? 1;
    if (column === 1) row = rowSource(level, multi);
    return row[column - 1];
  });
  const seen = new Set<number>();
  return list.map(({ ResTarget: target }, i) => {
    const position = columnPosition(level, relation, target);
    if (seen.has(position)) {
      throw level.error('42601', `multiple assignments to same column "${target.name}"`);
    }
    seen.add(position);
    return { position, expr: exprs[i] };
  });
}

/** The row with what is assigned. */
export function assignedRow(level: Level, relation: Relation, old: Col[], assignments: Assignment[]): Expr[] {
  const row: Expr[] = old.map(colRef);
  for (const assignment of assignments) row[assignment.position] = updatedValue(level, relation, assignment);
  return row;
}

/** What an assignment gives its column. */
function updatedValue(level: Level, relation: Relation, { position, expr }: Assignment): Expr {
  if (expr === 'default') return defaultValue(level, relation, position);
  const { name, identity, generated } = relation.columns[position];
  if (identity === 'a' || generated) {
    const what = generated ? 'a generated column' : 'an identity column defined as GENERATED ALWAYS';
    throw level.error('428C9', `column "${name}" can only be updated to DEFAULT`, undefined, {
      detail: `Column "${name}" is ${what}.`,
    });
  }
  return assigned(level, relation, position, expr);
}

/** The values of the row on the right of (a, b) = ... */
function rowSource(level: Level, multi: PgNode): Assignment['expr'][] {
  const { source } = multi;
  const width: number = multi.ncolumns;
  if (source.RowExpr) {
    const items = level.inClause('update', () =>
      ((source.RowExpr.args ?? []) as PgNode[]).flatMap((n): Assignment['expr'][] =>
        n.SetToDefault ? ['default'] : bindExprList(level, [n]),
      ),
    );
    if (items.length !== width) throw wrongWidth(level, source.RowExpr);
    return items;
  }
  const link = source.SubLink;
  if (link?.subLinkType !== 'EXPR_SUBLINK') {
    const message = 'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression';
    throw level.error('0A000', message, rawLocation(source));
  }
  const query = level.inClause('update', () =>
    level.shared.binders.select(level, link.subselect, { resolveUnknown: true, keepOrder: false }),
  );
  if (query.outputs.length !== width) throw wrongWidth(level, link);
  return rowSubquery(level, query, syntaxKey(source), locationOf(link));
}

function wrongWidth(level: Level, node: PgNode): Error {
  return level.error('42601', 'number of columns does not match number of values', locationOf(node));
}
