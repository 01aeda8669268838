/**
 * What EXPLAIN says of a statement that changes a table: the plan that finds its rows, and what is looked up for each of the rows that it changes.
 *
 *   Update purchase  · key purchase_pkey (id) by index · foreign key purchase_customer_fkey in customer by index
 *   └─ Map ...
 *      └─ Source purchase [...]  lookup (5)
 *
 * A key whose columns an UPDATE does not set is not looked up, nor is a foreign key.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import type { BoundModification } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { outputColumns } from '../../planner/logical/columns.ts';
import type { Col } from '../../planner/logical/plan.ts';
import { type ExplainedNode, explained, planRows } from '../../planner/physical/index.ts';
import type { GeneratedColumn } from '../catalog/objects.ts';
import type { TidemarkEngine } from './engine.ts';
import { indexOver } from './key_search.ts';
import { checkWritable, constraintsOf } from './modifications.ts';
import type { Reader } from './reads.ts';
import { isAction } from './references.ts';
import { inWords } from './unique_keys.ts';

const WORDS = { insert: 'Insert into', update: 'Update', delete: 'Delete from', merge: 'Merge into' };

export function explainChanges(
  engine: TidemarkEngine,
  bound: BoundModification,
  reader: Reader,
  planOf: (plan: DataflowPlan) => ExplainedNode,
): ExplainedNode {
  const { relation, k, source } = bound;
  checkWritable(engine, relation, k);
  const ids = outputColumns(source).map(({ id }) => id);
  const notes = lookUps(engine, bound, reader);
  return explained(`${WORDS[k]} ${relation.name}`, [planOf(planRows(source, ids))], notes, {
    'Node Type': 'ModifyTable',
    Operation: WORDS[k].split(' ')[0],
    'Relation Name': relation.name,
    Schema: relation.schema,
  });
}

function lookUps(engine: TidemarkEngine, bound: BoundModification, reader: Reader): string[] {
  const { relation } = bound;
  const at = constraintsOf(engine, relation, reader.context.searchPath);
  const set = setColumns(bound, at.generated);
  const isSet = (columns: number[]) => columns.some((column) => set.includes(column));
  const keys = at.uniqueKeys.flatMap((key) => {
    const { name, columns, shape } = key;
    const those = shape !== undefined && shape.where !== null ? ' of a part of the rows' : '';
    // An index over expressions is asked itself, whatever the transaction has written.
    const how = shape === undefined ? way(relation, columns, reader) : 'by index';
    return isSet(columns) ? [`key ${name} (${inWords(relation, key).parts?.join(', ')})${those} ${how}`] : [];
  });
  const asked = at.foreignKeys.flatMap(({ name, columns, references, referenced }) => {
    const other = engine.catalog.relationByOid(references) as Relation;
    return isSet(columns) ? [`foreign key ${name} in ${other.name} ${way(other, referenced, reader)}`] : [];
  });
  const asking = at.referencing.flatMap(({ table, key }) => {
    const deletes = bound.k === 'delete' || bound.k === 'merge';
    if (!deletes && !(takesFrom(bound) && isSet(key.referenced))) return [];
    const follows = isAction(deletes ? key.onDelete : key.onUpdate) ? ', which follow' : '';
    return [`rows of ${table.name} by ${key.name} ${way(table.relation, key.columns, reader)}${follows}`];
  });
  return [...keys, ...asked, ...asking];
}

const way = (relation: Relation, columns: number[], reader: Reader): string =>
  indexOver(relation.oid, columns, reader) === undefined ? 'by a scan' : 'by index';

/** Whether rows that are there may get other values. */
function takesFrom(bound: BoundModification): boolean {
  return bound.k === 'update' || (bound.k === 'insert' && bound.onConflict?.action === 'update');
}

/** Positions of the columns that get values, also those that are generated of others. */
function setColumns(bound: BoundModification, generated: GeneratedColumn[]): number[] {
  const all = bound.relation.columns.map((_, i) => i);
  if (bound.k === 'delete') return [];
  if (bound.k !== 'update') return all;
  const { newColumns, oldColumns } = bound;
  const made = bound.source.op === 'project' ? bound.source.items : [];
  const given = ({ id }: Col): Expr | undefined => made.find(({ col }) => col.id === id)?.expr;
  const isKept = (i: number) => {
    const value = given(newColumns[i]);
    return value?.k === 'col' && value.id === oldColumns[i].id;
  };
  return all.filter((i) => !isKept(i) || generated.some(({ column }) => column === i));
}
