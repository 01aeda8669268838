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
import { drain, openEngine, Session, sql } from './harness.ts';

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

test('errors of a shared node belong to every view that has it', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (id int, a int, b int); INSERT INTO t VALUES (1, 6, 3), (2, 1, 0)');
    await sql(engine, 'CREATE MATERIALIZED VIEW one AS SELECT a / b AS q, count(*) FROM t GROUP BY a / b');
    await sql(engine, 'CREATE MATERIALIZED VIEW two AS SELECT a / b AS q, count(*) FROM t GROUP BY a / b');
    await sql(engine, 'INSERT INTO t VALUES (3, 2, 0)');
    const errors = (name: string) =>
      sql(engine, `SELECT reason, count(*) FROM tidemark.errors('${name}') GROUP BY reason`);
    assert.deepEqual(await errors('one'), [['division by zero', '2']]);
    assert.deepEqual(await errors('two'), await errors('one'));
    await sql(engine, 'DROP MATERIALIZED VIEW one');
    assert.deepEqual(await errors('two'), [['division by zero', '2']]);
    await sql(engine, 'DELETE FROM t WHERE b = 0');
    assert.deepEqual(await errors('two'), []);
    assert.deepEqual(await sql(engine, 'SELECT q, count FROM two'), [['2', '1']]);
  } finally {
    await engine.close();
  }
});

test('EXPLAIN says which Top-N a kernel keeps in order', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE STREAM bids (auction int, price int); CREATE TABLE t (auction int, price int)');
    const plan = async (from: string, most: number) => {
      const places = `SELECT auction, row_number() OVER (PARTITION BY auction ORDER BY price DESC) AS place FROM ${from}`;
      const lines = await sql(
        engine,
        `EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT auction FROM (${places}) AS p WHERE place <= ${most}`,
      );
      return lines.map(([line]) => line).find((line) => line?.includes('TopN')) ?? '';
    };
    assert.match(await plan('bids', 3), /TopN 3 .* by kernel/);
    for (const other of [await plan('bids', 100), await plan('t', 3)]) {
      assert.match(other, /TopN/);
      assert.doesNotMatch(other, /by kernel/);
    }
  } finally {
    await engine.close();
  }
});

test('EXPLAIN names who shares a node', async () => {
  const engine = await openEngine();
  const lines = async (text: string) => (await sql(engine, `EXPLAIN ${text}`)).map(([line]) => line ?? '');
  const aggregate = async (text: string) => (await lines(text)).find((l) => l.includes('Aggregate')) ?? '';
  try {
    await sql(engine, 'CREATE TABLE t (a int, b int)');
    await sql(engine, 'CREATE MATERIALIZED VIEW one AS SELECT a, count(*) AS n FROM t GROUP BY a');
    assert.doesNotMatch((await lines('SELECT * FROM one')).join('\n'), /shared/);
    const second = 'CREATE MATERIALIZED VIEW two AS SELECT a FROM t GROUP BY a HAVING count(*) > 1';
    assert.match(await aggregate(second), /shared with one$/);
    await sql(engine, second);
    assert.match(await aggregate('SELECT * FROM one'), /shared with two$/);
    for (let i = 0; i < 4; i++)
      await sql(engine, `CREATE MATERIALIZED VIEW m${i} AS SELECT a, count(*) AS n FROM t GROUP BY a`);
    assert.match(await aggregate('SELECT * FROM one'), /shared with 5 views$/);
    const figures = (await lines('ANALYZE SELECT * FROM one')).filter((l) => /^\d+ aggregate/.test(l));
    assert.match(figures[0], / 6$/);
  } finally {
    await engine.close();
  }
});

test('views that are the same query keep their rows once, each with its indexes', async () => {
  const used = pages.usedPages;
  const engine = await openEngine();
  const make = (name: string) =>
    sql(engine, `CREATE MATERIALIZED VIEW ${name} AS SELECT a, b, count(*) AS n FROM t GROUP BY a, b`);
  const stored = (name: string) => engine.loop.relations.get(engine.catalog.find('public', name)!.oid);
  await sql(engine, 'CREATE TABLE t (a int, b int); INSERT INTO t SELECT g % 5, g % 3 FROM generate_series(1, 90) g');
  await make('one');
  await make('two');
  await sql(
    engine,
    "CREATE SINK out AS SELECT a, b, count(*) AS n FROM t GROUP BY a, b WITH (connector = 'blackhole')",
  );
  assert.equal(stored('one'), stored('two'));
  await sql(engine, 'CREATE INDEX i ON one (b); CREATE INDEX j ON two (b)');
  await sql(engine, 'DROP INDEX i');
  assert.equal((await sql(engine, 'SELECT * FROM two WHERE b = 1')).length, 5);
  const first = await new Session(engine).open('SUBSCRIBE one');
  const second = await new Session(engine).open('SUBSCRIBE (SELECT a, b, count(*) AS n FROM t GROUP BY a, b)');
  assert.ok(first && second);
  const reader = new Session(engine);
  await reader.run('SELECT count(*) FROM two');
  await sql(engine, 'DELETE FROM t WHERE a = 1; DROP MATERIALIZED VIEW one');
  const changes = async (of: typeof first) => (await drain(of)).map((row) => row.slice(1)).sort();
  assert.deepEqual(await changes(first), await changes(second));
  assert.deepEqual(await reader.run('SELECT count(*) FROM two'), [['15']]);
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM two'), [['12']]);
  first.rows.close();
  second.rows.close();
  reader.transaction.rollback();
  await sql(engine, 'DROP INDEX j; DROP SINK out; DROP TABLE t CASCADE');
  assert.deepEqual([...engine.loop.graph.nodes()], []);
  await engine.close();
  assert.ok(pages.usedPages <= used + 1, `${pages.usedPages - used} pages are still in use`);
});

test('views over views that are the same query are the same query', async () => {
  const engine = await openEngine();
  const { graph } = engine.loop;
  const nodes = () => [...graph.nodes()].length;
  const rows = (view: string) => sql(engine, `SELECT * FROM ${view} ORDER BY 1`);
  try {
    await sql(engine, 'CREATE TABLE t (g int, v int); INSERT INTO t VALUES (1, 1), (1, 2), (2, 5)');
    await sql(engine, 'CREATE MATERIALIZED VIEW a1 AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(engine, 'CREATE MATERIALIZED VIEW b1 AS SELECT s % 2 AS odd, count(*) AS n FROM a1 GROUP BY s % 2');
    await sql(engine, 'CREATE MATERIALIZED VIEW c1 AS SELECT max(n) FROM b1');
    const before = nodes();
    await sql(engine, 'CREATE MATERIALIZED VIEW a2 (h, total) AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW b2 AS SELECT total % 2 AS odd, count(*) AS n FROM a2 GROUP BY total % 2',
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW c2 AS SELECT max(n) FROM b2');
    assert.equal(nodes(), before);
    const plan = (await sql(engine, 'EXPLAIN SELECT * FROM b2')).join('\n');
    assert.match(plan, /shared with b1/);
    await sql(engine, 'CREATE MATERIALIZED VIEW pairs AS SELECT g, s, total FROM a1 JOIN a2 ON g = h');
    await sql(engine, 'INSERT INTO t VALUES (2, 1), (3, 7)');
    assert.deepEqual(await rows('pairs'), [
      ['1', '3', '3'],
      ['2', '6', '6'],
      ['3', '7', '7'],
    ]);
    for (const n of [1, 2]) {
      assert.deepEqual(await rows(`b${n}`), [
        ['0', '1'],
        ['1', '2'],
      ]);
      assert.deepEqual(await rows(`c${n}`), [['2']]);
    }
    // What was made first goes first.
    await sql(engine, 'DROP MATERIALIZED VIEW pairs');
    await sql(engine, 'DROP MATERIALIZED VIEW a1 CASCADE');
    await sql(engine, 'INSERT INTO t VALUES (4, 9)');
    assert.deepEqual(await rows('b2'), [
      ['0', '1'],
      ['1', '3'],
    ]);
    assert.deepEqual(await rows('c2'), [['3']]);
    // Made again, it is one with what is left.
    await sql(engine, 'CREATE MATERIALIZED VIEW a1 AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(engine, 'CREATE MATERIALIZED VIEW b1 AS SELECT s % 2 AS odd, count(*) AS n FROM a1 GROUP BY s % 2');
    assert.equal(nodes(), before);
    await sql(engine, 'DROP MATERIALIZED VIEW a2 CASCADE');
    await sql(engine, 'DELETE FROM t WHERE g = 4');
    assert.deepEqual(await rows('b1'), [
      ['0', '1'],
      ['1', '2'],
    ]);
    await sql(engine, 'DROP MATERIALIZED VIEW a1 CASCADE');
    assert.equal(nodes(), 0);
  } finally {
    await engine.close();
  }
});

test('a query over a view goes on with its equal when the view is dropped', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (v int); INSERT INTO t VALUES (1)');
    for (const n of [1, 2]) await sql(engine, `CREATE MATERIALIZED VIEW a${n} AS SELECT v, count(*) FROM t GROUP BY v`);
    const session = new Session(engine);
    const stream = (await session.open('SUBSCRIBE (SELECT sum(v) AS s FROM a1)'))!;
    await drain(stream);
    await sql(engine, 'CREATE MATERIALIZED VIEW b2 AS SELECT sum(v) AS s FROM a2');
    await sql(engine, 'DROP MATERIALIZED VIEW a1');
    await sql(engine, 'INSERT INTO t VALUES (5)');
    assert.deepEqual(await sql(engine, 'SELECT * FROM b2'), [['6']]);
    stream.rows.close();
    await sql(engine, 'INSERT INTO t VALUES (6)');
    assert.deepEqual(await sql(engine, 'SELECT * FROM b2'), [['12']]);
  } finally {
    await engine.close();
  }
});

test('a join reads the index that its relation keeps', async () => {
  const engine = await openEngine();
  const explain = async (name: string) =>
    (await sql(engine, `EXPLAIN SELECT * FROM ${name}`)).map(([line]) => line).join('\n');
  const own = () =>
    [...engine.loop.graph.nodes()].flatMap((node) => [...node.indexes.values()].filter((i) => i.own !== null)).length;
  const rows = () => sql(engine, 'SELECT o, name FROM joined ORDER BY o');
  try {
    await sql(
      engine,
      'CREATE TABLE c (id int PRIMARY KEY, name text, note text); CREATE TABLE o (id int, customer int)',
    );
    await sql(
      engine,
      "INSERT INTO c VALUES (1, 'a name longer than a slot holds', 'x'), (2, 'bo', 'y'); INSERT INTO o VALUES (10, 1), (11, 2)",
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW joined AS SELECT o.id AS o, c.name FROM o JOIN c ON o.customer = c.id');
    assert.match(await explain('joined'), /Source c \[id, name\].* reads index \(id\)/);
    assert.equal(own(), 1);
    await sql(engine, 'CREATE INDEX i ON o (customer)');
    assert.match(await explain('joined'), /Source o .* reads index \(customer\)/);
    assert.equal(own(), 0);
    await sql(
      engine,
      "UPDATE c SET name = 'another name that is long enough' WHERE id = 1; INSERT INTO o VALUES (12, 2)",
    );
    const wanted = [
      ['10', 'another name that is long enough'],
      ['11', 'bo'],
      ['12', 'bo'],
    ];
    assert.deepEqual(await rows(), wanted);
    await sql(engine, 'DROP INDEX i');
    assert.equal(own(), 1);
    await sql(engine, 'DELETE FROM c WHERE id = 2; INSERT INTO o VALUES (13, 1)');
    assert.deepEqual(await rows(), [wanted[0], ['13', 'another name that is long enough']]);
  } finally {
    await engine.close();
  }
});

test('settings of the session keep nodes apart where they matter', async () => {
  const engine = await openEngine();
  const view = (name: string, timeZone: string) =>
    new Session(engine, { TimeZone: timeZone }).run(
      `CREATE MATERIALIZED VIEW ${name} AS SELECT x.at::text AS x, y.a FROM t x JOIN t y ON x.a = y.a WHERE y.a > 0`,
    );
  const nodes = () => [...engine.loop.graph.nodes()].length;
  try {
    await sql(engine, "CREATE TABLE t (at timestamptz, a int); INSERT INTO t VALUES ('2026-01-01 00:00Z', 1)");
    await view('one', 'UTC');
    const first = nodes();
    await view('two', 'Asia/Tokyo');
    assert.ok(nodes() > first && nodes() < 2 * first, 'only what reads the setting is there twice');
    await view('three', 'UTC');
    assert.equal(nodes(), first + 1);
    assert.deepEqual(await sql(engine, 'SELECT x FROM one'), [['2026-01-01 00:00:00+00']]);
    assert.deepEqual(await sql(engine, 'SELECT x FROM two'), [['2026-01-01 09:00:00+09']]);
    assert.deepEqual(await sql(engine, 'SELECT x FROM three'), await sql(engine, 'SELECT x FROM one'));
  } finally {
    await engine.close();
  }
});
