/**
 * Statements made ready to run: planned by the engine, or known to the session itself (settings, cursors, transactions ...).
 *
 * A plan is kept by its text as long as catalog and settings stay as they are, so that clients that never prepare, or prepare anew each
 * time, do not pay for planning each time; a simple query also by its text without the numbers in it (literal_template.ts). Texts with
 * the special time words ('now', 'today', ...) are planned each time: such a literal is read when it is planned.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { withOffset } from '../../../planner/parse/positions.ts';
import type { Engine, PreparedStatement, ResultColumn } from '../../engine.ts';
import { liftNumbers, type Shape, shapeOf } from './literal_template.ts';
import { noSuchParameter } from './parameter_refs.ts';
import { PlanCache } from './plan_cache.ts';
import type { Portals } from './portals.ts';
import { checkSameColumns, type Prepared, type PreparedStatements } from './prepared_statements.ts';
import type { WireSessionContext } from './session_context.ts';
import type { Settings } from './settings.ts';

/** Statement kinds that the session runs without the engine. */
const SESSION_KINDS = new Set<Statement['k']>([
  'fetch',
  'close',
  'set',
  'show',
  'reset',
  'transaction',
  'prepare',
  'execute',
  'deallocate',
  'discard',
  'listen',
  'unlisten',
  'notify',
]);

const CACHED_KINDS = new Set<Statement['k']>(['select', 'modifying_select', 'insert', 'update', 'delete', 'merge']);
/** A shape whose other numbers keep changing (OFFSET 10, 20, ...) is planned each time. */
const MAX_TEMPLATES_OF_A_SHAPE = 20;
const MAX_CACHED_TEXT = 4096;
const TIME_WORDS = /'[^']*(now|today|tomorrow|yesterday)[^']*'/i;

export function textColumn(name: string): ResultColumn {
  return { name, type: colType(OID.text), relation: 0, attnum: 0 };
}

/** What the engine plans: of DECLARE its query, which may have parameters; else the statement. */
export function plannedPart(statement: Statement): Statement {
  if (statement.k !== 'declare_cursor') return statement;
  const { query, text, offset } = statement;
  return 'k' in query ? query : { k: 'select', query, text, offset };
}

function resultColumns(statement: Statement, plan: PreparedStatement): ResultColumn[] | null {
  return statement.k === 'declare_cursor' ? null : plan.columns;
}

export class Planner {
  readonly #engine: Engine;
  readonly #context: WireSessionContext;
  readonly #settings: Settings;
  readonly #statements: PreparedStatements;
  readonly #portals: Portals;
  readonly #clock: () => bigint;
  /** Plans by parameter types and text. */
  readonly #cache = new PlanCache<PreparedStatement>();
  /** What the numbers of a shape are, by its text; null: nothing is a parameter. */
  readonly #shapes = new PlanCache<{ lifted: (number | null)[]; planned: number } | null>();
  /** Plans of shapes with the numbers that are no parameters. */
  readonly #templates = new PlanCache<Prepared>();

  constructor(
    engine: Engine,
    context: WireSessionContext,
    settings: Settings,
    statements: PreparedStatements,
    portals: Portals,
    clock: () => bigint,
  ) {
    this.#engine = engine;
    this.#context = context;
    this.#settings = settings;
    this.#statements = statements;
    this.#portals = portals;
    this.#clock = clock;
  }

  /** Plans; errors carry positions in what the client sent. */
  prepare(name: string, text: string, statement: Statement | null, paramTypes: number[], fromSql = false): Prepared {
    const prepared: Prepared = {
      name,
      text,
      statement,
      plan: null,
      searchPath: this.#settings.raw('search_path') ?? '',
      paramTypes,
      columns: null,
      fromSql,
      createdAt: this.#clock(),
    };
    if (statement === null) return prepared;
    if (this.#runsHere(statement)) {
      prepared.columns = this.sessionColumns(statement);
      return prepared;
    }
    const plan = this.#cachedPlan(statement, text, paramTypes);
    const untyped = plan.paramTypes.indexOf(0);
    if (untyped >= 0) throw new SqlError('42P18', `could not determine data type of parameter $${untyped + 1}`);
    prepared.plan = plan;
    prepared.paramTypes = plan.paramTypes;
    prepared.columns = resultColumns(statement, plan);
    return prepared;
  }

  /** FETCH from a name that is no cursor may be FETCH from a durable subscription, which is the engine's. */
  #runsHere(statement: Statement): boolean {
    if (!SESSION_KINDS.has(statement.k)) return false;
    if (statement.k !== 'fetch' || this.#portals.find(statement.name) !== undefined) return true;
    return this.#engine.hasSubscription?.(statement.name) !== true;
  }

  plan(statement: Statement, paramTypes: number[]): PreparedStatement {
    try {
      return this.#engine.prepare(statement, paramTypes, this.#context);
    } catch (cause) {
      throw cause instanceof SqlError ? withOffset(cause, statement.offset) : cause;
    }
  }

  #cachedPlan(statement: Statement, text: string, paramTypes: number[]): PreparedStatement {
    if (text.length > MAX_CACHED_TEXT || !CACHED_KINDS.has(statement.k) || TIME_WORDS.test(text)) {
      return this.plan(plannedPart(statement), paramTypes);
    }
    const key = `${paramTypes} ${text}`;
    const known = this.#cache.get(key, this.#settings.generation, this.#engine.catalogVersion);
    if (known !== undefined) return known;
    const plan = this.plan(plannedPart(statement), paramTypes);
    this.#cache.set(key, plan, this.#settings.generation, plan.catalogVersion);
    return plan;
  }

  /** The plan of a statement of a simple query. */
  prepareSimple(statement: Statement): Prepared {
    const prepared = this.prepare('', statement.text, statement, []);
    if (prepared.paramTypes.length > 0) throw noSuchParameter(statement);
    return prepared;
  }

  /** A plan that was made for this text with other numbers, and the text's numbers as its parameters. Null when there is none. */
  fromTemplate(text: string): { prepared: Prepared; params: Datum[]; shape: Shape } | { shape: Shape | null } {
    const shape = text.length > MAX_CACHED_TEXT ? null : shapeOf(text);
    if (shape === null) return { shape };
    const { generation } = this.#settings;
    const version = this.#engine.catalogVersion;
    const known = this.#shapes.get(shape.text, generation, version);
    if (known === undefined || known === null) return { shape };
    const prepared = this.#templates.get(templateKey(shape, known.lifted), generation, version);
    const params = prepared === undefined ? null : paramsOf(shape, known.lifted, prepared.paramTypes);
    return prepared === undefined || params === null ? { shape } : { prepared, params, shape };
  }

  /** Keeps a plan for texts like this one, which was planned as it is and found right. */
  addTemplate(shape: Shape, statement: Statement, prepared: Prepared): void {
    const { generation } = this.#settings;
    const version = this.#engine.catalogVersion;
    const known = this.#shapes.get(shape.text, generation, version);
    if (known === null || (known?.planned ?? 0) >= MAX_TEMPLATES_OF_A_SHAPE) return;
    const template = templateOf(statement, shape);
    if (template === null) return;
    const { lifted } = template;
    const plan = lifted.every((n) => n === null) ? null : this.#templatePlan(template.statement, lifted, prepared);
    this.#shapes.set(
      shape.text,
      plan === null ? null : { lifted, planned: (known?.planned ?? 0) + 1 },
      generation,
      version,
    );
    if (plan !== null) this.#templates.set(templateKey(shape, lifted), plan, generation, version);
  }

  /** Null when the parameters would not mean what the numbers did. */
  #templatePlan(statement: Statement, lifted: (number | null)[], like: Prepared): Prepared | null {
    const types = lifted.filter((n) => n !== null).map(() => 0);
    try {
      const plan = this.#engine.prepare(statement, types, this.#context);
      if (!plan.paramTypes.every((oid) => oid === OID.int2 || oid === OID.int4 || oid === OID.int8)) return null;
      checkSameColumns(like.columns, plan.columns);
      return { ...like, statement, plan, paramTypes: plan.paramTypes };
    } catch (cause) {
      // A number that cannot be a parameter here is no error of the query, which has been planned as it is.
      if (cause instanceof SqlError) return null;
      throw cause;
    }
  }

  /** Plans again when what the plan rests on has changed; columns of FETCH and EXECUTE follow what they name. */
  refresh(prepared: Prepared): void {
    const { plan, statement } = prepared;
    if (statement === null) return;
    if (plan === null) {
      prepared.columns = this.sessionColumns(statement);
      return;
    }
    const searchPath = this.#settings.raw('search_path') ?? '';
    if (plan.catalogVersion === this.#engine.catalogVersion && prepared.searchPath === searchPath) return;
    const again = this.plan(plannedPart(statement), prepared.paramTypes);
    checkSameColumns(prepared.columns, resultColumns(statement, again));
    prepared.plan = again;
    prepared.columns = resultColumns(statement, again);
    prepared.searchPath = searchPath;
  }

  /** Result columns of a statement that the session runs; null: none. */
  sessionColumns(statement: Statement): ResultColumn[] | null {
    switch (statement.k) {
      case 'show':
        return statement.name.toLowerCase() === 'all'
          ? ['name', 'setting', 'description'].map(textColumn)
          : [textColumn(this.#settings.show(statement.name).name)];
      case 'fetch':
        return statement.move ? null : (this.#portals.find(statement.name)?.cursor?.columns ?? null);
      case 'execute':
        return this.#statements.find(statement.name)?.columns ?? null;
      default:
        return null;
    }
  }
}

/** The statement with parameters; null where it is of a kind that is planned each time. */
function templateOf(statement: Statement, shape: Shape): { statement: Statement; lifted: (number | null)[] } | null {
  switch (statement.k) {
    case 'select': {
      const { node, lifted } = liftNumbers(statement.query.select, shape);
      return { statement: { ...statement, query: { ...statement.query, select: node } }, lifted };
    }
    case 'update':
    case 'delete': {
      const { node, lifted } = liftNumbers(statement.node, shape);
      return { statement: { ...statement, node }, lifted };
    }
    default:
      return null;
  }
}

function templateKey(shape: Shape, lifted: (number | null)[]): string {
  const rest = shape.numbers.filter((_, i) => lifted[i] === null).map(({ value }) => value);
  return `${shape.text} ${rest}`;
}

/** Null when a number does not fit its parameter. */
function paramsOf(shape: Shape, lifted: (number | null)[], types: number[]): Datum[] | null {
  const params: Datum[] = [];
  for (let i = 0; i < lifted.length; i++) {
    const n = lifted[i];
    if (n === null) continue;
    const { value } = shape.numbers[i];
    const type = types[n - 1];
    if (type === OID.int2 && value > 32767) return null;
    params[n - 1] = type === OID.int8 ? BigInt(value) : value;
  }
  return params;
}
