/**
 * For tests: random queries over the test tables. Most are valid; some are wrong on purpose (types, names, grouping).
 */
import { Random } from '../../operators/testing/property.ts';
import { TABLES } from './test_catalog.ts';

type Kind = 'int' | 'num' | 'text' | 'bool' | 'time' | 'date' | 'other';

interface Column {
  name: string;
  kind: Kind;
}

interface Source {
  name: string;
  columns: Column[];
}

const KINDS: [RegExp, Kind][] = [
  [/\[\]|json|bytea|uuid|interval|^time$/, 'other'],
  [/^(integer|bigint|smallint)/, 'int'],
  [/^(numeric|double|real)/, 'num'],
  [/^(text|varchar|char)/, 'text'],
  [/^bool/, 'bool'],
  [/^timestamp/, 'time'],
  [/^date/, 'date'],
];

const BASE = ['t', 'u', 'w', 'v'];

function columnsOf(table: string): Column[] {
  if (table === 'v') {
    return [
      { name: 'a', kind: 'int' },
      { name: 'b', kind: 'text' },
      { name: 'a1', kind: 'int' },
    ];
  }
  return TABLES[table].columns.map(([name, type]) => ({ name, kind: KINDS.find(([re]) => re.test(type))![1] }));
}

export class Generator {
  private readonly dice: Random;
  private names = 0;

  constructor(seed: number) {
    this.dice = new Random(seed);
  }

  private fresh(prefix: string): string {
    this.names++;
    return `${prefix}${this.names}`;
  }

  /** A query and whether its rows are determined by the data (no LIMIT over ties). */
  query(): { sql: string; open: boolean } {
    const { dice } = this;
    const roll = dice.below(12);
    if (roll === 0) return { sql: this.setOperation(), open: false };
    if (roll === 1) {
      const name = this.fresh('q');
      const inner = this.fresh('c');
      const body = this.select([], 2, [['int', inner]]);
      const outer = { name, columns: [{ name: inner, kind: 'int' as const }] };
      return { sql: `with ${name} as (${body}) ${this.select([], 2, null, [outer])}`, open: false };
    }
    const sql = this.select([], 3, null);
    if (roll > 3) return { sql, open: false };
    return { sql: `${sql} limit ${dice.below(3) + 1}`, open: true };
  }

  private setOperation(): string {
    const { dice } = this;
    const shape = dice.pick<Kind[]>([['int'], ['int', 'text'], ['num', 'text', 'date']]);
    const one = (): string =>
      this.select(
        [],
        1,
        shape.map((k) => [k, this.fresh('s')]),
      );
    const op = (): string => dice.pick(['union', 'union all', 'intersect', 'except', 'except all']);
    let sql = `${one()} ${op()} ${one()}`;
    if (dice.chance(0.3)) sql += ` ${op()} ${one()}`;
    return dice.chance(0.3) ? `${sql} order by 1` : sql;
  }

  /** A SELECT. `outer`: sources of the queries around; `wanted`: kinds and names of its columns. */
  private select(outer: Source[], depth: number, wanted: [Kind, string][] | null, ctes: Source[] = []): string {
    const { dice } = this;
    const from: Source[] = [];
    const items: string[] = [];
    const count = dice.chance(0.65) ? 1 : 2;
    for (let i = 0; i < count; i++) this.fromItem(from, items, outer, depth, ctes);
    const scope = [...outer, ...from];
    const where = dice.chance(0.5) ? ` where ${this.expr('bool', scope, depth - 1)}` : '';
    const kinds: Kind[] = wanted?.map(([k]) => k) ?? Array.from({ length: 1 + dice.below(3) }, () => this.kind());
    const grouped = dice.chance(0.3);
    let list: string[];
    let tail = '';
    if (grouped) {
      const keys = Array.from(
        { length: dice.below(3) },
        () => this.columnText(from, this.kind()) ?? `${from[0].name}.${from[0].columns[0].name}`,
      );
      list = kinds.map((k) => this.aggregated(k, keys, from, scope, depth));
      const shape = dice.below(8);
      const clause =
        shape === 0 ? `rollup (${keys.join(', ')})` : shape === 1 ? `cube (${keys.join(', ')})` : keys.join(', ');
      if (keys.length > 0) tail = ` group by ${clause}`;
      if (dice.chance(0.3)) tail += ` having ${this.aggregated('bool', keys, from, scope, depth)}`;
    } else {
      list = kinds.map((k) => (dice.chance(0.12) ? this.window(k, scope, depth) : this.expr(k, scope, depth)));
      if (dice.chance(0.06)) list.push('*');
    }
    const named = list.map((e, i) =>
      wanted?.[i] ? `${e} as ${wanted[i][1]}` : dice.chance(0.2) ? `${e} as ${this.fresh('o')}` : e,
    );
    const shown = wanted && named.length > wanted.length ? named.slice(0, wanted.length) : named;
    const distinct = dice.chance(0.12) ? 'distinct ' : '';
    const order = dice.chance(0.2)
      ? ` order by ${dice.chance(0.5) ? 1 + dice.below(shown.length + 1) : this.expr(this.kind(), scope, 1)}`
      : '';
    return `select ${distinct}${shown.join(', ')} from ${items.join(', ')}${where}${tail}${order}`;
  }

  private fromItem(from: Source[], items: string[], outer: Source[], depth: number, ctes: Source[]): void {
    const { dice } = this;
    const roll = dice.below(10);
    const name = this.fresh('r');
    if (ctes.length > 0 && dice.chance(0.6)) {
      const cte = dice.pick(ctes);
      from.push({ name, columns: cte.columns });
      items.push(`${cte.name} as ${name}`);
      return;
    }
    if (roll < 2 && depth > 0) {
      const lateral = dice.chance(0.4);
      const columns: Column[] = [0, 1].map((i) => ({ name: `${name}c${i}`, kind: this.kind() }));
      const around = lateral ? [...outer, ...from] : outer;
      const body = this.select(
        around,
        depth - 1,
        columns.map((c) => [c.kind, c.name]),
      );
      items.push(`${lateral ? 'lateral ' : ''}(${body}) as ${name}`);
      from.push({ name, columns });
      return;
    }
    if (roll === 2) {
      items.push(`generate_series(1, ${this.expr('int', [...outer, ...from], 0)}) as ${name}`);
      from.push({ name, columns: [{ name, kind: 'int' }] });
      return;
    }
    const table = dice.pick(BASE);
    const left = { name, columns: columnsOf(table) };
    if (roll < 7) {
      from.push(left);
      items.push(`${table} as ${name}`);
      return;
    }
    const other = dice.pick(BASE);
    const right = { name: this.fresh('r'), columns: columnsOf(other) };
    const kind = dice.pick(['join', 'left join', 'right join', 'full join']);
    // Full joins need a condition that PostgreSQL can merge or hash.
    const [l, r] = [this.columnText([left], 'int') ?? '1', this.columnText([right], 'int') ?? '1'];
    const shared = left.columns.some((c) => c.name === 'a') && right.columns.some((c) => c.name === 'a');
    const on =
      shared && dice.chance(0.3)
        ? 'using (a)'
        : kind === 'full join'
          ? `on ${l} = ${r}`
          : `on ${l} = ${r}${dice.chance(0.4) ? ` and ${this.expr('bool', [...outer, left, right], 1)}` : ''}`;
    items.push(`${table} as ${name} ${kind} ${other} as ${right.name} ${on}`);
    from.push(left, right);
  }

  private kind(): Kind {
    return this.dice.pick(['int', 'int', 'num', 'text', 'text', 'bool', 'date', 'time'] as const);
  }

  private columnText(scope: Source[], kind: Kind): string | null {
    const all = scope.flatMap((s) => s.columns.filter((c) => c.kind === kind).map((c) => ({ s, c })));
    if (all.length === 0) return null;
    const { s, c } = this.dice.pick(all);
    return this.dice.chance(0.15) ? c.name : `${s.name}.${c.name}`;
  }

  private aggregated(kind: Kind, keys: string[], from: Source[], scope: Source[], depth: number): string {
    const { dice } = this;
    if (keys.length > 0 && dice.chance(0.4)) return dice.pick(keys);
    const filter = dice.chance(0.15) ? ` filter (where ${this.expr('bool', from, 1)})` : '';
    const distinct = dice.chance(0.15) ? 'distinct ' : '';
    const arg = (k: Kind): string => this.expr(k, dice.chance(0.8) ? from : scope, 1);
    switch (kind) {
      case 'int':
        return dice.pick([
          `count(*)${filter}`,
          `count(${distinct}${arg(this.kind())})${filter}`,
          `max(${arg('int')})${filter}`,
        ]);
      case 'num':
        return `${dice.pick(['sum', 'avg', 'min', 'max'])}(${distinct}${arg(dice.pick(['int', 'num']))})${filter}`;
      case 'bool':
        return dice.pick([`bool_or(${arg('bool')})${filter}`, `count(*) > ${dice.below(3)}`, `max(${arg('int')}) = 1`]);
      case 'text':
        return `${dice.pick(['min', 'max'])}(${arg('text')})${filter}`;
      default:
        return dice.chance(0.1) ? this.expr(kind, scope, depth - 1) : `max(${arg(kind)})${filter}`;
    }
  }

  private window(kind: Kind, scope: Source[], depth: number): string {
    const { dice } = this;
    const partition = dice.chance(0.6) ? `partition by ${this.expr(this.kind(), scope, 0)} ` : '';
    const order = `order by ${this.expr(this.kind(), scope, 0)}, ${this.expr('int', scope, 0)}`;
    if (kind === 'int') return `rank() over (${partition}${order})`;
    if (kind === 'num') return `sum(${this.expr('int', scope, depth - 2)}) over (${partition}${order})`;
    return `${dice.pick(['min', 'max'])}(${this.expr(kind === 'bool' ? 'int' : kind, scope, 1)}) over (${partition}${order})`;
  }

  /** An expression of a kind; now and then of another one. */
  private expr(kind: Kind, scope: Source[], depth: number): string {
    const { dice } = this;
    if (dice.chance(0.008)) return this.expr(this.kind(), scope, depth);
    if (depth <= 0 || dice.chance(0.3)) {
      const column = dice.chance(0.75) ? this.columnText(scope, kind) : null;
      return column ?? this.literal(kind);
    }
    const sub = (k: Kind): string => this.expr(k, scope, depth - 1);
    if (dice.chance(0.08)) return this.subquery(kind, scope, depth);
    if (dice.chance(0.1)) return `case when ${sub('bool')} then ${sub(kind)} else ${sub(kind)} end`;
    if (dice.chance(0.08)) return `coalesce(${sub(kind)}, ${sub(kind)})`;
    if (dice.chance(0.05)) return `nullif(${sub(kind)}, ${sub(kind)})`;
    switch (kind) {
      case 'int':
        return dice.pick([
          () => `(${sub('int')} ${dice.pick(['+', '-', '*'])} ${sub('int')})`,
          () => `- ${sub('int')}`,
          () => `length(${sub('text')})`,
          () => `greatest(${sub('int')}, ${sub('int')})`,
          () => `(${sub('int')})::bigint`,
        ])();
      case 'num':
        return dice.pick([
          () => `(${sub('num')} ${dice.pick(['+', '-'])} ${sub(dice.pick(['int', 'num']))})`,
          () => `(${sub('int')} * 1.5)`,
          () => `least(${sub('num')}, ${sub('int')})`,
        ])();
      case 'text':
        return dice.pick([
          () => `(${sub('text')} || ${sub(dice.pick(['text', 'int']))})`,
          () => `upper(${sub('text')})`,
          () => `(${sub('int')})::text`,
          () => `substr(${sub('text')}, 1, 2)`,
        ])();
      case 'bool':
        return this.condition(scope, depth);
      case 'date':
        return dice.pick([() => `(${sub('date')} + 1)`, () => `(${sub('time')})::date`])();
      case 'time':
        return dice.pick([() => `(${sub('time')} + interval '1 hour')`, () => `date_trunc('day', ${sub('time')})`])();
      default:
        return this.literal(kind);
    }
  }

  private condition(scope: Source[], depth: number): string {
    const { dice } = this;
    const sub = (k: Kind): string => this.expr(k, scope, depth - 1);
    const k = this.kind();
    return dice.pick([
      () => `${sub(k)} ${dice.pick(['=', '<>', '<', '>='])} ${sub(k)}`,
      () => `(${sub('bool')} ${dice.pick(['and', 'or'])} ${sub('bool')})`,
      () => `not (${sub('bool')})`,
      () => `${sub(k)} is ${dice.pick(['null', 'not null'])}`,
      () => `${sub('int')} between ${sub('int')} and ${sub('num')}`,
      () => `${sub('int')} in (1, ${sub('int')}, ${sub('int')})`,
      () => `${sub(k)} is distinct from ${sub(k)}`,
      () => `(${sub('int')}, ${sub('text')}) ${dice.pick(['=', '<', '<>'])} (${sub('int')}, ${sub('text')})`,
      () => `exists (${this.select(scope, depth - 1, null)})`,
      () =>
        `${sub('int')} ${dice.pick(['in', 'not in', '= any', '> all'])} (${this.select(scope, depth - 1, [['int', this.fresh('i')]])})`,
    ])();
  }

  private subquery(kind: Kind, scope: Source[], depth: number): string {
    const ordered = hasMaximum(kind);
    const table = this.dice.pick(BASE);
    const name = this.fresh('z');
    const own = { name, columns: columnsOf(table) };
    const value = this.expr(kind, [own], 1);
    const aggregate = ordered ? `max(${value})` : `min((${value})::text)`;
    const back = kind === 'bool' ? '::bool' : '';
    return `(select ${aggregate}${back} from ${table} as ${name} where ${this.expr('bool', [...scope, own], Math.min(depth - 1, 1))})`;
  }

  private literal(kind: Kind): string {
    const { dice } = this;
    if (dice.chance(0.06)) return 'null';
    switch (kind) {
      case 'int':
        return String(dice.below(4));
      case 'num':
        return dice.pick(['1.5', '0.25', '2']);
      case 'text':
        return dice.pick(["'x'", "'y'", "'abc'", "''"]);
      case 'bool':
        return dice.pick(['true', 'false']);
      case 'date':
        return "date '2020-01-01'";
      case 'time':
        return dice.pick(["timestamptz '2020-01-01 10:00+00'", "timestamp '2020-01-01 10:15'"]);
      default:
        return "'1 day'::interval";
    }
  }
}

/** max() exists for the kind. */
function hasMaximum(kind: Kind): boolean {
  return kind !== 'bool' && kind !== 'other';
}
