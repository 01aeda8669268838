/**
 * A session's transaction: reads see the tick of its first read plus its own writes; writes are deltas that wait for commit, which
 * publishes them as one tick.
 *
 *   rows(relation) = rows at the pinned tick + own deltas       = live rows - deltas since the pin + own deltas
 *
 * First committer wins: what was written must still fit the live rows when it is published (write_check.ts), or it fails with WriteConflict. A statement
 * that is a transaction of its own is published when it has run, and run again then (engine.ts); COMMIT of any other gives the client the error.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { emptyBatch, weightOf } from '../../operators/batch/builder.ts';
import { detach } from '../../operators/batch/detach.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import type { ForeignKey } from '../catalog/objects.ts';
import type { PendingChange } from '../catalog/pending.ts';
import type { SessionContext, Transaction } from '../engine.ts';
import type { Commits, IsDeferred, Seen } from './commits.ts';
import { CorrectionIndex } from './correction_index.ts';
import { type ConstraintPlace, Deferral } from './deferral.ts';
import type { IndexName } from './index_name.ts';
import { type ObjectsMark, OwnObjects } from './own_objects.ts';
import type { Pin } from './pins.ts';
import type { Sequence } from './sequence.ts';
import { concat, consolidatorOf, retractsOnly } from './signed_batches.ts';
import type { StoredRelation } from './stored_relation.ts';
import type { TickLoop } from './tick_loop.ts';
import { checkUnaltered } from './write_conflict.ts';

interface Write {
  relation: number;
  delta: Batch;
}

export class EngineTransaction implements Transaction {
  readonly #loop: TickLoop;
  readonly #arena = new Arena();
  #pin: Pin | null = null;
  readonly #writes: Write[] = [];
  readonly #byKey = new Map<string, CorrectionIndex>();
  #savepoints: {
    name: string;
    writes: number;
    restarts: number;
    deferral: Deferral;
    objects: ObjectsMark;
  }[] = [];
  #deferral = new Deferral();
  /** Sequences that begin anew with it. */
  #restarts: Sequence[] = [];
  #atEnd: (() => void)[] = [];
  readonly #objects: OwnObjects;
  #done = false;
  #alone = false;
  /** The oldest tick that what was written was made of. */
  #seen: bigint | null = null;
  /** TickLoop.constraints when it wrote for the first time. */
  #constraints: number;
  /** Tables whose columns it has altered itself, with the tick since which it sees them so. */
  readonly #reshaped = new Map<number, bigint>();
  /** When it has ended: the tick that it became, or that its reads saw. */
  #shown: bigint | null = null;
  /** Waits until what was published is on the disk; null: nothing is published. */
  #untilDurable: (() => Promise<void>) | null = null;
  readonly #commits: Commits;
  /** Others have published something that its only statement did not fit: that runs again, and this time nobody may come in between. */
  overtaken = false;

  constructor(loop: TickLoop, commits: Commits) {
    this.#loop = loop;
    this.#constraints = loop.constraints;
    this.#commits = commits;
    this.#objects = new OwnObjects(commits);
  }

  /** Tick that reads see. */
  get tick(): bigint {
    return this.#pin?.tick ?? this.#loop.tick;
  }

  get shownTick(): bigint {
    return this.#shown ?? this.tick;
  }

  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  /** What it wrote has become a tick. */
  get hasPublished(): boolean {
    return this.#untilDurable !== null;
  }

  /** True while it has neither read nor written. */
  get isFresh(): boolean {
    return this.#pin === null && this.#writes.length === 0;
  }

  /** Reads see the tick of the next read: what was read so far, a statement that is not transactional has used. */
  forgetReads(): void {
    this.#unpin();
  }

  /** Its number if it makes something that it alone sees until it ends; undefined: everybody sees that at once. */
  opens(oid: number, session: SessionContext): number | undefined {
    if (this.#alone || session.seeOpen === undefined) return undefined;
    if (this.#done) {
      // A statement that was cancelled has gone on: what it makes goes when it has ended.
      setImmediate(() => this.#commits.undo(oid, oid));
      return oid;
    }
    return this.#numbered(() => oid, session);
  }

  #numbered(newNumber: () => number, session: SessionContext): number {
    const objects = this.#objects;
    if (objects.number === null) {
      objects.number = newNumber();
      session.seeOpen?.(objects.number);
      this.#atEnd.push(() => session.seeOpen?.(null));
    }
    return objects.number;
  }

  /** Whether what it drops now goes only when it commits: all of it could come back. */
  keepsDropped(oids: number[], session: SessionContext): boolean {
    if (this.#done && session.seeOpen !== undefined)
      throw new SqlError('57014', 'the transaction has ended before its statement');
    return oids.some((oid) => this.leaves(oid, session));
  }

  /** These go when it commits. Gives its number. */
  drops(oids: number[], session: SessionContext): number {
    const number = this.#numbered(() => this.#commits.newOid(), session);
    this.#objects.drop(oids);
    return number;
  }

  /** It gives an object of before a new name, or changes it otherwise, when it commits. Gives its number. */
  changes(session: SessionContext): number {
    return this.#numbered(() => this.#commits.newOid(), session);
  }

  /** What it has dropped and changed that a ROLLBACK TO could take back which leaves what it has made under this OID. */
  since(oid: number): { dropped: number[]; pending: PendingChange[] } {
    const first = this.#savepoints.find(({ objects }) => oid < objects.nextOid);
    return first === undefined ? { dropped: [], pending: [] } : this.#objects.since(first.objects);
  }

  get hasSavepoint(): boolean {
    return this.#savepoints.length > 0;
  }

  /** Whether its ROLLBACK, or the next to a savepoint, leaves what it does now to this object. */
  leaves(oid: number, session: SessionContext): boolean {
    if (this.#alone || this.#done || session.seeOpen === undefined) return false;
    const from = this.#savepoints.at(-1)?.objects.nextOid ?? 0;
    return oid < from || !this.#objects.made.includes(oid);
  }

  /** It ends with the statement that runs now: nothing will be read behind what that writes. */
  standAlone(): void {
    this.#alone = true;
  }

  /** What is written from now on takes rows away that it sees now: whatever it reads later has to have them. */
  keepTick(): void {
    if (!this.#alone) this.pin();
  }

  /** From now on reads see the present tick. Does nothing when they already see one. */
  pin(): void {
    if (this.#pin === null && !this.#done) this.#pin = this.#loop.pin();
  }

  /** Deltas to add to the live rows of a relation to see it as of the pinned tick. */
  pinned(relation: number): { batch: Batch; sign: 1 | -1 }[] {
    this.#checkUnaltered(relation);
    const out: { batch: Batch; sign: 1 | -1 }[] = [];
    for (const saved of this.#pin?.since ?? []) {
      const batch = saved.deltas.get(relation);
      if (batch !== undefined) out.push({ batch, sign: -1 });
    }
    return out;
  }

  /** Deltas to add to the live rows of a relation to see it as this transaction does. */
  corrections(relation: number): { batch: Batch; sign: 1 | -1 }[] {
    const out = this.pinned(relation);
    for (const write of this.#writes) if (write.relation === relation) out.push({ batch: write.delta, sign: 1 });
    return out;
  }

  /** What it has written of a relation. */
  written(relation: number): { batch: Batch; sign: 1 }[] {
    return this.#writes.flatMap((write) => (write.relation === relation ? [{ batch: write.delta, sign: 1 }] : []));
  }

  /** Whether it sees a relation otherwise than its live rows are. */
  corrects(relation: number): boolean {
    this.#checkUnaltered(relation);
    return (
      this.#writes.some((write) => write.relation === relation) ||
      (this.#pin?.since.some(({ deltas }) => deltas.has(relation)) ?? false)
    );
  }

  /** Of the corrections of a relation those of some keys, not consolidated; `keys` is a batch of these columns. */
  ofKeys(relation: number, stored: StoredRelation, by: IndexName, keys: Batch, arena: Arena): Batch {
    const name = `${relation}:${typeof by === 'number' ? `index ${by}` : by}`;
    const index = this.#byKey.get(name) ?? new CorrectionIndex(relation, stored.like(by));
    this.#byKey.set(name, index);
    try {
      index.feed(this.#pin?.since ?? [], this.#writes);
    } catch (error) {
      // A delta of which it has a part would be in it twice after ROLLBACK TO SAVEPOINT.
      this.#byKey.delete(name);
      index.release();
      throw error;
    }
    return index.ofKeys(keys, arena);
  }

  /** Throws 40001 when the rows that it sees, or has written, have other columns than those of now. */
  #checkUnaltered(relation: number): void {
    const stored = this.#loop.relations.get(relation);
    if (stored === undefined || stored.altered === null) return;
    checkUnaltered(stored, this.#sees(relation));
  }

  /** The oldest tick by whose columns it knows a table's rows. */
  #sees(relation: number): bigint {
    const { tick } = this;
    const reshaped = this.#reshaped.get(relation);
    if (reshaped !== undefined || this.#seen === null || this.#seen > tick) return reshaped ?? tick;
    return this.#writes.some((write) => write.relation === relation) ? this.#seen : tick;
  }

  /** Throws WriteConflict when what it wrote does not fit the live rows. */
  checkWrites(): void {
    if (this.#writes.length > 0)
      this.#commits.checkFit(this.#total(), this.#seenSoFar(), this.isDeferred, this.#objects.path);
  }

  /** It alters a table's columns: makes what it wrote anew, and gives what puts that in its place; from then on it reads what is there. */
  reshape(relation: number, rewrite: (rows: Batch, arena: Arena) => Batch): () => void {
    const rewritten = this.#writes
      .filter((write) => write.relation === relation)
      .map((write) => ({ write, delta: rewrite(write.delta, this.#arena) }));
    return () => {
      for (const { write, delta } of rewritten) write.delta = delta;
      this.#unpin();
      this.#forgetKeys();
      this.#reshaped.set(relation, this.tick);
    };
  }

  /** What it saw otherwise is not what it sees otherwise now. */
  #forgetKeys(): void {
    for (const index of this.#byKey.values()) index.release();
    this.#byKey.clear();
  }

  /** Takes back what it wrote since it had so many writes. */
  #truncate(writes: number): void {
    if (writes >= this.#writes.length) return;
    this.#writes.length = writes;
    this.#forgetKeys();
  }

  /** Adds a delta of a table to the transaction; the batch is copied. Throws the error of an expression that an index is over. */
  write(relation: number, delta: Batch): void {
    if (delta.n === 0) return;
    this.#loop.relations.get(relation)?.checkComputed(delta);
    this.#writes.push({ relation, delta: detach(delta, this.#arena) });
  }

  /** It has dropped a relation: what it wrote to it is nothing. */
  forget(relation: number): void {
    for (const write of this.#writes)
      if (write.relation === relation) write.delta = emptyBatch(write.delta.columns.map(({ type }) => type));
  }

  /** What is written from now on is made of the rows that it sees now. */
  noteSeen(): void {
    if (this.#seen !== null) return;
    this.#seen = this.tick;
    this.#constraints = this.#loop.constraints;
  }

  #seenSoFar(): Seen {
    return { tick: this.#seen ?? this.tick, constraints: this.#constraints };
  }

  /** The end of a statement that stands alone is that of its transaction. */
  readonly isDeferred: IsDeferred = (table, key) => {
    if (!key.deferrable || this.#alone) return false;
    return this.#deferral.isDeferred(table, key);
  };

  /** SET CONSTRAINTS; `some`: null: all. What is not deferred any more is looked at. */
  setConstraints(some: ConstraintPlace[] | null, deferred: boolean): void {
    const next = this.#deferral.with(some, deferred);
    if (!deferred && this.hasWrites) {
      const isSaid = (table: number, { number }: ForeignKey) => next.said({ table, number }) === false;
      const deltas = this.#total();
      for (const relation of deltas.keys()) this.#checkUnaltered(relation);
      const looksAt: IsDeferred = (table, key) => this.isDeferred(table, key) && (some === null || isSaid(table, key));
      this.#commits.checkDeferred(deltas, looksAt, this.#objects.path);
    }
    this.#deferral = next;
  }

  /** How far it is; backTo() takes back what it wrote since. */
  mark(): number {
    return this.#writes.length;
  }

  backTo(mark: number): void {
    this.#truncate(mark);
  }

  /** Publishes what was written, so that commit() only waits for the disk. After WriteConflict it can begin anew by startOver(). */
  async publish(signal: AbortSignal | null): Promise<void> {
    const { made, dropped, pending, number } = this.#objects;
    const changing = pending.length > 0 ? number : null;
    const changes = made.length + dropped.length > 0 || changing !== null;
    if (this.#done || (this.#writes.length === 0 && !changes)) return;
    const narrow = this.#writes.every(({ delta }) => retractsOnly(delta)) ? budget.widen(pages.usedBytes) : null;
    try {
      const deltas = this.#total();
      for (const relation of deltas.keys()) if (this.#commits.isEmptied(relation)) deltas.delete(relation);
      const work = { deltas, made, dropped, changing };
      if (deltas.size > 0 || changes)
        this.#untilDurable = await this.#commits.publish(work, () => this.#check(deltas), signal);
      this.#objects.published();
      this.#truncate(0);
    } finally {
      narrow?.();
    }
  }

  /** It has read and written nothing: the next statement sees the present tick. */
  startOver(): void {
    this.overtaken = true;
    this.#unpin();
    this.#truncate(0);
    this.#seen = null;
    this.#constraints = this.#loop.constraints;
  }

  /** Its end, be it COMMIT or ROLLBACK, does this. */
  atEnd(work: () => void): void {
    this.#atEnd.push(work);
  }

  /** TRUNCATE ... RESTART IDENTITY: at once for everybody, for good when this is committed. */
  restart(sequence: Sequence): void {
    this.#restarts.push(sequence);
    sequence.restart();
  }

  #undoRestarts(from: number): void {
    for (const sequence of this.#restarts.splice(from)) sequence.undoRestart();
  }

  async commit(durable = true, signal: AbortSignal | null = null): Promise<void> {
    if (this.#done) return;
    try {
      await this.publish(signal);
      // Behind the record of the rows that are gone: a crash in between only skips values.
      const restarts = this.#restarts.splice(0);
      for (const sequence of restarts) sequence.commitRestart();
      if (durable) await (restarts.length > 0 ? this.#commits.durable() : this.#untilDurable?.());
    } finally {
      this.#end();
    }
  }

  get wrote(): boolean {
    const ends = this.#restarts.length > 0 || this.#atEnd.length > 0;
    return this.hasWrites || this.hasPublished || ends;
  }

  commitNow(): boolean {
    if (this.wrote) return false;
    this.#end();
    return true;
  }

  rollback(): void {
    this.#end();
  }

  savepoint(name: string): void {
    this.#savepoints.push({
      name,
      writes: this.#writes.length,
      restarts: this.#restarts.length,
      deferral: this.#deferral,
      objects: this.#objects.mark(),
    });
  }

  rollbackTo(name: string): void {
    const at = this.#find(name);
    this.#truncate(this.#savepoints[at].writes);
    this.#undoRestarts(this.#savepoints[at].restarts);
    this.#objects.backTo(this.#savepoints[at].objects);
    this.#deferral = this.#savepoints[at].deferral;
    this.#savepoints.length = at + 1;
  }

  release(name: string): void {
    this.#savepoints.length = this.#find(name);
  }

  #find(name: string): number {
    const at = this.#savepoints.findLastIndex((s) => s.name === name);
    if (at < 0) throw new SqlError('3B001', `savepoint "${name}" does not exist`);
    return at;
  }

  /** The last look at the pinned tick: ticks that pass while the disk works need not be kept for it. */
  #check(deltas: Map<number, Batch>): void {
    if (this.#done) throw new SqlError('25P02', 'the transaction was rolled back before it was published');
    for (const relation of deltas.keys()) this.#checkUnaltered(relation);
    this.#commits.checkFit(deltas, this.#seenSoFar(), this.isDeferred, this.#objects.path);
    this.#commits.checkEffect(this.#objects.dropped, deltas, this.#objects.path);
    this.#unpin();
    // It is published in this turn, or fails.
    this.#shown = this.#loop.tick + 1n;
  }

  /** All deltas of one relation as one, consolidated: what cancels within a transaction nobody sees. */
  #total(): Map<number, Batch> {
    const byRelation = new Map<number, Batch[]>();
    for (const { relation, delta } of this.#writes) {
      if (delta.n === 0 || this.#objects.dropped.includes(relation)) continue;
      const list = byRelation.get(relation);
      if (list === undefined) byRelation.set(relation, [delta]);
      else list.push(delta);
    }
    const out = new Map<number, Batch>();
    for (const [relation, list] of byRelation) {
      const all = concat(
        list.map((batch) => ({ batch, sign: 1 })),
        this.#arena,
      );
      const isNet = all.n === 1 && weightOf(all, 0) !== 0;
      out.set(relation, isNet ? all : consolidatorOf(all.columns.map((c) => c.type))(all, this.#arena));
    }
    return out;
  }

  #unpin(): void {
    if (this.#pin === null) return;
    this.#loop.unpin(this.#pin);
    this.#pin = null;
    this.#forgetKeys();
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#shown ??= this.tick;
    this.#unpin();
    this.#truncate(0);
    this.#undoRestarts(0);
    this.#arena.release();
    this.#objects.backTo();
    for (const work of this.#atEnd) work();
  }
}
