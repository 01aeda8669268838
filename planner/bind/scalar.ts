/**
 * bindScalar: one expression outside a query.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import type { Col } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { typeWords } from '../types/type_name.ts';
import { clauseName } from './clause.ts';
import { resolveUnknown, toBoolean, tryCoerce, typeOf } from './coercion.ts';
import type { BindEnv } from './env.ts';
import { namespaceItem } from './from_item.ts';
import { colRef, Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { guarded, newShared } from './start.ts';

export interface ScalarOptions {
  /** Columns the expression may name. */
  columns?: Col[];
  /** The relation whose columns they are, where it may stand before their names. */
  relation?: string;
  /** Type that the value is coerced to. */
  target?: ColType;
  /** How: default 'assignment'. */
  context?: 'implicit' | 'assignment' | 'explicit';
  /** Where the expression stands, for errors: `aggregate functions are not allowed in DEFAULT expressions`. */
  place?:
    | 'default'
    | 'execute'
    | 'option'
    | 'check'
    | 'generated'
    | 'transform'
    | 'index_expression'
    | 'index_predicate';
  /** The error of what does not become `target`: its message, and a hint. */
  refused?: (to: string, from: string) => { message: string; hint?: string };
}

/** What the place is called where a subquery is refused. */
const SUBQUERY_REFUSED: Record<string, string | undefined> = {
  check: 'check constraint',
  generated: 'column generation expression',
  index_expression: 'index expression',
  index_predicate: 'index predicate',
};

/** Binds one expression outside a query (DEFAULT, options, EXECUTE arguments). No subqueries, aggregates or windows. */
export function bindScalar(node: PgNode, text: string, env: BindEnv, options: ScalarOptions = {}): Expr {
  return guarded(() => bindAlone(node, text, env, options));
}

function bindAlone(node: PgNode, text: string, env: BindEnv, options: ScalarOptions): Expr {
  // Kept expressions know nothing of the block that uses them.
  const level = new Level(newShared({ ...env, variables: undefined }), null, text);
  const columns = options.columns ?? [];
  const item = namespaceItem(
    options.relation ?? '',
    columns.map((c) => ({ name: c.name, expr: colRef(c) })),
  );
  item.relVisible = options.relation !== undefined;
  level.namespace = [item];
  for (const c of columns) level.own(c, { kind: 'from', label: c.name, item });
  const bound = level.bindIn(options.place ?? 'option', node);
  visitExpr(bound, (x) => {
    const kind = x.k === 'col' ? level.shared.columns.get(x.id)?.kind : 'from';
    const what = SUBQUERY_REFUSED[String(options.place)];
    if (kind === 'subquery' && what !== undefined) {
      throw level.error('0A000', `cannot use subquery in ${what}`, level.shared.locations.get(x));
    }
    if (kind !== 'from') {
      const place = clauseName(options.place ?? 'option');
      throw level.error('0A000', `set-returning functions are not allowed in ${place}`, level.shared.locations.get(x));
    }
    return true;
  });
  if (options.place === 'check') return toBoolean(level, bound, 'CHECK');
  if (options.place === 'index_predicate') return toBoolean(level, bound, 'WHERE');
  if (!options.target) return resolveUnknown(level, bound);
  const out = tryCoerce(level, bound, options.target, options.context ?? 'assignment');
  if (out) return out;
  const [to, from] = [options.target, typeOf(level, bound)].map((t) => typeWords(t));
  const { message, hint } = options.refused?.(to, from) ?? {
    message: `expression is of type ${from}, which cannot become ${to}`,
    hint: 'You will need to rewrite or cast the expression.',
  };
  throw level.error('42804', message, exprLocation(level, bound), { hint });
}
