/**
 * Which indexes of a relation have their keys in order, too (key_order.ts), for reads of ranges.
 *
 *   first read that would need one: it scans | second: it makes it, in pieces | those that follow: they have it | many keys have come since it was of use, or memory is short: it goes
 *
 * So a table that is read so once costs nothing more, and one that is written and not read so costs nothing for long: what is thrown away is made again for about as much as it has saved.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { KeyOrder } from '../../operators/state/key_order.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { turn } from '../../operators/turn.ts';

/** An order of few keys is not worth less than this many. */
const LEAST = 4096;
/** Bytes of a key beside its values, by a generous guess. */
const KEY_BYTES = 32;

interface Kept {
  order: KeyOrder;
  /** Keys that have come since a reader had use of it. */
  unused: number;
}

export class KeyOrders {
  readonly #kept = new Map<KeyedIndex, Kept>();
  /** Those that were asked for once. */
  readonly #asked = new Set<KeyedIndex>();

  get bytes(): number {
    let bytes = 0;
    for (const { order } of this.#kept.values()) bytes += order.bytes;
    return bytes;
  }

  /** A read would have use of the order of this index; gives it when it is there or should be made, perhaps with much left to do. */
  ask(index: KeyedIndex): KeyOrder | null {
    const kept = this.#kept.get(index);
    if (kept !== undefined) return kept.order;
    if (!this.#asked.has(index)) {
      this.#asked.add(index);
      return null;
    }
    if (usedBytes() + index.keys.size * KEY_BYTES > budget.chilled) return null;
    const order = this.#whole(() => new KeyOrder(index));
    if (order === null) return null;
    this.#kept.set(index, { order, unused: 0 });
    return order;
  }

  /** A piece of what is left to do for an order; false: nothing is, or it has gone. */
  build(index: KeyedIndex, order: KeyOrder): boolean {
    if (this.#kept.get(index)?.order !== order || order.isNearlyReady) return false;
    this.#whole(() => order.build());
    return true;
  }

  /** The order of an index with all its keys, where it can be had at once. Between two ticks. */
  ready(index: KeyedIndex): KeyOrder | null {
    const kept = this.#kept.get(index);
    if (kept === undefined || !kept.order.isNearlyReady) return null;
    const { order } = kept;
    this.#whole(() => order.settle());
    if (order.count > 2 * index.keys.size + LEAST) this.drop(index);
    return this.#kept.has(index) ? order : null;
  }

  /** Somebody had use of it. */
  used(index: KeyedIndex): void {
    const kept = this.#kept.get(index);
    if (kept !== undefined) kept.unused = 0;
  }

  /** A tick is about to bring these rows. */
  note(delta: Batch): void {
    if (this.#kept.size === 0) return;
    if (usedBytes() > budget.chill) this.letGo();
    withScratch((arena) => {
      for (const [index, kept] of [...this.#kept]) this.#note(index, kept, delta, arena);
    });
  }

  #note(index: KeyedIndex, kept: Kept, delta: Batch, arena: Arena): void {
    const { order } = kept;
    const before = order.waiting;
    this.#guarded(() => order.note(delta, arena));
    kept.unused += order.waiting - before;
    if (kept.unused > order.count + LEAST) this.drop(index);
  }

  /** What works on orders and does not fit costs the orders, not who works. */
  #guarded<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      this.letGo();
      return null;
    }
  }

  /** The same of work on the list itself, a few milliseconds, that a cancel must not end in the middle: what it leaves would be read as the order of all keys. */
  #whole<T>(work: () => T): T | null {
    turn.shield(1);
    try {
      return this.#guarded(work);
    } finally {
      turn.shield(-1);
    }
  }

  drop(index: KeyedIndex): void {
    this.#kept.get(index)?.order.release();
    this.#kept.delete(index);
    this.#asked.delete(index);
  }

  letGo(): void {
    for (const index of [...this.#kept.keys()]) this.drop(index);
  }
}

function usedBytes(): number {
  return pages.usedBytes + budget.outsideBytes;
}
