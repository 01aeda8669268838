/**
 * For tests: random expressions over rows of one shape, and the calls of aggregates and window functions that give its columns again.
 *
 *   k, g, v int   n numeric   f float8   s text   at timestamptz   j jsonb
 *
 * What PostgreSQL leaves open is kept out: whatever goes by an order goes by all columns, equal values look the same, sums of floats are exact.
 */
import type { Random } from '../../operators/testing/property.ts';

/** The columns with their types. */
export const TYPES: Record<string, string> = {
  k: 'int',
  g: 'int',
  v: 'int',
  n: 'numeric',
  f: 'float8',
  s: 'text',
  at: 'timestamptz',
  j: 'jsonb',
};
export const COLUMNS = Object.keys(TYPES);
export const INTEGERS = ['k', 'g', 'v'];
export const LENGTHS = ["'7 minutes'", "'1 hour'", "'1 day'", "'3 hours 20 minutes'", "'1 day -1 hour'"];

export class LayeredExpressions {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** All columns in a random order of random directions, so that only rows that are the same are peers. */
  total(a: string): string {
    const names = [...COLUMNS];
    for (let i = names.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [names[i], names[j]] = [names[j], names[i]];
    }
    return names.map((c) => `${a}.${c}${this.direction()}`).join(', ');
  }

  direction(): string {
    return this.#random.pick(['', '', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST']);
  }

  columns(a: string, most: number): string[] {
    return Array.from({ length: 1 + this.#random.below(most) }, () => `${a}.${this.#random.pick(COLUMNS)}`);
  }

  int(a: string): string {
    const r = this.#random;
    const c = `${a}.${r.pick(INTEGERS)}`;
    switch (r.below(12)) {
      case 0:
        return `(${c} + ${a}.${r.pick(INTEGERS)}) % 50`;
      case 1:
        return `coalesce(${c}, ${r.below(5)})`;
      case 2:
        return `nullif(${c}, ${r.below(5)})`;
      case 3:
        return `CASE WHEN ${this.condition(a)} THEN ${c} WHEN ${a}.v > 2 THEN ${r.below(4)} END`;
      case 4:
        return `length(${a}.s)`;
      case 5:
        return `greatest(${c}, ${a}.${r.pick(INTEGERS)}, 2)`;
      case 6:
        return r.pick([
          `extract(hour FROM ${a}.at)::int`,
          `extract(minute FROM ${a}.at)::int`,
          `extract(dow FROM CASE WHEN isfinite(${a}.at) THEN ${a}.at END)::int`,
          `(${a}.j->>'a')::numeric::int % 50`,
          `jsonb_array_length(CASE WHEN jsonb_typeof(${a}.j) = 'array' THEN ${a}.j END)`,
          `width_bucket(${a}.v, -20, 20, 5)`,
          `sign(${a}.v)::int`,
          `(${a}.f > 1)::int`,
          `6 / ${c}`,
          `(${a}.s || 1)::int % 50`,
        ]);
      default:
        return c;
    }
  }

  value(a: string, column: string): string {
    const r = this.#random;
    if (INTEGERS.includes(column)) return this.int(a);
    if (r.chance(0.6)) return `${a}.${column}`;
    switch (column) {
      case 'n':
        return r.pick([
          `${a}.v::numeric / 4`,
          `CASE WHEN ${a}.n < 1000000 THEN trim_scale(round(${a}.n * 1.5, 3)) END`,
          `coalesce(${a}.n, 0.5)`,
          `abs(${a}.n)`,
          `${a}.k::numeric`,
        ]);
      case 'f':
        return r.pick([
          `${a}.v::float8 / 2 + 0`,
          `coalesce(${a}.f, 'NaN')`,
          `CASE WHEN ${a}.f <> 'NaN' THEN ${a}.f END`,
          `least(${a}.f, 3.5)`,
          `abs(${a}.f)`,
          `nullif(${a}.f, 'infinity')`,
        ]);
      case 's':
        return r.pick([
          `left(${a}.s || ${a}.g, 12)`,
          `upper(${a}.s)`,
          `${a}.v::text`,
          `left(concat_ws('-', ${a}.s, ${a}.k), 12)`,
          `left(${a}.j::text, 9)`,
          `split_part(${a}.s, 'b', 1)`,
          `to_char(${a}.at, 'DD HH24:MI TZ')`,
          `CASE WHEN ${a}.s LIKE 'a%' THEN 'A' ELSE ${a}.s END`,
        ]);
      case 'at':
        return r.pick([
          `${a}.at + INTERVAL ${r.pick(LENGTHS)}`,
          `date_trunc('${r.pick(['hour', 'day', 'week'])}', ${a}.at)`,
          `(${a}.at AT TIME ZONE 'America/New_York') AT TIME ZONE 'Europe/Berlin'`,
          `(${a}.at::timestamp + INTERVAL '1 hour')::timestamptz`,
          `(${a}.at::date)::timestamptz`,
          `coalesce(${a}.at, 'infinity')`,
        ]);
      default:
        return r.pick([
          `jsonb_build_object('a', ${a}.v, 'b', ${a}.s)`,
          `to_jsonb(${a}.g)`,
          `${a}.j->'b'`,
          `jsonb_build_array(${a}.g, ${a}.s)`,
          `${a}.j || '{"a": 1}'`,
          `jsonb_strip_nulls(${a}.j)`,
        ]);
    }
  }

  condition(a: string): string {
    const r = this.#random;
    const c = `${a}.${r.pick(INTEGERS)}`;
    switch (r.below(16)) {
      case 0:
        return `${c} ${r.pick(['>', '<', '=', '<>', '>='])} ${r.below(6) - 1}`;
      case 1:
        return `${c} IN (${r.below(4)}, ${r.below(6)}${r.chance(0.3) ? ', NULL' : ''})`;
      case 2:
        return `${c} NOT IN (${r.below(4)}, ${r.below(6)})`;
      case 3:
        return `${a}.${r.pick(COLUMNS)} IS ${r.pick(['NULL', 'NOT NULL'])}`;
      case 4:
        return `(${this.condition(a)} OR ${this.condition(a)})`;
      case 5:
        return `NOT (${this.condition(a)})`;
      case 6:
        return `${a}.s ${r.pick(["LIKE '%b%'", "> 'b'", "<= 'ab'", "BETWEEN 'a' AND 'c'", "~ '^a'"])}`;
      case 7:
        return `${a}.f ${r.pick(['>', '<', '=', '<>'])} ${r.pick(['1.5', "'NaN'", "'infinity'", '0'])}`;
      case 8:
        return `${a}.n ${r.pick(['>', '<=', '='])} ${r.pick(['1.5', "'NaN'", '0', '2'])}`;
      case 9:
        return r.pick([`${a}.j @> '{"a": 1}'`, `${a}.j ? 'b'`, `${a}.j = '{"a": 1, "b": "x"}'`, `${a}.j->>'a' = '1'`]);
      case 10:
        return `(${c} > 1) IS ${r.pick(['TRUE', 'NOT TRUE', 'UNKNOWN', 'NOT FALSE'])}`;
      case 11:
        return `${c} IS ${r.pick(['', 'NOT '])}DISTINCT FROM ${a}.${r.pick(INTEGERS)}`;
      case 12:
        return `(${a}.k, ${a}.g) ${r.pick(['>', '<=', '='])} (${r.below(6)}, ${r.below(4)})`;
      case 13:
        return `${c} = ANY (ARRAY[${r.below(4)}, ${r.below(4)}])`;
      default:
        return `${c} ${r.pick(['>', '<', '='])} ${a}.${r.pick(INTEGERS)}`;
    }
  }

  clock(a: string): string {
    const r = this.#random;
    const since = r.pick(["- INTERVAL '1 hour'", "- INTERVAL '20 minutes'", '', "+ INTERVAL '30 minutes'"]);
    return `${a}.at ${r.pick(['>', '>=', '<', '<='])} now() ${since}`;
  }

  aggregate(a: string, column: string): string {
    const r = this.#random;
    const filter = r.chance(0.25) ? ` FILTER (WHERE ${this.condition(a)})` : '';
    const all = this.total(a);
    if (INTEGERS.includes(column))
      return r.pick([
        `(count(*)${filter})::int`,
        `(count(${a}.${r.pick(COLUMNS)})${filter})::int`,
        `(count(DISTINCT ${a}.${r.pick(COLUMNS)})${filter})::int`,
        `(sum(${this.int(a)})${filter} % 50)::int`,
        `min(${this.int(a)})${filter}`,
        `max(${this.int(a)})${filter}`,
        `(sum(DISTINCT ${a}.v)${filter} % 50)::int`,
        `(bool_or(${this.condition(a)})${filter})::int`,
        `(bool_and(${this.condition(a)})${filter})::int`,
        `percentile_disc(${r.pick(['0', '0.5', '0.9'])}) WITHIN GROUP (ORDER BY ${this.int(a)})${filter}`,
        `mode() WITHIN GROUP (ORDER BY ${a}.v)${filter}`,
        `bit_xor(${a}.v)${filter}`,
        `(array_agg(${a}.v ORDER BY ${all})${filter})[${1 + r.below(2)}]`,
        `(regr_count(${a}.v, ${a}.g)${filter})::int`,
      ]);
    switch (column) {
      case 'n':
        return r.pick([
          `trim_scale(sum(CASE WHEN ${a}.n < 1e6 THEN ${a}.n END)${filter})`,
          `trim_scale(round(avg(${a}.v)${filter}, 3))`,
          `min(${a}.n)${filter}`,
          `max(${a}.n)${filter}`,
          `trim_scale(round(stddev_samp(${a}.v)${filter}, 3))`,
          `trim_scale(round(var_pop(${a}.n)${filter}, 3))`,
          `(percentile_disc(0.3) WITHIN GROUP (ORDER BY ${a}.n)${filter})`,
        ]);
      case 'f':
        return r.pick([
          `sum(${a}.f)${filter} + 0`,
          `min(${a}.f)${filter}`,
          `max(${a}.f)${filter}`,
          `percentile_cont(0.5) WITHIN GROUP (ORDER BY ${a}.v)${filter} + 0`,
        ]);
      case 's':
        return r.pick([
          `left(string_agg(DISTINCT ${a}.s, ',' ORDER BY ${a}.s)${filter}, 12)`,
          `left(string_agg(${a}.s, '-' ORDER BY ${all})${filter}, 12)`,
          `left((array_agg(${a}.v ORDER BY ${all})${filter})::text, 12)`,
          `left((array_agg(DISTINCT ${a}.g ORDER BY ${a}.g DESC NULLS LAST)${filter})::text, 12)`,
          `min(${a}.s)${filter}`,
          `max(${a}.s)${filter}`,
          `mode() WITHIN GROUP (ORDER BY ${a}.s DESC)${filter}`,
        ]);
      case 'at':
        return r.pick([
          `min(${a}.at)${filter}`,
          `max(${a}.at)${filter}`,
          `percentile_disc(0.5) WITHIN GROUP (ORDER BY ${a}.at DESC)${filter}`,
          `(array_agg(${a}.at ORDER BY ${all})${filter})[1]`,
        ]);
      default:
        return r.pick([
          `jsonb_agg(${a}.v ORDER BY ${all})${filter}`,
          `jsonb_agg(DISTINCT ${a}.s ORDER BY ${a}.s)${filter}`,
          `jsonb_object_agg(coalesce(${a}.s, ''), ${a}.k ORDER BY ${all})${filter}`,
          `jsonb_build_object('a', count(*)${filter})`,
        ]);
    }
  }

  #over(a: string): { total: string; range: string } {
    const r = this.#random;
    const part = r.chance(0.7) ? `PARTITION BY ${this.columns(a, 2).join(', ')} ` : '';
    const bound = (unit: string) => {
      const n = unit === 'RANGE' ? '' : String(r.below(3));
      return r
        .pick([
          [`UNBOUNDED PRECEDING`, `CURRENT ROW`],
          [`UNBOUNDED PRECEDING`, `UNBOUNDED FOLLOWING`],
          [`CURRENT ROW`, `UNBOUNDED FOLLOWING`],
          ...(n === ''
            ? []
            : [
                [`${n} PRECEDING`, `CURRENT ROW`],
                [`${n} PRECEDING`, `1 FOLLOWING`],
                [`1 FOLLOWING`, `${n} FOLLOWING`],
                ['2 PRECEDING', `${n} PRECEDING`],
              ]),
        ])
        .join(' AND ');
    };
    const exclude = () => r.pick(['', '', ' EXCLUDE CURRENT ROW', ' EXCLUDE TIES', ' EXCLUDE GROUP']);
    const total = r.chance(0.4)
      ? `${part}ORDER BY ${this.total(a)}`
      : `${part}ORDER BY ${this.total(a)} ${r.chance(0.5) ? 'ROWS' : 'GROUPS'} BETWEEN ${bound('ROWS')}${exclude()}`;
    const unit = r.pick(['RANGE', 'GROUPS', 'offset', 'offset']);
    const by = r.pick(['v', 'k', 'n', 'f', 'at']);
    const [low, high] =
      by === 'at'
        ? [`INTERVAL ${r.pick(LENGTHS)}`, `INTERVAL ${r.pick(LENGTHS)}`]
        : by === 'f' || by === 'n'
          ? [r.pick(['0', '1.5']), r.pick(['0.5', '2'])]
          : [String(r.below(3)), String(r.below(5))];
    const frame =
      unit === 'offset'
        ? `RANGE BETWEEN ${r.pick([`${low} PRECEDING AND ${high} FOLLOWING`, `${low} PRECEDING AND CURRENT ROW`, `CURRENT ROW AND ${high} FOLLOWING`, `UNBOUNDED PRECEDING AND ${high} FOLLOWING`, `${low} FOLLOWING AND UNBOUNDED FOLLOWING`])}`
        : `${unit} BETWEEN ${bound(unit)}`;
    const range = `${part}ORDER BY ${a}.${by}${this.direction()}${r.chance(0.2) ? '' : ` ${frame}${exclude()}`}`;
    return { total, range };
  }

  windowCall(a: string, column: string): string {
    const r = this.#random;
    const { total, range } = this.#over(a);
    const plain = total.replace(/ (ROWS|GROUPS) BETWEEN.*/, '');
    const ranked = range.replace(/ (RANGE|GROUPS) BETWEEN.*/, '');
    const typed = `${a}.${column}`;
    const filter = r.chance(0.2) ? ` FILTER (WHERE ${this.condition(a)})` : '';
    const choices = [
      `first_value(${typed}) OVER (${total})`,
      `last_value(${typed}) OVER (${total})`,
      `nth_value(${typed}, ${1 + r.below(3)}) OVER (${total})`,
      `lag(${typed}, ${r.below(3)}) OVER (${plain})`,
      `lead(${typed}, 1, ${typed}) OVER (${plain})`,
      `lag(${typed}, ${a}.g) OVER (${plain})`,
    ];
    if (column !== 'j')
      choices.push(`max(${typed})${filter} OVER (${range})`, `min(${typed})${filter} OVER (${range})`);
    if (INTEGERS.includes(column))
      choices.push(
        `(row_number() OVER (${plain}))::int`,
        `(rank() OVER (${ranked}))::int`,
        `(dense_rank() OVER (${ranked}))::int`,
        `ntile(${1 + r.below(3)}) OVER (${plain})`,
        `(count(*)${filter} OVER (${range}))::int`,
        `(sum(${a}.v)${filter} OVER (${range}) % 50)::int`,
        `(sum(${a}.v)${filter} OVER (${total}) % 50)::int`,
        `(count(${a}.s)${filter} OVER (${total}))::int`,
      );
    if (column === 'n')
      choices.push(
        `trim_scale(round(avg(${a}.v)${filter} OVER (${range}), 3))`,
        `trim_scale(sum(${a}.n) OVER (${range}))`,
      );
    if (column === 'f')
      choices.push(
        `percent_rank() OVER (${ranked})`,
        `cume_dist() OVER (${ranked})`,
        `sum(${a}.f) OVER (${range}) + 0`,
      );
    if (column === 's')
      choices.push(
        `left(string_agg(${a}.s, ',') OVER (${total}), 12)`,
        `left((array_agg(${a}.k) OVER (${total}))::text, 12)`,
      );
    if (column === 'j') choices.push(`jsonb_agg(${a}.v) OVER (${total})`);
    return r.pick(choices);
  }
}
