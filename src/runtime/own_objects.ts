/**
 * Objects of a transaction: what it has made, and what of before it has dropped or changed, for itself alone until it commits (open_objects.ts). The catalog has all of it, by the transaction's
 * number; here is how much of it there was when a savepoint was set.
 */
import { openMark } from '../../operators/expr/search_path.ts';
import type { PendingChange } from '../catalog/pending.ts';
import type { Commits } from './commits.ts';

/** How far it was. */
export interface ObjectsMark {
  nextOid: number;
  dropped: number;
  pending: PendingChange[];
}

const BEGIN: ObjectsMark = { nextOid: 0, dropped: 0, pending: [] };

export class OwnObjects {
  /** The OID of the first that it has made, or a new one. Null: it has done nothing to objects. */
  number: number | null = null;
  readonly #commits: Commits;
  /** OIDs of what goes when it commits. */
  #dropped: number[] = [];

  constructor(commits: Commits) {
    this.#commits = commits;
  }

  get made(): number[] {
    return this.number === null ? [] : this.#commits.madeBy(this.number);
  }

  get dropped(): number[] {
    return this.#dropped;
  }

  get pending(): PendingChange[] {
    return this.number === null ? [] : this.#commits.pending(this.number);
  }

  /** What it has dropped is not there for it. */
  get path(): string[] {
    return this.number === null ? [] : [openMark(this.number)];
  }

  drop(oids: number[]): void {
    this.#dropped.push(...oids);
  }

  /** What it has dropped is gone. */
  published(): void {
    this.#dropped = [];
  }

  mark(): ObjectsMark {
    return { nextOid: this.#commits.nextOid(), dropped: this.#dropped.length, pending: this.pending };
  }

  /** What it has dropped and changed since. */
  since(mark: ObjectsMark): { dropped: number[]; pending: PendingChange[] } {
    return {
      dropped: this.#dropped.slice(mark.dropped),
      pending: this.pending.filter((one) => !mark.pending.includes(one)),
    };
  }

  /** What it has made since goes, what it has dropped stays, and what it has changed is as it was. */
  backTo({ nextOid, dropped, pending }: ObjectsMark = BEGIN): void {
    if (this.number === null) return;
    this.#commits.undo(this.number, nextOid);
    this.#commits.stay(this.#dropped.splice(dropped));
    this.#commits.keepPending(this.number, pending);
  }
}
