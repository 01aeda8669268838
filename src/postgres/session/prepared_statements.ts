/**
 * Prepared statements of a session, of the protocol's Parse and of SQL's PREPARE alike: one namespace. The unnamed one ('') is
 * replaced by each Parse and dropped by each simple query.
 *
 * A plan is made again when the catalog or the search path has changed since; its result columns must stay what they were
 * (0A000 "cached plan must not change result type", which drivers know and answer by preparing again).
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import type { PreparedStatement, ResultColumn } from '../../engine.ts';
import type { PreparedInfo } from '../options.ts';

export interface Prepared {
  name: string;
  text: string;
  /** null: the empty statement. */
  statement: Statement | null;
  /** The engine's plan; null for statements that the session itself runs. */
  plan: PreparedStatement | null;
  /** What the plan depends on besides the catalog. */
  searchPath: string;
  paramTypes: number[];
  /** null: gives no rows, or not known before it runs (FETCH, EXECUTE). */
  columns: ResultColumn[] | null;
  fromSql: boolean;
  createdAt: bigint;
}

export class PreparedStatements {
  readonly #byName = new Map<string, Prepared>();
  /** The one that was asked for last: most clients run one again and again. */
  #last: Prepared | null = null;

  get lastName(): string {
    return this.#last?.name ?? '';
  }

  find(name: string): Prepared | undefined {
    return this.#byName.get(name);
  }

  /** 26000 when there is none. */
  get(name: string): Prepared {
    if (this.#last !== null && this.#last.name === name) return this.#last;
    const prepared = this.#byName.get(name);
    if (prepared !== undefined) {
      this.#last = prepared;
      return prepared;
    }
    throw new SqlError(
      '26000',
      name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`,
    );
  }

  /** 42P05 when a named one is there already. */
  checkFree(name: string): void {
    if (name !== '' && this.#byName.has(name)) {
      throw new SqlError('42P05', `prepared statement "${name}" already exists`);
    }
  }

  add(prepared: Prepared): void {
    this.#byName.set(prepared.name, prepared);
    this.#last = prepared;
  }

  /** False when there was none. */
  drop(name: string): boolean {
    if (this.lastName === name) this.#last = null;
    return this.#byName.delete(name);
  }

  /** The unnamed one stays until the next takes its place, as in PostgreSQL: a client that runs DEALLOCATE ALL by it may run it again. */
  dropNamed(): void {
    const unnamed = this.#byName.get('');
    this.#byName.clear();
    this.#last = null;
    if (unnamed !== undefined) this.add(unnamed);
  }

  list(): PreparedInfo[] {
    return [...this.#byName.values()]
      .filter((prepared) => prepared.name !== '')
      .map((prepared) => ({
        name: prepared.name,
        statement: prepared.text,
        prepareTime: prepared.createdAt,
        parameterTypes: prepared.paramTypes,
        resultTypes: prepared.columns?.map((column) => column.type.oid) ?? null,
        fromSql: prepared.fromSql,
      }));
  }
}

/** 0A000 when a plan made again gives other columns than the client was told. */
export function checkSameColumns(before: ResultColumn[] | null, after: ResultColumn[] | null): void {
  const same =
    before === null || after === null
      ? before === after
      : before.length === after.length &&
        before.every(
          (column, i) =>
            column.name === after[i].name &&
            column.type.oid === after[i].type.oid &&
            column.type.typmod === after[i].type.typmod,
        );
  if (!same) throw new SqlError('0A000', 'cached plan must not change result type');
}
