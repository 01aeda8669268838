/**
 * Test helper: asks a real PostgreSQL (PGlite) what functions return, thousands of calls in one round trip, and compares.
 *
 * An outcome is text: `V` + the result cast to text, `N` for NULL, `E` + SQLSTATE + message. Set-returning functions give their
 * rows joined by `|`.
 */
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType } from '../../types.ts';
import { defaultContext } from '../context.ts';
import { resolveCall, resolveSet } from '../functions/index.ts';
import { inputText } from '../io/index.ts';
import type { EvalContext } from '../ir.ts';
import { castToText } from '../text/output.ts';

/** A call: regprocedure text and its arguments as text input (null: NULL). */
export type Call = [fn: string, ...args: (string | null)[]];

interface Proc {
  argTypes: number[];
  argNames: string[];
  result: number;
  strict: boolean;
  set: boolean;
}

const BATCH = 2000;

export class Oracle {
  private readonly db: PGlite;
  private readonly procs: Map<string, Proc>;
  readonly ctx: EvalContext;

  private constructor(db: PGlite, procs: Map<string, Proc>, ctx: EvalContext) {
    this.db = db;
    this.procs = procs;
    this.ctx = ctx;
  }

  static async start(): Promise<Oracle> {
    const db = await PGlite.create();
    await db.exec(`
      SET timezone = 'UTC';
      CREATE FUNCTION attempt(q text) RETURNS text LANGUAGE plpgsql AS $$
      DECLARE r text;
      BEGIN
        EXECUTE q INTO r;
        RETURN coalesce('V' || r, 'N');
      EXCEPTION WHEN OTHERS THEN
        RETURN 'E' || sqlstate || ' ' || sqlerrm;
      END $$`);
    const rows = await db.query<{
      fn: string;
      args: string;
      names: string;
      result: number;
      strict: boolean;
      set: boolean;
    }>(`
      SELECT proname || '(' || coalesce(string_agg(t.typname, ',' ORDER BY n), '') || ')' AS fn,
             array_to_string(proargtypes::oid[], ' ') AS args, coalesce(string_agg(t.typname, ' ' ORDER BY n), '') AS names,
             prorettype::int AS result, proisstrict AS strict, proretset AS set
      FROM pg_proc p LEFT JOIN unnest(proargtypes) WITH ORDINALITY AS a(o, n) ON true LEFT JOIN pg_type t ON t.oid = a.o
      WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
      GROUP BY p.oid, proname, proargtypes, prorettype, proisstrict, proretset`);
    const split = (s: string) => (s === '' ? [] : s.split(' '));
    const procs = new Map<string, Proc>();
    for (const r of rows.rows) {
      const { result, strict, set } = r;
      procs.set(r.fn, { argTypes: split(r.args).map(Number), argNames: split(r.names), result, strict, set });
    }
    return new Oracle(db, procs, defaultContext());
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  /** Runs statements without a result. */
  async exec(sql: string): Promise<void> {
    await this.db.exec(sql);
  }

  /** Outcomes of queries that return one value each. */
  async attempt(queries: string[]): Promise<string[]> {
    const out: string[] = [];
    for (let i = 0; i < queries.length; i += BATCH) {
      const list = queries
        .slice(i, i + BATCH)
        .map(literal)
        .join(',');
      const sql = `SELECT attempt(q) AS r FROM unnest(ARRAY[${list}]::text[]) WITH ORDINALITY AS u(q, n) ORDER BY n`;
      const { rows } = await this.db.query<{ r: string }>(sql);
      for (const row of rows) out.push(row.r);
    }
    return out;
  }

  private proc(fn: string): Proc {
    const p = this.procs.get(fn);
    if (!p) throw new Error(`no function ${fn} in PostgreSQL`);
    return p;
  }

  /** The SQL text of a call. */
  sql([fn, ...args]: Call): string {
    const p = this.proc(fn);
    const list = args.map((a, i) => `${a === null ? 'NULL' : literal(a)}::${quoteName(p.argNames[i])}`).join(', ');
    const call = `pg_catalog.${quoteName(fn.slice(0, fn.indexOf('(')))}(${list})`;
    if (p.set) return `SELECT coalesce(string_agg(coalesce(x::text, 'NULL'), '|'), '') FROM ${call} AS x`;
    return `SELECT (${call})::text`;
  }

  /** What Tidemark makes of a call. */
  ours([fn, ...args]: Call): string {
    const p = this.proc(fn);
    return outcome(() => {
      const types = p.argTypes.map((oid) => colType(oid));
      const values = args.map((a, i) => (a === null ? null : inputText(a, types[i], this.ctx)));
      const info = { argTypes: types, resultType: colType(p.result), variadic: false };
      if (p.set) {
        if (p.strict && values.includes(null)) return '';
        const rows = [...resolveSet(fn, info)(values, this.ctx)];
        return rows.map(([v]) => this.show(v, p.result) ?? 'NULL').join('|');
      }
      if (p.strict && values.includes(null)) return null;
      return this.show(resolveCall(fn, info)(values, this.ctx), p.result);
    });
  }

  private show(v: Datum, oid: number): string | null {
    return v === null ? null : castToText(v, oid, this.ctx);
  }

  /** Differences between PostgreSQL and Tidemark, as readable lines. `same` may accept what is not literally equal. */
  async differences(
    calls: Call[],
    same: (theirs: string, ours: string) => boolean = (a, b) => a === b,
  ): Promise<string[]> {
    const theirs = await this.attempt(calls.map((c) => this.sql(c)));
    const out: string[] = [];
    calls.forEach((c, i) => {
      const ours = this.ours(c);
      if (!same(theirs[i], ours)) out.push(`${JSON.stringify(c)}\n    PostgreSQL ${theirs[i]}\n    Tidemark   ${ours}`);
    });
    return out;
  }
}

/** Runs and tells the outcome; only SqlErrors are outcomes. */
export function outcome(run: () => string | null): string {
  try {
    const v = run();
    return v === null ? 'N' : `V${v}`;
  } catch (e) {
    if (!(e instanceof SqlError)) throw e;
    return `E${e.sqlstate} ${e.message}`;
  }
}

export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

function quoteName(name: string): string {
  return `"${name}"`;
}

/** Every way to pick one of each list. */
export function product<T>(...lists: T[][]): T[][] {
  return lists.reduce<T[][]>((acc, list) => acc.flatMap((head) => list.map((x) => [...head, x])), [[]]);
}

/** Fails with at most `limit` differences shown. */
export function report(differences: string[], limit = 40): void {
  if (differences.length === 0) return;
  const shown = differences.slice(0, limit).join('\n  ');
  throw new Error(`${differences.length} differences\n  ${shown}`);
}
