/**
 * Random views over streams and a table whose times are held together by random conditions and bounded by now() on any side: at every tick each is its query over all
 * input so far. In zones that change their offset on the day, or have gone over the date line, while the clock goes on by odd steps, stands still and goes back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openEngine, Session, sql } from './harness.ts';

const MINUTE = 60_000_000n;
const DAY = 1440n * MINUTE;
/** With a time, in microseconds since 2000, about which something happens to the zone's clocks. */
const ZONES: [zone: string, about: bigint][] = [
  ['UTC', 85n * DAY],
  ['Europe/Berlin', 85n * DAY + 60n * MINUTE],
  ['America/New_York', 302n * DAY + 360n * MINUTE],
  ['Atlantic/Azores', 302n * DAY + 60n * MINUTE],
  ['Pacific/Apia', 4381n * DAY + 600n * MINUTE],
];
const VIEWS = 24;
const TICKS = 16;
const STREAMS = ['o', 'p', 's'];
/** What is no fault of a view: now() where the times do not allow it, times of two types that cannot be compared. */
const REFUSED = /now\(\)|operator does not exist/;

class Queries {
  readonly #random: Random;
  readonly #lengths: string[];

  constructor(random: Random, lengths: string[]) {
    this.#random = random;
    this.#lengths = lengths;
  }

  #length(): string {
    return `INTERVAL '${this.#random.pick(this.#lengths)}'`;
  }

  #time(alias: string, type: string): string {
    const time = `${alias}.${type}`;
    switch (this.#random.below(8)) {
      case 0:
        return `${time} + ${this.#length()}`;
      case 1:
        return `${time} - ${this.#length()}`;
      case 2:
        return `date_trunc('${this.#random.pick(['minute', 'hour', 'day', 'week', 'month'])}', ${time})`;
      case 3:
        return this.#random.chance(0.5)
          ? `date_bin('13 minutes', ${time}, '2000-01-01')`
          : `coalesce(${time}, ${time})`;
      default:
        return time;
    }
  }

  #together(a: string, b: string): string {
    const type = this.#random.pick(['at', 'at', 'local']);
    const compared = `${this.#time(a, type)} ${this.#random.pick(['=', '>', '>=', '<', '<='])} ${this.#time(b, type)}`;
    switch (this.#random.below(8)) {
      case 0:
        return `(${compared} OR ${a}.v = ${b}.v)`;
      case 1:
        return `CASE WHEN ${a}.v > 2 THEN ${compared} ELSE ${b}.v < 3 END`;
      case 2:
      case 3:
      case 4:
        return `${a}.${type} BETWEEN ${b}.${type} - ${this.#length()} AND ${b}.${type} + ${this.#length()}`;
      default:
        return compared;
    }
  }

  #on(a: string, b: string): string {
    const conditions = [this.#together(a, b)];
    if (this.#random.chance(0.8)) conditions.push(`${a}.id = ${b}.id`);
    if (this.#random.chance(0.3)) conditions.push(this.#clock(b));
    return conditions.join(' AND ');
  }

  /** Days would make the clock's local time jump. */
  #clock(a: string): string {
    const since = this.#random.pick(["- INTERVAL '1 hour'", "- INTERVAL '30 minutes'", '', "+ INTERVAL '10 minutes'"]);
    const time = this.#time(a, this.#random.pick(['at', 'at', 'local']));
    return this.#random.chance(0.2)
      ? `now() ${since} < ${time}`
      : `${time} ${this.#random.pick(['>', '>=', '>=', '<='])} now() ${since}`;
  }

  #from(): string {
    const { [this.#random.below(10)]: made } = [
      '(SELECT DISTINCT id, v, at, local FROM p)',
      "TUMBLE(s, at, INTERVAL '10 minutes')",
      '(SELECT id, v, at, local FROM o UNION ALL SELECT id, v, at, local FROM t)',
      "(SELECT id, date_trunc('minute', at) AS at, max(local) AS local, count(*)::int AS v FROM p GROUP BY 1, 2)",
      't',
    ];
    return made ?? this.#random.pick(STREAMS);
  }

  next(): string {
    const aliases = ['a', 'b', 'c'].slice(0, 1 + this.#random.below(3));
    let from = `${this.#from()} a`;
    for (const [i, alias] of aliases.entries()) {
      if (i === 0) continue;
      const kind = this.#random.pick(['JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']);
      from += ` ${kind} ${this.#from()} ${alias} ON ${this.#on(aliases[this.#random.below(i)], alias)}`;
    }
    const where = [this.#clock(this.#random.pick(aliases))];
    if (this.#random.chance(0.2)) where.push(this.#clock(this.#random.pick(aliases)));
    if (aliases.length === 1 || this.#random.chance(0.2)) {
      const a = this.#random.pick(aliases);
      const test = this.#random.pick(['EXISTS', 'NOT EXISTS', `${a}.id IN`, `${a}.id NOT IN`, `${a}.at NOT IN`]);
      const shown = test.includes('.at') ? 'z.at' : 'z.id';
      where.push(`${test} (SELECT ${shown} FROM ${this.#from()} z WHERE ${this.#on(a, 'z')})`);
    }
    const shown = aliases.map((a) => `${a}.id AS ${a}_id, ${a}.v AS ${a}_v, ${a}.at AS ${a}_at`).join(', ');
    const counted = `(SELECT count(*) FROM ${this.#from()} y WHERE ${this.#on('a', 'y')}) AS n`;
    const rest = `FROM ${from} WHERE ${where.join(' AND ')}`;
    const { [this.#random.below(6)]: query } = [
      `SELECT a.id, count(*) AS n, max(a.at) AS m ${rest} GROUP BY a.id`,
      `SELECT ${shown}, ${counted} ${rest}`,
    ];
    return query ?? `SELECT ${shown} ${rest}`;
  }
}

const seed = testSeed();

for (const [i, [zone, about]] of ZONES.entries()) {
  for (const far of [false, true]) {
    test(`random views by the clock in ${zone}, times ${far ? 'months' : 'minutes'} apart (SEED=${seed})`, {
      timeout: 600_000,
    }, async () => {
      const random = new Random(seed + 2 * i + Number(far));
      const lengths = far
        ? ['100 days', '130 days', '1 day', '3 hours', '-1 day', '30 days']
        : ['5 minutes', '30 minutes', '-10 minutes', '1 us', '1 day -1410 minutes'];
      const unit = far ? DAY / 3n : MINUTE;
      const time = { now: about - (far ? 20n * DAY : 60n * MINUTE) };
      const engine = await openEngine({ clock: () => time.now });
      // A session has one transaction, which reads one tick.
      const run = (text: string) => new Session(engine, { TimeZone: zone }).run(text);
      try {
        const mark = random.chance(0.5) ? `, WATERMARK FOR at AS at - INTERVAL '${far ? '100 days' : '1 hour'}'` : '';
        for (const name of STREAMS)
          await sql(engine, `CREATE STREAM ${name} (id int, v int, at timestamptz, local timestamp${mark})`);
        await sql(engine, 'CREATE TABLE t (k int PRIMARY KEY, id int, v int, at timestamptz, local timestamp)');
        const queries = new Queries(random, lengths);
        const views = new Map<string, string>();
        const make = async (): Promise<void> => {
          const name = `v${views.size}`;
          const query = queries.next();
          try {
            await run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
            views.set(name, query);
          } catch (e) {
            assert.match((e as Error).message, REFUSED, query);
          }
        };
        while (views.size < VIEWS) await make();
        let rows = 0;
        for (let tick = 0; tick < TICKS; tick++) {
          time.now += random.pick([0n, 1n, unit, 3n * unit, 7n * unit, 20n * unit, -unit, 2n * unit + 1n]);
          const moment = (): string => {
            if (random.chance(0.08)) return random.pick(['NULL', "'infinity'", "'-infinity'"]);
            const away = BigInt(random.below(12) - 8) * (random.chance(0.2) ? 20n * unit : unit);
            const exact = random.chance(0.1) ? time.now - 60n * MINUTE : ((time.now + away) / MINUTE) * MINUTE;
            return `TIMESTAMPTZ '2000-01-01 00:00:00Z' + ${exact + BigInt(random.chance(0.2) ? random.below(3) - 1 : 0)} * INTERVAL '1 us'`;
          };
          const common = [moment(), moment()];
          const row = (): string => {
            const at = random.chance(0.6) ? random.pick(common) : moment();
            return `${Math.floor(tick / 4) + random.below(2)}, ${random.below(5)}, ${at}, ${at.startsWith('T') ? `(${at}) AT TIME ZONE '${zone}'` : at}`;
          };
          for (const name of STREAMS) {
            const values = Array.from({ length: random.below(4) }, () => `(${row()})`);
            if (values.length > 0) await sql(engine, `INSERT INTO ${name} VALUES ${values.join(', ')}`);
          }
          const key = random.below(8);
          await sql(engine, `DELETE FROM t WHERE k = ${key}`);
          if (random.chance(0.8)) await sql(engine, `INSERT INTO t VALUES (${key}, ${row()})`);
          if (tick === TICKS / 2) for (let more = 0; more < VIEWS / 4; more++) await make();
          for (const [name, query] of views) {
            const expected = (await run(query)).map((r) => r.join('|')).sort();
            const found = (await run(`SELECT * FROM ${name}`)).map((r) => r.join('|')).sort();
            assert.deepEqual(found, expected, `tick ${tick}: ${query}`);
            rows += expected.length;
          }
        }
        assert.ok(rows > 0);
      } finally {
        await engine.close();
      }
    });
  }
}
