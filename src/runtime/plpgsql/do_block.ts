/**
 * DO: runs a block in PL/pgSQL, statement by statement, in the transaction of the DO.
 *
 *   statement -> next | EXIT, CONTINUE [label] -> the loop | RETURN -> the end | error -> EXCEPTION of the innermost block that takes it, after a rollback to its BEGIN
 *
 * Cost: a statement is planned once; a pass of a loop costs its statements. Trap: statements that only compute do not leave the turn of the event loop, so pause() does, for cancels and
 * for everybody else.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError, unsupported } from '../../../operators/errors.ts';
import { outputText } from '../../../operators/expr/io/registry.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { PgNode, Statement } from '../../../planner/parse/ast.ts';
import type { SessionContext } from '../../engine.ts';
import type { TidemarkEngine } from '../engine.ts';
import { type RunnableStatement, runnable } from '../prepared.ts';
import { takes } from './conditions.ts';
import { declared } from './declared.ts';
import { inBlock, itemOfError, nameOfStatement } from './error_place.ts';
import { isEndOf, isNextPass, type Leave, outOf } from './leave.ts';
import { raised } from './raise.ts';
import { type Ran, Statements } from './statements.ts';
import { type Typed, Variables } from './variables.ts';

type DoStatement = Extract<Statement, { k: 'do' }>;
/** Between looks at what came meanwhile. */
const PAUSE_MS = 5;
const BOOL = { type: colType(OID.bool), typeName: 'boolean' };
const INT = { type: colType(OID.int4), typeName: 'integer' };
const TEXT = { type: colType(OID.text), typeName: 'text' };

export function prepareDo(engine: TidemarkEngine, statement: DoStatement): RunnableStatement {
  return runnable(statement, engine.catalogVersion, null, async (_params, session, signal) => {
    await new Block(engine, statement, session, signal).run();
    return { kind: 'command', tag: 'DO' };
  });
}

class Block {
  readonly #engine: TidemarkEngine;
  readonly #statement: DoStatement;
  readonly #session: SessionContext;
  readonly #signal: AbortSignal;
  readonly #variables = new Variables();
  readonly #statements: Statements;
  /** The errors whose handlers run, the newest last. */
  readonly #handled: SqlError[] = [];
  #savepoints = 0;
  #rowCount = 0;
  #lookedAt = performance.now();

  constructor(engine: TidemarkEngine, statement: DoStatement, session: SessionContext, signal: AbortSignal) {
    this.#engine = engine;
    this.#statement = statement;
    this.#session = session;
    this.#signal = signal;
    this.#statements = new Statements(engine, session, signal, this.#variables);
  }

  async run(): Promise<void> {
    const { block } = this.#statement.body;
    for (const { PLpgSQL_var: variable, PLpgSQL_rec: record } of declared(this.#statement.body)) {
      if (record !== undefined) this.#declareRecord(record);
      if (variable === undefined) continue;
      try {
        await this.#declare(variable);
      } catch (error) {
        const where = `line ${variable.lineno ?? 1} during statement block local variable initialization`;
        throw inBlock(error, where);
      }
    }
    this.#setFound(false);
    await this.#run('block', block);
  }

  /** The tree has variables of users' types among records, and not with what they begin with. */
  #declareRecord({ refname, datatype, lineno = 1 }: PgNode): void {
    const { typname: typeName } = datatype.PLpgSQL_type;
    if (typeName !== 'record')
      throw inBlock(unsupported(`a variable of type ${typeName} in DO`), `line ${lineno} at DECLARE`);
    this.#variables.declareRecord(refname);
  }

  async #declare({ refname: name, datatype, default_val: value, notnull: notNull }: PgNode): Promise<void> {
    const { typname: typeName } = datatype.PLpgSQL_type;
    if (/%type$/i.test(typeName) || /%rowtype$/i.test(typeName)) throw unsupported(`a variable's type ${typeName}`);
    const { type } = await this.#statements.cast({ type: TEXT.type, value: null }, typeName);
    this.#variables.declare(name, typeName, type, notNull === true);
    if (value !== undefined || notNull === true)
      this.#variables.set(name, value === undefined ? null : await this.#valueAs(value, { type, typeName }));
  }

  async #sequence(list: PgNode[] | undefined): Promise<Leave> {
    for (const item of list ?? []) {
      const [tag] = Object.keys(item);
      const leave = await this.#run(tag.slice('PLpgSQL_stmt_'.length), item[tag]);
      if (leave !== null) return leave;
    }
    return null;
  }

  async #run(kind: string, node: PgNode): Promise<Leave> {
    try {
      await this.#pause();
      return await this.#dispatch(kind, node);
    } catch (error) {
      throw inBlock(error, `line ${node.lineno ?? 1} at ${nameOfStatement(kind)}`);
    }
  }

  async #pause(): Promise<void> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#lookedAt < PAUSE_MS) return;
    await immediate();
    this.#lookedAt = performance.now();
    this.#signal.throwIfAborted();
  }

  async #dispatch(kind: string, node: PgNode): Promise<Leave> {
    switch (kind) {
      case 'block':
        return this.#block(node);
      case 'execsql':
        await this.#sql(node);
        return null;
      case 'perform': {
        const ran = await this.#statements.run(node.expr.PLpgSQL_expr.query);
        this.#ran(ran);
        return null;
      }
      case 'dynexecute':
        await this.#execute(node);
        return null;
      case 'assign':
        await this.#assign(node);
        return null;
      case 'if':
        return this.#if(node);
      case 'case':
        return this.#case(node);
      case 'loop':
        return this.#loop(node, async () => true);
      case 'while':
        return this.#loop(node, () => this.#isTrue(node.cond));
      case 'fori':
        return this.#forIntegers(node);
      case 'fors':
        return this.#forRows(node, await this.#statements.run(node.query.PLpgSQL_expr.query));
      case 'dynfors':
        return this.#forRows(node, await this.#dynamic(node.query, node.params));
      case 'foreach_a':
        return this.#forEach(node);
      case 'exit': {
        if (node.cond !== undefined && !(await this.#isTrue(node.cond))) return null;
        return { by: node.is_exit ? 'exit' : 'continue', label: node.label ?? null };
      }
      case 'return':
        return { by: 'return' };
      case 'raise':
        await this.#raise(node);
        return null;
      case 'assert':
        await this.#assert(node);
        return null;
      case 'getdiag':
        await this.#diagnostics(node);
        return null;
      default:
        throw unsupported(`${kind.toUpperCase()} in DO`);
    }
  }

  async #block({ label, body, exceptions }: PgNode): Promise<Leave> {
    if (exceptions === undefined) return outOf(label, await this.#sequence(body));
    const { transaction } = this.#session;
    const savepoint = `PL/pgSQL ${++this.#savepoints}`;
    transaction.savepoint(savepoint);
    const undo = this.#session.mark?.();
    try {
      const leave = await this.#sequence(body);
      transaction.release(savepoint);
      return outOf(label, leave);
    } catch (error) {
      if (!(error instanceof SqlError) || this.#signal.aborted) throw error;
      const handler = (exceptions.PLpgSQL_exception_block.exc_list as PgNode[]).find(
        ({ PLpgSQL_exception: { conditions } }) =>
          conditions.some(({ PLpgSQL_condition: { condname } }: PgNode) => takes(condname, error)),
      );
      if (handler === undefined) throw error;
      transaction.rollbackTo(savepoint);
      transaction.release(savepoint);
      undo?.();
      return outOf(label, await this.#handle(error, handler.PLpgSQL_exception.action));
    }
  }

  async #handle(error: SqlError, action: PgNode[] | undefined): Promise<Leave> {
    this.#handled.push(error);
    try {
      return await this.#withVariable('sqlstate', TEXT, error.sqlstate, () =>
        this.#withVariable('sqlerrm', TEXT, error.message, () => this.#sequence(action)),
      );
    } finally {
      this.#handled.pop();
    }
  }

  /** Runs `body` with a variable of its own, which hides another of its name. */
  async #withVariable<T>(
    name: string,
    { type, typeName }: typeof INT,
    value: Datum,
    body: () => Promise<T>,
  ): Promise<T> {
    const hidden = this.#variables.hidden(name);
    this.#variables.declare(name, typeName, type);
    this.#variables.set(name, value);
    try {
      return await body();
    } finally {
      this.#variables.restore(name, hidden);
    }
  }

  async #sql({ sqlstmt, into, strict, target }: PgNode): Promise<void> {
    const ran = await this.#statements.run(sqlstmt.PLpgSQL_expr.query, strict ? 2 : into ? 1 : undefined);
    if (!into && ran.columns !== null) {
      throw new SqlError('42601', 'query has no destination for result data', {
        hint: 'If you want to discard the results of a SELECT, use PERFORM instead.',
      });
    }
    if (into) await this.#into(ran, target, strict === true);
    if (ran.isQuery) this.#ran(ran);
  }

  async #execute({ query, params, into, strict, target }: PgNode): Promise<void> {
    const ran = await this.#dynamic(query, params);
    if (into) await this.#into(ran, target, strict === true);
    // EXECUTE leaves FOUND as it is.
    this.#rowCount = ran.count;
  }

  async #dynamic(query: PgNode, params: PgNode[] | undefined): Promise<Ran> {
    const text = await this.#textOf(query);
    if (text === null) throw new SqlError('22004', 'query string argument of EXECUTE is null');
    const using: Typed[] = [];
    for (const param of params ?? []) using.push(await this.#value(param));
    return this.#statements.runDynamic(text, using);
  }

  /** The first row, or NULLs. `strict`: there must be one, and no other. */
  async #into({ columns, rows }: Ran, target: PgNode, strict: boolean): Promise<void> {
    if (columns === null) throw new SqlError('42601', 'INTO used with a command that cannot return data');
    if (strict && rows.length === 0) throw new SqlError('P0002', 'query returned no rows');
    if (strict && rows.length > 1) {
      throw new SqlError('P0003', 'query returned more than one row', {
        hint: 'Make sure the query returns a single row, or use LIMIT 1.',
      });
    }
    const row = rows[0] ?? columns.map(() => null);
    await this.#store(
      target,
      columns.map(({ name }) => name),
      columns.map(({ type }, i) => ({ type, value: row[i] })),
    );
  }

  /** Puts a row into a record, or into variables one by one. */
  async #store(target: PgNode, columns: string[], fields: Typed[]): Promise<void> {
    const { PLpgSQL_rec: record, PLpgSQL_row: row } = target;
    if (record !== undefined) return this.#variables.setRecord(record.refname, columns, fields);
    for (const [i, { varno }] of (row.fields as PgNode[]).entries()) {
      await this.#setNumbered(varno ?? 0, fields[i] ?? { type: TEXT.type, value: null });
    }
  }

  async #setNumbered(number: number, value: Typed): Promise<void> {
    const { PLpgSQL_var: variable } = this.#statement.body.variables[number];
    if (variable === undefined) throw unsupported('a value for a part of a variable');
    const name: string = variable.refname;
    this.#variables.set(name, await this.#as(value, this.#variables.typeOf(name)));
  }

  async #assign({ varno, expr }: PgNode): Promise<void> {
    const { query } = expr.PLpgSQL_expr;
    const simple = /^\s*(?:"(?:[^"]|"")+"|[^\s"[(.:=]+)\s*(?::=|=)/.exec(query);
    if (simple === null) throw unsupported(`the assignment ${query.trim()}`);
    const ran = await this.#statements.run(`SELECT ${query.slice(simple[0].length)}`, 2);
    await this.#setNumbered(varno ?? 0, only(ran, query));
  }

  async #if({ cond, then_body: then, elsif_list: others = [], else_body: otherwise }: PgNode): Promise<Leave> {
    if (await this.#isTrue(cond)) return this.#sequence(then);
    for (const { PLpgSQL_if_elsif: other } of others)
      if (await this.#isTrue(other.cond)) return this.#sequence(other.stmts);
    return this.#sequence(otherwise);
  }

  async #case({
    t_expr: searched,
    t_varno: number,
    case_when_list: list,
    have_else: hasElse,
    else_stmts: otherwise,
  }: PgNode): Promise<Leave> {
    const branches = async () => {
      for (const { PLpgSQL_case_when: when } of list)
        if (await this.#isTrue(when.expr)) return this.#sequence(when.stmts);
      if (hasElse) return this.#sequence(otherwise);
      throw new SqlError('20000', 'case not found', { hint: 'CASE statement is missing ELSE part.' });
    };
    if (searched === undefined) return branches();
    const { type, value } = await this.#value(searched);
    const { refname } = this.#statement.body.variables[number].PLpgSQL_var;
    return this.#withVariable(refname, { type, typeName: '' }, value, branches);
  }

  /** `goesOn` is asked before each pass. */
  async #loop({ label, body }: PgNode, goesOn: () => Promise<boolean>): Promise<Leave> {
    while (await goesOn()) {
      const leave = await this.#sequence(body);
      if (leave === null || isNextPass(leave, label)) {
        await this.#pause();
        continue;
      }
      return isEndOf(leave, label) ? null : leave;
    }
    return null;
  }

  async #forIntegers(node: PgNode): Promise<Leave> {
    const bound = async (expr: PgNode, what: string) => {
      const value = await this.#valueAs(expr, INT);
      if (value === null) throw new SqlError('22004', `${what} of FOR loop cannot be null`);
      return value as number;
    };
    const lower = await bound(node.lower, 'lower bound');
    const upper = await bound(node.upper, 'upper bound');
    const step = node.step === undefined ? 1 : await bound(node.step, 'BY value');
    if (step <= 0) throw new SqlError('22023', 'BY value of FOR loop must be greater than zero');
    const name: string = node.var.PLpgSQL_var.refname;
    const by = node.reverse ? -step : step;
    let next = lower;
    let found = false;
    const leave = await this.#withVariable(name, INT, null, () =>
      this.#loop(node, async () => {
        if (node.reverse ? next < upper : next > upper) return false;
        this.#variables.set(name, next);
        next += by;
        found = true;
        return true;
      }),
    );
    this.#setFound(found);
    return leave;
  }

  async #forRows(node: PgNode, { columns, rows }: Ran): Promise<Leave> {
    if (columns === null) throw new SqlError('42601', 'the query of a FOR loop gives no rows');
    const names = columns.map(({ name }) => name);
    let next = 0;
    const leave = await this.#loop(node, async () => {
      if (next === rows.length) return false;
      const row = rows[next++];
      await this.#store(
        node.var,
        names,
        columns.map(({ type }, i) => ({ type, value: row[i] })),
      );
      return true;
    });
    this.#setFound(rows.length > 0);
    return leave;
  }

  async #forEach(node: PgNode): Promise<Leave> {
    if (node.slice) throw unsupported('FOREACH with SLICE');
    const { query } = node.expr.PLpgSQL_expr;
    const { columns, rows } = await this.#statements.run(`SELECT unnest(${query}) WHERE (${query}) IS NOT NULL`);
    if (rows.length === 0 && (await this.#value(node.expr)).value === null)
      throw new SqlError('22004', 'FOREACH expression must not be null');
    const [{ type }] = columns as { type: Typed['type'] }[];
    let next = 0;
    const leave = await this.#loop(node, async () => {
      if (next === rows.length) return false;
      await this.#setNumbered(node.varno ?? 0, { type, value: rows[next++][0] });
      return true;
    });
    this.#setFound(rows.length > 0);
    return leave;
  }

  async #raise(node: PgNode): Promise<void> {
    const isAgain = node.condname === undefined && node.message === undefined && node.options === undefined;
    if (isAgain) {
      throw (
        this.#handled.at(-1) ??
        new SqlError('0Z002', 'RAISE without parameters cannot be used outside an exception handler')
      );
    }
    const { level, error } = await raised(node, (expr) => this.#textOf(expr));
    const { detail, hint } = error.fields;
    if (level === 'EXCEPTION') throw error;
    if (level === 'LOG') this.#engine.log('info', error.message);
    else if (level !== 'DEBUG') this.#session.notice(level, error.sqlstate, error.message, { detail, hint });
  }

  async #assert({ cond, message }: PgNode): Promise<void> {
    if (await this.#isTrue(cond)) return;
    const said = message === undefined ? null : await this.#textOf(message);
    throw new SqlError('P0004', said ?? 'assertion failed');
  }

  async #diagnostics({ diag_items: items, is_stacked: isStacked }: PgNode): Promise<void> {
    const error = this.#handled.at(-1);
    if (isStacked && error === undefined)
      throw new SqlError('0Z002', 'GET STACKED DIAGNOSTICS cannot be used outside an exception handler');
    for (const {
      PLpgSQL_diag_item: { kind, target },
    } of items as PgNode[]) {
      const text = error === undefined ? undefined : itemOfError(error, kind);
      if (kind === 'ROW_COUNT') {
        await this.#setNumbered(target ?? 0, { type: colType(OID.int8), value: BigInt(this.#rowCount) });
      } else if (text === undefined) throw unsupported(`GET DIAGNOSTICS ${kind}`);
      else await this.#setNumbered(target ?? 0, { type: TEXT.type, value: text });
    }
  }

  #ran({ count }: Ran): void {
    this.#rowCount = count;
    this.#setFound(count > 0);
  }

  #setFound(found: boolean): void {
    this.#variables.set('found', found);
  }

  async #value(expr: PgNode): Promise<Typed> {
    const { query } = expr.PLpgSQL_expr;
    return only(await this.#statements.run(`SELECT ${query}`, 2), query);
  }

  async #valueAs(expr: PgNode, to: typeof INT): Promise<Datum> {
    return this.#as(await this.#value(expr), to);
  }

  async #as(from: Typed, { type, typeName }: typeof INT): Promise<Datum> {
    if (from.type.oid === type.oid && type.typmod === -1 && type.domain === undefined) return from.value;
    return this.#statements.assigned(from, type, typeName);
  }

  /** NULL is not true. */
  async #isTrue(expr: PgNode): Promise<boolean> {
    return (await this.#valueAs(expr, BOOL)) === true;
  }

  /** As its type is written, which a cast need not be: true is t. */
  async #textOf(expr: PgNode): Promise<string | null> {
    const { type, value } = await this.#value(expr);
    return value === null ? null : outputText(value, type.oid, this.#session.evalContext);
  }
}

/** The one value of an expression. */
function only({ columns, rows }: Ran, query: string): Typed {
  if (columns === null || columns.length !== 1) {
    throw new SqlError('42601', `query "${query.trim()}" returned ${columns?.length ?? 0} columns`);
  }
  if (rows.length > 1) throw new SqlError('21000', `query "${query.trim()}" returned more than one row`);
  return { type: columns[0].type, value: rows[0]?.[0] ?? null };
}
