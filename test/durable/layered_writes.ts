/** For tests: random statements that change the tables t (with a key, id) and u and the stream e, whose other columns are those of layered_expressions.ts. They fail on no side but by their rows. */
import type { Random } from '../../operators/testing/property.ts';
import { COLUMNS } from './layered_expressions.ts';

const NAMES = COLUMNS.join(', ');
const TEN_MINUTES = 600_000_000n;

export class LayeredWrites {
  readonly #random: Random;
  readonly #wide: boolean;

  /** `wide`: more rows, of more different values. */
  constructor(random: Random, wide: boolean) {
    this.#random = random;
    this.#wide = wide;
  }

  /** Rows for all of them. `now`: microseconds since 2000, near which times lie. */
  fill(now: bigint): string[] {
    const rows = (n: number, id = false) =>
      Array.from({ length: n }, (_, i) => this.#row(now, id ? [String(i)] : [])).join(', ');
    const [many, some] = this.#wide ? [50, 30] : [8, 4];
    return [
      `INSERT INTO t VALUES ${rows(many, true)} ON CONFLICT DO NOTHING`,
      `INSERT INTO u VALUES ${rows(many)}`,
      `INSERT INTO e VALUES ${rows(some)}`,
    ];
  }

  next(now: bigint): string {
    const random = this.#random;
    const table = random.pick(['t', 'u']);
    const column = random.pick(COLUMNS);
    const most = this.#wide ? 90 : 14;
    const [k, g] = [random.below(this.#wide ? 60 : 7), random.below(this.#wide ? 25 : 4)];
    switch (random.below(13)) {
      case 0:
        return `DELETE FROM ${table} WHERE k = ${k}`;
      case 1:
        return `UPDATE ${table} SET ${column} = ${this.#value(column, now)} WHERE g = ${g}`;
      case 2:
        return `UPDATE ${table} SET v = v + 1, s = s || 'b' WHERE k ${random.pick(['>', '<', '='])} ${k} AND length(s) < 9`;
      case 3:
        return `MERGE INTO t USING (SELECT DISTINCT ON (k) * FROM u WHERE k IS NOT NULL ORDER BY k, g, v, n, f, s, at, j) x ON t.id = x.k
          WHEN MATCHED AND x.g = ${g} THEN DELETE WHEN MATCHED THEN UPDATE SET v = x.v, s = x.s
          WHEN NOT MATCHED THEN INSERT (id, ${NAMES}) VALUES (x.k, ${COLUMNS.map((c) => `x.${c}`).join(', ')})`;
      case 4:
        return `INSERT INTO u SELECT ${NAMES} FROM t WHERE g = ${g} AND (SELECT count(*) FROM u) < ${most}`;
      case 5:
        return `WITH gone AS (DELETE FROM u WHERE g = ${g} RETURNING *)
          INSERT INTO t SELECT 100 + coalesce(k, 99), min(k), min(g), max(v), min(n), min(f), min(s), min(at), NULL FROM gone GROUP BY k
          ON CONFLICT (id) DO UPDATE SET v = excluded.v`;
      case 6:
        return `DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id DESC LIMIT 3) AND (SELECT count(*) FROM t) > ${most}`;
      case 7:
        return random.chance(0.15) ? `TRUNCATE ${table}` : `DELETE FROM u WHERE (SELECT count(*) FROM u) > ${most}`;
      case 8:
      case 9:
        return `INSERT INTO u VALUES ${Array.from({ length: 1 + random.below(3) }, () => this.#row(now)).join(', ')}`;
      case 10:
        return `INSERT INTO e VALUES ${this.#row(now)}`;
      default:
        return this.#upsert(now);
    }
  }

  #upsert(now: bigint): string {
    const random = this.#random;
    const ids = new Set(Array.from({ length: 1 + random.below(5) }, () => String(random.below(20))));
    const values = [...ids].map((id) => this.#row(now, [id])).join(', ');
    const action = random.pick([
      'NOTHING',
      'UPDATE SET v = excluded.v, at = excluded.at',
      `UPDATE SET (${NAMES}) = (${COLUMNS.map((c) => `excluded.${c}`).join(', ')})`,
    ]);
    return `INSERT INTO t VALUES ${values} ON CONFLICT (id) DO ${action}`;
  }

  #row(now: bigint, before: string[] = []): string {
    return `(${[...before, ...COLUMNS.map((column) => this.#value(column, now))].join(', ')})`;
  }

  #value(column: string, now: bigint): string {
    const random = this.#random;
    if (random.chance(0.15)) return 'NULL';
    switch (column) {
      case 'k':
        return String(random.below(this.#wide ? 60 : 7));
      case 'g':
        return String(random.below(this.#wide ? 25 : 4));
      case 'v':
        return String(random.below(this.#wide ? 60 : 9) - 3);
      case 'n':
        return random.pick(['0', '1', '1.5', '2', '-2.25', '3.125', "'NaN'", '100000000000000000000.5']);
      case 'f':
        return random.pick(['0', '1', '1.5', '2', '-2.25', "'NaN'", "'infinity'", "'-infinity'"]);
      case 's':
        return random.pick(["'a'", "'b'", "'ab'", "''", "'abb'", "'Äb'", "'B'", "'a long text beyond a slot'"]);
      case 'at':
        if (random.chance(0.08)) return random.pick(["'infinity'", "'-infinity'"]);
        return `TIMESTAMPTZ '2000-01-01 00:00:00Z' + ${now + BigInt(random.below(12) - 6) * TEN_MINUTES} * INTERVAL '1 us'`;
      default:
        return `'${random.pick(['{"a": 1, "b": "x"}', '{"b": "x", "a": 1}', '{"a": 2}', '[1, 2]', 'null', '1', '"x"', '{}'])}'`;
    }
  }
}
