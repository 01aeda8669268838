/**
 * Random functions in SQL over random tables, as queries and as views that were made before the rows, beside PostgreSQL. Bodies are expressions, subqueries and sets of rows, and call
 * those before them. Replay with SEED.
 */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded } from './harness.ts';

const { random, seed } = seeded('random functions');
const ROUNDS = process.env.TIDEMARK_QUICK === '1' ? 1 : 5;

const pick = <T>(list: readonly T[]): T => list[random(list.length)];

interface Made {
  name: string;
  args: number;
}

class Bodies {
  readonly scalars: Made[] = [];
  readonly sets: Made[] = [];

  /** An int expression over these names. */
  int(names: readonly string[], depth = 3): string {
    if (depth === 0 || random(5) === 0) return random(6) === 0 ? 'NULL::int' : pick([...names, String(random(9))]);
    const e = () => this.int(names, depth - 1);
    switch (random(9)) {
      case 0:
        return `(${e()} + ${e()}) % 101`;
      case 1:
        return `(${e()} - ${e()}) % 101`;
      case 2:
        return `(${e()} * ${e()}) % 101`;
      case 3:
        return `coalesce(${e()}, ${e()})`;
      case 4:
        return `CASE WHEN ${e()} > ${e()} THEN ${e()} ELSE ${e()} END`;
      case 5:
        return `greatest(${e()}, ${e()})`;
      case 6:
        return `nullif(${e()}, ${e()})`;
      default:
        return this.scalars.length === 0 ? e() : this.call(pick(this.scalars), names, Math.min(depth - 1, 1));
    }
  }

  call({ name, args }: Made, names: readonly string[], depth: number): string {
    return `${name}(${Array.from({ length: args }, () => this.int(names, depth)).join(', ')})`;
  }

  condition(own: readonly string[], names: readonly string[]): string {
    return `${pick(own)} ${pick(['=', '<', '<=', '<>', 'IS NOT DISTINCT FROM'])} ${this.int(names, 1)}`;
  }

  scalar(): string {
    const args = 1 + random(2);
    const names = ['x', 'y'].slice(0, args);
    const name = `f${this.scalars.length}`;
    const own = ['r.a', 'r.b'];
    const body = pick([
      () => this.int(names),
      () => this.int(names),
      () => `max(${this.int([...own, ...names], 1)}) FROM r WHERE ${this.condition(own, names)}`,
      () => `count(*)::int FROM r WHERE ${this.condition(own, names)} AND ${this.condition(own, names)}`,
      () => `r.b FROM r WHERE r.id = ${this.int(names, 1)}`,
      () => `r.a FROM r WHERE ${this.condition(own, names)} ORDER BY r.id DESC`,
      () => `(SELECT min(r.a) FROM r WHERE ${this.condition(own, names)}) + ${this.int(names, 1)}`,
    ])();
    const made = `CREATE FUNCTION ${name}(${names.map((n) => `${n} int`).join(', ')}) RETURNS int LANGUAGE sql ${pick(['', 'STABLE', 'STRICT'])} AS 'SELECT ${body}'`;
    this.scalars.push({ name, args });
    return made;
  }

  set(): string {
    const args = 1 + random(2);
    const names = ['x', 'y'].slice(0, args);
    const name = `s${this.sets.length}`;
    const own = ['r.a', 'r.b'];
    const body = pick([
      () => `r.id, ${this.int([...own, ...names], 2)} FROM r WHERE ${this.condition(own, names)}`,
      () => `r.a, count(*)::int FROM r WHERE ${this.condition(own, names)} GROUP BY r.a`,
      () => `DISTINCT r.b, ${this.int(names, 1)} FROM r`,
      () => `r.id, r.b FROM r WHERE ${this.condition(own, names)} ORDER BY r.b, r.id LIMIT 2`,
      () => `1, ${this.int(names, 1)} UNION ALL SELECT 2, ${this.int(names, 1)}`,
    ])();
    const made = `CREATE FUNCTION ${name}(${names.map((n) => `${n} int`).join(', ')}) RETURNS TABLE (p int, q int) LANGUAGE sql ${pick(['', 'STRICT'])} AS 'SELECT ${body}'`;
    this.sets.push({ name, args });
    return made;
  }

  query(): string {
    const t = ['t.a', 't.b'];
    const f = () => this.call(pick(this.scalars), t, 1);
    const s = () => this.call(pick(this.sets), t, 1);
    return pick([
      () => `SELECT t.id, ${f()} AS v, ${f()} AS w FROM t`,
      () => `SELECT t.id FROM t WHERE ${f()} > ${this.int(t, 1)}`,
      () => `SELECT ${f()} AS k, count(*) AS n FROM t GROUP BY 1`,
      () => `SELECT t.a, sum(${f()}) AS n, max(${f()}) AS m FROM t GROUP BY t.a`,
      () => `SELECT t.id, s.p, s.q FROM t, ${s()} s`,
      () => `SELECT t.id, s.p, s.q FROM t LEFT JOIN LATERAL ${s()} s ON s.q > 2`,
      () => `SELECT t.id, (SELECT sum(s.q) FROM ${s()} s WHERE s.p <> t.id) AS v FROM t`,
      () => `SELECT t.id FROM t WHERE EXISTS (SELECT FROM ${s()} s WHERE s.p = t.a)`,
      () =>
        `SELECT t.id, u.id AS other FROM t JOIN t u ON ${f()} = ${this.call(pick(this.scalars), ['u.a', 'u.b'], 0)}`,
    ])();
  }
}

const value = () => (random(5) === 0 ? 'NULL' : String(random(6)));

test(`random functions (SEED=${seed})`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const both = await AgainstPostgres.open();
    await both.statement('CREATE TABLE r (id int PRIMARY KEY, a int, b int)');
    await both.statement('CREATE TABLE t (id int PRIMARY KEY, a int, b int)');
    const bodies = new Bodies();
    for (let i = 0; i < 5; i++) await both.statement(bodies.scalar());
    for (let i = 0; i < 3; i++) await both.statement(bodies.set());
    const views: Record<string, string> = {};
    for (let i = 0; i < 10; i++) {
      views[`v${i}`] = bodies.query();
      await both.here(`CREATE MATERIALIZED VIEW v${i} AS ${views[`v${i}`]}`);
    }
    for (let step = 0; step < 4; step++) {
      const table = step === 0 ? 't' : pick(['r', 't']);
      const rows = Array.from({ length: 6 }, (_, i) => `(${step * 10 + i}, ${value()}, ${value()})`);
      await both.statement(`INSERT INTO ${table} VALUES ${rows.join(', ')}`);
      await both.statement(`UPDATE ${pick(['r', 't'])} SET a = ${value()}, b = ${value()} WHERE id % 3 = ${random(3)}`);
      await both.statement(`DELETE FROM ${pick(['r', 't'])} WHERE id % 5 = ${random(5)}`);
      for (const query of Object.values(views)) await both.statement(query);
      await both.sameRows(`step ${step} of round ${round}, seed ${seed}`, [], views);
    }
    await both.close();
  }
});
