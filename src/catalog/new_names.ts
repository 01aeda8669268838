/**
 * Names that transactions which have not ended have given to objects that were there before them: such a name is theirs alone until COMMIT, when the object gets it.
 *
 *   BEGIN; ALTER TABLE t RENAME TO old; ALTER TABLE new RENAME TO t      t -> old and new -> t for this session; t and new for all others
 */

/** The last of an object counts. */
export interface NewName {
  oid: number;
  transaction: number;
  name: string;
}

export class NewNames {
  #list: NewName[] = [];

  get size(): number {
    return this.#list.length;
  }

  save(): NewName[] {
    return this.#list;
  }

  load(list: NewName[]): void {
    this.#list = list;
  }

  add(name: NewName): void {
    this.#list = [...this.#list, name];
  }

  /** Those of a transaction, in the order in which they were given. */
  of(transaction: number): NewName[] {
    return this.#list.filter((one) => one.transaction === transaction);
  }

  /** The transaction that has given the object a name. */
  giver(oid: number): number | undefined {
    return this.#list.find((one) => one.oid === oid)?.transaction;
  }

  /** What the object is called for the transaction; undefined: as for everybody. */
  nameFor(oid: number, transaction: number | null): string | undefined {
    return this.#list.findLast((one) => one.oid === oid && one.transaction === transaction)?.name;
  }

  /** Objects with a new name, all of them. */
  objects(): number[] {
    return [...new Set(this.#list.map(({ oid }) => oid))];
  }

  remove(gone: (name: NewName) => boolean): NewName[] {
    const removed = this.#list.filter(gone);
    this.#list = this.#list.filter((one) => !gone(one));
    return removed;
  }
}
