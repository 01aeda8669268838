/**
 * One tick, all or nothing: what it has changed so far, so that it can be taken back when it fails.
 *
 *   start() -> keep(piece of state) before each is changed -> ... -> commit()      or  takeBack()
 *
 * What a piece keeps in JavaScript is what it saves for checkpoints; its memory is kept line by line as it is written (undo_log.ts). So a tick
 * that met the end of memory anywhere, in the middle of a table that grows or of an operator's step, leaves every piece as it was.
 * State that is made anew (an operator with its scratch) registers how: restore().
 */
import { budget } from '../batch/budget.ts';
import { cold } from './cold_store.ts';
import { endWaiting } from './heap_pages.ts';
import type { Saved } from './saved.ts';
import { endLimit, takeBack } from './undo_log.ts';
import { endTick, startTick } from './write_marks.ts';

/** A piece of state that can be put back to what it saved. */
export interface Restorable {
  save(): Saved | object;
  // biome-ignore lint/suspicious/noExplicitAny: each piece takes what it gave itself.
  load(saved: any): void;
}

/** State of several pieces: says which of them a change may touch. */
export interface Keepable {
  keepIn(undo: Undo): void;
}

export class Undo {
  readonly #kept = new Set<object>();
  #restores: (() => void)[] = [];

  /** `mostLines`: for tests, how many times 64 bytes may be changed before memory is said to be at its end. */
  start(mostLines?: number): void {
    startTick(mostLines);
    if (cold.store !== null) this.keep(cold.store);
  }

  /** Before a piece is changed. Asked again for the same piece it does nothing. */
  keep(piece: Restorable): void {
    if (this.#kept.has(piece)) return;
    this.#kept.add(piece);
    const saved = piece.save();
    this.#restores.push(() => piece.load(saved));
  }

  /** True the first time that it is asked of this piece. */
  isNew(piece: object): boolean {
    if (this.#kept.has(piece)) return false;
    this.#kept.add(piece);
    return true;
  }

  /** What is to be done when the tick is taken back, after memory is as it was; the last comes first. */
  restore(work: () => void): void {
    this.#restores.push(work);
  }

  commit(): void {
    endTick();
    endWaiting(false);
    this.#restores = [];
  }

  takeBack(): void {
    endLimit();
    budget.beyond(() => {
      takeBack();
      for (const restore of this.#restores.reverse()) restore();
    });
    endTick();
    endWaiting(true);
  }
}
