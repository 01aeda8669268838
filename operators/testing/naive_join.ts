/** What each kind of join means, pair by pair: the oracle of the join operators' tests. */
import type { Datum } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { equalDatum } from '../expr/compare.ts';
import { defaultContext } from '../expr/context.ts';
import { evaluate } from '../expr/interpret.ts';
import type { PlanNode } from '../plan.ts';
import type { ColType } from '../types.ts';

type JoinNode = PlanNode & { op: 'join' };

function equalKey(a: Datum, b: Datum, oid: number, nullSafe: boolean): boolean {
  if (a === null || b === null) return nullSafe && a === b;
  return equalDatum(a, b, oid);
}

/** The joined rows; SQLSTATEs of failing pairs go to `errors`. */
export function joinRows(
  node: JoinNode,
  left: Datum[][],
  right: Datum[][],
  inputTypes: ColType[][],
  errors: string[],
): Datum[][] {
  const { leftKeys, rightKeys, nullSafe, residual, kind } = node;
  const matches = (a: Datum[], b: Datum[]): boolean => {
    for (let i = 0; i < leftKeys.length; i++) {
      const oid = inputTypes[0][leftKeys[i]].oid;
      if (!equalKey(a[leftKeys[i]], b[rightKeys[i]], oid, nullSafe[i])) return false;
    }
    try {
      return residual === null || evaluate(residual, [...a, ...b], defaultContext()) === true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      errors.push(error.sqlstate);
      return false;
    }
  };
  const matched = new Set<number>();
  const out: Datum[][] = [];
  for (const a of left) {
    let found = 0;
    right.forEach((b, j) => {
      if (!matches(a, b)) return;
      found++;
      matched.add(j);
      if (kind !== 'semi' && kind !== 'anti') out.push([...a, ...b]);
    });
    const pads = (kind === 'left' || kind === 'full') && found === 0;
    if (pads) out.push([...a, ...inputTypes[1].map(() => null)]);
    if (kind === 'semi' && found > 0) out.push(a);
    if (kind !== 'anti' || found > 0) continue;
    const unknown = node.nullAware && right.length > 0 && (a[leftKeys[0]] === null || hasNull(right, rightKeys[0]));
    if (!unknown) out.push(a);
  }
  if (kind === 'right' || kind === 'full') {
    right.forEach((b, j) => {
      if (!matched.has(j)) out.push([...inputTypes[0].map(() => null), ...b]);
    });
  }
  return out;
}

function hasNull(rows: Datum[][], column: number): boolean {
  return rows.some((row) => row[column] === null);
}
