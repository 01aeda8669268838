/** A bag of errors: what an operator that evaluates the same rows again and again has reported, so that it can report the difference. */
import type { Datum } from './datum.ts';
import { SqlError, type SqlErrorFields } from './errors.ts';
import type { ErrorSink } from './operator.ts';
import type { Saved } from './state/saved.ts';

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

  save() {
    return [...this.#errors.values()].map(({ error, row, weight }) => ({
      sqlstate: error.sqlstate,
      message: error.message,
      fields: { ...error.fields } as Record<string, Saved>,
      row: row as Saved[],
      weight,
    }));
  }

  load(saved: ReturnType<typeof this.save>): void {
    this.#errors.clear();
    for (const { sqlstate, message, fields, row, weight } of saved)
      this.report(new SqlError(sqlstate, message, fields as SqlErrorFields), row as Datum[], weight);
  }

  get size(): number {
    return this.#errors.size;
  }
}
