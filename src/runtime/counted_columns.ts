/**
 * ADD COLUMN of a serial or an identity column: its sequence is made with it, and the rows that are there get the first values, in no order that anybody promises.
 *
 * Until the statement has taken effect, the sequence counts for itself alone. How far it came stands in the statement's own record: a record of its own could be lost without it, and
 * values would come twice.
 */
import type { Datum } from '../../operators/datum.ts';
import { OID } from '../../operators/types.ts';
import type { SequenceObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { addSequence, columnSequence } from './column_sequence.ts';
import { nextValue } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import { Sequence } from './sequence.ts';
import type { TableDraft } from './table_draft.ts';

interface Counter {
  object: SequenceObject;
  sequence: Sequence;
}

export class CountedColumns {
  /** By position: what gives the next value. */
  readonly next = new Map<number, () => Datum>();
  readonly #counters: Counter[] = [];

  /** The sequences get their OIDs; nothing else knows of them before open(). */
  constructor(engine: TidemarkEngine, { object, counted }: TableDraft, text: string, session: SessionContext) {
    const taken: string[] = [];
    for (const { position, options } of counted) {
      const made = columnSequence(engine, object.relation, position, options, text, taken, session);
      const sequence = new Sequence(made, () => undefined);
      const isBig = object.relation.columns[position].type.oid === OID.int8;
      taken.push(made.name);
      object.defaults[position] = nextValue(made.oid);
      this.next.set(position, () => (isBig ? sequence.next() : Number(sequence.next())));
      this.#counters.push({ object: made, sequence });
    }
  }

  /** They are there from now on, and go on behind what they have given. */
  open(engine: TidemarkEngine): void {
    for (const { object, sequence } of this.#counters) {
      addSequence(engine, object);
      engine.sequences.get(object.oid)?.load(sequence.state);
    }
  }

  /** For the record of the statement. */
  get given(): [number, string][] {
    return this.#counters.flatMap(({ object, sequence: { state } }) => {
      return state.called ? [[object.oid, String(state.last)] as [number, string]] : [];
    });
  }
}
