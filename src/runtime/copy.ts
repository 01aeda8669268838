/** COPY table FROM STDIN | 'file', COPY table | (query) | (SUBSCRIBE ...) TO STDOUT | 'file': what moves; src/postgres/copy does the forms, and the files. */
import { withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { turn } from '../../operators/turn.ts';
import { colType, OID } from '../../operators/types.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { PgNode, SelectNode, Statement } from '../../planner/parse/ast.ts';
import { planQuery } from '../../planner/physical/index.ts';
import { INSERT } from '../catalog/privileges.ts';
import type { CopyOptions, CopyTarget, ResultColumn, SessionContext } from '../engine.ts';
import { checkCopyOfFile } from './access.ts';
import { CopyFiller } from './copy_filler.ts';
import { checkColumns, copyOptions } from './copy_options.ts';
import type { TidemarkEngine } from './engine.ts';
import { lacksNone } from './insert_by_columns.ts';
import { checkWritable, modifyContext } from './modifications.ts';
import { insertDatums, type ModifyContext } from './modify.ts';
import { columnNamed, relationNamed } from './names.ts';
import { haveNewKeys } from './new_keys.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { resultColumns, streamQuery } from './queries.ts';
import { followReferences, missingReferences } from './referential_actions.ts';
import { bindAlone, columnsOf as columnsOfExpr, evaluatorOf, rowColumns } from './row_expression.ts';
import { prepareSubscribe } from './subscribe.ts';
import type { RowChange } from './unique_keys.ts';

type Copy = Extract<Statement, { k: 'copy' }>;

export function prepareCopy(engine: TidemarkEngine, statement: Copy, session: SessionContext): RunnableStatement {
  const { filename, is_program: isProgram, is_from: isFrom = false } = statement.node;
  const options = copyOptions(statement.node.options ?? [], isFrom);
  if (isProgram === true) throw unsupported('COPY from or to a program');
  if (options.format === 'parquet' && filename === undefined)
    throw new SqlError('0A000', 'COPY FORMAT parquet is for files of the server', {
      hint: `Name one: COPY ... ${isFrom ? 'FROM' : 'TO'} '/path/to/file' (FORMAT parquet).`,
    });
  if (statement.subscribe !== null) {
    if (filename !== undefined) throw unsupported('COPY of SUBSCRIBE to a file, which would have no end,');
    const inner = prepareSubscribe(engine, statement, statement.subscribe, session);
    const copied = runnable(statement, engine.catalogVersion, null, async (params, current, signal) => {
      const result = await inner.run(params, current, signal);
      if (result.kind !== 'rows') throw new Error('SUBSCRIBE gave no rows');
      return { kind: 'copyOut', columns: result.columns, options, rows: result.rows };
    });
    return { ...copied, needs: inner.needs };
  }
  return statement.node.is_from === true
    ? prepareCopyIn(engine, statement, options, session)
    : prepareCopyOut(engine, statement, options, session);
}

/** The file of the server that it names, if the session may. */
function fileOf(engine: TidemarkEngine, { node }: Copy, session: SessionContext): { file?: string } {
  if (node.filename === undefined) return {};
  checkCopyOfFile(engine, node.is_from === true ? 'from' : 'to', session);
  return { file: node.filename };
}

function columnsOf(relation: Relation, names: PgNode[] | undefined): number[] {
  if (names === undefined) {
    const present = presentColumns(relation).map(({ position }) => position);
    return present.filter((position) => relation.columns[position].generated !== true);
  }
  return names.map((node, at) => {
    const name = node.String.sval as string;
    const i = columnNamed(relation, name);
    if (names.findIndex((other) => other.String.sval === name) < at) {
      throw new SqlError('42701', `column "${name}" specified more than once`);
    }
    if (relation.columns[i].generated) {
      throw new SqlError('42P10', `column "${name}" is a generated column`, {
        detail: 'Generated columns cannot be used in COPY.',
      });
    }
    return i;
  });
}

function relationOf(engine: TidemarkEngine, node: PgNode, session: SessionContext): Relation {
  const { schemaname, relname } = node.relation;
  return relationNamed(engine, { schema: schemaname, name: relname }, session);
}

function prepareCopyIn(
  engine: TidemarkEngine,
  statement: Copy,
  options: CopyOptions,
  session: SessionContext,
): RunnableStatement {
  const relation = relationOf(engine, statement.node, session);
  checkWritable(engine, relation, 'insert');
  const positions = columnsOf(relation, statement.node.attlist);
  const columns: ResultColumn[] = positions.map((i) => ({
    name: relation.columns[i].name,
    type: relation.columns[i].type,
    relation: relation.oid,
    attnum: i + 1,
  }));
  checkColumns(options, columns);
  const where = condition(engine, relation, statement, session);
  const prepared = runnable(statement, engine.catalogVersion, null, async (_params, session, signal) => ({
    kind: 'copyIn',
    columns,
    options,
    target: copyTarget(engine, relation, positions, where, session, signal),
    ...fileOf(engine, statement, session),
  }));
  return { ...prepared, needs: [{ relation: relation.oid, privileges: INSERT, view: null }] };
}

/** COPY ... FROM ... WHERE: over a row with its defaults. */
function condition(
  engine: TidemarkEngine,
  relation: Relation,
  { node, text }: Copy,
  session: SessionContext,
): Expr | null {
  if (node.whereClause === undefined) return null;
  const expr = bindAlone(engine, node.whereClause, text, session, {
    columns: rowColumns(relation),
    target: colType(OID.bool),
    place: 'transform',
    refused: (_, from) => ({ message: `argument of WHERE must be type boolean, not type ${from}` }),
  });
  const generated = columnsOfExpr(expr).find((column) => relation.columns[column].generated === true);
  if (generated !== undefined) {
    throw new SqlError('42P10', 'generated columns are not supported in COPY FROM WHERE conditions', {
      detail: `Column "${relation.columns[generated].name}" is a generated column.`,
    });
  }
  return expr;
}

function copyTarget(
  engine: TidemarkEngine,
  relation: Relation,
  positions: number[],
  where: Expr | null,
  session: SessionContext,
  signal: AbortSignal,
): CopyTarget {
  const { columns } = relation;
  const filler = new CopyFiller(engine, relation, positions, session);
  let count = 0;
  // A row may reference one that comes after it.
  let waiting: RowChange[] = [];
  const write = (rows: Batch): void => {
    const at = modifyContext(engine, relation, session, columns);
    if (where === null && writeByColumns(relation, rows, filler, at)) {
      count += rows.n;
      return;
    }
    const whole = filler.rows(rows);
    const taken = where === null ? whole : whole.filter((row) => evaluatorOf(where)(row, at.context) === true);
    const added = insertDatums(relation, taken, at);
    waiting.push(...missingReferences({ relation, at, delta: added }));
    count += taken.length;
  };
  return {
    async write(rows) {
      turn.of(signal, () => write(rows));
    },
    async finish() {
      if (waiting.length > 0) {
        const at = modifyContext(engine, relation, session, columns);
        followReferences([{ relation, at, delta: waiting }]);
        waiting = [];
      }
      await engine.sequences.durable(session);
      return count;
    },
    abort() {
      // The session rolls the transaction back.
    },
  };
}

/** Writes rows without a look at each, where that will do: as insert_by_columns.ts does. */
function writeByColumns(relation: Relation, rows: Batch, filler: CopyFiller, at: ModifyContext): boolean {
  if (at.checks.length + at.generated.length + at.foreignKeys.length > 0) return false;
  at.checkThere();
  return withScratch((arena) => {
    const whole = filler.columns(rows, arena);
    if (whole === null || !lacksNone(relation, at, whole) || !haveNewKeys(relation, at.uniqueKeys, [whole], at))
      return false;
    at.transaction.write(relation.oid, whole);
    return true;
  });
}

function prepareCopyOut(
  engine: TidemarkEngine,
  statement: Copy,
  options: CopyOptions,
  session: SessionContext,
): RunnableStatement {
  const query: SelectNode = { select: copySelect(engine, statement.node, session), text: statement.text };
  const env = engine.bindEnv(session, [], 'read');
  const bound = bindQuery(query, { ...env, allowAsOf: true });
  const physical = planQuery(bound, { mode: 'read' });
  checkColumns(options, resultColumns(bound));
  const prepared = runnable(statement, engine.catalogVersion, null, async (_params, current, signal) => {
    const file = fileOf(engine, statement, current);
    const rows = await streamQuery(engine, physical, bound, current, signal);
    return { kind: 'copyOut', columns: resultColumns(bound), options, rows, ...file };
  });
  return { ...prepared, needs: env.needs };
}

/** COPY t (a, b) TO is COPY (SELECT a, b FROM t) TO. */
function copySelect(engine: TidemarkEngine, node: PgNode, session: SessionContext): PgNode {
  if (node.query !== undefined) {
    if (node.query.SelectStmt === undefined) throw unsupported('COPY of a statement that is not a SELECT');
    return node.query.SelectStmt;
  }
  const relation = relationOf(engine, node, session);
  if (relation.kind === 'view') {
    throw new SqlError('42809', `cannot copy from view "${relation.name}"`, {
      hint: 'Try the COPY (SELECT ...) TO variant.',
    });
  }
  const columns = columnsOf(relation, node.attlist);
  const all = node.attlist === undefined && columns.length === relation.columns.length;
  const named = columns.map((i) => ({ String: { sval: relation.columns[i].name } }));
  const fields: PgNode[] = all ? [{ A_Star: {} }] : named;
  return {
    targetList: fields.map((field) => ({ ResTarget: { val: { ColumnRef: { fields: [field] } } } })),
    fromClause: [{ RangeVar: node.relation }],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
}
