/**
 * ASOF joins: to each left row the latest right row that is not later (or earlier, with >), per equality key.
 *
 *   a ASOF [LEFT] JOIN b ON a.k = b.k AND a.t >= b.t
 *   a JOIN b FOR SYSTEM_TIME AS OF a.t ON a.k = b.k        the same, with b's event-time column
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { JoinKind } from '../../operators/plan.ts';
import { outputColumns } from '../logical/columns.ts';
import { conjunction, conjuncts, usesOnly } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { operatorsByName, procByOid, procSignature } from '../types/catalog.ts';
import { operatorCall } from './coercion.ts';
import type { FromItem } from './from_item.ts';
import { colRef, type Level } from './level.ts';
import { exprLocation } from './locate.ts';

/** regprocedure texts of all operators of a name. */
function functionsOf(operator: string): Set<string> {
  const out = new Set<string>();
  for (const o of operatorsByName(operator)) {
    const proc = procByOid(o.code);
    if (proc) out.add(procSignature(proc));
  }
  return out;
}

interface TimeTest {
  left: Expr;
  right: Expr;
  strict: boolean;
}

/** The join of `a ASOF JOIN b ON on`. */
export function asofJoin(level: Level, kind: JoinKind, left: Logical, right: Logical, on: Expr | null): Logical {
  const leftIds = new Set(outputColumns(left).map((c) => c.id));
  const rightIds = new Set(outputColumns(right).map((c) => c.id));
  const rest: Expr[] = [];
  let time: TimeTest | null = null;
  for (const e of conjuncts(on)) {
    const found = timeTest(e, leftIds, rightIds);
    if (found && time) throw wrongCondition(level, e);
    if (found) time = found;
    else rest.push(e);
  }
  if (!time) throw wrongCondition(level, on);
  return build(level, kind, left, right, conjunction(rest), time);
}

function wrongCondition(level: Level, e: Expr | null): Error {
  const at = e ? exprLocation(level, e) : undefined;
  return level.error('42601', 'ASOF JOIN needs exactly one condition left.time >= right.time (or >)', at);
}

function timeTest(e: Expr, leftIds: Set<number>, rightIds: Set<number>): TimeTest | null {
  if (e.k !== 'call' || e.args.length !== 2) return null;
  const [a, b] = e.args;
  const forward = usesOnly(a, leftIds) && usesOnly(b, rightIds);
  const backward = usesOnly(a, rightIds) && usesOnly(b, leftIds);
  if (forward && functionsOf('>=').has(e.fn)) return { left: a, right: b, strict: false };
  if (forward && functionsOf('>').has(e.fn)) return { left: a, right: b, strict: true };
  if (backward && functionsOf('<=').has(e.fn)) return { left: b, right: a, strict: false };
  if (backward && functionsOf('<').has(e.fn)) return { left: b, right: a, strict: true };
  return null;
}

function build(level: Level, kind: JoinKind, left: Logical, right: Logical, on: Expr, time: TimeTest): Logical {
  if (kind !== 'inner' && kind !== 'left') throw level.unsupported(`an ASOF ${kind.toUpperCase()} JOIN`);
  const l = asColumn(level, left, time.left);
  const r = asColumn(level, right, time.right);
  return {
    op: 'asof',
    left: l.plan,
    right: r.plan,
    leftOuter: kind === 'left',
    on,
    leftTime: l.id,
    rightTime: r.id,
    strict: time.strict,
  };
}

/** The id of a column that holds `e`, computed on top of `plan` if need be. */
function asColumn(level: Level, plan: Logical, e: Expr): { plan: Logical; id: number } {
  if (e.k === 'col') return { plan, id: e.id };
  const col = level.shared.newCol('asof_time', e.t);
  const items = outputColumns(plan).map((c) => ({ col: c, expr: colRef(c) as Expr }));
  return { plan: { op: 'project', input: plan, items: [...items, { col, expr: e }] }, id: col.id };
}

/** The join of `a JOIN b FOR SYSTEM_TIME AS OF at ON on`. */
export function systemTimeJoin(
  level: Level,
  kind: JoinKind,
  left: FromItem,
  right: FromItem,
  on: Expr | null,
  at: Expr,
): Logical {
  const watermark = right.self.relation?.watermark;
  if (!watermark) {
    throw level.error(
      '0A000',
      `FOR SYSTEM_TIME AS OF needs a stream with a WATERMARK, which "${right.self.name}" is not`,
    );
  }
  const time = right.self.columns[watermark.column].expr;
  const test = operatorCall(level, '>=', at, time, exprLocation(level, at));
  return asofJoin(level, kind, left.plan, right.plan, conjunction([...conjuncts(on), test]));
}
