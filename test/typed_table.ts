/**
 * For differential tests: a table with a column of each type and random rows, in PostgreSQL (PGlite) and here, and a query over it run by both: there, and by
 * parser, planner and operators here, in one tick or maintained over several in which rows come and go.
 */
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../operators/datum.ts';
import { SqlError } from '../operators/errors.ts';
import { defaultContext } from '../operators/expr/context.ts';
import { inputText } from '../operators/expr/io/index.ts';
import type { Random } from '../operators/testing/property.ts';
import type { Relation } from '../planner/catalog_reader.ts';
import { initParser } from '../planner/parse/parse.ts';
import { planQuery } from '../planner/physical/index.ts';
import { bindSql, runPlan, testRelation } from '../planner/physical/test_sql.ts';

/** A column: its name, its type, and the texts of the values that it may have beside NULL. */
export type TypedColumn = [name: string, type: string, values: string[]];

export class TypedTable {
  readonly #db: PGlite;
  readonly #relation: Relation;
  readonly #rows: Datum[][];
  /** Every result is text as the server sends it. */
  readonly #parsers: Record<number, (text: string) => string>;

  private constructor(db: PGlite, relation: Relation, rows: Datum[][], oids: number[]) {
    this.#db = db;
    this.#relation = relation;
    this.#rows = rows;
    this.#parsers = Object.fromEntries(oids.map((oid) => [oid, (text: string) => text]));
  }

  /** `count` random rows; the first column counts them. */
  static async create(name: string, columns: TypedColumn[], count: number, random: Random): Promise<TypedTable> {
    await initParser();
    const db = await PGlite.create();
    await db.exec("set timezone to 'UTC'; set intervalstyle to 'postgres'; set datestyle to 'ISO, MDY'");
    const definition = columns.map(([column, type]) => `${column} ${type}`).join(', ');
    await db.exec(`create table ${name} (${definition})`);
    const texts = Array.from({ length: count }, (_, id) =>
      columns.map(([, , values], c) => (c === 0 ? String(id) : random.below(9) === 0 ? null : random.pick(values))),
    );
    const literal = (v: string | null) => (v === null ? 'null' : `'${v.replaceAll("'", "''")}'`);
    await db.exec(`insert into ${name} values ${texts.map((r) => `(${r.map(literal).join(', ')})`).join(', ')}`);
    const relation = testRelation(1, name, definition);
    const rows = texts.map((r) =>
      r.map((v, i) => (v === null ? null : inputText(v, relation.columns[i].type, defaultContext()))),
    );
    const types = await db.query<[number]>('select oid::int from pg_type', [], { rowMode: 'array' });
    return new TypedTable(
      db,
      relation,
      rows,
      types.rows.map(([oid]) => oid),
    );
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  /** Rows of a query about PostgreSQL itself, as texts. */
  async catalog(sql: string): Promise<(string | null)[][]> {
    const found = await this.#db.query<(string | null)[]>(sql, [], { rowMode: 'array', parsers: this.#parsers });
    return found.rows;
  }

  /** What PostgreSQL gives: rows in order of their text, or the SQLSTATE. */
  async postgres(sql: string): Promise<string[] | string> {
    try {
      return (await this.catalog(sql)).map((r) => r.map((v) => v ?? 'NULL').join(' | ')).sort();
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  /** What is found here, in one tick or in several. */
  here(sql: string, many: boolean): string[] | string {
    const mode = many ? 'view' : 'read';
    try {
      const query = bindSql(sql, [this.#relation], mode);
      const { plan } = planQuery(query, { mode });
      return runPlan(plan, query.columns.length, [this.#relation], this.#ticks(many));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return error.sqlstate;
    }
  }

  /** The rows in one tick, or in several with rows that come and go. */
  #ticks(many: boolean): [number, Datum[], number][][] {
    const rows = this.#rows;
    const change = (list: Datum[][], weight: number) => list.map((row): [number, Datum[], number] => [1, row, weight]);
    if (!many) return [change(rows, 1)];
    const third = Math.ceil(rows.length / 3);
    const [a, b, c] = [rows.slice(0, third), rows.slice(third, 2 * third), rows.slice(2 * third)];
    return [
      change([...a, ...b], 1),
      [...change(a, -1), ...change(c, 1)],
      change(a, 1),
      change(c.slice(0, 3), 1),
      change(c.slice(0, 3), -1),
    ];
  }
}

/** Values of each type: neighbours, equal ones, the ends of the type. */
export const VALUES: Record<string, string[]> = {
  int2: ['-32768', '-1', '0', '1', '2', '5', '32767'],
  int4: ['-2147483648', '-1', '0', '1', '2', '5', '2147483647'],
  int8: ['-9223372036854775808', '0', '1', '2', '5', '9223372036854775807'],
  float4: ['-Infinity', '-1.5', '0', '-0', '1', '2.5', 'Infinity', 'NaN'],
  float8: ['-Infinity', '-1.5', '0', '1', '2.5', 'Infinity', 'NaN'],
  numeric: ['-Infinity', '-1.50', '0', '1.0', '1.5', '2.5', 'Infinity', 'NaN'],
  date: ['-infinity', '2024-01-31', '2024-02-01', '2024-02-29', '2024-03-01', 'infinity'],
  timestamp: ['-infinity', '2024-01-31 12:00', '2024-02-29', '2024-02-29 00:00:01', '2024-03-31', 'infinity'],
  timestamptz: ['-infinity', '2024-01-31 12:00+00', '2024-02-29+00', '2024-03-01+00', 'infinity'],
  interval: ['-1 day', '0', '1 hour', '1 day', '24 hours', '1 mon', '30 days'],
  time: ['00:00', '00:30', '12:00', '23:59:59', '24:00'],
  text: ['a', 'b', 'a text longer than twelve bytes'],
  bool: ['t', 'f'],
};
