/**
 * What transactions that have not ended have changed of objects that were there before them: each change is its transaction's alone until COMMIT, when the object gets it.
 *
 *   BEGIN; ALTER TABLE t RENAME TO old; ALTER TABLE new RENAME TO t      t -> old and new -> t for this session; t and new for all others
 *   GRANT SELECT ON old TO r; COMMENT ON TABLE old IS 'x'                r reads it for this session, when it acts as r
 *
 *   ALTER TABLE old ALTER a SET NOT NULL                                 it may write no NULL there (table_change.ts)
 *
 * Comments and rights are kept whole, as they are with the change: nobody else may change them meanwhile (checkUnchanged).
 */
import { openIn } from '../../operators/expr/search_path.ts';
import { type CatalogObject, type CommentedPart, isTable, type RelationObject } from './objects.ts';
import type { Acl } from './privileges.ts';
import type { Secured } from './rights.ts';
import { setTable, type TableChange, tableCopy } from './table_change.ts';

/** COMMENT ON: null: there is none any more. Of a schema the part is the object. */
export interface CommentChange {
  k: 'comment';
  part: CommentedPart;
  comment: string | null;
}

/** GRANT, REVOKE, OWNER TO. */
export interface RightsChange {
  k: 'rights';
  owner: number;
  acl: Acl | null;
}

export type Change = CommentChange | RightsChange;

/** The last of an object, or of a part of it, counts. `oid`: of an object or a schema; 0: the database. */
export type PendingChange = { oid: number; transaction: number } & (Change | TableChange | { k: 'name'; name: string });

export class Pending {
  #list: PendingChange[] = [];

  get size(): number {
    return this.#list.length;
  }

  save(): PendingChange[] {
    return this.#list;
  }

  add(change: PendingChange): void {
    this.#list = [...this.#list, change];
  }

  /** Those of a transaction, in the order in which they were made. */
  of(transaction: number | null): PendingChange[] {
    return this.#list.filter((one) => one.transaction === transaction);
  }

  /** The transaction that has given the object a name. */
  giver(oid: number): number | undefined {
    return this.#list.find((one) => one.oid === oid && one.k === 'name')?.transaction;
  }

  /** The transaction that has changed anything of it. */
  changer(oid: number): number | undefined {
    return this.#list.find((one) => one.oid === oid)?.transaction;
  }

  /** The transaction whose path this is has changed it, its name aside. */
  isChanged(oid: number, searchPath: string[]): boolean {
    return this.#in(oid, searchPath).some(({ k }) => k !== 'name');
  }

  /** What the object is called for the transaction whose path this is; undefined: as for everybody. */
  nameOf(oid: number, searchPath: string[]): string | undefined {
    const last = this.#in(oid, searchPath).findLast(({ k }) => k === 'name');
    return last?.k === 'name' ? last.name : undefined;
  }

  /** Whose it is, and who may what; undefined: as for everybody. */
  rightsOf(oid: number, searchPath: string[]): Secured | undefined {
    const last = this.#in(oid, searchPath).findLast(({ k }) => k === 'rights');
    return last?.k === 'rights' ? last : undefined;
  }

  /** What is said of it, or of a part; undefined: as for everybody. */
  commentOf(oid: number, part: CommentedPart, searchPath: string[]): string | null | undefined {
    const last = this.#in(oid, searchPath).findLast((one) => one.k === 'comment' && one.part === part);
    return last?.k === 'comment' ? last.comment : undefined;
  }

  /** How the transaction whose path this is has altered a table. */
  tableChanges(oid: number, searchPath: string[]): TableChange[] {
    return this.#in(oid, searchPath).flatMap((one) => (one.k === 'table' ? [one] : []));
  }

  /** Columns of a table that are NOT NULL for the transaction whose path this is, if not for all. */
  columnsNotNull(oid: number, searchPath: string[]): number[] {
    const set = new Map(this.tableChanges(oid, searchPath).flatMap(({ notNull }) => notNull));
    return [...set].flatMap(([column, is]) => (is ? [column] : []));
  }

  /** Tables that the transaction whose path this is has altered. */
  alteredIn(searchPath: string[]): number[] {
    if (this.#list.length === 0) return [];
    const altered = this.of(openIn(searchPath)).flatMap(({ oid, k }) => (k === 'table' ? [oid] : []));
    return [...new Set(altered)];
  }

  /** The transaction that has altered the table. */
  alterer(oid: number): number | undefined {
    return this.#list.find((one) => one.oid === oid && one.k === 'table')?.transaction;
  }

  /** The transaction whose path this is has said something of a constraint of it: ALTER may give the constraint's number to another. */
  saysConstraints(oid: number, searchPath: string[]): boolean {
    return this.#in(oid, searchPath).some((one) => one.k === 'comment' && !/^(object|column )/.test(one.part));
  }

  /** Of an object, by the transaction whose path this is. */
  #in(oid: number, searchPath: string[]): PendingChange[] {
    if (this.#list.length === 0) return this.#list;
    const transaction = openIn(searchPath);
    return this.#list.filter((one) => one.oid === oid && one.transaction === transaction);
  }

  /** The object as the transaction has changed it whose path this is: a copy, or the object itself. */
  asSeen<T extends CatalogObject | undefined>(object: T, searchPath: string[]): T {
    const changes = object === undefined ? [] : this.#in(object.oid, searchPath);
    if (object === undefined || changes.length === 0) return object;
    const isAltered = isTable(object) && changes.some(({ k }) => k === 'table');
    const seen: CatalogObject = isAltered ? tableCopy(object) : { ...object };
    if (seen.comments !== undefined) seen.comments = { ...seen.comments };
    for (const change of changes) {
      if (change.k === 'name') seen.name = change.name;
      else if (change.k === 'rights') setRights(seen, change);
      else if (change.k === 'table') setTable(seen as RelationObject, change);
      else setComment(seen, change.part, change.comment);
    }
    if (seen.name !== object.name && 'relation' in seen) seen.relation = { ...seen.relation, name: seen.name };
    return seen as T;
  }

  remove(gone: (change: PendingChange) => boolean): PendingChange[] {
    const removed = this.#list.filter(gone);
    this.#list = this.#list.filter((one) => !gone(one));
    return removed;
  }
}

export function setRights(object: CatalogObject, { owner, acl }: Secured): void {
  object.ownedBy = owner;
  if (acl === null) delete object.acl;
  else object.acl = acl;
}

export function setComment(object: CatalogObject, part: CommentedPart, comment: string | null): void {
  object.comments ??= {};
  if (comment === null) delete object.comments[part];
  else object.comments[part] = comment;
}
