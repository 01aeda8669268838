/** The rows of a query that is followed: a multiset, kept by the changes. */

/** The most that the page draws. */
export const MOST_SHOWN = 500;

export class LiveRows {
  #rows = new Map();
  tick = null;

  /** One message of /subscribe. */
  take({ tick, snapshot = false, changes }) {
    if (snapshot) this.#rows.clear();
    for (const [diff, row] of changes) {
      const key = JSON.stringify(row);
      const weight = (this.#rows.get(key) ?? 0) + diff;
      if (weight === 0) this.#rows.delete(key);
      else this.#rows.set(key, weight);
    }
    this.tick = tick;
  }

  get size() {
    let size = 0;
    for (const weight of this.#rows.values()) size += weight;
    return size;
  }

  /** The first ones, each as often as it is there. */
  shown(most = MOST_SHOWN) {
    const rows = [];
    for (const [key, weight] of this.#rows) {
      const row = JSON.parse(key);
      for (let i = 0; i < weight; i++) {
        if (rows.length === most) return rows;
        rows.push(row);
      }
    }
    return rows;
  }
}
