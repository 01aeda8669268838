/** Plans by text, each good for one generation of the settings and one version of the catalog. First in, first out. */
const MAX_ENTRIES = 500;

interface Entry<T> {
  value: T;
  generation: number;
  version: number;
}

export class PlanCache<T> {
  readonly #entries = new Map<string, Entry<T>>();

  /** Undefined when there is none that still holds. */
  get(key: string, generation: number, version: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.generation === generation && entry.version === version
      ? entry.value
      : undefined;
  }

  set(key: string, value: T, generation: number, version: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, generation, version });
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value as string);
  }
}
