/**
 * The graph that all views share: random sets of overlapping random queries, made and dropped at random ticks while random rows flow. After
 * every tick each view is what the reference interpreter gives for the accepted input; at the end all memory is back. In every other world the rows of
 * indexes go to a cold store between ticks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import '../../operators/expr/functions/index.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { MemoryColdStore } from '../../operators/testing/cold_memory.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { outputColumns } from '../../planner/logical/columns.ts';
import { evaluatePlan } from '../../planner/logical/evaluate.ts';
import { INT4 } from '../../planner/logical/expressions.ts';
import type { Logical } from '../../planner/logical/plan.ts';
import { Build, randomRows, relation } from '../../planner/logical/test_plans.ts';
import { type PlanPart, RandomPlan } from '../../planner/logical/test_random_plan.ts';
import { planQuery } from '../../planner/physical/index.ts';
import { isMissing, rowLines } from '../../planner/physical/test_sql.ts';
import { StoredRelation } from '../../src/runtime/stored_relation.ts';
import { TickLoop } from '../../src/runtime/tick_loop.ts';
import { ViewRuntime } from '../../src/runtime/view.ts';

const TABLE = relation(1, 'r', [
  ['a', INT4],
  ['b', INT4],
]);
const STREAM = relation(2, 's', [
  ['c', INT4],
  ['d', INT4],
]);
const KEYED = relation(
  3,
  't',
  [
    ['k', INT4],
    ['e', INT4],
  ],
  { key: [0] },
);
const INPUTS = [TABLE, STREAM, KEYED];

interface View {
  relation: Relation;
  plan: Logical;
  reads: number[];
  runtime: ViewRuntime;
}

/** A tick loop with two tables and a stream whose rows are kept by the test alone. */
class World {
  readonly random: Random;
  readonly loop = new TickLoop(
    () => 0n,
    () => null,
    { publish: () => undefined },
  );
  readonly rows = new Map<number, Datum[][]>(INPUTS.map((r) => [r.oid, []]));
  readonly history: [row: Datum[], weight: number][] = [];
  readonly views: View[] = [];
  readonly parts: PlanPart[];
  shared = 0;
  compared = 0;
  /** Sources of views that are the same query, made one. */
  overEqual = 0;
  /** Views over the stream's past that were filled from live nodes. */
  withoutReplay = 0;
  #oid = 100;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.parts = Array.from({ length: 3 }, () => ({
      seed: this.random.below(1 << 30),
      size: 1 + this.random.below(5),
    }));
    for (const { oid, columns } of [TABLE, KEYED]) {
      this.loop.addRelation(
        oid,
        new StoredRelation(
          columns.map((c) => c.type),
          [[0]],
        ),
      );
    }
  }

  tick(): void {
    const deltas = new Map();
    for (const { oid, key, columns } of INPUTS) {
      if (this.random.chance(0.3)) continue;
      const rows = this.rows.get(oid)!;
      const changes: [Datum[], number][] = [];
      for (let i = rows.length - 1; i >= 0; i--) if (this.random.chance(0.2)) changes.push([rows.splice(i, 1)[0], -1]);
      for (const row of randomRows(this.random, 2, 3)) {
        if (key !== null && (row[0] === null || rows.some((r) => r[0] === row[0]))) continue;
        rows.push(row);
        changes.push([row, 1]);
      }
      if (oid === STREAM.oid) this.history.push(...changes);
      deltas.set(
        oid,
        batch(
          columns.map((c) => c.type),
          changes,
          this.loop.arena,
        ),
      );
    }
    this.loop.run(deltas);
  }

  create(): void {
    const over = this.views.filter(() => this.random.chance(0.15)).map((v) => v.relation);
    const above = this.views.filter(({ reads }) => this.views.some((v) => reads.includes(v.relation.oid)));
    const known = above.length > 0 && this.random.chance(0.7) ? above : this.views;
    const again = known.length > 0 && this.random.chance(0.4) ? this.random.pick(known) : null;
    const plan =
      again === null
        ? new RandomPlan(this.random, new Build(), [...INPUTS, ...over], this.parts).plan(1 + this.random.below(5), [])
        : this.#overOthers(again.plan);
    const cols = outputColumns(plan);
    const columns = cols.map((col) => ({ col }));
    const bound = { plan, columns, order: [], dependencies: [], types: [], parameters: [], emitOnWindowClose: false };
    const oid = this.#oid++;
    let runtime: ViewRuntime;
    try {
      const physical = planQuery(bound, { mode: 'view' });
      const indexes = physical.key ? [physical.key] : [];
      runtime = new ViewRuntime(oid, `v${oid}`, physical, defaultContext(), indexes, this.loop.rowsOf);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    this.#fill(runtime);
    if (runtime.flow.nodes.some((node) => node.spec.op !== 'source' && node.flows.size > 1)) this.shared++;
    for (const node of runtime.nodes) if (node.relations.size > 1) this.overEqual++;
    this.views.push({
      relation: relation(
        oid,
        `v${oid}`,
        cols.map((c, i) => [`${c.name}${i}`, c.type]),
      ),
      plan,
      reads: runtime.sources.map((s) => s.relation),
      runtime,
    });
  }

  /** The same query, over other views that are the same query as those it is over, where there are any. */
  #overOthers(plan: Logical): Logical {
    const other = (read: Relation): Relation => {
      const view = this.views.find((v) => v.relation === read);
      const equal = this.views.filter((v) => v !== view && v.runtime.flow.root === view?.runtime.flow.root);
      return equal.length === 0 ? read : this.random.pick(equal).relation;
    };
    const copy = (part: unknown): unknown => {
      if (Array.isArray(part)) return part.map(copy);
      if (typeof part !== 'object' || part === null || Object.getPrototypeOf(part) !== Object.prototype) return part;
      return Object.fromEntries(
        Object.entries(part).map(([name, value]) => [name, name === 'relation' ? other(value) : copy(value)]),
      );
    };
    return copy(plan) as Logical;
  }

  /** As backfill does: at once where that can be done, or else the stream's history in pieces, then the stored relations. */
  #fill(view: ViewRuntime): void {
    const isEmpty = (oid: number) => oid === STREAM.oid && this.history.length === 0;
    if (this.random.chance(0.7) && this.loop.attachNow(view, isEmpty)) {
      if (view.sources.some((s) => s.relation === STREAM.oid) && !isEmpty(STREAM.oid)) this.withoutReplay++;
      return;
    }
    if (view.sources.some((s) => s.relation === STREAM.oid)) {
      const types = STREAM.columns.map((c) => c.type);
      for (let at = 0; at < this.history.length; at += 7) {
        const arena = new Arena();
        this.loop.feed(view, STREAM.oid, batch(types, this.history.slice(at, at + 7), arena), arena, () => null);
        arena.release();
      }
    }
    this.loop.attach(view, (oid) => oid !== STREAM.oid);
  }

  /** Makes or drops an index of a table, which joins read in place of one of their own. */
  index(): void {
    const { oid } = this.random.pick([TABLE, KEYED]);
    const columns = [this.random.below(2)];
    if (this.loop.relations.get(oid)?.index(columns) === undefined) this.loop.addIndex(oid, columns);
    else this.loop.dropIndex(oid, columns);
  }

  /** The rows of most indexes go to the cold store. */
  chill(): void {
    const { graph, relations } = this.loop;
    const indexes = [graph, ...relations.values()].flatMap((part) => [...part.coldStates()]);
    for (const index of indexes) if (this.random.chance(0.7)) index.chill(Number.POSITIVE_INFINITY);
  }

  drop(): void {
    const free = this.views.filter(({ relation: { oid } }) => !this.views.some((v) => v.reads.includes(oid)));
    if (free.length === 0) return;
    const view = this.random.pick(free);
    this.views.splice(this.views.indexOf(view), 1);
    this.loop.detachView(view.relation.oid);
  }

  check(label: string): void {
    const tables = new Map(this.rows);
    const failed = new Set<number>();
    for (const {
      plan,
      relation: { oid, columns },
      reads,
      runtime,
    } of this.views) {
      const wanted = evaluatePlan(plan, { tables });
      tables.set(oid, wanted.rows);
      // A guard may see rows that no outer row asks for (decision 0051).
      if (wanted.errors.length > 0 || runtime.errors.relation.rows > 0 || reads.some((r) => failed.has(r))) {
        failed.add(oid);
        continue;
      }
      const types = columns.map((c) => c.type);
      const arena = new Arena();
      const got = runtime.stored!.snapshot(arena);
      const rows: Datum[][] = [];
      for (let i = 0; i < got.n; i++) rows.push(...Array<Datum[]>(weightOf(got, i)).fill(readRow(got, i)));
      arena.release();
      assert.deepEqual(rowLines(rows, types), rowLines(wanted.rows, types), `${label}, view ${oid}`);
      this.compared++;
    }
  }
}

function batch(types: Relation['columns'][number]['type'][], changes: [Datum[], number][], arena: Arena) {
  return batchFromRows(
    types,
    changes.map(([row]) => row),
    arena,
    changes.map(([, weight]) => weight),
  );
}

const seed = testSeed();
const WORLDS = Number(process.env.WORLDS ?? 60);

test(`random overlapping views, made and dropped at random ticks (SEED=${seed})`, { timeout: 300_000 }, (t) => {
  let shared = 0;
  let compared = 0;
  let withoutReplay = 0;
  let overEqual = 0;
  const used = pages.usedPages;
  const store = new MemoryColdStore();
  for (let n = 0; n < WORLDS; n++) {
    const world = new World(seed + n);
    cold.store = (seed + n) % 2 === 0 ? store : null;
    for (let step = 0; step < 28; step++) {
      const label = `SEED=${seed + n} WORLDS=1 step ${step}`;
      const what = world.random.next();
      try {
        if (what < 0.35 && world.views.length < 8) world.create();
        else if (what < 0.45) world.drop();
        else if (what < 0.55) world.index();
        else world.tick();
      } catch (error) {
        throw new Error(label, { cause: error });
      }
      if (cold.store !== null) world.chill();
      world.check(label);
    }
    while (world.views.length > 0) world.drop();
    assert.deepEqual([...world.loop.graph.nodes()], [], 'all nodes are gone with their views');
    world.loop.close();
    assert.equal(pages.usedPages, used, `pages after everything was dropped, SEED=${seed + n} WORLDS=1`);
    assert.equal(store.places, 0, `places after everything was dropped, SEED=${seed + n} WORLDS=1`);
    shared += world.shared;
    compared += world.compared;
    withoutReplay += world.withoutReplay;
    overEqual += world.overEqual;
  }
  cold.store = null;
  t.diagnostic(
    `${compared} views compared, ${shared} made with nodes of others, ${withoutReplay} without replay, ${overEqual} sources of equal views, ${store.reads} reads of cold rows`,
  );
  assert.ok(shared > WORLDS && compared > WORLDS * 20 && withoutReplay > 0 && overEqual > 0);
});
