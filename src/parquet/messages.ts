/** Between the thread that decodes Parquet files and those that want their rows. */
import type { SentError } from '../io/messages.ts';
import type { Piece } from '../sources/files/pieces.ts';

/** Columns that are wanted, by their names; types of what they go to. */
export interface Wanted {
  names: string[];
  oids: number[];
}

/** `records`: objects of JSON with the columns that the file has. `lines`: of COPY's text; a column that is not there is an error. */
export type Form = 'records' | 'lines';

/** `reader` numbers what is open. */
export type ToParquet =
  | { k: 'open'; reader: number; path: string; size: number; form: Form; wanted: Wanted }
  /** Its rows from this one on are wanted. */
  | { k: 'from'; reader: number; row: number }
  | { k: 'next'; reader: number }
  | { k: 'close'; reader: number };

/** One for each message but `from` and `close`, of a reader in their order. `piece` null: it is open, or there is no more. */
export type FromParquet =
  | { k: 'piece'; reader: number; piece: Piece | null }
  | { k: 'failed'; reader: number; error: SentError };
