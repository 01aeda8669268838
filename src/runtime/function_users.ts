/**
 * What calls a function: what keeps it from being dropped, and what keeps its body as it is. Rows that are kept (of materialized views, sinks, subscriptions, generated columns, indexes) were computed with
 * the body of then, and would be taken back with another; rows that a CHECK has let in would not fit.
 */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { bindScalar, checkSqlFunction, syntaxKey } from '../../planner/bind/index.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { isPolymorphic } from '../../planner/types/polymorphic.ts';
import {
  type FunctionObject,
  type IndexObject,
  KIND_NAMES,
  type RelationObject,
  type Written,
} from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { keptUsers, refuseWhileKept, wordsOf } from './kept_users.ts';
import { columnsOf, rowColumns } from './row_expression.ts';
import { sessionWith } from './session_with.ts';
import { orNull } from './view_query.ts';

/** Functions that an expression outside of queries calls, and that these call. Names of its own calls get their schemas where `qualify` is said. */
export function functionsCalled(
  engine: TidemarkEngine,
  node: PgNode,
  text: string,
  relation: Relation | null,
  session: SessionContext,
  qualify = false,
): number[] {
  let mayCall = false;
  walkTree(node, ({ FuncCall: call }) => {
    const path = call?.funcname?.map((part: PgNode) => part.String.sval);
    mayCall ||= path && engine.catalog.findFunctions(path.at(-2), path.at(-1), session.searchPath).length > 0;
  });
  if (!mayCall) return [];
  const found = new Set<number>();
  const calls: [call: PgNode, path: string[]][] = [];
  const env = {
    ...engine.bindEnv(session, [], 'read'),
    allowParams: false,
    onFunction: ({ oid, name, made }: FunctionObject['proc'], call: PgNode | null) => {
      found.add(oid);
      if (call !== null) calls.push([call, [made!.schema, name]]);
    },
  };
  // What is wrong with it is said where it is bound for its use.
  orNull(() =>
    bindScalar(node, text, env, relation === null ? {} : { relation: relation.name, columns: rowColumns(relation) }),
  );
  if (qualify) for (const [call, path] of calls) call.funcname = path.map((sval) => ({ String: { sval } }));
  return [...found];
}

/** The session, to bind the text of an expression again: the functions that it called are found where they were found first. */
export function withFunctionsOf(
  { catalog }: TidemarkEngine,
  { functions = [] }: Pick<Written, 'functions'>,
  session: SessionContext,
): SessionContext {
  const schemas = functions.flatMap((oid) => catalog.get(oid)?.schema ?? []);
  return schemas.length === 0 ? session : sessionWith(session, { searchPath: [...schemas, ...session.searchPath] });
}

interface Use {
  table: RelationObject;
  text: string;
  action: string;
}

const calls = (written: Pick<Written, 'functions'> | null, { oid }: FunctionObject): boolean =>
  written?.functions?.includes(oid) ?? false;

/** What of tables calls the function, with the ALTER TABLE that takes it away. A default goes with its column, and a CHECK with any of its own. */
export function callsInTables(
  engine: TidemarkEngine,
  object: FunctionObject,
  searchPath: string[] = [],
): (Use & { stays: boolean })[] {
  return engine.catalog.there(searchPath).flatMap((table) => {
    if (table.kind !== 'table' && table.kind !== 'stream') return [];
    const { relation, name, kind } = table;
    const named = (i: number) => quoteIdent(relation.columns[i].name);
    const column = (i: number) => `column ${relation.columns[i].name} of ${KIND_NAMES[kind]} ${name}`;
    const gone = table.generated.filter((g) => calls(g, object)).map((g) => g.column);
    return [
      ...gone.map((i) => ({ table, text: column(i), action: `DROP COLUMN ${named(i)} CASCADE`, stays: true })),
      ...table.defaults.flatMap((value, i) => {
        if (!calls(value, object) || gone.includes(i)) return [];
        const text = `default value for ${column(i)}`;
        return [{ table, text, action: `ALTER COLUMN ${named(i)} DROP DEFAULT`, stays: false }];
      }),
      ...table.checks.flatMap((check) => {
        if (!calls(check, object) || columnsOf(check.expr).some((c) => gone.includes(c))) return [];
        const action = `DROP CONSTRAINT ${quoteIdent(check.name)}`;
        return [{ table, text: `constraint ${check.name} on table ${name}`, action, stays: true }];
      }),
    ];
  });
}

export function indexesCalling({ catalog }: TidemarkEngine, object: FunctionObject): IndexObject[] {
  return catalog.objects().filter((index): index is IndexObject => {
    if (index.kind !== 'index' || index.computed === undefined) return false;
    const { parts, where } = index.computed;
    return [...parts, where].some((part) => part !== null && typeof part !== 'number' && calls(part, object));
  });
}

/** Everything that calls it, as errors name it. */
function callersOf(engine: TidemarkEngine, object: FunctionObject): string[] {
  const readers = engine.catalog.objects().filter(({ dependencies }) => dependencies.includes(object.oid));
  return [
    ...callsInTables(engine, object).map(({ text }) => text),
    ...[...indexesCalling(engine, object), ...readers].map(wordsOf),
  ];
}

/** 0A000 when what is kept was computed with another body. */
export function checkReplaceable(
  engine: TidemarkEngine,
  old: FunctionObject,
  now: FunctionObject,
  session: SessionContext,
): void {
  if (engine.replay !== null || (meaningOf(old) === meaningOf(now) && !mayBeRefused(old, now))) return;
  const inTables = callsInTables(engine, old).flatMap(({ text, stays }) => (stays ? [text] : []));
  refuseWhileKept(old, [...inTables, ...indexesCalling(engine, old).map(wordsOf), ...keptUsers(engine, old, session)]);
}

/** What is kept calls it as it is immutable, and would not be made again if it were not. */
function mayBeRefused(old: FunctionObject, now: FunctionObject): boolean {
  return old.proc.made!.script !== null && old.proc.volatility === 'i' && now.proc.volatility !== 'i';
}

function meaningOf({ source, proc: { strict, made } }: FunctionObject): string {
  return JSON.stringify([
    made!.script?.language,
    source.trim(),
    strict,
    made!.defaults.map(({ node }) => syntaxKey(node)),
  ]);
}

/** 0A000 when texts that are bound again name it. */
export function checkNowhereCalled(engine: TidemarkEngine, object: FunctionObject): void {
  if (engine.replay !== null) return;
  const users = callersOf(engine, object);
  if (users.length === 0) return;
  const words = wordsOf(object);
  throw new SqlError('0A000', `cannot rename or move ${words} while it is named elsewhere`, {
    detail: users.map((user) => `${user} depends on ${words}`).join('\n'),
    hint: 'Drop what is named in the detail, change the function, and make it again.',
  });
}

/**
 * Those that would stand broken when names of what they read change: with a body of the standard, which knows no other names, or called elsewhere. Others are looked at when they are
 * called, as in PostgreSQL. Call it before the change; what it gives throws 0A000 when one of them cannot be bound after it.
 */
export function boundFunctions(engine: TidemarkEngine, session: SessionContext): () => void {
  if (engine.replay !== null) return () => undefined;
  const isBound = ({ proc }: FunctionObject) =>
    proc.args.some(isPolymorphic) ||
    orNull(() => checkSqlFunction(proc, { ...engine.bindEnv(session, [], 'read'), allowParams: false })) !== null;
  const watched = engine.catalog.objects().filter((object): object is FunctionObject => {
    if (object.kind !== 'function') return false;
    return (object.standard || callersOf(engine, object).length > 0) && isBound(object);
  });
  return () => {
    const broken = watched.filter((object) => !isBound(object)).map(wordsOf);
    if (broken.length === 0) return;
    throw new SqlError('0A000', `${broken.join(', ')} could not be called after this change`, {
      hint: 'Drop what calls it and the function, and make them again afterwards.',
    });
  };
}

/** Whether a body of the standard names a column of a relation. */
export function bodyReads(
  engine: TidemarkEngine,
  { standard, proc }: FunctionObject,
  relation: Relation,
  position: number,
  session: SessionContext,
): boolean {
  if (!standard) return false;
  const columns = presentColumns(relation).filter((column) => column.position !== position);
  const made = { ...proc.made!, body: { ...proc.made!.body!, seen: [{ relation: relation.oid, columns }] } };
  const env = { ...engine.bindEnv(session, [], 'read'), allowParams: false };
  return orNull(() => checkSqlFunction({ ...proc, made }, env)) === null;
}
