/**
 * For tests: SQL over the tables of testdata/tables.sql through parser, binder and planner, then through the reference interpreter and
 * through running operators. Results are PostgreSQL's texts, as sorted lines.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { Dataflow, type RelationRows } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import { finalNodes } from '../../operators/held_nodes.ts';
import { Piecewise } from '../../operators/piecewise.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { ColType } from '../../operators/types.ts';
import { bindQuery } from '../bind/index.ts';
import { type CatalogReader, primaryKeyOf, type Relation } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import type { BoundQuery, Col, Logical } from '../logical/plan.ts';
import { keepColumns } from '../logical/tree.ts';
import { parse } from '../parse/parse.ts';
import { parseTypeName } from '../types/type_name.ts';
import { planRows } from './index.ts';

export type Tables = Map<number, Datum[][]>;
export type Pieces = { relation: number; rows: Datum[][] }[];

/** A test relation; `oid` must be its own. */
export function testRelation(oid: number, name: string, columns: string, more: Partial<Relation> = {}): Relation {
  return {
    oid,
    schema: 'public',
    name,
    kind: more.watermark ? 'stream' : 'table',
    columns: columns.split(', ').map((c) => {
      const at = c.indexOf(' ');
      return { name: c.slice(0, at), type: parseTypeName(c.slice(at + 1)), notNull: false };
    }),
    key: null,
    appendOnly: more.watermark !== undefined,
    indexes: [],
    ...more,
  };
}

function testCatalog(relations: Relation[]): CatalogReader {
  return {
    relation: (_schema, name) => relations.find((r) => r.name === name) ?? null,
    relationByOid: (oid) => relations.find((r) => r.oid === oid) ?? null,
    uniqueKeys: primaryKeyOf,
    typeNamed: () => 0,
  };
}

export function bindSql(sql: string, relations: Relation[], mode: 'view' | 'read'): BoundQuery {
  const [statement] = parse(sql);
  if (statement.k !== 'select') throw new Error(`not a query: ${sql}`);
  const env = {
    catalog: testCatalog(relations),
    evalContext: defaultContext(),
    paramTypes: [],
    searchPath: ['public'],
    mode,
  };
  return bindQuery(statement.query, env);
}

/** The lines of a data file without comments. */
export function testLines(file: string): string[] {
  const text = readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8');
  return text.split('\n').filter((l) => l.trim() !== '' && !l.startsWith('--'));
}

/** Rows as sorted lines of PostgreSQL's text output. */
export function rowLines(rows: Datum[][], types: ColType[]): string[] {
  const text = (v: Datum, t: ColType): string => (v === null ? 'NULL' : outputText(v, t.oid, defaultContext()));
  return rows.map((r) => r.map((v, i) => text(v, types[i])).join(' | ')).sort();
}

/** A plan's rows by the reference interpreter, cut to `cols`. Throws the first row error. */
export function interpret(plan: Logical, cols: Col[], tables: Tables): string[] {
  const { rows, errors } = evaluatePlan(cut(plan, cols), { tables });
  if (errors.length > 0) throw errors[0];
  return rowLines(
    rows,
    cols.map((c) => c.type),
  );
}

/** As keepColumns, but a column may be wanted twice. */
function cut(plan: Logical, cols: Col[]): Logical {
  const known = new Map(outputColumns(plan).map((c) => [c.id, c]));
  if (new Set(cols.map((c) => c.id)).size === cols.length) return keepColumns(plan, cols);
  const items = cols.map((c) => ({ col: c, expr: { k: 'col' as const, id: c.id, t: known.get(c.id)!.type } }));
  return { op: 'project', input: plan, items };
}

/** Runs a plan by the operators: `ticks` are changes of whole rows; gives the sum of the deltas of the first `width` columns. */
export function runPlan(
  plan: DataflowPlan,
  width: number,
  relations: Relation[],
  ticks: [number, Datum[], number][][],
): string[] {
  const flow = new Dataflow(plan);
  const arena = new Arena();
  const types = plan.nodes[plan.root].types.slice(0, width);
  const sums = new Map<string, number>();
  const errors = new Map<string, { error: SqlError; weight: number }>();
  try {
    ticks.forEach((changes, number) => {
      const delta = (oid: number) => {
        const own = changes.filter(([relation]) => relation === oid);
        const columns = relations.find((r) => r.oid === oid)!.columns.map((c) => c.type);
        return batchFromRows(
          columns,
          own.map((c) => c[1]),
          arena,
          own.map((c) => c[2]),
        );
      };
      const out = flow.step(delta, {
        number: BigInt(number),
        arena,
        evalContext: defaultContext(),
        errors: {
          report: (error, row, weight) => {
            const key = `${error.sqlstate} ${row.length}`;
            errors.set(key, { error, weight: (errors.get(key)?.weight ?? 0) + weight });
          },
        },
        now: 0n,
        watermark: () => null,
      });
      for (let i = 0; i < out.n; i++) {
        const [line] = rowLines([readRow(out, i).slice(0, width)], types);
        sums.set(line, (sums.get(line) ?? 0) + weightOf(out, i));
      }
      flow.endTick();
      arena.reset();
    });
  } finally {
    flow.release();
    arena.release();
  }
  for (const { error, weight } of errors.values()) if (weight !== 0) throw error;
  for (const [line, weight] of sums) if (weight < 0) throw new Error(`weight ${weight} of ${line}`);
  return [...sums].flatMap(([line, weight]) => Array<string>(weight).fill(line)).sort();
}

/** True for the error of an operator that does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof SqlError && error.sqlstate === '0A000';
}

/** What a read that fails by its first failing row is told of a tick. */
const readTick = (arena: Arena) => ({
  number: 0n,
  arena,
  evalContext: defaultContext(),
  errors: {
    report(error: SqlError): never {
      throw error;
    },
  },
  now: 0n,
  watermark: () => null,
});

/** The same for a read whose input is there at once (src/runtime/reads.ts). */
export function readOnce(
  plan: DataflowPlan,
  width: number,
  relations: Relation[],
  tables: Map<number, Datum[][]>,
): string[] {
  const flow = new Dataflow(finalNodes(plan));
  const arena = new Arena();
  const types = plan.nodes[plan.root].types;
  try {
    const columnsOf = (oid: number) => relations.find((r) => r.oid === oid)!.columns.map((c) => c.type);
    const out = flow.step((oid) => batchFromRows(columnsOf(oid), tables.get(oid) ?? [], arena), readTick(arena));
    const lines: string[] = [];
    const net = consolidator(types)(out, arena);
    for (let i = 0; i < net.n; i++) {
      const weight = weightOf(net, i);
      assert.ok(weight > 0, `weight ${weight}`);
      const [line] = rowLines([readRow(net, i).slice(0, width)], types.slice(0, width));
      lines.push(...Array<string>(weight).fill(line));
    }
    flow.endTick();
    return lines.sort();
  } finally {
    flow.release();
    arena.release();
  }
}

/** The same for a read whose input comes in pieces: `pieces` are rows of one relation each. What is made of them is made in pieces of `most` rows. */
function readPieces(plan: DataflowPlan, width: number, relations: Relation[], pieces: Pieces, most: number): string[] {
  const flow = new Piecewise(plan, most);
  const arena = new Arena();
  const types = plan.nodes[plan.root].types.slice(0, width);
  const lines: string[] = [];
  const tick = readTick(arena);
  const take = (out: Batch) => {
    for (let i = 0; i < out.n; i++) {
      const weight = weightOf(out, i);
      assert.ok(weight > 0, `weight ${weight}`);
      lines.push(...Array<string>(weight).fill(rowLines([readRow(out, i).slice(0, width)], types)[0]));
    }
  };
  const step = (rows: RelationRows) => {
    for (const out of flow.steps(rows, tick)) take(out);
    arena.reset();
  };
  try {
    step(() => null);
    for (const [i, { relation, rows }] of pieces.entries()) {
      flow.expect(new Set(pieces.slice(i).map((piece) => piece.relation)));
      const columns = relations.find((r) => r.oid === relation)!.columns.map((c) => c.type);
      step((oid) => (oid === relation ? batchFromRows(columns, rows, arena) : null));
    }
    for (const out of flow.rest(tick)) take(out);
    return lines.sort();
  } finally {
    flow.release();
    arena.release();
  }
}

/**
 * Fails when the plan, read in pieces and at once, gives other rows than these (rowLines). False: it could not be read, for want of an operator, or as a guard has seen
 * rows that no outer row asks for (decision 0051).
 */
export function readsGive(
  rows: string[],
  plan: Logical,
  cols: Col[],
  relations: Relation[],
  input: { tables: Tables; pieces: Pieces; most: number },
  label: string,
): boolean {
  try {
    const physical = planRows(
      plan,
      cols.map((c) => c.id),
    );
    assert.deepEqual(readPieces(physical, cols.length, relations, input.pieces, input.most), rows, label);
    assert.deepEqual(readOnce(physical, cols.length, relations, input.tables), rows, `${label}, at once`);
    return true;
  } catch (error) {
    if (isMissing(error) || (error instanceof SqlError && error.sqlstate === '21000')) return false;
    throw new Error(label, { cause: error });
  }
}
