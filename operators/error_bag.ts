/** A bag of errors: what an operator that evaluates the same rows again and again has reported, so that it can report the difference. */
import type { Datum } from './datum.ts';
import type { SqlError } from './errors.ts';
import type { ErrorSink } from './operator.ts';

interface Counted {
  error: SqlError;
  row: Datum[];
  weight: number;
}

function textOf(error: SqlError, row: Datum[]): string {
  const plain = (_: string, v: unknown) =>
    typeof v === 'bigint' ? `${v}n` : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v;
  return `${error.sqlstate} ${error.message} ${JSON.stringify(row, plain)}`;
}

export class ErrorBag implements ErrorSink {
  readonly #errors = new Map<string, Counted>();

  report(error: SqlError, row: Datum[], weight: number): void {
    const text = textOf(error, row);
    const sum = (this.#errors.get(text)?.weight ?? 0) + weight;
    if (sum === 0) this.#errors.delete(text);
    else this.#errors.set(text, { error, row, weight: sum });
  }

  /** Reports every error of the bag, `sign` times its weight. */
  reportTo(sink: ErrorSink, sign: 1 | -1): void {
    for (const { error, row, weight } of this.#errors.values()) sink.report(error, row, sign * weight);
  }

  get size(): number {
    return this.#errors.size;
  }
}
