/** The clock that a caller turns: microseconds since 2000-01-01 UTC, where it begins. It never goes back. */
import type { Interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { addToTimestamptz } from '../../operators/expr/datetime/arithmetic.ts';
import { isFiniteTimestamp } from '../../operators/expr/datetime/calendar.ts';
import { sessionZone } from '../../operators/expr/datetime/settings.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';

export class ManualClock {
  #now = 0n;
  readonly #context = defaultContext();

  readonly now = (): bigint => this.#now;

  /** Milliseconds: all the time that passes is the clock's. */
  readonly elapsed = (): number => Number(this.#now / 1000n);

  /** By an interval, as PostgreSQL writes them. */
  advance(text: string): void {
    const interval = inputText(text, colType(OID.interval), this.#context) as Interval;
    this.set(addToTimestamptz(this.#now, interval, sessionZone(this.#context)));
  }

  /** To a time as PostgreSQL writes them; without a zone it is in UTC. */
  setText(text: string): void {
    this.set(inputText(text, colType(OID.timestamptz), this.#context) as bigint);
  }

  set(micros: bigint): void {
    // From there it could not go on, and a data directory would have it for good.
    if (!isFiniteTimestamp(micros)) throw new SqlError('22008', 'the clock is at a time that is not infinite');
    if (micros < this.#now) throw new SqlError('22023', 'the clock does not go back');
    this.#now = micros;
  }
}
