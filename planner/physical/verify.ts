/**
 * Checks that a dataflow plan is consistent: inputs come first, positions exist, types fit what the node's rule gives. A broken plan
 * is a fault of the planner, so it throws a plain Error that names node and reason.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { isWindowAssignment } from '../analyse/keys.ts';
import { columnsOf } from '../logical/expressions.ts';
import { exprChildren } from '../logical/walk.ts';

/** Throws when the plan is not consistent. */
export function verifyPlan(plan: DataflowPlan): void {
  if (!(plan.root in plan.nodes)) throw new Error(`root ${plan.root} is not a node`);
  plan.nodes.forEach((node, i) => {
    const fail = (why: string): never => {
      throw new Error(`node ${i} (${node.op}): ${why}`);
    };
    for (const input of node.inputs) if (input < 0 || input >= i) fail(`input ${input} does not come before it`);
    if (node.names.length !== node.types.length) fail('names and types differ in length');
    checkNode(
      node,
      node.inputs.map((x) => plan.nodes[x].types),
      fail,
    );
  });
}

type Fail = (why: string) => never;

function checkNode(node: PlanNode, inputs: ColType[][], fail: Fail): void {
  const arity = INPUTS[node.op];
  if (arity !== null && inputs.length !== arity) fail(`has ${inputs.length} inputs`);
  const below = inputs[0] ?? [];
  const columns = (list: (number | null)[], types: ColType[]): void => {
    for (const c of list) if (c !== null && !(c in types)) fail(`column ${c} does not exist`);
  };
  const gives = (types: ColType[]): void => {
    if (!sameTypes(types, node.types)) fail(`gives ${describe(types)} but declares ${describe(node.types)}`);
  };
  const startsWith = (types: ColType[], extra: number | null): void => {
    if (!sameTypes(types, node.types.slice(0, types.length))) fail('does not keep its input columns');
    if (extra !== null && node.types.length !== types.length + extra) fail('appends another number of columns');
  };
  const over = (list: (Expr | null)[], types: ColType[]): void => {
    for (const e of list) if (e !== null) checkExpr(e, types, fail);
  };
  switch (node.op) {
    case 'source':
      if (node.columns.length !== node.types.length) fail('columns and types differ in length');
      if (typeof node.lookup?.index === 'object' && node.lookup.index.length !== node.lookup.values.length)
        fail('lookup is uneven');
      return;
    case 'constant':
      over(node.rows.flat(), []);
      for (const r of node.rows) gives(r.map((e) => e.t));
      return;
    case 'map':
      over([node.filter, ...(node.project ?? [])], below);
      if (node.filter && node.filter.t.oid !== OID.bool) fail('the filter is not boolean');
      gives(node.project === null ? below : node.project.map((e) => e.t));
      return;
    case 'flatmap':
      over(node.args, below);
      startsWith(below, isWindowAssignment(node.fn) ? 2 : null);
      return;
    case 'union':
      for (const types of inputs) gives(types);
      return;
    case 'setop':
      gives(inputs[0]);
      gives(inputs[1]);
      return;
    case 'distinct':
      gives(below);
      return;
    case 'join':
      checkJoin(node, inputs, fail);
      columns(node.leftKeys, inputs[0]);
      columns(node.rightKeys, inputs[1]);
      over([node.residual], [...inputs[0], ...inputs[1]]);
      gives(node.kind === 'semi' || node.kind === 'anti' ? inputs[0] : [...inputs[0], ...inputs[1]]);
      return;
    case 'aggregate':
      columns(node.keys, below);
      for (const c of node.calls) columns([...c.args, c.filter, ...c.orderBy.map((o) => o.col)], below);
      gives([...node.keys.map((k) => below[k]), ...node.calls.map((c) => c.t)]);
      if (node.global !== (node.keys.length === 0)) fail('global does not fit its keys');
      return;
    case 'topn':
      columns([...node.partition, ...node.order.map((o) => o.col)], below);
      startsWith(below, node.rank === 'none' ? 0 : 1);
      return;
    case 'over':
      columns([...node.partition, ...node.order.map((o) => o.col)], below);
      for (const c of node.calls) columns([...c.args, c.filter], below);
      startsWith(below, node.calls.length);
      return;
    case 'session':
      columns([node.time, ...node.keys], below);
      startsWith(below, node.counted ? 3 : 2);
      return;
    case 'asof':
      columns([...node.leftKeys, node.leftTime], inputs[0]);
      columns([...node.rightKeys, node.rightTime], inputs[1]);
      gives([...inputs[0], ...inputs[1]]);
      return;
    case 'temporal':
      columns([node.from, node.until], below);
      for (const c of [node.from, node.until])
        if (c !== null && below[c].oid !== OID.timestamptz) fail('bounds are no timestamptz');
      gives(below);
      return;
    case 'window_close':
      columns([node.time], below);
      gives(below);
      return;
    case 'single_row':
      columns(node.keys, below);
      gives(below);
      return;
    case 'recursive':
      gives(below);
      verifyPlan(node.step);
      gives(node.step.nodes[node.step.root].types);
      columns(node.stepInputs, inputs as unknown as ColType[]);
  }
}

const INPUTS: Record<PlanNode['op'], number | null> = {
  source: 0,
  constant: 0,
  map: 1,
  flatmap: 1,
  union: null,
  distinct: 1,
  setop: 2,
  join: 2,
  aggregate: 1,
  topn: 1,
  over: 1,
  session: 1,
  asof: 2,
  temporal: 1,
  window_close: 1,
  single_row: 1,
  recursive: null,
};

function checkJoin(node: PlanNode & { op: 'join' }, inputs: ColType[][], fail: Fail): void {
  if (node.leftKeys.length !== node.rightKeys.length || node.nullSafe.length !== node.leftKeys.length)
    fail('keys are uneven');
  node.leftKeys.forEach((l, i) => {
    const left = inputs[0][l];
    const right = inputs[1][node.rightKeys[i]];
    if (left && right && left.oid !== right.oid) fail(`key ${i} has types ${left.oid} and ${right.oid}`);
  });
  if (node.nullAware && (node.kind !== 'anti' || node.leftKeys.length !== 1))
    fail('null-aware without being a one-key anti join');
}

function checkExpr(e: Expr, types: ColType[], fail: Fail): void {
  for (const c of columnsOf(e)) if (!(c in types)) fail(`column ${c} does not exist`);
  checkColumnTypes(e, types, fail);
}

function checkColumnTypes(e: Expr, types: ColType[], fail: Fail): void {
  if (e.k === 'col' && e.t.oid !== types[e.id].oid)
    fail(`column ${e.id} is read as type ${e.t.oid}, not ${types[e.id].oid}`);
  for (const x of exprChildren(e)) checkColumnTypes(x, types, fail);
}

function sameTypes(a: ColType[], b: ColType[]): boolean {
  return a.length === b.length && a.every((t, i) => t.oid === b[i].oid);
}

function describe(types: ColType[]): string {
  return `(${types.map((t) => t.oid).join(', ')})`;
}
