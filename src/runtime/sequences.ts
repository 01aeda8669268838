/**
 * All sequences, and what each session knows of them: nextval(), currval(), lastval(), setval().
 *
 * A value is handed out when the client hears of it, and then the record ahead of which it lies must be on the disk: the engine waits for that when a statement
 * has run (durable()).
 */
import { SqlError } from '../../operators/errors.ts';
import type { EvalContext, SessionFunctions } from '../../operators/expr/ir.ts';
import type { SequenceObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { Sequence } from './sequence.ts';

/** What a session has of sequences. */
interface Known {
  /** By OID: the last value that it got. */
  values: Map<number, bigint>;
  /** The sequence that gave it its last value. */
  last: number | null;
  /** Of the tick log: the last record behind which it has values. */
  logged: bigint;
}

export class Sequences {
  readonly #engine: TidemarkEngine;
  readonly #byOid = new Map<number, Sequence>();
  readonly #sessions = new WeakMap<SessionFunctions, Known>();
  /** Record of the tick log that was written last. */
  #logged = 0n;

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  get(oid: number): Sequence | undefined {
    return this.#byOid.get(oid);
  }

  all(): Sequence[] {
    return [...this.#byOid.values()];
  }

  open(object: SequenceObject): Sequence {
    const { oid } = object;
    const sequence = new Sequence(object, (state) => {
      const { journal, loop } = this.#engine;
      if (journal !== null) this.#logged = journal.sequence(loop, oid, state);
    });
    this.#byOid.set(oid, sequence);
    return sequence;
  }

  close(oid: number): void {
    this.#byOid.delete(oid);
  }

  nextval(oid: number, context: EvalContext): bigint {
    const sequence = this.#writable(oid, 'nextval', context);
    const value = sequence.next();
    const known = this.#of(context);
    known.values.set(oid, value);
    known.last = oid;
    known.logged = this.#logged;
    return value;
  }

  setval(oid: number, last: bigint, called: boolean, context: EvalContext): bigint {
    const sequence = this.#writable(oid, 'setval', context);
    const { name, parameters } = sequence.object;
    if (last < parameters.min || last > parameters.max) {
      const bounds = `(${parameters.min}..${parameters.max})`;
      throw new SqlError('22003', `setval: value ${last} is out of bounds for sequence "${name}" ${bounds}`);
    }
    sequence.set({ last, called });
    const known = this.#of(context);
    if (called) known.values.set(oid, last);
    known.logged = this.#logged;
    return last;
  }

  currval(oid: number, context: EvalContext): bigint {
    const { name } = this.#there(oid).object;
    const value = this.#of(context).values.get(oid);
    if (value !== undefined) return value;
    throw new SqlError('55000', `currval of sequence "${name}" is not yet defined in this session`);
  }

  lastval(context: EvalContext): bigint {
    const { last, values } = this.#of(context);
    const value = last === null || !this.#byOid.has(last) ? undefined : values.get(last);
    if (value === undefined) throw new SqlError('55000', 'lastval is not yet defined in this session');
    return value;
  }

  /** DISCARD SEQUENCES. */
  forget(session: SessionFunctions): void {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    known.values.clear();
    known.last = null;
  }

  /** Resolves when what a session was given is on the disk; null: it is. */
  durable(session: SessionContext): Promise<void> | null {
    const { journal } = this.#engine;
    // Most servers have none.
    if (journal === null || this.#logged === 0n) return null;
    const functions = session.evalContext.session;
    const known = functions === undefined ? undefined : this.#sessions.get(functions);
    if (known === undefined || known.logged <= journal.log.durableSequence) return null;
    return session.getSetting('synchronous_commit') === 'off' ? null : journal.log.durable(known.logged);
  }

  #of({ session }: EvalContext): Known {
    if (session === undefined) throw new Error('a sequence was asked outside of a session');
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const made: Known = { values: new Map(), last: null, logged: 0n };
    this.#sessions.set(session, made);
    return made;
  }

  #writable(oid: number, name: string, { session }: EvalContext): Sequence {
    const sequence = this.#there(oid);
    if (session?.getSetting('transaction_read_only') === 'on') {
      throw new SqlError('25006', `cannot execute ${name}() in a read-only transaction`);
    }
    this.#engine.journal?.log.checkOpen();
    return sequence;
  }

  #there(oid: number): Sequence {
    const sequence = this.#byOid.get(oid);
    if (sequence !== undefined) return sequence;
    const name = this.#engine.catalog.get(oid)?.name;
    throw name === undefined
      ? new SqlError('42P01', `could not open relation with OID ${oid}`)
      : new SqlError('42809', `cannot open relation "${name}"`);
  }
}
