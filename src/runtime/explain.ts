/**
 * EXPLAIN [ANALYZE]: the dataflow plan as the planner prints it, with the views that each node is shared with; ANALYZE of a live view adds
 * what its operators measured. Of a view that is not made yet, the sharing is what it would find now.
 */

import { SqlError } from '../../operators/errors.ts';
import type { Flow } from '../../operators/flow.ts';
import type { GraphNode } from '../../operators/graph_node.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { keepsFewRows } from '../../operators/top_few.ts';
import { keepsOneRow } from '../../operators/top_one.ts';
import { colType, OID } from '../../operators/types.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import { explainPlan, type NodeRemark, type PhysicalQuery, planQuery } from '../../planner/physical/index.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { explainOrders } from './explain_orders.ts';
import { keyedSources } from './keyed_sources.ts';
import { type RunnableStatement, resultColumn, runnable } from './prepared.ts';
import { rowsOf } from './row_streams.ts';
import { keyedPlan, type ViewRuntime } from './view.ts';

type Explain = Extract<Statement, { k: 'explain' }>;

export function prepareExplain(
  engine: TidemarkEngine,
  statement: Explain,
  _session: SessionContext,
): RunnableStatement {
  const columns = [resultColumn('QUERY PLAN', OID.text)];
  return runnable(statement, engine.catalogVersion, columns, async (_params, session) => {
    const lines = explain(engine, statement.inner, statement.analyze, session);
    return {
      kind: 'rows',
      columns,
      rows: rowsOf(
        [colType(OID.text)],
        lines.map((line) => [line]),
      ),
      tag: () => 'EXPLAIN',
    };
  });
}

function explain(engine: TidemarkEngine, inner: Statement, analyze: boolean, session: SessionContext): string[] {
  const nameOf = (oid: number) =>
    engine.catalog.relationByOid(oid)?.name ?? engine.catalog.get(oid)?.name ?? `relation ${oid}`;
  const text = (physical: PhysicalQuery, remark?: NodeRemark) => explainPlan(physical, nameOf, remark).split('\n');
  const view = viewNamed(engine, inner, session);
  if (view !== null) {
    const { nodes } = view.flow;
    const lines = text(view.physical, (i) => remarks(view.physical.plan, i, nodes[i], view.flow));
    return [...lines, ...(analyze ? figures(view) : [])];
  }
  const query = queryOf(inner);
  if (query === null) throw new SqlError('0A000', 'EXPLAIN is for queries and materialized views');
  const mode = inner.k === 'select' ? 'read' : 'view';
  const { timeZone } = session.evalContext;
  const physical = planQuery(bindQuery(query, engine.bindEnv(session, [], mode)), { mode, timeZone });
  if (mode === 'read') {
    const keyed = keyedText(physical.plan, engine);
    const { loop, readSources: sources } = engine;
    const reader = {
      loop,
      sources,
      transaction: engine.transactionOf(session),
      context: engine.contextOf(session, []),
    };
    const ordered = explainOrders(physical.plan, reader, (oid, column) => {
      return engine.catalog.relationByOid(oid)?.columns[column].name ?? `column ${column + 1}`;
    });
    return text(physical, (i) => ordered.get(i) ?? keyed.get(i) ?? remarks(physical.plan, i, undefined, null));
  }
  const { keys } = keyedPlan(physical, session.evalContext, engine.loop.rowsOf);
  return text(physical, (i) => remarks(physical.plan, i, engine.loop.graph.node(keys[i]), null));
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
function remarks(plan: DataflowPlan, i: number, node: GraphNode | undefined, own: Flow | null): string | null {
  const all = [topByKernel(plan, plan.nodes[i]), sharedWith(node, own)].filter((remark) => remark !== null);
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

function queryOf(inner: Statement): SelectNode | null {
  switch (inner.k) {
    case 'select':
    case 'create_view':
      return inner.query;
    case 'declare_cursor':
      return 'select' in inner.query ? inner.query : null;
    case 'subscribe':
      return 'query' in inner.target ? inner.target.query : null;
    default:
      return null;
  }
}

function line(name: string, cells: (number | bigint | string)[]): string {
  return `${name.padEnd(20)} ${cells.map((n) => String(n).padStart(12)).join(' ')}`;
}

/** Per operator: rows, state and time since the node was made, for all its views together; and of the view's own rows. */
function figures(view: ViewRuntime): string[] {
  const { nodes, plan } = view.flow;
  for (const node of nodes) node.timed = true;
  const lines = [
    '',
    'operator                 rows in     rows out   state rows  state bytes   cold bytes    ns per row        views',
  ];
  view.figures().forEach((f, i) => {
    const perRow = f.rowsIn === 0 ? '' : (Number(f.nanoseconds) / f.rowsIn).toFixed(0);
    const cells = [f.rowsIn, f.rowsOut, f.stateRows, f.stateBytes, f.coldBytes, perRow, nodes[i].flows.size];
    lines.push(line(`${i} ${plan.nodes[i].op}`, cells));
  });
  const { stored } = view;
  if (stored !== null) lines.push(line('rows', ['', '', stored.rows, stored.bytes, stored.coldBytes]));
  return lines;
}
