/** COPY table FROM STDIN, COPY table | (query) | (SUBSCRIBE ...) TO STDOUT: what moves; the wire layer does the text, csv and binary forms. */
import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { bindQuery, bindScalar } from '../../planner/bind/index.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { PgNode, SelectNode, Statement } from '../../planner/parse/ast.ts';
import { planQuery } from '../../planner/physical/index.ts';
import type { CopyOptions, CopyTarget, ResultColumn, SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkWritable, modifyContext } from './modifications.ts';
import { insertDatums } from './modify.ts';
import { columnNamed, relationNamed } from './names.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { resultColumns, streamQuery } from './queries.ts';
import { followReferences, missingReferences } from './referential_actions.ts';
import { prepareSubscribe } from './subscribe.ts';
import type { RowChange } from './unique_keys.ts';

type Copy = Extract<Statement, { k: 'copy' }>;

export function prepareCopy(engine: TidemarkEngine, statement: Copy, session: SessionContext): RunnableStatement {
  const options = copyOptions(statement.node.options ?? []);
  if (statement.node.filename !== undefined || statement.node.is_program === true) {
    throw unsupported('COPY from or to a file on the server');
  }
  if (statement.subscribe !== null) {
    const inner = prepareSubscribe(engine, statement, statement.subscribe, session);
    return runnable(statement, engine.catalogVersion, null, async (params, current, signal) => {
      const result = await inner.run(params, current, signal);
      if (result.kind !== 'rows') throw new Error('SUBSCRIBE gave no rows');
      return { kind: 'copyOut', columns: result.columns, options, rows: result.rows };
    });
  }
  return statement.node.is_from === true
    ? prepareCopyIn(engine, statement, options, session)
    : prepareCopyOut(engine, statement, options, session);
}

function columnsOf(relation: Relation, names: PgNode[] | undefined): number[] {
  if (names === undefined) {
    const present = presentColumns(relation).map(({ position }) => position);
    return present.filter((position) => relation.columns[position].generated !== true);
  }
  return names.map((node) => {
    const name = node.String.sval as string;
    const i = columnNamed(relation, name);
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
  return runnable(statement, engine.catalogVersion, null, async (_params, session) => ({
    kind: 'copyIn',
    columns,
    options,
    target: copyTarget(engine, relation, positions, session),
  }));
}

function copyTarget(
  engine: TidemarkEngine,
  relation: Relation,
  positions: number[],
  session: SessionContext,
): CopyTarget {
  const env = engine.bindEnv(session, [], 'read');
  const defaults = relation.columns.map((column, i) => {
    const value = positions.includes(i) ? null : (env.columnDefault?.(relation, i) ?? null);
    if (value === null) return () => null;
    const expr = bindScalar(value.node, value.text, env, { target: column.type, place: 'default' });
    if (isVolatile(expr)) return () => evaluate(expr, [], session.evalContext);
    const fixed = evaluate(expr, [], session.evalContext);
    return () => fixed;
  });
  let count = 0;
  const { columns } = relation;
  // A row may reference one that comes after it.
  let waiting: RowChange[] = [];
  return {
    async write(rows) {
      const whole = rows.map((row) => {
        const full: Datum[] = defaults.map((value) => value());
        positions.forEach((position, i) => {
          full[position] = row[i];
        });
        return full;
      });
      const at = modifyContext(engine, relation, session, columns);
      const added = insertDatums(relation, whole, at);
      waiting.push(...missingReferences({ relation, at, delta: added }));
      count += rows.length;
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

function prepareCopyOut(
  engine: TidemarkEngine,
  statement: Copy,
  options: CopyOptions,
  session: SessionContext,
): RunnableStatement {
  const query: SelectNode = { select: copySelect(engine, statement.node, session), text: statement.text };
  const bound = bindQuery(query, { ...engine.bindEnv(session, [], 'read'), allowAsOf: true });
  const physical = planQuery(bound, { mode: 'read' });
  return runnable(statement, engine.catalogVersion, null, async (_params, current, signal) => {
    const rows = await streamQuery(engine, physical, bound, current, signal);
    return { kind: 'copyOut', columns: resultColumns(bound), options, rows };
  });
}

/** COPY t (a, b) TO is COPY (SELECT a, b FROM t) TO. */
function copySelect(engine: TidemarkEngine, node: PgNode, session: SessionContext): PgNode {
  if (node.query !== undefined) {
    if (node.query.SelectStmt === undefined) throw unsupported('COPY of a statement that is not a SELECT');
    return node.query.SelectStmt;
  }
  const relation = relationOf(engine, node, session);
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

function copyOptions(list: PgNode[]): CopyOptions {
  const given = new Map<string, PgNode | undefined>();
  for (const item of list) given.set(item.DefElem.defname, item.DefElem.arg);
  const text = (name: string): string | undefined => given.get(name)?.String?.sval;
  const format = (text('format') ?? 'text') as CopyOptions['format'];
  if (format !== 'text' && format !== 'csv' && format !== 'binary')
    throw new SqlError('22023', `COPY format "${format}" not recognized`);
  const csv = format === 'csv';
  const force = given.get('force_quote');
  for (const name of given.keys()) {
    if (
      !['format', 'delimiter', 'null', 'header', 'quote', 'escape', 'force_quote', 'encoding', 'freeze'].includes(name)
    ) {
      throw new SqlError('42601', `option "${name}" not recognized`);
    }
  }
  const quote = text('quote') ?? '"';
  return {
    format,
    delimiter: text('delimiter') ?? (csv ? ',' : '\t'),
    null: text('null') ?? (csv ? '' : '\\N'),
    header: given.has('header') && headerOn(given.get('header')),
    quote,
    escape: text('escape') ?? quote,
    forceQuote:
      force === undefined
        ? []
        : force.A_Star !== undefined
          ? '*'
          : (force.List?.items ?? []).map((i: PgNode) => i.String.sval),
  };
}

function headerOn(arg: PgNode | undefined): boolean {
  if (arg === undefined) return true;
  if (arg.Boolean !== undefined) return arg.Boolean.boolval === true;
  if (arg.Integer !== undefined) return arg.Integer.ival === 1;
  const word = String(arg.String?.sval ?? 'true').toLowerCase();
  return word === 'true' || word === 'on' || word === 'match';
}
