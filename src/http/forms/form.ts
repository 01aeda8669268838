/** How a result is written: what leads it, each row, what ends it. A form keeps what it has written until take(). */

import type { ErrorBody } from '../errors.ts';
import type { Column } from '../type_names.ts';

export interface ResultEnd {
  /** Such as `SELECT 3`. */
  command: string;
  /** Of a query: the tick that it read. Else one that has what was done. */
  tick: string | null;
}

export interface ResultForm {
  readonly contentType: string;
  /** Bytes or so that wait to be taken. */
  readonly pending: number;
  /** Null: the statement gives no rows. */
  begin(columns: Column[] | null): void;
  row(fields: (string | null)[]): void;
  end(end: ResultEnd): void;
  /** An error behind rows that are with the client already. False: the form has no place for one. */
  fail(error: ErrorBody): boolean;
  take(): string | Uint8Array;
}

/** What forms that are text have in common. */
export abstract class TextForm implements ResultForm {
  abstract readonly contentType: string;
  protected text = '';

  get pending(): number {
    return this.text.length;
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  abstract begin(columns: Column[] | null): void;
  abstract row(fields: (string | null)[]): void;
  abstract end(end: ResultEnd): void;
  abstract fail(error: ErrorBody): boolean;
}
