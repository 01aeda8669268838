/** What ticks go through again and again: lists that keep their room, and maps and sets that have a list of what is in them. */

/**
 * Empties a list and keeps its room, for what is filled again in the next tick: a new list takes room for seventeen at its first push, and setting the
 * length to 0 is a call out of compiled code that gives the room back.
 */
export function empty(list: unknown[]): void {
  while (list.length > 0) list.pop();
}

/**
 * A list of objects that are made once and written anew by each tick, for a tick of few rows spends more on making and collecting them than on what they say. What an object said
 * before is still in it when next() gives it; who clears the list lets go of what is large.
 */
export class KeptList<T> {
  readonly #make: () => T;
  readonly #all: T[] = [];
  #length = 0;

  constructor(make: () => T) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  /** One more at the end, to be written. */
  next(): T {
    const place = this.#length++;
    if (place === this.#all.length) this.#all.push(this.#make());
    return this.#all[place];
  }

  at(place: number): T {
    return this.#all[place];
  }

  /** Those that are in it, for who does not count the cost. */
  list(): T[] {
    return this.#all.slice(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}

/** A Map that changes seldom: `list` has its values, in order, as they were when it was asked for. V8 goes through a list at a tenth of the cost. */
export class ListedMap<K, V> extends Map<K, V> {
  #list: readonly V[] | null = null;

  get list(): readonly V[] {
    this.#list ??= [...this.values()];
    return this.#list;
  }

  override set(key: K, value: V): this {
    this.#list = null;
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#list = null;
    return super.delete(key);
  }

  override clear(): void {
    this.#list = null;
    super.clear();
  }
}

/** Likewise a Set. */
export class ListedSet<T> extends Set<T> {
  #list: readonly T[] | null = null;

  get list(): readonly T[] {
    this.#list ??= [...this];
    return this.#list;
  }

  override add(value: T): this {
    this.#list = null;
    return super.add(value);
  }

  override delete(value: T): boolean {
    this.#list = null;
    return super.delete(value);
  }

  override clear(): void {
    this.#list = null;
    super.clear();
  }
}
