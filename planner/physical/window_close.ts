/**
 * EMIT ON WINDOW CLOSE: the result's rows are held back until the watermark says that no change can reach them any more.
 *
 *   a column with fact (lag, strict) is closed at  column + lag <= watermark      (not strict: column + lag + 1 µs <= watermark)
 *
 * For a window_end the lag is 0 and the fact strict, so the row leaves when window_end <= watermark.
 */
import { interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Monotone } from '../analyse/facts.ts';
import { constant } from '../logical/expressions.ts';
import type { PlanBuilder } from './builder.ts';

/** Puts a window_close over `root`; its columns stay those of `root`. */
export function closeWindows(root: number, builder: PlanBuilder): number {
  const { types, names } = builder.nodes[root];
  const choice = closingColumn(root, builder);
  const columns = types.map((t, id): Expr => ({ k: 'col', id, t }));
  const delay = choice.fact.lag + (choice.fact.strict ? 0n : 1n);
  if (delay === 0n) {
    return builder.add({
      op: 'window_close',
      inputs: [root],
      types,
      names,
      time: choice.column,
      sources: choice.fact.sources,
    });
  }
  const t = types[choice.column].oid === OID.timestamp ? 'timestamp' : 'timestamptz';
  const closing: Expr = {
    k: 'call',
    fn: `${t}_pl_interval(${t},interval)`,
    args: [columns[choice.column], constant(interval(0, 0, delay), colType(OID.interval))],
    t: types[choice.column],
    strict: true,
  };
  const held = builder.map(root, null, [...columns, closing], [...names, 'closes']);
  const closed = builder.add({
    op: 'window_close',
    inputs: [held],
    types: [...types, closing.t],
    names: [...names, 'closes'],
    time: types.length,
    sources: choice.fact.sources,
  });
  return builder.map(closed, null, columns, names);
}

function closingColumn(root: number, builder: PlanBuilder): { column: number; fact: Monotone } {
  let best: { column: number; fact: Monotone } | null = null;
  builder.facts(root).monotone.forEach((fact, column) => {
    const oid = builder.nodes[root].types[column].oid;
    if (fact === null || (oid !== OID.timestamp && oid !== OID.timestamptz)) return;
    if (best === null || closesBefore(fact, best.fact)) best = { column, fact };
  });
  if (best === null) {
    throw new SqlError('0A000', 'EMIT ON WINDOW CLOSE needs a result column that follows a watermark', {
      hint: 'Select window_start or window_end of a window over a stream that has a WATERMARK, and group by it.',
    });
  }
  return best;
}

function closesBefore(a: Monotone, b: Monotone): boolean {
  return a.lag < b.lag || (a.lag === b.lag && a.strict && !b.strict);
}
