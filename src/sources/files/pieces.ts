/** What is read of a file at a time. */

export interface Piece {
  bytes: Buffer;
  /** Record i is bytes[starts[i] .. ends[i]). */
  starts: ArrayLike<number>;
  ends: ArrayLike<number>;
  n: number;
  /** Bytes of the file that have been read for all up to here. */
  read: number;
}

/** A file that is open. */
export interface FileReader {
  /** Its records from the one with this number on, the first is 0. Throws an Error that says what is wrong with the file. */
  pieces(from: number): AsyncGenerator<Piece>;
  close(): void;
}

/** The records of the piece from `from` on. */
export function behind(piece: Piece, from: number): Piece {
  if (from === 0) return piece;
  const rest = (list: ArrayLike<number>) => Array.prototype.slice.call(list, from) as number[];
  return { ...piece, starts: rest(piece.starts), ends: rest(piece.ends), n: piece.n - from };
}
