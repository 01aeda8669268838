/**
 * What a sequence has given, and what the tick log says that it may have given.
 *
 *   given   1 2 3 ...                 33 | 34 ...
 *   log     33 is as good as given       | 66 is
 *
 * As in PostgreSQL a record is written ahead of AHEAD values, before the first of them is given: after a crash the sequence goes on behind all of them, so
 * values may be skipped and are never given twice. They are given outside of transactions: a rollback gives none back.
 *
 * TRUNCATE ... RESTART IDENTITY is the exception: it ends with its transaction. Until then the log keeps the farther of both counts, and a rollback goes on
 * behind all values given.
 */
import { SqlError } from '../../operators/errors.ts';
import type { SequenceObject } from '../catalog/objects.ts';

const AHEAD = 32;

/** The next value is `last`, or when that was given already, the one after it. */
export interface SequenceState {
  last: bigint;
  called: boolean;
}

export class Sequence {
  readonly object: SequenceObject;
  readonly #write: (state: SequenceState) => void;
  #state: SequenceState;
  #logged: SequenceState;
  /** Values that may be given without a record. */
  #ahead = 0;
  /** How far it was before a restart that is not committed. */
  #before: SequenceState | null = null;

  /** `write` appends a record to the tick log. */
  constructor(object: SequenceObject, write: (state: SequenceState) => void) {
    this.object = object;
    this.#write = write;
    this.#state = { last: object.parameters.start, called: false };
    this.#logged = this.#state;
  }

  get state(): SequenceState {
    return this.#state;
  }

  /** What a start after a crash would find. */
  get logged(): SequenceState {
    return this.#logged;
  }

  get ahead(): number {
    return this.#ahead;
  }

  /** 2200H when there is none. */
  next(): bigint {
    const { last, called } = this.#state;
    const { name, parameters } = this.object;
    const value = called ? this.#after(last) : last;
    if (value === null) {
      const up = parameters.increment > 0n;
      const limit = up ? parameters.max : parameters.min;
      const message = `nextval: reached ${up ? 'maximum' : 'minimum'} value of sequence "${name}" (${limit})`;
      throw new SqlError('2200H', message);
    }
    if (called && this.#ahead > 0) this.#ahead--;
    else this.#logAhead(value);
    this.#state = { last: value, called: true };
    return value;
  }

  #after(value: bigint): bigint | null {
    const { increment, min, max, cycle } = this.object.parameters;
    const next = value + increment;
    if (increment > 0n ? next <= max : next >= min) return next;
    if (!cycle) return null;
    return increment > 0n ? min : max;
  }

  #logAhead(value: bigint): void {
    let last = value;
    this.#ahead = 0;
    for (let next = this.#after(last); next !== null && this.#ahead < AHEAD; next = this.#after(last)) {
      last = next;
      this.#ahead++;
    }
    this.#log({ last, called: true });
  }

  #log(state: SequenceState): void {
    this.#logged = this.#before === null ? state : this.#farther(this.#logged, state);
    this.#write(this.#logged);
  }

  #farther(a: SequenceState, b: SequenceState): SequenceState {
    if (a.last === b.last) return a.called ? a : b;
    return a.last < b.last === this.object.parameters.increment > 0n ? b : a;
  }

  /** setval(): what comes next, from now on. */
  set(state: SequenceState): void {
    this.#state = state;
    this.#ahead = 0;
    this.#before = null;
    this.#log(state);
  }

  /** So that the record of an ALTER finds it, done again, as it is now. */
  settle(): void {
    if (this.#before === null) this.set(this.#state);
  }

  /** From the start, for as long as a transaction has not ended: commitRestart() or undoRestart() will. */
  restart(): void {
    this.#before = this.#before === null ? this.#state : this.#farther(this.#before, this.#state);
    this.#state = { last: this.object.parameters.start, called: false };
    this.#ahead = 0;
  }

  commitRestart(): void {
    if (this.#before !== null) this.set(this.#state);
  }

  undoRestart(): void {
    if (this.#before !== null) this.set(this.#farther(this.#before, this.#state));
  }

  /** What the log or a checkpoint says, or will say. */
  load(state: SequenceState): void {
    this.#before = null;
    this.#state = state;
    this.#logged = state;
    this.#ahead = 0;
  }
}
