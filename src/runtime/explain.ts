/**
 * EXPLAIN [ANALYZE]: the dataflow plan as the planner prints it, with the views that each node is shared with; ANALYZE of a live view adds
 * what its operators measured. Of a view that is not made yet, the sharing is what it would find now.
 */

import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { Flow } from '../../operators/flow.ts';
import type { GraphNode } from '../../operators/graph_node.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { keepsFewRows } from '../../operators/top_few.ts';
import { keepsOneRow } from '../../operators/top_one.ts';
import { colType, OID } from '../../operators/types.ts';
import { type BoundModification, bindModifyingSelect, bindQuery } from '../../planner/bind/index.ts';
import type { BoundQuery } from '../../planner/logical/plan.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import {
  type ExplainedNode,
  explainNodes,
  explainQuery,
  keptRemark,
  type NodeRemark,
  planQuery,
} from '../../planner/physical/index.ts';
import { bindParameters } from '../../planner/physical/parameters.ts';
import type { Result, SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { explainChanges } from './explain_changes.ts';
import { type Explanation, explainOptions, type Figures, jsonOf, linesOf } from './explain_form.ts';
import { explainOrders } from './explain_orders.ts';
import { keyedSources } from './keyed_sources.ts';
import { bindModification } from './modifications.ts';
import { type RunnableStatement, resultColumn, runnable } from './prepared.ts';
import type { Reader } from './reads.ts';
import { rowsOf } from './row_streams.ts';
import { keyedPlan, type ViewRuntime } from './view.ts';

type Explain = Extract<Statement, { k: 'explain' }>;

export function prepareExplain(
  engine: TidemarkEngine,
  statement: Explain,
  paramTypes: number[],
  session: SessionContext,
): RunnableStatement {
  const options = explainOptions(statement);
  const { inner } = statement;
  const runs = RUN.has(inner.k) ? (engine.prepare(inner, paramTypes, session) as RunnableStatement) : null;
  const type = options.format === 'json' ? OID.json : OID.text;
  const columns = [resultColumn('QUERY PLAN', type)];
  const run: RunnableStatement['run'] = async (params, current, signal) => {
    const start = performance.now();
    const said = explain(engine, inner, { params, types: runs?.paramTypes ?? [] }, options.analyze, current);
    const planned = performance.now();
    // What it finds it finds before it changes anything.
    if (options.analyze && runs !== null && said.figures === null) {
      const rows = await countRows(await runs.run(params, current, signal));
      said.root.notes.push(`actual rows: ${rows}`);
      Object.assign(said.root.fields, { 'Actual Rows': rows, 'Actual Loops': 1 });
      if (options.summary) said.times = { planning: planned - start, execution: performance.now() - planned };
    }
    const lines = options.format === 'json' ? [jsonOf(said)] : linesOf(said);
    return {
      kind: 'rows',
      columns,
      rows: rowsOf(
        [colType(type)],
        lines.map((line) => [line]),
      ),
      tag: () => 'EXPLAIN',
    };
  };
  return { ...runnable(statement, engine.catalogVersion, columns, run, runs?.paramTypes), needs: runs?.needs };
}

/** What ANALYZE runs. */
const RUN = new Set<Statement['k']>([
  'select',
  'modifying_select',
  'insert',
  'update',
  'delete',
  'merge',
  'create_relation',
]);

/** Takes all rows of a result; gives how many the statement read, or changed. */
async function countRows(result: Result): Promise<number> {
  if (result.kind === 'command') return countOf(result.tag);
  if (result.kind !== 'rows') throw new Error('a statement that is explained copies nothing');
  let rows = 0;
  try {
    for (let chunk = await result.rows.next(1000); chunk !== null; chunk = await result.rows.next(1000))
      rows += chunk.count;
  } finally {
    result.rows.close();
  }
  return countOf(result.tag(rows));
}

const countOf = (tag: string): number => Number(/\d+$/.exec(tag)?.[0] ?? 0);

/** Values of parameters, and their types. */
interface Given {
  params: Datum[];
  types: number[];
}

function explain(
  engine: TidemarkEngine,
  inner: Statement,
  { params, types }: Given,
  analyze: boolean,
  session: SessionContext,
): Explanation {
  const nameOf = (oid: number) =>
    engine.catalog.relationByOid(oid)?.name ?? engine.catalog.get(oid)?.name ?? `relation ${oid}`;
  const view = viewNamed(engine, inner, session);
  if (view !== null) {
    const { nodes } = view.flow;
    const { plan } = view.physical;
    const kept = keptRemark(plan, nameOf);
    const remark: NodeRemark = (i) => remarks(plan, i, kept(i), nodes[i], view.flow);
    return { root: explainQuery(view.physical, nameOf, remark), figures: analyze ? figuresOf(view) : null };
  }
  const reading = (plan: DataflowPlan) => readRemarks(engine, plan, session, params);
  const readsOf = (bound: BoundQuery, saidOf: (plan: DataflowPlan) => string[] = () => []): ExplainedNode => {
    const physical = planQuery(bindParameters(bound, params), { mode: 'read' });
    return explainQuery(physical, nameOf, reading(physical.plan), saidOf(physical.plan));
  };
  const changesOf = (part: BoundModification): ExplainedNode => {
    return explainChanges(engine, bindParameters(part, params), readerOf(engine, session, params), (plan) =>
      explainNodes(plan, nameOf, reading(plan)),
    );
  };
  const env = engine.bindEnv(session, [...types], 'read');
  switch (inner.k) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge': {
      const { bound } = bindModification(engine, inner, types, session);
      return plain(withItems(changesOf(bound), bound.items.map(changesOf)));
    }
    case 'modifying_select': {
      const { query, items } = bindModifyingSelect(inner.query, env);
      return plain(withItems(readsOf(query), items.map(changesOf)));
    }
    case 'select':
      return plain(readsOf(bindQuery(inner.query, { ...env, allowAsOf: true }), (plan) => onceOnly(engine, plan)));
    case 'create_relation':
      if (inner.asQuery === null) throw new SqlError('0A000', 'EXPLAIN CREATE TABLE needs a query');
      return plain(readsOf(bindQuery(inner.asQuery, { ...env, allowAsOf: true })));
    case 'declare_cursor':
      if ('select' in inner.query) return plain(readsOf(bindQuery(inner.query, env)));
  }
  const query = maintainedQuery(inner);
  if (query === null) throw new SqlError('0A000', 'EXPLAIN is for queries, changes and materialized views');
  const { timeZone } = session.evalContext;
  const physical = planQuery(bindQuery(query, engine.bindEnv(session, [], 'view')), { mode: 'view', timeZone });
  const { keys } = keyedPlan(physical, session.evalContext, engine.loop.rowsOf);
  const kept = keptRemark(physical.plan, nameOf);
  const remark: NodeRemark = (i) => remarks(physical.plan, i, kept(i), engine.loop.graph.node(keys[i]), null);
  return plain(explainQuery(physical, nameOf, remark));
}

/** A plan that takes each row as one that stays, which those of a table do not: a view over it has another. */
function onceOnly({ catalog }: TidemarkEngine, { nodes }: DataflowPlan): string[] {
  const isChanging = nodes.some((n) => n.op === 'source' && catalog.relationByOid(n.relation)?.appendOnly === false);
  const isPlain = nodes.some(({ notes }) => notes?.includes('append-only') === true);
  return isChanging && isPlain ? ['read once: EXPLAIN CREATE MATERIALIZED VIEW shows what a view keeps'] : [];
}

const plain = (root: ExplainedNode): Explanation => ({ root, figures: null });

/** Modifying items of WITH, which run first. */
function withItems(root: ExplainedNode, items: ExplainedNode[]): ExplainedNode {
  const first = items.map((item) => {
    return {
      ...item,
      text: `With: ${item.text}`,
      fields: { ...item.fields, 'Parent Relationship': 'InitPlan' },
    };
  });
  return { ...root, inputs: [...first, ...root.inputs] };
}

/** How the sources of a plan that is read once are read. */
function readRemarks(engine: TidemarkEngine, plan: DataflowPlan, session: SessionContext, params: Datum[]): NodeRemark {
  const keyed = keyedText(plan, engine);
  const reader = readerOf(engine, session, params);
  const ordered = explainOrders(plan, reader, (oid, column) => {
    return engine.catalog.relationByOid(oid)?.columns[column].name ?? `column ${column + 1}`;
  });
  return (i) => ordered.get(i) ?? keyed.get(i) ?? remarks(plan, i, null, undefined, null);
}

function readerOf(engine: TidemarkEngine, session: SessionContext, params: Datum[]): Reader {
  const { loop, readSources: sources } = engine;
  const transaction = engine.transactionOf(session);
  return { loop, sources, transaction, context: engine.contextOf(session, params) };
}

/** By source: what it reads instead of all rows, if that is little (narrowed_plan.ts). */
function keyedText(plan: DataflowPlan, { loop, catalog }: TidemarkEngine): Map<number, string> {
  const found = keyedSources(plan, (relation) => loop.relations.get(relation)?.indexedColumns() ?? []);
  const within = plan.nodes.flatMap((node, i): [number, string][] => {
    if (node.op !== 'source' || node.within === undefined) return [];
    const names = node.within.map(({ index }) => catalog.get(index)?.name);
    return [[i, `all rows of index ${names.join(' or ')}, where these are few`]];
  });
  return new Map([
    ...within,
    ...found.map(({ source, columns, shown, keys }) => {
      const { names } = plan.nodes[source];
      const index = columns.map((column) => names[shown.indexOf(column)]).join(', ');
      const whose = 'node' in keys ? "the join's other side has" : 'are listed';
      return [source, `by index (${index}), of the keys that ${whose}, where these are few`] as [number, string];
    }),
  ]);
}

/** What the planner does not know of a node of the plan. */
function remarks(
  plan: DataflowPlan,
  i: number,
  kept: string | null,
  node: GraphNode | undefined,
  own: Flow | null,
): string | null {
  const all = [kept, topByKernel(plan, plan.nodes[i]), sharedWith(node, own)].filter((remark) => remark !== null);
  return all.length === 0 ? null : all.join(' · ');
}

/** A Top-N of a few rows that a kernel keeps in order; others compare rows in JavaScript. */
function topByKernel(plan: DataflowPlan, node: PlanNode): string | null {
  if (node.op !== 'topn' || keepsOneRow(node)) return null;
  const input = plan.nodes[node.inputs[0]];
  return input.appendOnly === true && keepsFewRows(node, input.types) ? 'by kernel' : null;
}

/** Names of at most this many views are listed. */
const FEW = 3;

/** Who else uses a node, and which indexes of its relation a source reads; null when there is nothing to say. */
function sharedWith(node: GraphNode | undefined, own: Flow | null): string | null {
  if (node === undefined) return null;
  if (node.spec.op === 'source') return lentIndexes(node);
  const others = [...node.flows].filter((flow) => flow !== own).map((flow) => flow.owner.name);
  if (others.length === 0) return null;
  if (others.length <= FEW) return `shared with ${others.join(', ')}`;
  return `shared with ${others.length} views`;
}

function lentIndexes(node: GraphNode): string | null {
  const lent = [...node.indexes.values()].filter(({ own }) => own === null);
  if (lent.length === 0) return null;
  return `reads index ${lent.map(({ keyColumns }) => `(${keyColumns.map((c) => node.spec.names[c]).join(', ')})`).join(', ')}`;
}

/** EXPLAIN SELECT * FROM v shows the plan that maintains v, when v is a materialized view and nothing else is asked. */
function viewNamed(engine: TidemarkEngine, inner: Statement, session: SessionContext): ViewRuntime | null {
  if (inner.k !== 'select') return null;
  const { targetList, fromClause, ...rest } = inner.query.select;
  const plain = Object.keys(rest).every((key) => key === 'limitOption' || key === 'op' || key === 'groupDistinct');
  const fields = targetList?.length === 1 ? targetList[0].ResTarget?.val?.ColumnRef?.fields : undefined;
  if (!plain || fields?.length !== 1 || fields[0].A_Star === undefined || fromClause?.length !== 1) return null;
  const from = fromClause[0].RangeVar;
  if (from === undefined) return null;
  const relation = engine.catalog.relation(from.schemaname, from.relname, session.searchPath);
  return relation === null ? null : (engine.loop.view(relation.oid) ?? null);
}

function maintainedQuery(inner: Statement): SelectNode | null {
  switch (inner.k) {
    case 'create_view':
      return inner.query;
    case 'subscribe':
      return 'query' in inner.target ? inner.target.query : null;
    default:
      return null;
  }
}

/** Per operator: rows, state and time since the node was made, for all its views together; and of the view's own rows. */
function figuresOf(view: ViewRuntime): Figures[] {
  const { nodes, plan } = view.flow;
  for (const node of nodes) node.timed = true;
  const all = view.figures().map((f, i): Figures => {
    const perRow = f.rowsIn === 0 ? '' : (Number(f.nanoseconds) / f.rowsIn).toFixed(0);
    const cells = [f.rowsIn, f.rowsOut, f.stateRows, f.stateBytes, f.coldBytes, perRow, nodes[i].flows.size];
    return { name: `${i} ${plan.nodes[i].op}`, cells };
  });
  const { stored } = view;
  if (stored !== null) all.push({ name: 'rows', cells: ['', '', stored.rows, stored.bytes, stored.coldBytes] });
  return all;
}
