/**
 * Statements made ready to run: planned by the engine, or known to the session itself (settings, cursors, transactions ...).
 *
 * A simple query's plan is kept by its text as long as catalog and settings stay as they are, so that clients that never prepare
 * do not pay for planning each time. Texts with the special time words ('now', 'today', ...) are planned each time: such a literal
 * is read when it is planned.
 */
import { SqlError } from '../../../operators/errors.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { withOffset } from '../../../planner/parse/positions.ts';
import type { Engine, PreparedStatement, ResultColumn } from '../../engine.ts';
import { noSuchParameter } from './parameter_refs.ts';
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

const CACHED_KINDS = new Set<Statement['k']>(['select', 'insert', 'update', 'delete']);
const MAX_CACHED = 200;
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
  readonly #cache = new Map<string, { prepared: Prepared; generation: number }>();

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
    const plan = this.plan(plannedPart(statement), paramTypes);
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

  /** The plan of a statement of a simple query; `text` is the whole query when this is its only statement, else null. */
  prepareSimple(statement: Statement, text: string | null): Prepared {
    if (text === null || text.length > MAX_CACHED_TEXT || !CACHED_KINDS.has(statement.k) || TIME_WORDS.test(text)) {
      return this.#withoutParameters(statement);
    }
    const cached = this.#cache.get(text);
    const generation = this.#settings.generation;
    if (cached?.generation === generation && cached.prepared.plan?.catalogVersion === this.#engine.catalogVersion) {
      return cached.prepared;
    }
    const prepared = this.#withoutParameters(statement);
    this.#cache.delete(text);
    this.#cache.set(text, { prepared, generation });
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    return prepared;
  }

  #withoutParameters(statement: Statement): Prepared {
    const prepared = this.prepare('', statement.text, statement, []);
    if (prepared.paramTypes.length > 0) throw noSuchParameter(statement);
    return prepared;
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
