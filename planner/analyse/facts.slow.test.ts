/**
 * The analyses' facts hold: for random plans maintained through random ticks, keys occur once, NOT NULL columns have no NULL, and an
 * append-only result over append-only relations never takes a row back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import type { Relation } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import { INT4, structureText } from '../logical/expressions.ts';
import { Build, relation } from '../logical/test_plans.ts';
import { RandomPlan } from '../logical/test_random_plan.ts';
import { planRows } from '../physical/index.ts';
import { analysePlan, type NodeFacts } from './index.ts';

const PLANS = Number(process.env.PLANS ?? 1000);
const TICKS = 4;

function tables(appendOnly: boolean): Relation[] {
  const more = { appendOnly };
  const r = relation(
    1,
    'r',
    [
      ['a', INT4],
      ['b', INT4],
    ],
    more,
  );
  const s = relation(
    2,
    's',
    [
      ['c', INT4],
      ['d', INT4],
    ],
    more,
  );
  const t = relation(
    3,
    't',
    [
      ['k', INT4],
      ['e', INT4],
    ],
    { ...more, key: [0] },
  );
  s.columns[0].notNull = true;
  t.columns[0].notNull = true;
  return [r, s, t];
}

type Stored = Map<number, Datum[][]>;

/** Random changes that respect the relations' constraints. */
function randomTick(random: Random, relations: Relation[], stored: Stored): [number, Datum[], number][] {
  return relations.flatMap((r) => {
    const rows = stored.get(r.oid)!;
    const changes: [number, Datum[], number][] = [];
    if (!r.appendOnly) {
      for (let i = rows.length - 1; i >= 0; i--)
        if (random.chance(0.3)) changes.push([r.oid, rows.splice(i, 1)[0], -1]);
    }
    for (let n = random.below(4); n > 0; n--) {
      const row = r.columns.map((c) => (!c.notNull && random.chance(0.2) ? null : random.below(r.key ? 12 : 4)));
      if (r.key && rows.some((x) => x[0] === row[0])) continue;
      rows.push(row);
      changes.push([r.oid, row, 1]);
    }
    return changes;
  });
}

/** Runs a plan and checks the root's facts after every tick; false when an operator is missing. */
function check(plan: DataflowPlan, facts: NodeFacts, relations: Relation[], random: Random, label: string): boolean {
  const stored: Stored = new Map(relations.map((r) => [r.oid, []]));
  const arena = new Arena();
  const sums = new Map<string, { row: Datum[]; weight: number }>();
  let flow: Dataflow;
  try {
    flow = new Dataflow(plan);
  } catch (error) {
    if (error instanceof SqlError && error.sqlstate === '0A000') return false;
    throw error;
  }
  for (let tick = 0; tick < TICKS; tick++) {
    const changes = randomTick(random, relations, stored);
    const delta = (oid: number) => {
      const own = changes.filter((c) => c[0] === oid);
      const columns = relations.find((r) => r.oid === oid)!.columns.map((c) => c.type);
      return batchFromRows(
        columns,
        own.map((c) => c[1]),
        arena,
        own.map((c) => c[2]),
      );
    };
    let failed = false;
    const report = (): void => {
      failed = true;
    };
    const number = BigInt(tick);
    const out = flow.step(delta, {
      number,
      arena,
      evalContext: defaultContext(),
      errors: { report },
      now: 0n,
      watermark: () => null,
    });
    const change = new Map<string, number>();
    for (let i = 0; i < out.n; i++) {
      const row = readRow(out, i);
      const key = structureText(row);
      sums.set(key, { row, weight: (sums.get(key)?.weight ?? 0) + weightOf(out, i) });
      change.set(key, (change.get(key) ?? 0) + weightOf(out, i));
    }
    flow.endTick();
    arena.reset();
    if (failed) break;
    const rows = [...sums.values()].filter((s) => s.weight !== 0);
    if (facts.appendOnly)
      assert.ok(
        [...change.values()].every((w) => w >= 0),
        `${label}: append-only`,
      );
    facts.notNull.forEach((known, c) => {
      if (known)
        assert.ok(
          rows.every((r) => r.row[c] !== null),
          `${label}: column ${c} is NULL`,
        );
    });
    for (const key of facts.keys) {
      const values = rows.map((r) => structureText(key.map((c) => r.row[c])));
      assert.equal(new Set(values).size, values.length, `${label}: key ${key.join(',')}`);
      assert.ok(
        rows.every((r) => r.weight === 1),
        `${label}: weights with key ${key.join(',')}`,
      );
    }
  }
  flow.release();
  arena.release();
  return true;
}

const seed = testSeed();

for (const appendOnly of [false, true]) {
  const kind = appendOnly ? 'append-only relations' : 'tables';
  test(`facts hold over ${kind} (SEED=${seed})`, { timeout: 300_000 }, (t) => {
    const seen = { run: 0, keys: 0, notNull: 0, appendOnly: 0 };
    for (let i = 0; i < PLANS; i++) {
      const random = new Random(seed + i);
      const relations = tables(appendOnly);
      const plan = new RandomPlan(random, new Build(), relations).plan(2 + random.below(7), []);
      const ids = outputColumns(plan).map((c) => c.id);
      const physical = planRows(plan, ids, { mode: 'view' });
      const facts = analysePlan(physical, (oid) => relations.find((r) => r.oid === oid))[physical.root];
      if (!check(physical, facts, relations, random, `SEED=${seed + i}`)) continue;
      seen.run++;
      if (facts.keys.length > 0) seen.keys++;
      if (facts.notNull.some((x) => x)) seen.notNull++;
      if (facts.appendOnly) seen.appendOnly++;
    }
    t.diagnostic(JSON.stringify(seen));
    assert.ok(seen.keys > PLANS / 20 && seen.notNull > PLANS / 20);
  });
}
