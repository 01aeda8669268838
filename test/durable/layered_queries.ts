/** For tests: random queries of all that SQL has, over relations of one shape, whose result has that shape again (layered_expressions.ts): any of them can be a view over any others. */
import type { Random } from '../../operators/testing/property.ts';
import { COLUMNS, INTEGERS, LayeredExpressions, LENGTHS, TYPES } from './layered_expressions.ts';

type Shown = Partial<Record<string, string>>;

export class LayeredQueries {
  readonly #random: Random;
  readonly #write: LayeredExpressions;
  #relations: string[] = [];
  #aliases = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#write = new LayeredExpressions(random);
  }

  /** A query that reads some of these; the last ones more often. */
  over(relations: string[]): string {
    this.#relations = relations;
    this.#aliases = 0;
    return this.#query(this.#random.below(3));
  }

  #alias(): string {
    return `a${++this.#aliases}`;
  }

  #stored(): string {
    const all = this.#relations;
    return this.#random.chance(0.4)
      ? all[all.length - 1 - this.#random.below(Math.min(4, all.length))]
      : this.#random.pick(all);
  }

  #relation(depth: number): string {
    return depth > 0 && this.#random.chance(0.5) ? `(${this.#query(depth - 1)})` : this.#stored();
  }

  #where(a: string, chance = 0.5): string {
    return this.#random.chance(chance) ? ` WHERE ${this.#write.condition(a)}` : '';
  }

  #shown(a: string, has: Shown = {}): string {
    return COLUMNS.map((c) => `${has[c] ?? this.#write.value(a, c)} AS ${c}`).join(', ');
  }

  #plain(a: string): string {
    return COLUMNS.map((c) => `${a}.${c}`).join(', ');
  }

  #together(a: string, b: string): string {
    const r = this.#random;
    const [x, y] = [r.pick(INTEGERS), r.pick(INTEGERS)];
    const same = r.pick(COLUMNS);
    return r.pick([
      `${a}.${x} = ${b}.${y}`,
      `${a}.${x} = ${b}.${y}`,
      `${a}.${same} = ${b}.${same}`,
      `${a}.k = ${b}.k AND ${a}.${same} = ${b}.${same}`,
      `${a}.k = ${b}.k AND ${a}.v ${r.pick(['<', '>=', '<>'])} ${b}.v`,
      `${a}.g = ${b}.g AND ${this.#write.condition(r.pick([a, b]))}`,
      `${a}.g = ${b}.g AND ${a}.at BETWEEN ${b}.at - INTERVAL ${r.pick(LENGTHS)} AND ${b}.at + INTERVAL ${r.pick(LENGTHS)}`,
      `coalesce(${a}.k, 3) = ${b}.k % 7`,
    ]);
  }

  #query(depth: number): string {
    const shapes = [
      this.#filter,
      this.#join,
      this.#join,
      this.#using,
      this.#group,
      this.#group,
      this.#sets,
      this.#distinct,
      this.#window,
      this.#window,
      this.#union,
      this.#semi,
      this.#semi,
      this.#lateral,
      this.#scalar,
      this.#limit,
      this.#recursive,
      this.#temporal,
      this.#functions,
      this.#with,
      this.#ranked,
    ];
    return this.#random.pick(shapes).call(this, depth);
  }

  #filter(depth: number): string {
    const a = this.#alias();
    return `SELECT ${this.#shown(a)} FROM ${this.#relation(depth)} ${a}${this.#where(a, 0.8)}`;
  }

  #join(depth: number): string {
    const r = this.#random;
    const [a, b] = [this.#alias(), this.#alias()];
    const kind = r.pick(['JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']);
    let from = `${this.#relation(depth)} ${a} ${kind} ${this.#relation(depth)} ${b} ON ${this.#together(a, b)}`;
    const from2 = [a, b];
    if (r.chance(0.3)) {
      const c = this.#alias();
      from += ` ${r.pick(['JOIN', 'LEFT JOIN', 'FULL JOIN'])} ${this.#relation(0)} ${c} ON ${this.#together(r.pick([a, b]), c)}`;
      from2.push(c);
    }
    const shown = COLUMNS.map((c) => {
      const [x, y] = [r.pick(from2), r.pick(from2)];
      return `${r.chance(0.3) ? `coalesce(${x}.${c}, ${y}.${c})` : this.#write.value(x, c)} AS ${c}`;
    });
    const where = r.chance(0.4)
      ? ` WHERE ${r.pick([this.#write.condition(b), `${b}.k IS NULL`, this.#write.clock(a), `${a}.v + ${b}.v > 0 OR ${b}.g IS NULL`])}`
      : '';
    return `SELECT ${shown.join(', ')} FROM ${from}${where}`;
  }

  #using(depth: number): string {
    const r = this.#random;
    const [a, b] = [this.#alias(), this.#alias()];
    const keys = r.pick([['k'], ['g'], ['k', 'g'], ['s'], ['n'], ['f'], ['at'], ['j'], ['g', 's']]);
    const has = Object.fromEntries(keys.map((c) => [c, c]));
    const kind = r.pick(['FULL', 'FULL', 'LEFT', 'INNER', 'RIGHT']);
    const from = `${this.#relation(depth)} ${a} ${kind} JOIN ${this.#relation(depth)} ${b} USING (${keys.join(', ')})`;
    return `SELECT ${COLUMNS.map((c) => `${has[c] ?? `${r.pick([a, b])}.${c}`} AS ${c}`).join(', ')} FROM ${from}`;
  }

  #group(depth: number): string {
    const r = this.#random;
    const a = this.#alias();
    const keys = [...new Set(Array.from({ length: r.below(4) }, () => r.pick(COLUMNS)))];
    const has: Shown = {};
    for (const c of COLUMNS) has[c] = keys.includes(c) ? `${a}.${c}` : this.#write.aggregate(a, c);
    const by = keys.length === 0 ? '' : ` GROUP BY ${keys.map((c) => `${a}.${c}`).join(', ')}`;
    const having = r.chance(0.25)
      ? ` HAVING ${r.pick(['count(*) > 1', `max(${a}.v) > 0`, `bool_or(${a}.k > 2)`])}`
      : '';
    return `SELECT ${this.#shown(a, has)} FROM ${this.#relation(depth)} ${a}${this.#where(a, 0.3)}${by}${having}`;
  }

  #sets(depth: number): string {
    const r = this.#random;
    const a = this.#alias();
    const keys = [...new Set(Array.from({ length: 1 + r.below(3) }, () => r.pick(COLUMNS)))];
    const names = keys.map((c) => `${a}.${c}`);
    const [first] = names;
    const by = r.pick([
      `ROLLUP (${names.join(', ')})`,
      `CUBE (${names.slice(0, 2).join(', ')})${names.length > 2 ? `, ${names[2]}` : ''}`,
      `GROUPING SETS ((${names.join(', ')}), (${first}), ())`,
      `GROUPING SETS ((${names.join(', ')}), (${first}), (${first}))`,
      `ROLLUP (${first}), CUBE (${names.join(', ')})`,
    ]);
    const has: Shown = {};
    for (const c of COLUMNS) has[c] = keys.includes(c) ? `${a}.${c}` : this.#write.aggregate(a, c);
    const free = INTEGERS.find((c) => !keys.includes(c));
    if (free !== undefined && r.chance(0.5)) has[free] = `GROUPING(${names.join(', ')})`;
    const having = r.chance(0.2)
      ? ` HAVING ${r.pick(['count(*) > 1', `GROUPING(${first}) = 1`, `${first} IS NOT NULL`])}`
      : '';
    return `SELECT ${this.#shown(a, has)} FROM ${this.#relation(depth)} ${a}${this.#where(a, 0.3)} GROUP BY ${by}${having}`;
  }

  #distinct(depth: number): string {
    const r = this.#random;
    const [a, b] = [this.#alias(), this.#alias()];
    if (r.chance(0.3)) {
      const c = r.pick(COLUMNS);
      const has: Shown = Object.fromEntries(
        COLUMNS.filter((x) => x !== c && x !== 'g').map((x) => [x, `NULL::${TYPES[x]}`]),
      );
      has[c] = `${b}.${c}`;
      has.g = `${b}.g`;
      const inner = `SELECT DISTINCT ${a}.${c}, ${c === 'g' ? `${a}.k` : `${a}.g`} FROM ${this.#relation(depth)} ${a}`;
      return `SELECT ${this.#shown(b, has)} FROM (${inner}) ${b}`;
    }
    if (r.chance(0.4)) return `SELECT DISTINCT ${this.#shown(a)} FROM ${this.#relation(depth)} ${a}${this.#where(a)}`;
    const by = [...new Set(this.#write.columns(a, 2))];
    const order = this.#write
      .total(a)
      .split(', ')
      .filter((item) => !by.includes(item.split(' ')[0]));
    return `SELECT DISTINCT ON (${by.join(', ')}) ${this.#plain(a)} FROM ${this.#relation(depth)} ${a}${this.#where(a)} ORDER BY ${[...by.map((c) => c + this.#write.direction()), ...order].join(', ')}`;
  }

  #window(depth: number): string {
    const r = this.#random;
    const a = this.#alias();
    const has: Shown = Object.fromEntries(COLUMNS.map((c) => [c, `${a}.${c}`]));
    const calls = 1 + r.below(3);
    for (let i = 0; i < calls; i++) {
      const c = r.pick(COLUMNS);
      has[c] = this.#write.windowCall(a, c);
    }
    const from = calls === 1 ? this.#relation(depth) : this.#withoutEqual(depth);
    return `SELECT ${this.#shown(a, has)} FROM ${from} ${a}${this.#where(a, 0.4)}`;
  }

  /** Two windows may tell equal rows apart each in its own way: which value of one stands beside which of the other is then nobody's to say. */
  #withoutEqual(depth: number): string {
    const a = this.#alias();
    return `(SELECT DISTINCT ${this.#plain(a)} FROM ${this.#relation(depth)} ${a})`;
  }

  #ranked(depth: number): string {
    const r = this.#random;
    const [a, b] = [this.#alias(), this.#alias()];
    const call = r.pick(['row_number()', 'row_number()', 'rank()', 'dense_rank()']);
    const order = call === 'row_number()' ? this.#write.total(a) : `${a}.${r.pick(COLUMNS)}${this.#write.direction()}`;
    const part = r.chance(0.8) ? `PARTITION BY ${this.#write.columns(a, 2).join(', ')} ` : '';
    const shown = r.chance(0.5) ? { g: `${b}.r::int` } : {};
    return `SELECT ${this.#shown(b, shown)} FROM (SELECT *, ${call} OVER (${part}ORDER BY ${order}) AS r FROM ${this.#relation(depth)} ${a}) ${b} WHERE ${b}.r ${r.pick(['<= 2', '= 1', '< 3', '= 2', 'BETWEEN 2 AND 3'])}`;
  }

  #union(depth: number): string {
    const r = this.#random;
    const branch = (): string => {
      const a = this.#alias();
      return `SELECT ${r.chance(0.6) ? this.#plain(a) : this.#shown(a)} FROM ${this.#relation(depth)} ${a}${this.#where(a, 0.4)}`;
    };
    const operation = () => r.pick(['UNION', 'UNION ALL', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT', 'INTERSECT ALL']);
    if (r.chance(0.6)) return `${branch()} ${operation()} ${branch()}`;
    return `(${branch()} ${operation()} ${branch()}) ${operation()} ${branch()}`;
  }

  #semi(depth: number): string {
    const r = this.#random;
    const [a, z] = [this.#alias(), this.#alias()];
    const c = r.pick(COLUMNS);
    const from = `FROM ${this.#relation(depth)} ${z}`;
    const and = r.chance(0.3)
      ? ` AND ${this.#write.clock(z)}`
      : r.chance(0.4)
        ? ` AND ${this.#write.condition(z)}`
        : '';
    const tests = [
      `EXISTS (SELECT ${from} WHERE ${this.#together(a, z)}${and})`,
      `NOT EXISTS (SELECT ${from} WHERE ${this.#together(a, z)}${and})`,
      `${a}.${c} IN (SELECT ${z}.${c} ${from})`,
      `${a}.${c} NOT IN (SELECT ${z}.${c} ${from} WHERE ${this.#write.condition(z)})`,
      `${a}.${c} NOT IN (SELECT ${z}.${c} ${from} WHERE ${this.#together(a, z)})`,
      `${a}.v ${r.pick(['>', '<=', '<>'])} ALL (SELECT ${z}.v ${from} WHERE ${this.#write.condition(z)})`,
      `${a}.v ${r.pick(['>', '<=', '='])} ANY (SELECT ${z}.v ${from} WHERE ${z}.g = ${a}.g)`,
      `(${a}.k, ${a}.g) IN (SELECT ${z}.k, ${z}.g ${from})`,
      `(${a}.k, ${a}.g) NOT IN (SELECT ${z}.g, ${z}.v ${from} WHERE ${z}.k IS NOT NULL)`,
      `(${a}.g IN (SELECT ${z}.g ${from})) IS ${r.pick(['NOT TRUE', 'UNKNOWN', 'FALSE'])}`,
      `(EXISTS (SELECT ${from} WHERE ${z}.k = ${a}.k) OR ${this.#write.condition(a)})`,
      `(${a}.k NOT IN (SELECT ${z}.k ${from} WHERE ${z}.g = ${a}.g) OR ${this.#write.condition(a)})`,
    ];
    const has: Shown = r.chance(0.2) ? { v: `(${r.pick(tests)})::int` } : {};
    return `SELECT ${this.#shown(a, has)} FROM ${this.#relation(depth)} ${a} WHERE ${r.pick(tests)}`;
  }

  #lateral(depth: number): string {
    const r = this.#random;
    const [a, b, z] = [this.#alias(), this.#alias(), this.#alias()];
    const inner = r.pick([
      `SELECT ${this.#plain(z)} FROM ${this.#relation(depth)} ${z} WHERE ${this.#together(a, z)} ORDER BY ${this.#write.total(z)} LIMIT ${1 + r.below(2)}${r.chance(0.2) ? ' OFFSET 1' : ''}`,
      `SELECT ${this.#shown(z, Object.fromEntries(COLUMNS.map((c) => [c, this.#write.aggregate(z, c)])))} FROM ${this.#relation(depth)} ${z} WHERE ${this.#together(a, z)}`,
      `SELECT ${this.#plain(z)} FROM ${this.#relation(depth)} ${z} WHERE ${this.#together(a, z)} AND ${this.#write.condition(z)}`,
      `SELECT DISTINCT ON (${z}.g) ${this.#plain(z)} FROM ${this.#relation(0)} ${z} WHERE ${z}.k <= ${a}.k ORDER BY ${z}.g, ${this.#write.total(z)}`,
    ]);
    const from = r.chance(0.5)
      ? `CROSS JOIN LATERAL (${inner}) ${b}`
      : `LEFT JOIN LATERAL (${inner}) ${b} ON ${r.pick(['true', `${b}.v > 0`])}`;
    return `SELECT ${COLUMNS.map((c) => `${this.#write.value(r.pick([a, b]), c)} AS ${c}`).join(', ')} FROM ${this.#relation(depth)} ${a} ${from}`;
  }

  #scalar(depth: number): string {
    const r = this.#random;
    const a = this.#alias();
    const has: Shown = {};
    for (let i = 1 + r.below(2); i > 0; i--) {
      const [z, y] = [this.#alias(), this.#alias()];
      const c = r.pick(COLUMNS);
      const and = r.chance(0.3) ? ` AND ${this.#write.condition(z)}` : '';
      has[c] = r.pick([
        `(SELECT ${this.#write.aggregate(z, c)} FROM ${this.#relation(depth)} ${z} WHERE ${this.#together(a, z)}${and})`,
        `(SELECT ${z}.${c} FROM ${this.#relation(depth)} ${z} WHERE ${this.#together(a, z)}${and} ORDER BY ${this.#write.total(z)} LIMIT 1)`,
        `(SELECT ${this.#write.aggregate(z, c)} FROM ${this.#relation(0)} ${z} WHERE ${z}.v > (SELECT min(${y}.v) FROM ${this.#relation(0)} ${y} WHERE ${y}.g = ${a}.g OR ${y}.k = ${z}.k))`,
        `coalesce((SELECT ${this.#write.aggregate(z, c)} FROM ${this.#relation(depth)} ${z} WHERE ${z}.g = ${a}.g GROUP BY ${z}.g), ${a}.${c})`,
      ]);
    }
    return `SELECT ${this.#shown(a, has)} FROM ${this.#relation(depth)} ${a}${this.#where(a, 0.3)}`;
  }

  #limit(depth: number): string {
    const r = this.#random;
    const a = this.#alias();
    const tail = r.pick([
      `ORDER BY ${this.#write.total(a)} LIMIT ${1 + r.below(5)}`,
      `ORDER BY ${this.#write.total(a)} LIMIT ${1 + r.below(5)} OFFSET ${r.below(3)}`,
      `ORDER BY ${this.#write.total(a)} OFFSET ${1 + r.below(3)}`,
      `ORDER BY ${a}.${r.pick(COLUMNS)}${this.#write.direction()} FETCH FIRST ${1 + r.below(3)} ROWS WITH TIES`,
    ]);
    return `(SELECT ${this.#plain(a)} FROM ${this.#relation(depth)} ${a}${this.#where(a)} ${tail})`;
  }

  #recursive(depth: number): string {
    const r = this.#random;
    const [a, b, w, o] = [this.#alias(), this.#alias(), this.#alias(), this.#alias()];
    const start = `SELECT ${a}.k, ${a}.g, 0 AS depth FROM ${this.#relation(depth)} ${a}${this.#where(a)}`;
    const step = r.pick([
      `SELECT ${b}.g, ${w}.g, ${w}.depth + 1 FROM ${w} JOIN ${this.#relation(0)} ${b} ON ${b}.k = ${w}.k WHERE ${w}.depth < 3`,
      `SELECT ${w}.k, ${b}.v % 7, ${w}.depth + 1 FROM ${w}, ${this.#relation(0)} ${b} WHERE ${b}.k = ${w}.g AND ${w}.depth < 3`,
      `SELECT ${w}.k + 1, ${w}.g, ${w}.depth + 1 FROM ${w} WHERE ${w}.depth < 3 AND NOT EXISTS (SELECT FROM ${this.#relation(0)} ${b} WHERE ${b}.k = ${w}.k)`,
      `SELECT ${b}.k, ${w}.g, 0 FROM ${w} JOIN ${this.#relation(0)} ${b} ON ${b}.g = ${w}.k`,
    ]);
    const has = {
      k: `${o}.k`,
      g: `${o}.g`,
      v: `${o}.depth`,
      n: `${o}.k::numeric`,
      f: 'NULL::float8',
      s: `${o}.g::text`,
      at: 'NULL::timestamptz',
      j: 'NULL::jsonb',
    };
    return `(WITH RECURSIVE ${w} (k, g, depth) AS (${start} UNION ${step}) SELECT ${this.#shown(o, has)} FROM ${w} ${o})`;
  }

  #temporal(depth: number): string {
    const a = this.#alias();
    const more = this.#random.chance(0.4) ? ` AND ${this.#write.clock(a)}` : '';
    return `SELECT ${this.#plain(a)} FROM ${this.#relation(depth)} ${a} WHERE ${this.#write.clock(a)}${more}`;
  }

  #functions(depth: number): string {
    const r = this.#random;
    const [a, b] = [this.#alias(), this.#alias()];
    const rel = this.#relation(depth);
    return r.pick([
      `SELECT ${this.#shown(a, { v: `${b}.x` })} FROM ${rel} ${a}, generate_series(${a}.g, ${a}.g + 2) AS ${b}(x)`,
      `SELECT ${this.#shown(a, { v: `${b}.i::int`, s: `${b}.x` })} FROM ${rel} ${a} LEFT JOIN LATERAL unnest(string_to_array(${a}.s, 'b')) WITH ORDINALITY AS ${b}(x, i) ON true`,
      `SELECT ${this.#shown(a, { s: `left(${b}.key, 12)`, j: `${b}.value` })} FROM ${rel} ${a}, jsonb_each(CASE WHEN jsonb_typeof(${a}.j) = 'object' THEN ${a}.j END) ${b}`,
      `SELECT ${this.#shown(a, { k: `generate_series(1, ${a}.g)`, v: `generate_series(${a}.g, 2)` })} FROM ${rel} ${a}`,
      `SELECT ${this.#shown(a, { v: `${b}.x`, s: `${b}.y` })} FROM ${rel} ${a} ${r.pick(['LEFT JOIN', 'FULL JOIN', 'JOIN'])} (VALUES (0, 'zero'), (1, 'one'), (1, 'uno'), (NULL, 'null')) AS ${b}(x, y) ON ${b}.x = ${a}.g`,
    ]);
  }

  #with(depth: number): string {
    const r = this.#random;
    const [w, a, b] = [this.#alias(), this.#alias(), this.#alias()];
    const item = this.#query(depth);
    const word = r.pick(['', '', 'MATERIALIZED ', 'NOT MATERIALIZED ']);
    const body = r.pick([
      `SELECT ${this.#shown(a)} FROM ${w} ${a} JOIN ${w} ${b} ON ${this.#together(a, b)}`,
      `SELECT ${this.#plain(a)} FROM ${w} ${a} WHERE ${a}.v > (SELECT avg(${b}.v) FROM ${w} ${b})`,
      `SELECT ${this.#plain(a)} FROM ${w} ${a} WHERE ${a}.k IS NOT NULL UNION ALL SELECT ${this.#shown(b)} FROM ${w} ${b}`,
      `SELECT ${this.#plain(a)} FROM ${w} ${a} WHERE NOT EXISTS (SELECT FROM ${w} ${b} WHERE ${b}.g = ${a}.g AND ${b}.v > ${a}.v)`,
    ]);
    return `(WITH ${w} AS ${word}(${item}) ${body})`;
  }
}
