/**
 * TUMBLE, HOP, CUMULATE, SESSION: assignment of rows to windows by their time column. Rows whose time is NULL are in no window.
 * Windows are aligned to 1970-01-01 00:00 plus the offset.
 *
 *   tumble    window_start = date_bin(size, time, 1970-01-01 + offset)      a projection
 *   hop       one row per window that holds the time                        flatmap `hop(timestamp)`, args time, slide, size, offset
 *   cumulate  as hop, windows grow by `slide` up to `size`                  flatmap `cumulate(timestamp)`, same args
 *   session   the stateful session operator
 */

import { interval } from '../../operators/datum.ts';
import { unsupported } from '../../operators/errors.ts';
import { EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, constant, INT8, isNull } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { toPositions } from './builder.ts';
import { appending, exactly, type LowerContext, type Lowered, withExprs } from './lowering.ts';

export function lowerTimeWindow(p: Logical & { op: 'timewindow' }, cx: LowerContext): Lowered {
  const cols = outputColumns(p.input);
  const time = cols.find((c) => c.id === p.time);
  if (!time) throw new Error(`time column ${p.time} is not part of the input`);
  if (time.type.oid !== OID.timestamp && time.type.oid !== OID.timestamptz) {
    throw unsupported('a window over a column that is neither timestamp nor timestamptz');
  }
  const whole = exactly(cx.lower(p.input), cols, cx);
  // Those of HOP and CUMULATE give NULL no window.
  const known = toPositions(isNull(column(time), true), whole.at);
  const filtered = p.kind === 'hop' || p.kind === 'cumulate' ? whole.node : cx.builder.map(whole.node, known, null, []);
  const input = { node: filtered, at: whole.at };
  if (p.kind === 'session') {
    const keys = p.keys.map((id) => input.at.get(id)!);
    return appending(cx, { op: 'session', time: input.at.get(p.time)!, gap: p.size, keys }, input, [p.start, p.end]);
  }
  if (p.kind === 'tumble') return lowerTumble(p, input, cx);
  const args = [column(time), constant(p.slide, INT8), constant(p.size, INT8), constant(p.offset, INT8)];
  const fn = `${p.kind}(${time.type.oid === OID.timestamp ? 'timestamp' : 'timestamptz'})`;
  const placedArgs = args.map((a) => toPositions(a, input.at));
  return appending(cx, { op: 'flatmap', fn, args: placedArgs, ordinality: false, left: false }, input, [
    p.start,
    p.end,
  ]);
}

function lowerTumble(p: Logical & { op: 'timewindow' }, input: Lowered, cx: LowerContext): Lowered {
  const cols = outputColumns(p.input);
  const time = cols.find((c) => c.id === p.time)!;
  const t = time.type.oid === OID.timestamp ? 'timestamp' : 'timestamptz';
  const stride = constant(interval(0, 0, p.size), colType(OID.interval));
  const origin = constant(p.offset - EPOCH_DIFF_MICROS, time.type);
  const call = (fn: string, args: Expr[]): Expr => ({ k: 'call', fn, args, t: time.type, strict: true });
  const start = call(`date_bin(interval,${t},${t})`, [stride, column(time), origin]);
  const bare = withExprs(input, cols, [start], cx);
  const at = new Map(bare.at).set(p.start.id, bare.positions[0]);
  const end = call(`${t}_pl_interval(${t},interval)`, [column(p.start), stride]);
  const full = withExprs({ node: bare.node, at }, [...cols, p.start], [end], cx);
  return { node: full.node, at: new Map(full.at).set(p.end.id, full.positions[0]) };
}
