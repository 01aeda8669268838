/** Window functions from their definitions, row by row: the oracle of the window operator's tests. */
import { type Datum, pgArray } from '../datum.ts';
import { compareDatum } from '../expr/compare.ts';
import type { FrameBound, PlanNode, WindowCall } from '../plan.ts';
import type { ColType } from '../types.ts';
import { comparePeers, inOrder, partitions } from './naive_order.ts';

type OverNode = PlanNode & { op: 'over' };

/** Moves an order value of int4 or float8 by a bound's offset. */
function moved(value: Datum, bound: FrameBound & { k: 'preceding' | 'following' }, desc: boolean): number {
  const down = (bound.k === 'preceding') !== desc;
  return (value as number) + (down ? -1 : 1) * Number(bound.offset);
}

class Partition {
  readonly rows: Datum[][];
  readonly node: OverNode;
  readonly types: ColType[];

  constructor(rows: Datum[][], node: OverNode, types: ColType[]) {
    this.rows = inOrder(rows, node.order, types);
    this.node = node;
    this.types = types;
  }

  peers(i: number, j: number): boolean {
    return comparePeers(this.rows[i], this.rows[j], this.node.order, this.types) === 0;
  }

  group(i: number): number {
    let group = 0;
    for (let j = 1; j <= i; j++) if (!this.peers(j - 1, j)) group++;
    return group;
  }

  /** Sign of row j against a bound of row i, in window order. */
  side(i: number, j: number, bound: FrameBound, mode: string): number {
    const offset = bound.k === 'preceding' ? -Number(bound.offset) : bound.k === 'following' ? Number(bound.offset) : 0;
    if (mode === 'rows') return j - i - offset;
    if (mode === 'groups') return this.group(j) - this.group(i) - offset;
    const { order } = this.node;
    const [key] = order;
    if (bound.k === 'preceding' || bound.k === 'following') {
      const [a, b] = [this.rows[i][key.col], this.rows[j][key.col]];
      if (a !== null && b !== null) {
        return compareDatum(b, moved(a, bound, key.desc), this.types[key.col].oid) * (key.desc ? -1 : 1);
      }
    }
    return comparePeers(this.rows[j], this.rows[i], order, this.types);
  }

  frame(i: number, call: WindowCall): number[] {
    const { start, end, mode, exclude } = call.frame;
    const out: number[] = [];
    for (let j = 0; j < this.rows.length; j++) {
      if (start.k !== 'unboundedPreceding' && this.side(i, j, start, mode) < 0) continue;
      if (end.k !== 'unboundedFollowing' && this.side(i, j, end, mode) > 0) continue;
      if (exclude === 'current' && i === j) continue;
      if (exclude === 'group' && this.peers(i, j)) continue;
      if (exclude === 'ties' && i !== j && this.peers(i, j)) continue;
      out.push(j);
    }
    return out;
  }

  value(i: number, call: WindowCall): Datum {
    const n = this.rows.length;
    const arg = (j: number, k = 0): Datum => this.rows[j][call.args[k]];
    const first = this.rows.findIndex((_, j) => this.peers(i, j));
    const last = this.rows.findLastIndex((_, j) => this.peers(i, j));
    const shift = (sign: number): Datum => {
      const distance = call.args.length > 1 ? arg(i, 1) : 1;
      if (distance === null) return null;
      const j = i + sign * Number(distance);
      return j in this.rows ? arg(j) : call.args.length > 2 ? arg(i, 2) : null;
    };
    const frame = this.frame(i, call);
    switch (call.fn.slice(0, call.fn.indexOf('('))) {
      case 'row_number':
        return BigInt(i + 1);
      case 'rank':
        return BigInt(first + 1);
      case 'dense_rank':
        return BigInt(this.group(i) + 1);
      case 'percent_rank':
        return n === 1 ? 0 : first / (n - 1);
      case 'cume_dist':
        return (last + 1) / n;
      case 'ntile': {
        const buckets = Number(arg(0));
        for (let bucket = 1, at = 0; ; bucket++) {
          at += Math.floor(n / buckets) + (bucket <= n % buckets ? 1 : 0);
          if (i < at) return bucket;
        }
      }
      case 'lag':
        return shift(-1);
      case 'lead':
        return shift(1);
      case 'first_value':
        return frame.length > 0 ? arg(frame[0]) : null;
      case 'last_value':
        return frame.length > 0 ? arg(frame[frame.length - 1]) : null;
      case 'nth_value': {
        const at = arg(i, 1);
        return at === null || frame.length < Number(at) ? null : arg(frame[Number(at) - 1]);
      }
      default:
        return this.aggregate(
          frame.filter((j) => call.filter === null || this.rows[j][call.filter] === true).map((j) => arg(j)),
          call,
        );
    }
  }

  aggregate(values: Datum[], call: WindowCall): Datum {
    const present = values.filter((v) => v !== null);
    switch (call.fn) {
      case 'count(any)':
        return BigInt(present.length);
      case 'sum(int4)':
        return present.length === 0 ? null : present.reduce((sum: bigint, v) => sum + BigInt(v as number), 0n);
      case 'max(int4)':
        return present.length === 0 ? null : Math.max(...(present as number[]));
      case 'array_agg(anynonarray)':
        return values.length === 0 ? null : pgArray(this.types[call.args[0]].oid, values);
      default:
        throw new Error(`no naive ${call.fn}`);
    }
  }
}

/** Every row of the input with the values of the node's calls. */
export function overRows(node: OverNode, rows: Datum[][], types: ColType[]): Datum[][] {
  return partitions(rows, node.partition, types).flatMap((group) => {
    const partition = new Partition(group, node, types);
    return partition.rows.map((row, i) => [...row, ...node.calls.map((call) => partition.value(i, call))]);
  });
}
