/**
 * UNION, INTERSECT, EXCEPT: a tree of queries whose columns get common types pair by pair.
 */
import { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import { OID } from '../../operators/types.ts';
import type { Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { equalityOf } from '../types/catalog.ts';
import { commonType } from '../types/coerce.ts';
import { formatType } from '../types/type_name.ts';
import { toCommon } from './coercion.ts';
import { type BoundSelect, colRef, type Level, type Output, type SelectOptions } from './level.ts';
import { finishRows } from './result_order.ts';
import { visibleOnly } from './visible.ts';

/** A side of a set operation: a plan with exactly these columns. */
export interface Side {
  plan: Logical;
  outputs: Output[];
}

/** Binds a SELECT node whose op is a set operation. */
export function bindSetOperation(level: Level, c: PgNode, options: SelectOptions): BoundSelect {
  const { plan, outputs } = bindTree(level, {
    ...c,
    sortClause: undefined,
    limitCount: undefined,
    limitOffset: undefined,
  });
  return finishRows(level, c, plan, outputs, options, true);
}

function isLeaf(c: PgNode): boolean {
  const decorated = c.sortClause || c.limitCount || c.limitOffset || c.lockingClause || c.withClause;
  return c.op === undefined || c.op === 'SETOP_NONE' || decorated !== undefined;
}

function bindSide(level: Level, c: PgNode): Side {
  if (!isLeaf(c)) return bindTree(level, c);
  const q = level.shared.binders.select(level, { SelectStmt: c }, { resolveUnknown: false, keepOrder: false });
  return { plan: visibleOnly(q), outputs: q.outputs };
}

function bindTree(level: Level, c: PgNode): Side {
  const left = bindSide(level, c.larg);
  const right = bindSide(level, c.rarg);
  const kind = (c.op as string).replace('SETOP_', '').toLowerCase() as 'union' | 'intersect' | 'except';
  const what = kind.toUpperCase();
  const types = matchColumns(level, left, right, what);
  const all = c.all === true;
  if (!all || kind !== 'union') {
    types.forEach((t, i) => {
      if (t.oid === OID.record || equalityOf(t.oid)) return;
      const message = `could not identify an equality operator for type ${formatType(t.oid)}`;
      const from = left.outputs[i].col.type.oid === t.oid ? left : right;
      throw level.error('42883', message, from.outputs[i].location);
    });
  }
  return combine(level, left, right, types, kind, all);
}

/** The common type of each pair of columns; untyped literals get it. */
export function matchColumns(level: Level, left: Side, right: Side, what: string): ColType[] {
  if (left.outputs.length !== right.outputs.length) {
    const message = `each ${what} query must have the same number of columns`;
    throw level.error('42601', message, right.outputs[0]?.location);
  }
  return left.outputs.map((l, i) => {
    const r = right.outputs[i];
    let t: ColType;
    try {
      t = commonType([l.col.type, r.col.type], what);
    } catch (e) {
      if (!(e instanceof SqlError)) throw e;
      throw level.error(e.sqlstate, e.message, r.location, e.fields);
    }
    l.retype?.(t);
    r.retype?.(t);
    return t;
  });
}

/** The node of a set operation over sides whose columns are brought to `types`. */
function combine(
  level: Level,
  left: Side,
  right: Side,
  types: ColType[],
  kind: 'union' | 'intersect' | 'except',
  all: boolean,
): Side {
  const cols = left.outputs.map((o, i) =>
    level.newCol(o.name, types[i], { kind: 'from', label: o.name, shape: o.shape }),
  );
  const plan: Logical = {
    op: 'setop',
    kind,
    all,
    left: converted(level, left, types, kind.toUpperCase()),
    right: converted(level, right, types, kind.toUpperCase()),
    cols,
  };
  const outputs = cols.map(
    (col, i): Output => ({
      name: col.name,
      col,
      shape: left.outputs[i].shape,
      location: left.outputs[i].location,
    }),
  );
  return { plan, outputs };
}

/** A side with its columns converted to `types`. */
export function converted(level: Level, side: Side, types: ColType[], what: string): Logical {
  const exprs = side.outputs.map((o, i) => toCommon(level, colRef(o.col), types[i], what));
  if (exprs.every((e, i) => e.k === 'col' && e.id === side.outputs[i].col.id)) return side.plan;
  const items = exprs.map((expr, i) => {
    const { col } = side.outputs[i];
    return { col: expr.k === 'col' ? col : level.shared.newCol(col.name, expr.t), expr };
  });
  return { op: 'project', input: side.plan, items };
}
