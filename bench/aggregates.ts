/**
 * What an aggregate call costs, apart from SQL and sources: CPU nanoseconds an event through one aggregate operator, by call, number of groups and ticks.
 *
 *   newNs      of a row that makes its group, all groups one after the other (only with more groups than one)
 *   knownNs    of a row that comes to a group that there is, in no order
 *   leavesNs   of the retraction of such a row
 *   bytes      of state a group, with the one row that made it
 *
 * Rows are decoded beforehand and made outside of the measurement. Output is built and dropped.
 */
import '../operators/expr/functions/index.ts';
import { Arena } from '../operators/batch/arena.ts';
import type { Batch } from '../operators/batch/batch.ts';
import { BatchBuilder } from '../operators/batch/builder.ts';
import { Dataflow } from '../operators/dataflow.ts';
import { type Datum, decimal } from '../operators/datum.ts';
import { arrayTypeOf } from '../operators/expr/array_types.ts';
import { defaultContext } from '../operators/expr/context.ts';
import type { AggCall } from '../operators/plan.ts';
import { colType, OID } from '../operators/types.ts';
import { Table } from './table.ts';

const GROUPS = [1, 1_000, 1_000_000];
const TICKS = [10_000, 100];
/** Rows of each measurement but that of new groups, which has one a group; a group that is read whole gets fewer. */
const EVENTS = 300_000;
const MOST_ROWS_A_GROUP = 100;
const BUILT_AT_ONCE = 100_000;

const [int4, int8, float8, numeric, text, bool] = [OID.int4, OID.int8, OID.float8, OID.numeric, OID.text, OID.bool].map(
  (o) => colType(o),
);
/** The group, then an argument of each type. */
const COLUMNS = [int4, int4, float8, numeric, text, bool];
const [GROUP, INT, FLOAT, NUMERIC, TEXT, BOOL] = [0, 1, 2, 3, 4, 5];
const CENTS = 2;

interface Measured extends Pick<AggCall, 'fn' | 'args' | 't'> {
  name: string;
  distinct?: true;
  orderBy?: number;
  /** All values of a group are read for each result. */
  reads?: true;
}

const CALLS: Measured[] = [
  { name: 'count(*)', fn: 'count()', args: [], t: int8 },
  { name: 'sum(int)', fn: 'sum(int4)', args: [INT], t: int8 },
  { name: 'avg(int)', fn: 'avg(int4)', args: [INT], t: numeric },
  { name: 'sum(numeric)', fn: 'sum(numeric)', args: [NUMERIC], t: numeric },
  { name: 'avg(numeric)', fn: 'avg(numeric)', args: [NUMERIC], t: numeric },
  { name: 'stddev(numeric)', fn: 'stddev(numeric)', args: [NUMERIC], t: numeric },
  { name: 'stddev(int)', fn: 'stddev(int4)', args: [INT], t: numeric },
  { name: 'sum(float8)', fn: 'sum(float8)', args: [FLOAT], t: float8 },
  { name: 'stddev(float8)', fn: 'stddev(float8)', args: [FLOAT], t: float8 },
  { name: 'corr', fn: 'corr(float8,float8)', args: [FLOAT, FLOAT], t: float8 },
  { name: 'bool_and', fn: 'bool_and(bool)', args: [BOOL], t: bool },
  { name: 'bit_or(int)', fn: 'bit_or(int4)', args: [INT], t: int4 },
  { name: 'max(int)', fn: 'max(int4)', args: [INT], t: int4 },
  { name: 'max(text)', fn: 'max(text)', args: [TEXT], t: text },
  { name: 'count(distinct text)', fn: 'count(any)', args: [TEXT], t: int8, distinct: true },
  { name: 'array_agg(int)', fn: 'array_agg(anynonarray)', args: [INT], t: colType(arrayTypeOf(OID.int4)), reads: true },
  { name: 'string_agg(text)', fn: 'string_agg(text,text)', args: [TEXT, TEXT], t: text, reads: true },
  {
    name: 'percentile_cont',
    fn: 'percentile_cont(float8,float8)',
    args: [FLOAT],
    t: float8,
    orderBy: FLOAT,
    reads: true,
  },
];

/** Rows `first` .. `first + n - 1` of an endless list in which every value depends on the row's number alone. */
function rows(first: number, n: number, weight: number, groupOf: (i: number) => number, arena: Arena): Batch {
  const out = new BatchBuilder(COLUMNS, arena, n);
  for (let i = first; i < first + n; i++) {
    const value = (i * 7919) % 100_003;
    const row: Datum[] = [
      groupOf(i),
      value,
      value / 8,
      decimal(BigInt(value), CENTS),
      `text ${value}`,
      value % 2 === 0,
    ];
    out.pushDatums(row, weight);
  }
  return out.build();
}

class Runner {
  readonly flow: Dataflow;
  readonly #arena = new Arena();
  #number = 0n;

  constructor({ fn, args, t, distinct, orderBy }: Measured) {
    const names = COLUMNS.map((_, i) => `c${i}`);
    const sort = orderBy === undefined ? [] : [{ col: orderBy, desc: false, nullsFirst: false }];
    const call: AggCall = { fn, args, distinct: distinct === true, filter: null, orderBy: sort, t };
    this.flow = new Dataflow({
      nodes: [
        { op: 'source', relation: 0, columns: COLUMNS.map((_, c) => c), inputs: [], types: COLUMNS, names },
        {
          op: 'aggregate',
          inputs: [0],
          types: [int4, t],
          names: ['g', 'v'],
          keys: [GROUP],
          calls: [call],
          global: false,
        },
      ],
      root: 1,
    });
  }

  /** CPU nanoseconds a row of these rows in ticks. */
  measure(tick: number, first: number, n: number, weight: number, groupOf: (i: number) => number): number {
    let cpu = 0;
    for (let from = first; from < first + n; from += BUILT_AT_ONCE) {
      const until = Math.min(from + BUILT_AT_ONCE, first + n);
      const input = new Arena();
      const ticks: Batch[] = [];
      for (let at = from; at < until; at += tick)
        ticks.push(rows(at, Math.min(tick, until - at), weight, groupOf, input));
      globalThis.gc?.({ type: 'minor' });
      const before = process.cpuUsage();
      for (const batch of ticks) this.#tick(batch);
      const used = process.cpuUsage(before);
      cpu += used.user + used.system;
      input.release();
    }
    return (cpu * 1000) / n;
  }

  #tick(batch: Batch): void {
    this.flow.step(() => batch, {
      number: this.#number++,
      arena: this.#arena,
      evalContext: defaultContext(),
      errors: { report: () => undefined },
      now: 0n,
      watermark: () => null,
    });
    this.flow.endTick();
    this.#arena.reset();
  }

  release(): void {
    this.flow.release();
    this.#arena.release();
  }
}

export function aggregatesBench({ only, json }: { only: string[]; json: boolean }): void {
  const table = new Table(json);
  for (const call of CALLS) {
    if (only.length > 0 && !only.some((name) => call.name.includes(name))) continue;
    for (const groups of GROUPS) {
      for (const tick of TICKS) {
        const events = call.reads === true ? Math.min(EVENTS / 10, groups * MOST_ROWS_A_GROUP) : EVENTS;
        const groupOf = (i: number) => (i < groups ? i : (i * 65_537) % groups);
        const runner = new Runner(call);
        const newNs = runner.measure(tick, 0, groups, 1, groupOf);
        const stateBytes = runner.flow.figures().reduce((sum, figures) => sum + figures.stateBytes, 0);
        const knownNs = runner.measure(tick, groups, events, 1, groupOf);
        const leavesNs = runner.measure(tick, groups, events, -1, groupOf);
        runner.release();
        const many = groups > 1000;
        table.add({
          call: call.name.padEnd(20),
          groups,
          tick,
          newNs: many ? newNs : null,
          knownNs,
          leavesNs,
          bytes: many ? Math.round(stateBytes / groups) : null,
        });
      }
    }
  }
}
