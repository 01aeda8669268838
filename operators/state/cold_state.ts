/** State of which a part may lie in the cold store: keyed indexes, with them the rows of relations by a key (keyed_rows.ts), logs (row_log.ts), and the rows of partitions (kept_rows.ts). All of it between two ticks. */
export interface ColdState {
  /** Bytes of the pages that chill() can make free. */
  readonly runBytes: number;
  /** In the cold store. */
  readonly coldBytes: number;
  /** Whether a pass of chill() or compact() is under way. */
  readonly chilling: boolean;
  /** Sends about so many bytes to the cold store; gives how many, 0 when nothing more can go. */
  chill(bytes: number): number;
  /** Whether compact() has something to do. */
  readonly sparse: boolean;
  /** Looks at so many slots for rows that lie in sparse chunks, and moves them. */
  compact(slots: number): void;
  /**
   * Calls back with what is cold of the next so many slots: place and bytes; it lies at the place that is given from now on. Gives where to go on, -1 at the end.
   * Keys that come meanwhile may be missed or seen twice.
   */
  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number;
}
