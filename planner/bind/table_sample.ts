/**
 * TABLESAMPLE: a condition on the rows of a table.
 *
 *   t TABLESAMPLE BERNOULLI (p)                       random() < p / 100
 *   t TABLESAMPLE BERNOULLI (p) REPEATABLE (seed)     sampled(row, seed, p): a hash of the row and the seed is below it, so the same rows are taken as long as they are the same
 *
 * SYSTEM takes rows one by one, too: rows lie in no blocks.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { BOOL, toSpecific } from './coercion.ts';
import type { FromItem } from './from_item.ts';
import { bindRangeVar } from './from_relation.ts';
import type { Level } from './level.ts';
import { wholeRow } from './namespace.ts';
import { locationOf, names } from './node.ts';
import { attachSubqueries } from './subquery.ts';

const FLOAT8 = colType(OID.float8);

/** Binds a RangeTableSample. */
export function bindTableSample(level: Level, c: PgNode): FromItem {
  const at = locationOf(c);
  const item = bindRangeVar(level, c.relation.RangeVar);
  const kind = item.self.relation?.kind;
  if (kind === undefined || kind === 'view') {
    const message = 'TABLESAMPLE clause can only be applied to tables and materialized views';
    throw level.error('0A000', message, locationOf(c.relation.RangeVar));
  }
  const predicate = sampleCondition(level, c, item, at);
  item.plan = { op: 'filter', input: attachSubqueries(level, item.plan, [predicate], new Set()), predicate };
  return item;
}

function sampleCondition(level: Level, c: PgNode, item: FromItem, at: number): Expr {
  const method = names(c.method);
  const name = method[method.length - 1];
  const isKnown = (name === 'bernoulli' || name === 'system') && (method.length === 1 || method[0] === 'pg_catalog');
  if (!isKnown) throw level.error('42704', `tablesample method ${method.join('.')} does not exist`, at);
  const args: PgNode[] = c.args ?? [];
  if (args.length !== 1)
    throw level.error('2202H', `tablesample method ${name} requires 1 argument, not ${args.length}`, at);
  const bound = (node: PgNode, type: number, construct: string) =>
    level.inClause('from_function', () => toSpecific(level, level.bind(node), colType(type), construct));
  const percent = bound(args[0], OID.float4, 'TABLESAMPLE');
  if (c.repeatable) {
    const row = wholeRow(level, item.self, at);
    const seed = bound(c.repeatable, OID.float8, 'REPEATABLE');
    return { k: 'call', fn: 'sampled(record,float8,float4)', args: [row, seed, percent], t: BOOL, strict: false };
  }
  if (level.shared.env.mode === 'view') {
    throw level.error('0A000', 'TABLESAMPLE without REPEATABLE cannot be used in a view', at, {
      detail: 'A maintained view must give the same result however often a row is looked at.',
    });
  }
  const random: Expr = { k: 'call', fn: 'random()', args: [], t: FLOAT8, strict: true };
  const fraction: Expr = { k: 'call', fn: 'sample_fraction(float4)', args: [percent], t: FLOAT8, strict: false };
  return { k: 'call', fn: 'float8lt(float8,float8)', args: [random, fraction], t: BOOL, strict: true };
}
