/** What a RowTable is asked about a batch, and what it says. */
/** Which rows of a batch findAll() and findOrInsertAll() leave out. */
export interface KeyRows {
  n: number;
  /** Byte address of the rows' weights: rows of weight 0 are left out. 0: none is. */
  weights: number;
  /** Rows with a NULL in the key are left out. */
  skipNulls: boolean;
}

/** Where the rows of a batch have their slots. */
export interface Located {
  /** Word address: each row's slot, 0 for a row that is left out or was not found. */
  slots: number;
  /** Word address: the numbers of the rows that made a slot, whose payload is zero. */
  fresh: number;
  made: number;
}
