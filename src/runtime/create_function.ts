/**
 * CREATE FUNCTION. What those in JavaScript have to be is in external_function.ts. In SQL the body is one SELECT, bound at once as a call would (unless check_function_bodies is off),
 * and again for each call that is planned (planner/bind/sql_function.ts). What AS '...' says means what it means to who calls; a body of the standard (RETURN, BEGIN ATOMIC) means what it meant when it was made, and what it names
 * cannot be dropped.
 *
 * What is kept up to date has the body that there was: CREATE OR REPLACE gives no other body to a function that such has called (function_users.ts).
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { type ColType, colType, declaredOid, OID } from '../../operators/types.ts';
import { checkSqlFunction, signatureText } from '../../planner/bind/index.ts';
import type { ParameterDef, PgNode, SelectNode, Statement } from '../../planner/parse/ast.ts';
import { strings } from '../../planner/parse/node_fields.ts';
import { parse } from '../../planner/parse/parse.ts';
import { elementTypeOf, type PgProc, typeByOid } from '../../planner/types/catalog.ts';
import { isPolymorphic } from '../../planner/types/polymorphic.ts';
import { formatType, typeOfOid, typeWords } from '../../planner/types/type_name.ts';
import type { FunctionObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkExternal, type MadeLanguage, sourceOf } from './external_function.ts';
import { checkReplaceable } from './function_users.ts';
import { checkNotOthers, tellLeft } from './open_objects.ts';
import { replaceAtCommit, waitsForCommit } from './replace_at_commit.ts';
import { settleUsers } from './settle_at_once.ts';
import { SettledLiterals, settleDefault } from './settled_literals.ts';
import { targetSchema } from './target_schema.ts';
import { columnType, namedInSyntax, qualifyTypes, typesOfColumns } from './type_users.ts';

type CreateFunction = Extract<Statement, { k: 'create_function' }>;

const VOID = 2278;
const UNUSABLE: ReadonlySet<number> = new Set([VOID, OID.record, OID.any]);

const SAME = 'anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange';
const COMPATIBLE =
  'anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange';

const wrong = (message: string, detail?: string): SqlError => new SqlError('42P13', message, { detail });

export function createFunction(engine: TidemarkEngine, statement: CreateFunction, session: SessionContext): void {
  const { catalog } = engine;
  const { name } = statement;
  const language = languageOf(statement.language);
  const schema = targetSchema(engine, statement, session);
  if (isTemporary(schema)) throw new SqlError('0A000', 'functions in temporary schemas are not supported');
  const { proc, isRow } = procOf(engine, statement, language, schema, session);
  const existing = catalog.functionOf(schema, name, proc.args, session.searchPath);
  if (existing !== undefined) {
    checkNotOthers(engine, `function "${name}"`, existing.oid, session);
    if (!statement.orReplace) throw new SqlError('42723', `function "${name}" already exists with same argument types`);
    checkReplacement(existing.proc, proc);
    proc.oid = existing.oid;
  }
  const { source, standard } = bodyText(statement);
  if (proc.made!.script !== null) checkExternal(proc, statement, mustCheck(engine, session));
  const isBound = proc.made!.body !== null && (standard || mustCheck(engine, session));
  const uses = isBound ? checkBody(engine, proc, statement, session) : [];
  const object: FunctionObject = {
    kind: 'function',
    oid: proc.oid,
    schema,
    name,
    sql: statement.text,
    dependencies: [
      ...typesOfColumns([...(proc.allArgs ?? proc.args), proc.result].map((oid) => ({ type: typeOfOid(oid) }))),
      ...(isRow ? [proc.made!.rowOf] : []),
      ...(standard ? uses : []),
    ],
    proc,
    source: standard ? settledSource(proc, source, statement.text) : source,
    standard,
    leakproof: statement.leakproof ?? false,
    parallel: statement.parallel ?? 'u',
    cost: statement.cost ?? 100,
    rows: statement.rows ?? (proc.retset ? 1000 : 0),
  };
  // What calls it is bound again after a start, and so is what it calls.
  const { body } = proc.made!;
  const named = body === null ? [] : namedInSyntax(engine, body.select, session.searchPath);
  const reads = [...object.dependencies, ...named];
  if (existing === undefined) {
    object.oid = catalog.newOid();
    proc.oid = object.oid;
    engine.define(object, session, reads);
    return;
  }
  checkOwner(engine, existing, session);
  checkReplaceable(engine, existing, object, session);
  if (waitsForCommit(engine, existing, session)) {
    object.oid = catalog.newOid();
    proc.oid = object.oid;
    replaceAtCommit(engine, existing, object, session, reads);
    return;
  }
  settleUsers(engine, existing, session);
  tellLeft(engine, [existing.oid], session);
  const { comments, ownedBy, acl } = existing;
  catalog.replace({ ...object, comments, ownedBy, acl });
  engine.defined({ sql: object.sql, made: object.oid, dropped: [] }, session, reads);
}

function languageOf(language: string | null): MadeLanguage {
  if (language === 'sql' || language === 'javascript') return language;
  if (language === null) throw wrong('no language specified');
  throw new SqlError('0A000', `functions in language "${language}" are not supported`, {
    hint: 'There are LANGUAGE sql, with one SELECT as the body, and LANGUAGE javascript.',
  });
}

const mustCheck = (engine: TidemarkEngine, session: SessionContext): boolean =>
  engine.replay === null && session.getSetting('check_function_bodies') !== 'off';

/** What pg_proc says of the function; `isRow`: it returns rows of a relation. Its OID is 0. */
function procOf(
  engine: TidemarkEngine,
  statement: CreateFunction,
  language: MadeLanguage,
  schema: string,
  session: SessionContext,
): { proc: PgProc; isRow: boolean } {
  const { parameters, returns, name, text } = statement;
  const types = parameters.map(({ type }) => argumentType(engine, type, session));
  checkParameters(parameters, types);
  const inputs = parameters.map((p, i) => ({ ...p, type: types[i] })).filter(({ mode }) => 'ibv'.includes(mode));
  const outputs = types.filter((_, i) => 'obt'.includes(parameters[i].mode));
  const isSet = returns?.setof === true;
  const { type, rowOf } = resultType(engine, returns, outputs, session);
  if (statement.rows !== undefined && !isSet)
    throw new SqlError('22023', 'ROWS is not applicable when function does not return a set');
  checkResult(
    type.oid,
    outputs.length > 1 || rowOf !== 0,
    inputs.map((p) => p.type.oid),
  );
  const last = inputs.at(-1);
  const defaults = inputs.flatMap(({ default: node, type }) => {
    if (node === null) return [];
    const own = structuredClone(node);
    qualifyTypes(engine, own, session.searchPath);
    return [{ node: own, text: settleDefault(engine, own, text, type, session) }];
  });
  const plain = parameters.every(({ mode }) => mode === 'i');
  const proc: PgProc = {
    oid: 0,
    name,
    namespace: engine.catalog.schemaOid(schema, session.searchPath),
    kind: 'f',
    strict: statement.strict ?? false,
    retset: isSet,
    volatility: statement.volatility ?? 'v',
    result: declaredOid(type),
    args: inputs.map((p) => declaredOid(p.type)),
    variadic: last?.mode === 'v' ? elementTypeOf(last.type.oid) : 0,
    defaults: defaults.map(() => null),
    allArgs: plain ? null : types.map(declaredOid),
    argModes: plain ? null : parameters.map(({ mode }) => mode),
    argNames: parameters.some((p) => p.name !== '') ? parameters.map((p) => p.name) : null,
    made: {
      schema,
      body: language === 'sql' ? bodyOf(statement) : null,
      script: language === 'sql' ? null : { language, source: sourceOf(statement) },
      defaults,
      rowOf,
    },
  };
  return { proc, isRow: rowOf !== 0 };
}

function argumentType(engine: TidemarkEngine, node: PgNode, session: SessionContext): ColType {
  if (node.setof) throw wrong('functions cannot accept set arguments');
  const { oid, domain } = parameterType(engine, node, session);
  if (domain !== undefined) return typeOfOid(domain);
  const isPseudo = typeByOid(oid)?.kind === 'p' && !isPolymorphic(oid);
  if (isPseudo) throw wrong(`SQL functions cannot have arguments of type ${formatType(oid)}`);
  return colType(oid);
}

/** PostgreSQL has no quotes around the name here. */
function parameterType(engine: TidemarkEngine, node: PgNode, session: SessionContext): ColType {
  try {
    return columnType(engine, node, session);
  } catch (error) {
    if (!(error instanceof SqlError) || error.sqlstate !== '42704') throw error;
    throw new SqlError('42704', error.message.replace(/^type "(.*)" does/, 'type $1 does'), error.fields);
  }
}

function checkParameters(parameters: ParameterDef[], types: ColType[]): void {
  let defaulted = false;
  parameters.forEach(({ name, mode, default: value }, i) => {
    const isInput = 'ibv'.includes(mode);
    const sides = (other: ParameterDef) => isInput === 'ibv'.includes(other.mode) || mode === 'b' || other.mode === 'b';
    // TABLE columns are apart from nothing.
    const same = parameters.findIndex((p) => p.name === name && (sides(p) || mode === 't' || p.mode === 't'));
    if (name !== '' && same >= 0 && same < i) throw wrong(`parameter name "${name}" used more than once`);
    if (value !== null && !isInput) throw wrong('only input parameters can have default values');
    if (isInput && value === null && defaulted && mode !== 'v')
      throw wrong('input parameters after one with a default value must also have defaults');
    defaulted ||= value !== null;
    if (mode === 'v' && value !== null)
      throw new SqlError('0A000', 'a default of a VARIADIC parameter is not supported');
    if (mode === 'v' && types[i].domain !== undefined)
      throw new SqlError('0A000', 'a VARIADIC parameter of a domain is not supported');
    if (mode === 'v' && elementTypeOf(types[i].oid) === 0) throw wrong('VARIADIC parameter must be an array');
    const behind = parameters.slice(i + 1).some((p) => 'ibv'.includes(p.mode));
    if (mode === 'v' && behind) throw wrong('VARIADIC parameter must be the last input parameter');
  });
  const variadic = parameters.some(({ mode }) => mode === 'v');
  if (variadic && defaulted) throw new SqlError('0A000', 'defaults beside a VARIADIC parameter are not supported');
}

/** The type that it returns, or the relation whose rows (0: none). */
function resultType(
  engine: TidemarkEngine,
  returns: PgNode | null,
  outputs: ColType[],
  session: SessionContext,
): { type: ColType; rowOf: number } {
  const ofOutputs = outputs.length === 1 ? outputs[0] : colType(OID.record);
  if (returns === null) {
    if (outputs.length === 0) throw wrong('function result type must be specified');
    return { type: ofOutputs, rowOf: 0 };
  }
  const path = strings(returns.names);
  const plain = !returns.arrayBounds && !returns.pct_type;
  const relation =
    plain && engine.catalog.typeNamed(path.at(-2), path[path.length - 1], session.searchPath) === 0
      ? engine.catalog.find(path.at(-2), path[path.length - 1], session.searchPath)
      : undefined;
  const isRow = relation !== undefined && 'relation' in relation && relation.kind !== 'sequence';
  const builtIn = isRow ? typeIfThere(engine, returns, session) : null;
  if (isRow && builtIn === null && outputs.length === 0) return { type: colType(OID.record), rowOf: relation.oid };
  const type = builtIn ?? columnType(engine, { ...returns, setof: false }, session);
  if (outputs.length > 0 && declaredOid(type) !== declaredOid(ofOutputs)) {
    throw wrong(`function result type must be ${typeWords(ofOutputs)} because of OUT parameters`);
  }
  return { type: typeOfOid(declaredOid(type)), rowOf: 0 };
}

function typeIfThere(engine: TidemarkEngine, node: PgNode, session: SessionContext): ColType | null {
  try {
    return columnType(engine, { ...node, setof: false }, session);
  } catch (error) {
    if (error instanceof SqlError && error.sqlstate === '42704') return null;
    throw error;
  }
}

function checkResult(type: number, hasColumns: boolean, inputs: number[]): void {
  if (type === OID.record && hasColumns) return;
  if (type === VOID) throw new SqlError('0A000', 'functions in SQL that return void are not supported');
  if (type === OID.record) {
    throw new SqlError('0A000', 'functions in SQL that return record without OUT parameters are not supported', {
      hint: 'Use RETURNS TABLE (...), or the name of a table.',
    });
  }
  if (isPolymorphic(type)) {
    if (inputs.some(isPolymorphic)) return;
    throw wrong(
      'cannot determine result data type',
      `A result of type ${formatType(type)} requires at least one input of type ${formatType(type).startsWith('anycompatible') ? COMPATIBLE : SAME}.`,
    );
  }
  if (UNUSABLE.has(type) || typeByOid(type)?.kind === 'p')
    throw wrong(`SQL functions cannot return type ${formatType(type)}`);
}

function bodyText({ body, text }: CreateFunction): { source: string; standard: boolean } {
  if (body === null) throw wrong('no function body specified');
  return 'source' in body ? { source: body.source, standard: false } : { source: body.text || text, standard: true };
}

/** What the source, which ends the statement, is with its literals settled: nothing before it is another. */
function settledSource({ made }: PgProc, source: string, text: string): string {
  const whole = made!.body!.text;
  const start = text.lastIndexOf(source);
  return whole.slice(start, whole.length - (text.length - start - source.length));
}

/** The one SELECT that the body is. */
function bodyOf(statement: CreateFunction): SelectNode {
  const { body, text } = statement;
  if (body === null) throw wrong('no function body specified');
  const refused = () =>
    new SqlError('0A000', 'the body of a function in SQL must be one SELECT', {
      hint: 'Several statements, and INSERT, UPDATE, DELETE and MERGE, are not supported there.',
    });
  if ('statements' in body) {
    const [only] = body.statements;
    if (body.statements.length !== 1 || only.SelectStmt === undefined) throw refused();
    return structuredClone({ select: only.SelectStmt, text });
  }
  const statements = inBody(statement, () => parse(body.source));
  if (statements.length === 0) {
    throw wrong(
      'return type mismatch in function: its body is empty',
      "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.",
    );
  }
  const [only] = statements;
  if (statements.length > 1 || only.k !== 'select' || only.query.emitOnWindowClose) throw refused();
  return only.query;
}

/** Errors of the body get the place that it has in the statement, where it stands there as it is. */
function inBody<T>({ body, text }: CreateFunction, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SqlError) || error.fields.position === undefined || body === null) throw error;
    if (!('source' in body)) throw error;
    const start = text.indexOf(body.source);
    const position = start < 0 ? undefined : [...text.slice(0, start)].length + error.fields.position;
    throw new SqlError(error.sqlstate, error.message, { ...error.fields, position });
  }
}

/** Binds the body; gives what it names, whose schemas a body of the standard has in its names from now on. */
function checkBody(engine: TidemarkEngine, proc: PgProc, statement: CreateFunction, session: SessionContext): number[] {
  if (proc.args.some(isPolymorphic)) {
    if ('statements' in (statement.body ?? {}))
      throw new SqlError('0A000', 'a body of the standard with polymorphic arguments is not supported', {
        hint: "Use AS '...'.",
      });
    return [];
  }
  const named: [node: PgNode, schema: string][] = [];
  const called: [node: PgNode, path: string[]][] = [];
  const literals = new SettledLiterals(engine, session);
  const { catalog } = engine;
  const env = engine.bindEnv(session, [], 'read');
  // What it calls may be itself.
  const functionsNamed = (schema: string | undefined, name: string): PgProc[] => {
    const found = env.catalog.functionsNamed?.(schema, name) ?? [];
    if (name !== proc.name || (schema ?? proc.made!.schema) !== proc.made!.schema) return found;
    return [proc, ...found.filter((other) => other.oid !== proc.oid)];
  };
  const bound = inBody(statement, () =>
    checkSqlFunction(proc, {
      ...env,
      catalog: { ...env.catalog, functionsNamed },
      allowParams: false,
      onRelation: (node, relation) => void named.push([node, relation.schema]),
      onFunction: (other, call) => call && called.push([call, [other.made!.schema, other.name]]),
      onLiteral: (node, type) => literals.hear(node, type),
    }),
  );
  if (statement.body === null || 'source' in statement.body) return [];
  for (const [node, schema] of named) node.schemaname = schema;
  for (const [call, path] of called) call.funcname = path.map((sval) => ({ String: { sval } }));
  literals.settle(proc.made!.body!);
  qualifyTypes(engine, proc.made!.body!.select, session.searchPath);
  return [...bound.dependencies.filter((oid) => catalog.get(oid) !== undefined), ...bound.types];
}

/** What calls the function must go on working. */
function checkReplacement(old: PgProc, now: PgProc): void {
  const hint = `Use DROP FUNCTION ${signatureText(old)} first.`;
  const refused = (message: string, detail?: string) => new SqlError('42P13', message, { detail, hint });
  if (old.result !== now.result || old.retset !== now.retset || old.made!.rowOf !== now.made!.rowOf)
    throw refused('cannot change return type of existing function');
  const columns = ({ allArgs, argModes, argNames }: PgProc) =>
    JSON.stringify((allArgs ?? []).flatMap((t, i) => ('obt'.includes(argModes![i]) ? [[t, argNames?.[i]]] : [])));
  if (columns(old) !== columns(now)) {
    throw refused('cannot change return type of existing function', 'Row type defined by OUT parameters is different.');
  }
  const inputs = ({ argModes, argNames, args }: PgProc) =>
    (argNames ?? args.map(() => '')).filter((_, i) => argModes === null || 'ibv'.includes(argModes[i]));
  const names = inputs(now);
  inputs(old).forEach((name, i) => {
    if (name !== '' && name !== names[i]) throw refused(`cannot change name of input parameter "${name}"`);
  });
  if (now.defaults.length < old.defaults.length)
    throw refused('cannot remove parameter defaults from existing function');
}
