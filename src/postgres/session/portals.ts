/**
 * Portals: statements bound and ready to run, and cursors, which are portals with a name in SQL. One namespace.
 *
 * Life: a portal ends with its transaction; a cursor WITH HOLD whose transaction commits stays, its rows copied out (a subscription
 * stays as it is: it is a stream, not rows of one tick). Rolling back to a savepoint ends the portals made after it.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Result } from '../../engine.ts';
import type { CursorInfo } from '../options.ts';
import type { Cursor } from './cursor.ts';
import type { Prepared } from './prepared_statements.ts';
import type { Participant } from './transaction_block.ts';

/** What running a statement gives; `binary`: of a binary cursor, whatever formats were asked for; `live`: rows come as
 *  changes happen. */
export type StatementResult = { kind: 'empty' } | (Result & { binary?: boolean; live?: boolean });

export interface Portal {
  name: string;
  prepared: Prepared;
  params: Datum[];
  formats: number[];
  /** null until it is first executed. */
  result: StatementResult | null;
  /** All rows were given, or the command has run. */
  done: boolean;
  /** Set for cursors of DECLARE. */
  cursor: Cursor | null;
  serial: number;
}

export class Portals implements Participant<number> {
  /** Those that have a name. */
  readonly #byName = new Map<string, Portal>();
  /** Made and ended with every statement of the extended protocol. */
  #unnamed: Portal | null = null;
  #serial = 0;

  find(name: string): Portal | undefined {
    return name === '' ? (this.#unnamed ?? undefined) : this.#byName.get(name);
  }

  /** 34000 when there is none. */
  get(name: string): Portal {
    const portal = this.find(name);
    if (portal === undefined) throw new SqlError('34000', `portal "${name}" does not exist`);
    return portal;
  }

  /** Adds a portal; the unnamed one replaces its predecessor, a name in use is 42P03. */
  add(name: string, prepared: Prepared, params: Datum[], formats: number[], cursor: Cursor | null): Portal {
    if (name === '') this.close('');
    else if (this.#byName.has(name)) throw new SqlError('42P03', `cursor "${name}" already exists`);
    const serial = ++this.#serial;
    const added: Portal = { name, prepared, params, formats, result: null, done: false, cursor, serial };
    if (name === '') this.#unnamed = added;
    else this.#byName.set(name, added);
    return added;
  }

  /** False when there was none. */
  close(name: string): boolean {
    const portal = this.find(name);
    if (portal === undefined) return false;
    if (name === '') this.#unnamed = null;
    else this.#byName.delete(name);
    if (portal.cursor !== null) portal.cursor.close();
    else if (portal.result?.kind === 'rows' || portal.result?.kind === 'copyOut') portal.result.rows.close();
    return true;
  }

  closeWhere(matches: (portal: Portal) => boolean): void {
    if (this.#unnamed !== null && matches(this.#unnamed)) this.close('');
    if (this.#byName.size === 0) return;
    for (const portal of this.#byName.values()) if (matches(portal)) this.close(portal.name);
  }

  closeAll(): void {
    this.closeWhere(() => true);
  }

  /** True when a commit has to wait for hold(). */
  get mustHold(): boolean {
    if (this.#byName.size === 0) return false;
    for (const { cursor } of this.#byName.values()) if (cursor?.declared.hold === true && !cursor.held) return true;
    return false;
  }

  /** Before a commit: cursors WITH HOLD take their rows out of the transaction. */
  async hold(): Promise<void> {
    for (const portal of this.#byName.values()) {
      if (portal.cursor?.declared.hold === true && !portal.cursor.held) await portal.cursor.hold();
    }
  }

  mark(): number {
    return this.#serial;
  }

  rollbackTo(mark: number): void {
    this.closeWhere((portal) => portal.serial > mark && portal.cursor?.held !== true);
  }

  commit(): void {
    this.closeWhere(endsWithTransaction);
  }

  rollback(): void {
    this.commit();
  }

  list(): CursorInfo[] {
    return [...this.#byName.values()].map((portal) => ({
      name: portal.name,
      statement: portal.prepared.text,
      holdable: portal.cursor?.declared.hold ?? false,
      binary: portal.cursor?.declared.binary ?? false,
      scrollable: portal.cursor?.declared.scroll ?? false,
      creationTime: portal.prepared.createdAt,
    }));
  }
}

function endsWithTransaction({ cursor }: Portal): boolean {
  return cursor?.held !== true;
}
