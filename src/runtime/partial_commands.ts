/**
 * Commands by key that leave columns as they are: where each of these has its value.
 *
 *   commands of a key in a tick    set a=1 b=2    set a=3, keep b    set a=4, keep b        the last one's b: that of the first
 *                                                 set a=3, keep b    set a=4, keep b        that of the row that is stored
 *                                                                    set a=4, keep b        nowhere when no row is stored: such a command is refused
 *
 * A row whose key changes is a removal of the old key and a command of the new one, which keeps what the old one had.
 *
 * O(kept columns) a command; commands that say all cost nothing.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { type BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { FIRST_PARTIAL, type PartialRow } from '../formats/format.ts';

/** Place of a value in the row that is stored under the key of a command; its own inverse. */
const storedOf = (command: number): number => -1 - command;

export class PartialCommands {
  readonly #commands: Batch;
  readonly #partials: PartialRow[];
  /** By command and column: the command that has the value, or storedOf() one. */
  readonly #places = new Map<number, Map<number, number>>();

  constructor(commands: Batch, partials: PartialRow[]) {
    this.#commands = commands;
    this.#partials = partials;
  }

  /** Null for one that says all. */
  of(command: number): PartialRow | null {
    return this.#partials[weightOf(this.#commands, command) - FIRST_PARTIAL] ?? null;
  }

  /** A partial command after another one of its key. False: what it keeps was removed. */
  follow(command: number, { columns }: PartialRow, before: number): boolean {
    if (weightOf(this.#commands, before) <= 0) return false;
    const earlier = this.#places.get(before);
    this.#places.set(command, new Map(columns.map((column) => [column, earlier?.get(column) ?? before])));
    return true;
  }

  /** A partial command that keeps what is stored under the key of `keeper`: of itself, when it is the first of its key, or of the one that removes its old key. */
  begin(command: number, { columns }: PartialRow, keeper: number): void {
    this.#places.set(command, new Map(columns.map((column) => [column, storedOf(keeper)])));
  }

  /** Puts what the command keeps into the last row of `out`; `storedRow`: the row that the key of a command has. */
  complete(command: number, storedRow: (command: number) => Batch, out: BatchBuilder): void {
    for (const [column, place] of this.#places.get(command) ?? []) {
      if (place >= 0) out.copySlot(column, out.n - 1, this.#commands.columns[column], place);
      else out.copySlot(column, out.n - 1, storedRow(storedOf(place)).columns[column], 0);
    }
  }
}
