/** Who waits for a connection to change: one at a time, called once. */
export class Waiter {
  #act: (() => void) | null = null;

  get waits(): boolean {
    return this.#act !== null;
  }

  set(act: () => void): void {
    this.#act = act;
  }

  /** In this turn: for who is called by the event loop and has nothing else to do. */
  callNow(): void {
    const act = this.#act;
    this.#act = null;
    act?.();
  }

  /** Behind what runs now, which may be in the middle of anything. */
  call(): void {
    const act = this.#act;
    this.#act = null;
    if (act !== null) queueMicrotask(act);
  }
}
