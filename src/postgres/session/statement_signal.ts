/**
 * The AbortSignal of a statement, for those who take a signal here: no Node function gets one. Node's own is made of two maps and an object whose prototype is set afterwards, 700 bytes that
 * outlive several collections of the young generation: of the garbage of COPY and INSERT that became old, two fifths were signals (docs/decisions/0491).
 */
type Listener = () => void;

export class StatementSignal implements AbortSignal {
  aborted = false;
  reason: unknown = undefined;
  readonly onabort = null;
  /** Most statements have none. */
  #listeners: Set<Listener> | null = null;

  /** The first reason stays. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = null;
    for (const listener of listeners ?? []) listener();
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** `abort` is all there is to be heard, and that once. */
  addEventListener(_: 'abort', listener: Listener): void {
    if (this.aborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: Listener): void {
    this.#listeners?.delete(listener);
  }

  dispatchEvent(): boolean {
    throw new Error('a statement is ended by abort()');
  }
}
