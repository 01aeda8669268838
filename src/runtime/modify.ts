/**
 * INSERT, UPDATE, DELETE and MERGE: the source plan is read as the transaction sees it, rows are checked (NOT NULL) and become changes of the
 * table; those of a whole statement (statement_changes.ts) are checked for its keys and written into the transaction.
 */
import { getHeapStatistics } from 'node:v8';
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { F64 } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { OutOfMemory, SqlError } from '../../operators/errors.ts';
import { bindExpr, evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { BoundConflict, BoundInsert, BoundModification, BoundReturning } from '../../planner/bind/index.ts';
import { hasColumns, type Relation, type UniqueKey } from '../../planner/catalog_reader.ts';
import { outputColumns } from '../../planner/logical/columns.ts';
import { planRows } from '../../planner/physical/index.ts';
import type { CheckConstraint, GeneratedColumn } from '../catalog/objects.ts';
import { checkViolation } from './check_constraint.ts';
import { generate } from './generated_column.ts';
import { nullViolation } from './not_null.ts';
import { type Reader, type ReadPieces, readNow, relationRows } from './reads.ts';
import { isLongRead, readInPieces, readInSlices, readsStream } from './sliced_read.ts';
import type { EngineTransaction } from './transaction.ts';
import { checkUnique, keyText, type RowChange, rowsByKey } from './unique_keys.ts';

export interface ModifyContext extends Reader {
  transaction: EngineTransaction;
  /** Unique keys of the relation: column positions, and the constraint's name for messages. */
  uniqueKeys: UniqueKey[];
  checks: CheckConstraint[];
  generated: GeneratedColumn[];
  /** Throws when the relation was dropped while the statement waited. */
  checkThere(): void;
  /** The same reader at another moment, until it is released. */
  asOf(plan: DataflowPlan, moment: Expr): Promise<{ reader: Reader; release(): void }>;
}

export interface Modified {
  count: number;
  /** Rows of RETURNING, or null. */
  returned: Datum[][] | null;
}

/** What a modification does to its table, before it is written. */
export interface Changes extends Modified {
  delta: RowChange[];
}

/**
 * The changes of a bound modification with parameters already replaced; its unique keys are not checked yet. `before`: what other
 * modifications of the statement change in the same table.
 */
export async function changesOf(bound: BoundModification, at: ModifyContext, before: RowChange[]): Promise<Changes> {
  if (bound.k !== 'insert' || bound.onConflict?.action === 'update') at.transaction.keepTick();
  const ids = outputColumns(bound.source).map((c) => c.id);
  const rows = await readRows(bound, ids, at);
  at.checkThere();
  const position = new Map(ids.map((id, i) => [id, i]));
  const pick = (row: Datum[], columns: { id: number }[]) => columns.map((c) => row[position.get(c.id) as number]);
  const returning = returningOf(bound.returning, position, at.context);
  // RETURNING looks at the row of the source.
  const showGenerated = (row: Datum[], next: Datum[], states: { id: number }[][]) => {
    for (const { column } of at.generated)
      for (const state of states) row[position.get(state[column].id) as number] = next[column];
  };
  switch (bound.k) {
    case 'insert':
      return insertRows(
        bound.relation,
        completed(
          bound,
          rows.map((row) => pick(row, bound.columns)),
          at,
        ),
        bound.onConflict,
        returningOfInsert(bound, position, at.context),
        at,
        before,
      );
    case 'delete': {
      const seen = onePerTarget(bound.relation, rows, (row) => pick(row, bound.oldColumns), at, before);
      const delta = seen.map((row) => ({ row: pick(row, bound.oldColumns), weight: -1 }));
      return { delta, count: seen.length, returned: returning === null ? null : seen.map(returning) };
    }
    case 'update': {
      const seen = onePerTarget(bound.relation, rows, (row) => pick(row, bound.oldColumns), at, before);
      const delta: RowChange[] = [];
      for (const row of seen) {
        const next = pick(row, bound.newColumns);
        complete(bound.relation, next, at);
        showGenerated(row, next, [bound.newColumns]);
        delta.push({ row: pick(row, bound.oldColumns), weight: -1 }, { row: next, weight: 1 });
      }
      return { delta, count: seen.length, returned: returning === null ? null : seen.map(returning) };
    }
    case 'merge': {
      const isNew = (row: Datum[]) => pick(row, [bound.action])[0] === 'INSERT';
      const changed = rows.filter((row) => !isNew(row));
      const old = (row: Datum[]) => pick(row, bound.oldColumns);
      if (onePerTarget(bound.relation, changed, old, at, []).length < changed.length) {
        throw new SqlError('21000', 'MERGE command cannot affect row a second time', {
          hint: 'Ensure that not more than one source row matches any one target row.',
        });
      }
      const left = new Set(onePerTarget(bound.relation, changed, old, at, before));
      const seen = rows.filter((row) => isNew(row) || left.has(row));
      const delta: RowChange[] = [];
      for (const row of seen) {
        if (!isNew(row)) delta.push({ row: old(row), weight: -1 });
        if (pick(row, [bound.action])[0] === 'DELETE') continue;
        const next = pick(row, bound.newColumns);
        complete(bound.relation, next, at);
        showGenerated(row, next, [bound.newColumns, bound.currentColumns]);
        delta.push({ row: next, weight: 1 });
      }
      return { delta, count: seen.length, returned: returning === null ? null : seen.map(returning) };
    }
  }
}

/** Checks the table's unique keys and writes. */
export function writeChanges(relation: Relation, delta: RowChange[], at: ModifyContext): void {
  checkUnique(relation, at.uniqueKeys, delta, at);
  writeDelta(relation, delta, at);
}

/** RETURNING of an INSERT for a row in table order, and the one whose place it took. */
type Returning = (row: Datum[], old: Datum[] | null) => Datum[];

function returningOfInsert(bound: BoundInsert, position: Map<number, number>, context: EvalContext): Returning | null {
  const old = bound.onConflict?.action === 'update' ? bound.onConflict.existing : [];
  const places = [...bound.columns, ...old].map(({ id }) => position.get(id) ?? position.size);
  const all = new Map(position);
  old.forEach(({ id }, i) => {
    places[bound.columns.length + i] = position.size + i;
    all.set(id, position.size + i);
  });
  const returning = returningOf(bound.returning, all, context);
  if (returning === null) return null;
  return (row, before) => {
    const source: Datum[] = [];
    const both = [...row, ...(before ?? old.map(() => null))];
    places.forEach((place, i) => {
      source[place] = both[i];
    });
    return returning(source);
  };
}

/** The rows with the values that are made in their order. */
function completed({ inOrder }: BoundInsert, rows: Datum[][], at: ModifyContext): Datum[][] {
  for (const row of inOrder.length === 0 ? [] : rows)
    for (const { column, value } of inOrder) row[column] = evaluate(value, [], at.context);
  return rows;
}

async function readRows(bound: BoundModification, ids: number[], at: ModifyContext): Promise<Datum[][]> {
  const plan = planRows(bound.source, ids);
  const asOf = bound.k === 'insert' ? bound.asOf : null;
  const order: SortKey[] = (bound.k === 'insert' ? bound.order : []).map(({ id, desc, nullsFirst }) => {
    return { col: ids.indexOf(id), desc, nullsFirst };
  });
  const then = asOf === null ? null : await at.asOf(plan, asOf);
  try {
    return await rowsOfPlan(plan, ids.length, order, then?.reader ?? at);
  } finally {
    then?.release();
  }
}

async function rowsOfPlan(plan: DataflowPlan, width: number, order: SortKey[], at: Reader): Promise<Datum[][]> {
  // At once wherever that is possible: a commit between two slices would be a conflict that PostgreSQL's users do not know.
  const { pieces, arena } = readsStream(plan, at)
    ? await readInSlices(plan, width, order, at, null)
    : readAtOnce(plan, width, order, at);
  try {
    const count = pieces.reduce((sum, piece) => sum + piece.n, 0);
    checkHeap(count * (ROW_BYTES + width * DATUM_BYTES) + arena.bytes);
    const rows: Datum[][] = [];
    for (const piece of pieces) for (let i = 0; i < piece.n; i++) rows.push(readRow(piece, i));
    return rows;
  } finally {
    arena.release();
  }
}

function readAtOnce(plan: DataflowPlan, width: number, order: SortKey[], at: Reader): ReadPieces {
  if (order.length === 0 && isLongRead(plan, at)) return readInPieces(plan, width, at);
  const { batch, arena } = readNow(plan, width, order, at);
  return { pieces: [batch], arena };
}

/** About what a row and a value of it take in JavaScript. */
const ROW_BYTES = 64;
const DATUM_BYTES = 24;

/** Rows of a statement lie in JavaScript's heap, whose end would be that of the process. */
export function checkHeap(bytes: number): void {
  budget.check(pages.usedBytes, bytes);
  const { heap_size_limit, used_heap_size } = getHeapStatistics();
  const left = (heap_size_limit - used_heap_size) / 2;
  if (bytes > left) throw new OutOfMemory(bytes, heap_size_limit);
}

function returningOf(
  returning: BoundReturning | null,
  position: Map<number, number>,
  context: EvalContext,
): ((row: Datum[]) => Datum[]) | null {
  if (returning === null) return null;
  const items = returning.items.map((item) => bindExpr(positional(item.expr, position)));
  return (row) => items.map((item) => item(row, context));
}

/** Column ids become positions of the row. */
function positional<T>(value: T, position: Map<number, number>): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => positional(item, position)) as T;
  const fields = value as Record<string, unknown>;
  if (fields.k === 'const') return value;
  if (fields.k === 'col') return { ...fields, id: position.get(fields.id as number) } as T;
  return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, positional(v, position)])) as T;
}

/**
 * One source row for each row of the table that is to be changed. A target that joins several FROM rows stands several times in the source:
 * the first counts. Equal rows of a table without a key are as many targets as there are, less those taken away before.
 */
function onePerTarget(
  relation: Relation,
  rows: Datum[][],
  oldRow: (row: Datum[]) => Datum[],
  at: ModifyContext,
  before: RowChange[],
): Datum[][] {
  const gone = before.filter((c) => c.weight < 0).map((c) => c.row);
  if (rows.length + gone.length < 2) return rows;
  const types = relation.columns.map((c) => c.type);
  const arena = new Arena();
  const table = new RowTable(types, 16, 'identity');
  try {
    const batch = batchFromRows(types, [...gone, ...rows.map(oldRow)], arena);
    table.bind(batch.columns);
    const slots: number[] = [];
    let repeated = false;
    for (let i = 0; i < batch.n; i++) {
      slots.push(table.findOrInsert(i));
      if (!table.inserted) repeated = true;
    }
    if (!repeated) return rows;
    countStored(relation, table, arena, at);
    const isLeft = slots.map((slot) => --F64[(slot + table.payloadOffset) / 8] >= 0);
    return rows.filter((_, i) => isLeft[gone.length + i]);
  } finally {
    table.release();
    arena.release();
  }
}

/** Writes into the payload of each of the table's rows how often the relation has it. */
function countStored(relation: Relation, table: RowTable, arena: Arena, at: ModifyContext): void {
  const stored = relationRows(at, arena)(relation.oid);
  table.ops.bind(stored.columns);
  for (let i = 0; i < stored.n; i++) {
    const slot = table.find(i);
    if (slot !== 0) F64[(slot + table.payloadOffset) / 8] += weightOf(stored, i);
  }
}

function writeDelta(relation: Relation, rows: RowChange[], at: ModifyContext): void {
  const arena = new Arena();
  try {
    const types = relation.columns.map((c) => c.type);
    at.transaction.write(
      relation.oid,
      batchFromRows(
        types,
        rows.map((r) => r.row),
        arena,
        rows.map((r) => r.weight),
      ),
    );
  } finally {
    arena.release();
  }
}

/** A new row with its generated columns, which fits NOT NULL and CHECK. */
function complete(relation: Relation, row: Datum[], { checks, generated, context }: ModifyContext): void {
  generate(generated, row, context);
  const violation = nullViolation(relation, row, context) ?? checkViolation(relation, checks, row, context);
  if (violation !== null) throw violation;
}

function insertRows(
  relation: Relation,
  rows: Datum[][],
  onConflict: BoundConflict | null,
  returning: Returning | null,
  at: ModifyContext,
  before: RowChange[],
): Changes {
  for (const row of rows) complete(relation, row, at);
  if (onConflict !== null) return upsertRows(relation, rows, onConflict, returning, at, before);
  const delta = rows.map((row) => ({ row, weight: 1 }));
  return { delta, count: rows.length, returned: returning === null ? null : rows.map((row) => returning(row, null)) };
}

function upsertRows(
  relation: Relation,
  rows: Datum[][],
  onConflict: BoundConflict,
  returning: Returning | null,
  at: ModifyContext,
  before: RowChange[],
): Changes {
  const target = onConflict.target;
  const keys = target === null ? at.uniqueKeys : at.uniqueKeys.filter((k) => hasColumns(k, target));
  if (keys.length === 0 && target !== null) {
    throw new SqlError('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
  }
  const stored = keys.map((key) => rowsByKey(relation, key, rows, at));
  // Of the keys: what this command has changed.
  const own = keys.map(() => new Set<string>());
  const write = (row: Datum[]) =>
    keys.forEach((key, i) => {
      const text = keyText(key, row);
      if (text === null) return;
      stored[i].set(text, row);
      own[i].add(text);
    });
  const erase = (row: Datum[]) =>
    keys.forEach((key, i) => {
      const text = keyText(key, row);
      if (text !== null) stored[i].delete(text);
    });
  for (const { row, weight } of before) if (weight < 0) erase(row);
  for (const { row, weight } of before) if (weight > 0) write(row);
  const delta: RowChange[] = [];
  const returned: Datum[][] = [];
  let count = 0;
  const change = onConflict.action === 'update' ? conflictUpdate(onConflict, at.context) : null;
  for (const row of rows) {
    const texts = keys.map((key) => keyText(key, row));
    const hit = texts.findIndex((text, i) => text !== null && stored[i].has(text));
    if (hit < 0) {
      delta.push({ row, weight: 1 });
      write(row);
      count++;
      if (returning !== null) returned.push(returning(row, null));
      continue;
    }
    if (change === null) continue;
    const text = texts[hit] as string;
    if (own[hit].has(text)) {
      throw new SqlError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
        hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
      });
    }
    const existing = stored[hit].get(text) as Datum[];
    const next = change(existing, row);
    if (next === null) continue;
    complete(relation, next, at);
    stored[hit].delete(text);
    write(next);
    delta.push({ row: existing, weight: -1 }, { row: next, weight: 1 });
    count++;
    if (returning !== null) returned.push(returning(next, existing));
  }
  return { delta, count, returned: returning === null ? null : returned };
}

/** The new row of DO UPDATE for (stored row, proposed row), or null when its WHERE says no. */
function conflictUpdate(conflict: Extract<BoundConflict, { action: 'update' }>, context: EvalContext) {
  const position = new Map<number, number>();
  conflict.existing.forEach((c, i) => {
    position.set(c.id, i);
  });
  conflict.excluded.forEach((c, i) => {
    position.set(c.id, conflict.existing.length + i);
  });
  const set = conflict.set.map((e) => bindExpr(positional(e, position)));
  const where = conflict.where === null ? null : bindExpr(positional(conflict.where, position));
  return (existing: Datum[], proposed: Datum[]): Datum[] | null => {
    const both = [...existing, ...proposed];
    if (where !== null && where(both, context) !== true) return null;
    return set.map((e) => e(both, context));
  };
}

/** Rows of COPY FROM: checked and written like INSERT's. */
export function insertDatums(relation: Relation, rows: Datum[][], at: ModifyContext): void {
  at.checkThere();
  writeChanges(relation, insertRows(relation, rows, null, null, at, []).delta, at);
}
