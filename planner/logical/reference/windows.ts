/**
 * Window functions from their definitions: the value for each row of one sorted partition. Frames are found row by row.
 */
import type { Datum } from '../../../operators/datum.ts';
import { resolveCall } from '../../../operators/expr/functions/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { FrameBound, WindowFrame } from '../../../operators/plan.ts';
import { type ColType, OID } from '../../../operators/types.ts';
import { referenceAggregate } from './aggregates.ts';
import { compareKeys, compareValues, type SortSpec } from './order.ts';

export interface WindowInput {
  fn: string;
  aggregate: boolean;
  frame: WindowFrame;
  /** Argument values of each row of the partition, in window order. */
  args: Datum[][];
  argTypes: ColType[];
  resultType: ColType;
  /** FILTER, by row. */
  kept: boolean[];
  /** ORDER BY values of each row. */
  keys: Datum[][];
  order: SortSpec[];
  context: EvalContext;
}

/** The call's value for every row of the partition. */
export function referenceWindow(input: WindowInput): Datum[] {
  const rows = input.args.map((_, i) => i);
  if (input.aggregate) return rows.map((i) => aggregateOver(input, frameRows(input, i)));
  return rows.map((i) => rankFunction(input, i) ?? valueFunction(input, i));
}

function aggregateOver(input: WindowInput, rows: number[]): Datum {
  return referenceAggregate(input.fn, {
    rows: rows.filter((r) => input.kept[r]).map((r) => input.args[r]),
    argTypes: input.argTypes,
    resultType: input.resultType,
    context: input.context,
  });
}

function isPeer(input: WindowInput, a: number, b: number): boolean {
  return compareKeys(input.keys[a], input.keys[b], input.order) === 0;
}

function rankFunction(input: WindowInput, i: number): Datum | undefined {
  const n = input.args.length;
  const first = input.args.findIndex((_, j) => isPeer(input, i, j));
  let last = i;
  while (last + 1 < n && isPeer(input, i, last + 1)) last++;
  switch (nameOf(input.fn)) {
    case 'row_number':
      return BigInt(i + 1);
    case 'rank':
      return BigInt(first + 1);
    case 'dense_rank': {
      let groups = 1;
      for (let j = 1; j <= i; j++) if (!isPeer(input, j - 1, j)) groups++;
      return BigInt(groups);
    }
    case 'percent_rank':
      return n === 1 ? 0 : first / (n - 1);
    case 'cume_dist':
      return (last + 1) / n;
    case 'ntile': {
      const buckets = Number(input.args[0][0]);
      const small = Math.floor(n / buckets);
      const large = n % buckets;
      const inLarge = large * (small + 1);
      return i < inLarge ? Math.floor(i / (small + 1)) + 1 : large + Math.floor((i - inLarge) / small) + 1;
    }
    default:
      return undefined;
  }
}

function valueFunction(input: WindowInput, i: number): Datum {
  const name = nameOf(input.fn);
  if (name === 'lag' || name === 'lead') {
    const offset = input.args[i].length > 1 ? input.args[i][1] : 1;
    if (offset === null) return null;
    const at = i + (name === 'lag' ? -1 : 1) * Number(offset);
    if (at in input.args) return input.args[at][0];
    return input.args[i].length > 2 ? input.args[i][2] : null;
  }
  const frame = frameRows(input, i);
  const at = (r: number | undefined): Datum => (r === undefined ? null : input.args[r][0]);
  switch (name) {
    case 'first_value':
      return at(frame[0]);
    case 'last_value':
      return at(frame[frame.length - 1]);
    case 'nth_value':
      return input.args[i][1] === null ? null : at(frame[Number(input.args[i][1]) - 1]);
    default:
      throw new Error(`the reference interpreter has no window function ${input.fn}`);
  }
}

function nameOf(fn: string): string {
  return fn.slice(0, fn.indexOf('('));
}

/** Rows of the frame of row i, in order. */
function frameRows(input: WindowInput, i: number): number[] {
  const rows: number[] = [];
  for (let j = 0; j < input.args.length; j++) {
    if (
      inBound(input, i, j, input.frame.start, true) &&
      inBound(input, i, j, input.frame.end, false) &&
      !excluded(input, i, j)
    ) {
      rows.push(j);
    }
  }
  return rows;
}

function excluded(input: WindowInput, i: number, j: number): boolean {
  switch (input.frame.exclude) {
    case 'none':
      return false;
    case 'current':
      return i === j;
    case 'group':
      return isPeer(input, i, j);
    case 'ties':
      return i !== j && isPeer(input, i, j);
  }
}

/** Whether row j is on the frame's side of one bound of row i's frame. */
function inBound(input: WindowInput, i: number, j: number, bound: FrameBound, isStart: boolean): boolean {
  if (bound.k === 'unboundedPreceding' || bound.k === 'unboundedFollowing') return true;
  const sign = isStart ? 1 : -1;
  switch (input.frame.mode) {
    case 'rows':
      return (j - i - rowOffset(bound)) * sign >= 0;
    case 'groups':
      return (groupOf(input, j) - groupOf(input, i) - rowOffset(bound)) * sign >= 0;
    case 'range':
      return rangeCompare(input, i, j, bound) * sign >= 0;
  }
}

function rowOffset(bound: FrameBound): number {
  if (bound.k !== 'preceding' && bound.k !== 'following') return 0;
  return Number(bound.offset) * (bound.k === 'preceding' ? -1 : 1);
}

function groupOf(input: WindowInput, i: number): number {
  let groups = 0;
  for (let j = 1; j <= i; j++) if (!isPeer(input, j - 1, j)) groups++;
  return groups;
}

/** Sign of (position of row j) - (bound of row i), in window order. */
function rangeCompare(input: WindowInput, i: number, j: number, bound: FrameBound): number {
  if (bound.k === 'current' || bound.k === 'unboundedPreceding' || bound.k === 'unboundedFollowing') {
    return compareKeys(input.keys[j], input.keys[i], input.order);
  }
  const [spec] = input.order;
  const a = input.keys[i][0];
  const b = input.keys[j][0];
  // NULLs are peers of each other and of nothing else.
  if (a === null || b === null) return compareKeys(input.keys[j], input.keys[i], input.order);
  const backwards = (bound.k === 'preceding') !== spec.desc;
  const edge = move(a, bound, backwards, input);
  return compareValues(b, edge, spec.type) * (spec.desc ? -1 : 1);
}

/** The order value moved by the bound's offset. */
function move(
  v: Datum,
  bound: FrameBound & { k: 'preceding' | 'following' },
  down: boolean,
  input: WindowInput,
): Datum {
  const type = input.order[0].type;
  const fn = down ? bound.sub : bound.add;
  if (fn) {
    const call = resolveCall(fn, { argTypes: [type, bound.offsetType], resultType: type, variadic: false });
    return call([v, bound.offset], input.context);
  }
  const sign = down ? -1 : 1;
  if (type.oid === OID.int8) return (v as bigint) + BigInt(sign) * BigInt(bound.offset as number | bigint);
  return (v as number) + sign * Number(bound.offset);
}
