/** The one place that turns a plan node into its operator. */
import { AggregateOperator } from './aggregate.ts';
import { AsofJoinOperator } from './asof_join.ts';
import { budget } from './batch/budget.ts';
import { ConstantOperator } from './constant.ts';
import { EachRow } from './each_row.ts';
import { unsupported } from './errors.ts';
import { distinctColumns, FirstSeenOperator } from './first_seen.ts';
import { FlatMapOperator } from './flatmap.ts';
import { JoinOperator } from './join.ts';
import { MapOperator } from './map.ts';
import { NotInOperator } from './not_in.ts';
import type { IndexProvider, Operator } from './operator.ts';
import { OuterJoinOperator } from './outer_join.ts';
import { OverOperator } from './over.ts';
import type { PlanNode } from './plan.ts';
import { RecursiveOperator } from './recursive.ts';
import { SemiJoinOperator } from './semi_join.ts';
import { SessionOperator } from './session.ts';
import { MergedSessionOperator } from './session_merged.ts';
import { SET_FUNCTIONS, SetOperator } from './set_operation.ts';
import { SingleRowOperator } from './single_row.ts';
import { TemporalOperator } from './temporal.ts';
import { keepsFewRows, TopFewOperator } from './top_few.ts';
import { TopNOperator } from './top_n.ts';
import { keepsOneRow, TopOneOperator } from './top_one.ts';
import { TopTiesOperator } from './top_ties.ts';
import type { ColType } from './types.ts';
import { UnionOperator } from './union.ts';
import { WindowAssignOperator, windowAssignment } from './window_assign.ts';
import { WindowCloseOperator } from './window_close.ts';

/** What an operator is told of one of its inputs. */
interface InputSpec {
  types: ColType[];
  /** The planner proved that the input never retracts. */
  appendOnly: boolean;
}

/** Whole or not at all: that it is made takes little memory, goes beyond the limit rather than fail, and is not ended by a cancel: whoever makes several is not left with some of them. */
export function buildOperator(node: PlanNode, inputs: InputSpec[], indexes: IndexProvider): Operator {
  budget.goBeyond();
  try {
    return build(node, inputs, indexes);
  } finally {
    budget.comeBack();
  }
}

function build(node: PlanNode, inputs: InputSpec[], indexes: IndexProvider): Operator {
  const distinct = distinctColumns(node);
  if (distinct !== null && inputs[0].appendOnly) return new FirstSeenOperator(distinct, node.types, node.frees);
  switch (node.op) {
    case 'aggregate':
      return new AggregateOperator(
        node.keys,
        node.calls,
        node.global,
        inputs[0].types,
        node.types,
        inputs[0].appendOnly,
        node.frees,
      );
    case 'constant':
      return new ConstantOperator(node.rows, node.types);
    case 'map': {
      const { filter, project, types } = node;
      if (!node.eachRow) return new MapOperator(filter, project, inputs[0].types, types);
      // A kernel leaves a row that fails to the interpreter, which would call what is volatile a second time: nextval() goes on, and random() may not fail then.
      return new EachRow(new MapOperator(filter, project, inputs[0].types, types, 'interpreter'), inputs[0].types);
    }
    case 'flatmap':
      return buildFlatMap(node, inputs[0].types);
    case 'union':
      return new UnionOperator(node.types);
    case 'distinct':
      return new SetOperator(SET_FUNCTIONS.distinct, node.types, node.frees);
    case 'setop':
      return new SetOperator(SET_FUNCTIONS[node.all ? `${node.kind} all` : node.kind], node.types, node.frees);
    case 'single_row':
      return new SingleRowOperator(node.keys, node.types, node.frees);
    case 'join':
      return buildJoin(
        node,
        inputs.map((i) => i.types),
        indexes,
      );
    case 'topn':
      if (node.keepsBest) return new TopTiesOperator(node, inputs[0].types);
      if (inputs[0].appendOnly && keepsOneRow(node)) return new TopOneOperator(node, inputs[0].types);
      if (inputs[0].appendOnly && keepsFewRows(node, inputs[0].types)) return new TopFewOperator(node, inputs[0].types);
      return new TopNOperator(node, inputs[0].types, inputs[0].appendOnly);
    case 'over':
      return new OverOperator(node, inputs[0].types);
    case 'session':
      return node.merged
        ? new MergedSessionOperator(node, inputs[0].types)
        : new SessionOperator(node, inputs[0].types);
    case 'temporal':
      return new TemporalOperator(node.from, node.until, node.types);
    case 'window_close':
      return new WindowCloseOperator(node.time, node.sources, node.types);
    case 'asof':
      return new AsofJoinOperator(
        node,
        inputs.map((i) => i.types),
      );
    case 'recursive':
      return new RecursiveOperator(node, indexes);
    default:
      throw unsupported(`the ${node.op} operator`);
  }
}

function buildFlatMap(node: PlanNode & { op: 'flatmap' }, inputTypes: ColType[]): Operator {
  const windows = windowAssignment(node);
  if (windows !== null) return new WindowAssignOperator(windows, node.sliced === true, node.types);
  return new FlatMapOperator(node, inputTypes);
}

function buildJoin(node: PlanNode & { op: 'join' }, inputTypes: ColType[][], indexes: IndexProvider): Operator {
  const { kind } = node;
  switch (kind) {
    case 'inner':
      return new JoinOperator(node, inputTypes, indexes, node.types);
    case 'left':
    case 'right':
    case 'full':
      return new OuterJoinOperator({ ...node, kind }, inputTypes, indexes, node.types);
    case 'semi':
    case 'anti':
      if (node.nullAware) return new NotInOperator(node, inputTypes, indexes);
      return new SemiJoinOperator({ ...node, kind }, inputTypes, indexes);
  }
}
