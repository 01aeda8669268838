/**
 * Views of all shapes over streams with watermarks, chained as chance has it: window functions with their frames, joins by bands, groups, in any order. What
 * they freed was never needed: their rows are those of the same query over tables that hold the accepted rows.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from './harness.ts';

type Below = (n: number) => number;

const STREAMS = [1, 2, 3];
const VIEWS = 10;
const TICKS = 40;
/** From this tick on some times are infinite; after them nothing else is accepted. */
const LAST_TICKS = 37;

class Queries {
  readonly #below: Below;

  constructor(below: Below) {
    this.#below = below;
  }

  /** A query with the columns k, v and at; @1 to @3 stand for the streams. */
  query(depth: number): string {
    if (depth === 0) return `select k, v, at from @${1 + this.#below(STREAMS.length)}`;
    const below = this.query(depth - 1);
    switch (this.#below(9)) {
      case 0:
      case 1:
      case 2:
        return this.#windows(below);
      case 3:
      case 4:
      case 5:
        return this.#join(below, this.query(this.#below(depth)));
      case 6:
      case 7:
        return this.#groups(below);
      default:
        return this.#below(2) === 0
          ? `${below} union all ${this.query(depth - 1)}`
          : `select k, v, at - ${this.#seconds(6)} as at from (${below}) f where v <> 3`;
    }
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#below(of.length)];
  }

  #seconds(most: number): string {
    return `interval '${this.#below(most) / 2} seconds'`;
  }

  #interval(): string {
    return this.#below(12) === 0 ? "interval '1 day'" : this.#seconds(20);
  }

  /** A call, whose result is the same in whatever order equal rows come. */
  #call(): string {
    const mode = this.#one(['rows', 'range', 'range', 'groups']);
    const [from, to] = [this.#below(4), this.#below(4)].sort();
    const bounds = ['unbounded preceding', ' preceding', 'current row', ' following', 'unbounded following'];
    const bound = (b: number) => {
      const by = mode === 'range' ? this.#interval() : String(this.#below(4));
      return b === 1 || b === 3 ? by + bounds[b] : bounds[b];
    };
    const end = this.#one([to === 0 ? 2 : to, to === 0 ? 2 : to, to === 0 ? 2 : to, 4]);
    const exclude = this.#one(['', '', '', 'exclude current row', 'exclude group', 'exclude ties']);
    const frame = `${mode} between ${bound(from)} and ${bound(end)} ${exclude}`;
    const hasOffset = [from, end].some((b) => b === 1 || b === 3);
    const isWhole = mode === 'rows' || (this.#below(3) > 0 && !(mode === 'range' && hasOffset));
    const direction = this.#one(['', '', '', '', '', 'desc', 'nulls first']);
    const order = `at ${direction}${isWhole ? ', v, k' : ''}`;
    const ofWhole = ['lag(v)', 'lag(v, 1)', 'lag(v, -1)', 'lead(v)', 'first_value(v)', 'last_value(v)', 'row_number()'];
    const call = this.#one([
      ...['count(*)', 'sum(v)', 'min(v)', 'max(v)', 'count(v)', 'rank()', 'dense_rank()'],
      ...(isWhole ? ofWhole : []),
    ]);
    return `coalesce(${call} over (${this.#one(['', 'partition by k'])} order by ${order} ${frame}), -1)`;
  }

  #windows(from: string): string {
    const calls = Array.from({ length: 1 + this.#below(2) }, () => this.#call());
    return `select k, ((${calls.join(' + 3 * ')}) % 7)::int as v, at from (${from}) w`;
  }

  #band(): string {
    const low = this.#one([`a.at - ${this.#interval()}`, 'a.at', `a.at + ${this.#interval()}`]);
    const high = this.#one([`a.at + ${this.#interval()}`, 'a.at']);
    return this.#one([
      `b.at between ${low} and ${high}`,
      `${low} < b.at and b.at < ${high}`,
      `b.at = ${low}`,
      `${low} <= b.at`,
      `b.at < ${high}`,
      `a.at between b.at - ${this.#interval()} and b.at + ${this.#interval()}`,
    ]);
  }

  #join(a: string, b: string): string {
    const on = `${this.#one(['a.k = b.k and', 'a.k = b.k and', 'a.k = b.k and a.v <= b.v and', ''])} ${this.#band()}`;
    const kind = this.#one(['exists', 'not exists', 'join', 'left join', 'right join', 'full join']);
    if (kind.endsWith('exists'))
      return `select k, v, at from (${a}) a where ${kind} (select 1 from (${b}) b where ${on})`;
    const columns = this.#one([
      'a.k, coalesce(b.v, a.v) as v, a.at',
      'b.k, (coalesce(b.v, 3) + coalesce(a.v, 2)) % 7 as v, b.at',
      'coalesce(a.k, b.k) as k, coalesce(a.v, 9) as v, a.at',
      'coalesce(a.k, b.k) as k, coalesce(a.v, 9) as v, b.at',
    ]);
    return `select ${columns} from (${a}) a ${kind} (${b}) b on ${kind === 'full join' ? 'a.k = b.k and ' : ''}${on}`;
  }

  #groups(from: string): string {
    const time = this.#one([
      'at',
      "date_trunc('minute', at)",
      "date_bin('5 s', at, '2000-01-01')",
      "at + interval '3 s'",
    ]);
    if (this.#below(5) === 0) return `select distinct k, v, ${time} as at from (${from}) g`;
    const call = this.#one(['count(*)', 'sum(v)', 'max(v)', 'min(v)', 'count(distinct v)']);
    const key = this.#one(['k', '1']);
    return `select ${key} as k, (${call} % 7)::int as v, ${time} as at from (${from}) g group by 1, 3`;
  }
}

function rowOf(below: Below, second: number, tick: number): string {
  const finite = `timestamp '2026-03-27' + interval '${second + (below(17) - 8) / 2} seconds'`;
  const infinite = tick === 0 ? "'-infinity'" : tick >= LAST_TICKS ? "'infinity'" : finite;
  const time = below(15) === 0 ? 'null' : below(6) === 0 ? infinite : finite;
  return `(${below(3)}, ${below(9) === 0 ? 'null' : below(6)}, ${time})`;
}

async function sorted(engine: TidemarkEngine, query: string): Promise<string[]> {
  return (await sql(engine, query)).map((row) => row.join('|')).sort();
}

for (const type of ['timestamp', 'timestamptz'])
  for (let round = 0; round < 4; round++)
    test(`what views freed was never needed (${type}, ${round})`, { timeout: 300_000 }, async () => {
      const { random, seed } = seeded(`freed rows ${type} ${round}`);
      const queries = new Queries(random);
      const engine = await openEngine({ clock: () => 0n });
      try {
        for (const i of STREAMS)
          await sql(
            engine,
            `CREATE STREAM s${i} (k int, v int, at ${type}, WATERMARK FOR at AS at - INTERVAL '4 seconds'); CREATE TABLE t${i} (k int, v int, at ${type})`,
          );
        const views = Array.from({ length: VIEWS }, () => queries.query(1 + random(4)));
        for (const [i, query] of views.entries())
          await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query.replaceAll('@', 's')}`);
        let second = 0;
        for (let tick = 0; tick < TICKS; tick++) {
          second += random(8) === 0 ? 60 * (1 + random(3)) + (random(10) === 0 ? 2 * 86400 : 0) : random(8);
          for (const i of STREAMS) {
            const rows = Array.from({ length: random(6) }, () => rowOf(random, second, tick));
            if (rows.length > 0) await sql(engine, `INSERT INTO s${i} VALUES ${rows.join(', ')}`);
          }
          if (tick % 3 !== 0) continue;
          for (const i of STREAMS) await sql(engine, `DELETE FROM t${i}; INSERT INTO t${i} SELECT * FROM s${i}`);
          for (const [i, query] of views.entries())
            assert.deepEqual(
              await sorted(engine, `SELECT * FROM v${i}`),
              await sorted(engine, query.replaceAll('@', 't')),
              `seed ${seed}, tick ${tick}: ${query}`,
            );
        }
      } finally {
        await engine.close();
      }
    });
