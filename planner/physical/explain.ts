/**
 * A dataflow plan as text: one operator a line, inputs indented below it, then what the planner noted (variant, state, sharing).
 *
 *   Join inner [auction = id]  · append-only · state both inputs · frees: never
 *   ├─ Map auction, price
 *   │  └─ Source bid [auction, price]
 *   └─ Source auction [id, category]
 *
 * A subplan that is used several times is printed once and numbered; later uses refer to its number. `interpreted` lists what runs row by row in
 * the interpreter instead of in the map's generated kernel.
 */
import { describedBy, EXTERNAL_ROWS } from '../../operators/expr/external.ts';
import { interpretedParts } from '../../operators/expr/kernel/compile.ts';
import { isWasmMap } from '../../operators/expr/kernel/wasm/compile.ts';
import type { AggCall, DataflowPlan, PlanNode, SortKey, WindowCall } from '../../operators/plan.ts';
import { exprText } from '../logical/expr_text.ts';
import { externalCalls } from './external_calls.ts';
import { freesText } from './frees_text.ts';
import { leavingByClock } from './kept_rows.ts';
import type { PhysicalQuery } from './query.ts';

/** What is said of an operator, and of its inputs. */
export interface ExplainedNode {
  text: string;
  notes: string[];
  inputs: ExplainedNode[];
  /** What forms for programs have beside the text, under the names that PostgreSQL gives it. */
  fields: Record<string, string | number>;
}

/** What else is said in the line of a node of the plan. */
export type NodeRemark = (node: number) => string | null;

/** The first word of the text is what it is. */
export function explained(
  text: string,
  inputs: ExplainedNode[],
  notes: string[] = [],
  fields: ExplainedNode['fields'] = {},
): ExplainedNode {
  return { text, notes, inputs, fields: { 'Node Type': text.split(' ')[0], ...fields } };
}

/** The plan of a query with its result. `relationName` names a relation OID. */
export function explainQuery(
  query: PhysicalQuery,
  relationName: (oid: number) => string,
  remark?: NodeRemark,
  notes?: string[],
): ExplainedNode {
  const columns = query.columns.map((c) => c.name).join(', ');
  const key = query.key === null ? 'none' : `[${query.key.map((c) => query.columns[c].name).join(', ')}]`;
  const head = `Result  (columns: ${columns}; key: ${key}${query.appendOnly ? '; append-only' : ''})`;
  return explained(head, [explainNodes(query.plan, relationName, remark)], notes);
}

/** One operator a line. */
export function explainedLines({ text, notes, inputs }: ExplainedNode): string[] {
  return [notes.length > 0 ? `${text}  · ${notes.join(' · ')}` : text, ...indent(inputs.map(explainedLines))];
}

/** The plan as a tree. */
export function explainNodes(
  plan: DataflowPlan,
  relationName: (oid: number) => string,
  remark: NodeRemark = () => null,
): ExplainedNode {
  const uses = new Map<number, number>();
  for (const node of plan.nodes) for (const i of node.inputs) uses.set(i, (uses.get(i) ?? 0) + 1);
  const numbers = new Map<number, number>();
  const leaves = leavingByClock(plan);
  const tree = (i: number): ExplainedNode => {
    const node = plan.nodes[i];
    const shared = (uses.get(i) ?? 0) > 1 && node.inputs.length > 0;
    const known = numbers.get(i);
    if (known !== undefined) return explained(`Shared #${known}`, []);
    if (shared) numbers.set(i, numbers.size + 1);
    const frees = freesText(
      node,
      relationName,
      node.inputs.map((x) => leaves[x]),
    );
    const remarks = [frees && `frees: ${frees}`, remark(i)].filter((r) => r !== null);
    const sharing = shared ? [`shared #${numbers.get(i)}`] : [];
    const notes = [...sharing, ...(node.notes ?? []), ...mapKernel(plan, node), ...externalCalls(node), ...remarks];
    const inputs = node.inputs.map(tree);
    if (node.op === 'recursive') inputs.push(explained('Step', [explainNodes(node.step, relationName)]));
    const fields: ExplainedNode['fields'] =
      node.op === 'source' && node.relation >= 0 ? { 'Relation Name': relationName(node.relation) } : {};
    return explained(describe(node, plan, relationName), inputs, notes, fields);
  };
  return tree(plan.root);
}

/** How a map runs where that is not all in WebAssembly: by a kernel in JavaScript, which may leave expressions to the interpreter, row by row. */
function mapKernel(plan: DataflowPlan, node: PlanNode): string[] {
  if (node.op !== 'map' || (node.filter === null && (node.project ?? []).every((e) => e.k === 'col'))) return [];
  const input = plan.nodes[node.inputs[0]];
  if (isWasmMap(node.filter, node.project, input.types, node.types)) return [];
  const parts = interpretedParts(node.filter, node.project, input.types, node.types);
  const texts = new Set(parts.map((e) => exprText(e, (id) => columnName(plan, input, id))));
  return ['in JavaScript', ...(texts.size === 0 ? [] : [`interpreted: ${[...texts].join(', ')}`])];
}

function setText({ fn, args }: PlanNode & { op: 'flatmap' }, nameOf: (id: number) => string): string {
  const isExternal = fn === EXTERNAL_ROWS;
  const shown = isExternal ? args.slice(1) : args;
  return `${isExternal ? describedBy(args).name : bare(fn)}(${shown.map((a) => exprText(a, nameOf)).join(', ')})`;
}

function indent(children: string[][]): string[] {
  return children.flatMap((child, c) => {
    const last = c === children.length - 1;
    return child.map((line, i) => (i === 0 ? (last ? '└─ ' : '├─ ') : last ? '   ' : '│  ') + line);
  });
}

/** Names of a node's columns: its own, or the expression behind an unnamed one. */
function columnName(plan: DataflowPlan, node: PlanNode, c: number): string {
  const own = node.names[c];
  if (own) return own;
  if (node.op === 'map' && node.project) {
    const below = plan.nodes[node.inputs[0]];
    return exprText(node.project[c], (id) => columnName(plan, below, id));
  }
  let at = c;
  for (const i of node.inputs) {
    const input = plan.nodes[i];
    if (at < input.types.length) return columnName(plan, input, at);
    at -= input.types.length;
  }
  return `#${c}`;
}

function describe(node: PlanNode, plan: DataflowPlan, relationName: (oid: number) => string): string {
  const inputs = node.inputs.map((i) => plan.nodes[i]);
  const from = (input: number, c: number): string => columnName(plan, inputs[input], c);
  const list = (columns: number[], input = 0): string => columns.map((c) => from(input, c)).join(', ');
  const keys = (order: SortKey[]): string => orderText(order, (c) => from(0, c));
  switch (node.op) {
    case 'source': {
      const name =
        node.relation < 0
          ? node.relation === -1
            ? 'working table'
            : `input ${-1 - node.relation}`
          : relationName(node.relation);
      const values = node.lookup?.values.map((v) => exprText(v, String)).join(', ');
      const index = typeof node.lookup?.index === 'number' ? ` ${relationName(node.lookup.index)}` : '';
      const when = node.lookup?.when?.map((e) => exprText(e, String)).join(' and ');
      const lookup = values === undefined ? '' : `  lookup${index} (${values})`;
      return `Source ${name} [${node.names.join(', ')}]${lookup}${when === undefined ? '' : ` where ${when}`}`;
    }
    case 'constant':
      return `Constant ${node.rows.length} ${node.rows.length === 1 ? 'row' : 'rows'}`;
    case 'map': {
      const name = (id: number): string => from(0, id);
      const columns = node.project?.map((e, i) => mapColumn(exprText(e, name), node.names[i])).join(', ');
      const filter = node.filter ? `  where ${exprText(node.filter, name)}` : '';
      return columns === undefined ? `Filter${filter}` : `Map ${columns}${filter}`;
    }
    case 'flatmap':
      return `FlatMap ${setText(node, (id) => from(0, id))}${node.left ? ' left' : ''}${node.sliced ? ' by slices' : ''}`;
    case 'union':
      return 'Union all';
    case 'distinct':
      return 'Distinct';
    case 'setop':
      return `${node.kind === 'except' ? 'Except' : 'Intersect'}${node.all ? ' all' : ''}`;
    case 'join':
      return joinText(node, plan, relationName);
    case 'aggregate': {
      const calls = node.calls.map((c) => callText(c, (x) => from(0, x))).join('  ');
      return `Aggregate${node.global ? '' : ` by [${list(node.keys)}]`}${calls && `  ${calls}`}`;
    }
    case 'topn': {
      const rows = `${node.limit ?? 'all'}${node.offset > 0 ? ` offset ${node.offset}` : ''}${node.withTies ? ' with ties' : ''}`;
      const rank = node.rank === 'none' ? '' : `  ${node.rank}`;
      return `TopN ${rows}${partition(list(node.partition))}${node.order.length > 0 ? ` order by ${keys(node.order)}` : ''}${rank}`;
    }
    case 'over': {
      const calls = node.calls.map((c) => windowText(c, (x) => from(0, x))).join('  ');
      return `Over${partition(list(node.partition))}${node.order.length > 0 ? ` order by ${keys(node.order)}` : ''}  ${calls}`;
    }
    case 'session':
      return `Session ${from(0, node.time)} gap ${Number(node.gap) / 1e6} s${partition(list(node.keys))}${node.counted ? ' counted' : node.merged ? ' merged' : ''}`;
    case 'asof': {
      const pairs = node.leftKeys.map((l, i) => `${from(0, l)} = ${from(1, node.rightKeys[i])}`);
      const time = `${from(0, node.leftTime)} ${node.strict ? '>' : '>='} ${from(1, node.rightTime)}`;
      return `AsOfJoin${node.left ? ' left' : ''} [${[...pairs, time].join(', ')}]`;
    }
    case 'temporal': {
      const bounds = [
        node.from !== null && `now() >= ${from(0, node.from)}`,
        node.until !== null && `now() < ${from(0, node.until)}`,
      ];
      return `Temporal ${bounds.filter((b) => b).join(' and ')}`;
    }
    case 'window_close':
      return `WindowClose ${from(0, node.time)} <= watermark(${node.sources.map(relationName).join(', ')})`;
    case 'single_row':
      return `SingleRow${partition(list(node.keys))}`;
    case 'recursive':
      return `Recursive union${node.all ? ' all' : ''}`;
  }
}

function partition(columns: string): string {
  return columns === '' ? '' : ` per [${columns}]`;
}

function mapColumn(text: string, name: string): string {
  return name === '' || text === name ? text : `${text} as ${name}`;
}

function bare(fn: string): string {
  return fn.slice(0, fn.indexOf('('));
}

function orderText(order: SortKey[], name: (c: number) => string): string {
  return order
    .map((o) => {
      const nulls = o.nullsFirst === o.desc ? '' : ` nulls ${o.nullsFirst ? 'first' : 'last'}`;
      return `${name(o.col)}${o.desc ? ' desc' : ''}${nulls}`;
    })
    .join(', ');
}

function callText(c: AggCall, name: (c: number) => string): string {
  const args = c.args.length === 0 && c.fn === 'count()' ? '*' : c.args.map(name).join(', ');
  const order = c.orderBy.length === 0 ? '' : ` order by ${orderText(c.orderBy, name)}`;
  return `${bare(c.fn)}(${c.distinct ? 'distinct ' : ''}${args}${order})${c.filter === null ? '' : ` filter (${name(c.filter)})`}`;
}

function windowText(c: WindowCall, name: (c: number) => string): string {
  return `${bare(c.fn)}(${c.args.map(name).join(', ')})`;
}

function joinText(node: PlanNode & { op: 'join' }, plan: DataflowPlan, relationName: (oid: number) => string): string {
  const [left, right] = node.inputs.map((i) => plan.nodes[i]);
  const own = (side: PlanNode, c: number): string => columnName(plan, side, c);
  const label = (side: PlanNode, c: number): string => {
    const relation = relationOf(plan, side, c);
    return relation === null ? own(side, c) : `${relationName(relation)}.${own(side, c)}`;
  };
  const texts = (of: typeof own) => [left, right].map((side) => new Set(side.types.map((_, c) => of(side, c))));
  const [owns, labels] = [texts(own), texts(label)];
  // By the relation where both sides have the name, by the side where it is of one relation in both: a table that is joined with itself.
  const named = (s: 0 | 1, c: number): string => {
    const side = s === 0 ? left : right;
    if (!owns[1 - s].has(own(side, c))) return own(side, c);
    return labels[1 - s].has(label(side, c)) ? `${s === 0 ? 'left' : 'right'}.${own(side, c)}` : label(side, c);
  };
  const name = (c: number): string => (c < left.types.length ? named(0, c) : named(1, c - left.types.length));
  const pairs = node.leftKeys.map((l, i) => {
    const operator = node.nullSafe[i] ? 'is not distinct from' : '=';
    return `${named(0, l)} ${operator} ${named(1, node.rightKeys[i])}`;
  });
  const residual = node.residual ? `  where ${exprText(node.residual, name)}` : '';
  return `Join ${node.kind}${node.nullAware ? ' null-aware' : ''} [${pairs.join(', ')}]${residual}`;
}

/** The relation that a column comes from unchanged; null when it is computed. */
function relationOf(plan: DataflowPlan, node: PlanNode, c: number): number | null {
  if (node.op === 'source') return node.relation < 0 ? null : node.relation;
  if (node.op === 'map' && node.project) {
    const e = node.project[c];
    return e.k === 'col' ? relationOf(plan, plan.nodes[node.inputs[0]], e.id) : null;
  }
  if (node.op === 'aggregate') {
    return c < node.keys.length ? relationOf(plan, plan.nodes[node.inputs[0]], node.keys[c]) : null;
  }
  let at = c;
  for (const i of node.inputs) {
    const input = plan.nodes[i];
    if (at < input.types.length) return relationOf(plan, input, at);
    at -= input.types.length;
  }
  return null;
}
