/**
 * For differential tests: one function call, or one input, run by real PostgreSQL (PGlite) and by the functions here, both as
 * text. Errors compare by SQLSTATE and message. Not part of the server.
 */
import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../operators/datum.ts';
import { SqlError } from '../operators/errors.ts';
import { defaultContext } from '../operators/expr/context.ts';
import { resolveCall, resolveSet } from '../operators/expr/functions/index.ts';
import { inputBinary, inputText, outputBinary, outputText } from '../operators/expr/io/index.ts';
import type { EvalContext } from '../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../operators/types.ts';

/** Runs a query of one text column; its rows joined by line feeds, or `SQLSTATE message | detail`. */
const ATTEMPT = `
  CREATE FUNCTION attempt(q text) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE r text; detail text;
  BEGIN
    EXECUTE 'SELECT coalesce(string_agg(coalesce(x, ''NULL''), E''\\n''), '''') FROM (' || q || ') AS t(x)' INTO r;
    RETURN r;
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN detail = '' THEN '' ELSE ' | ' || detail END;
  END $$`;

/** Checks sent to PostgreSQL in one round trip. */
const BATCH = 2000;

/** An argument: its pg_type name and its text, or null. */
export type Arg = [type: string, text: string | null];

export class PostgresOracle {
  private readonly db: PGlite;
  readonly ctx: EvalContext;
  /** Every difference found, for one report at the end. */
  readonly differences: string[] = [];
  checked = 0;
  private readonly pending: { sql: string; what: string; actual: string }[] = [];

  private constructor(db: PGlite) {
    this.db = db;
    this.ctx = defaultContext();
  }

  static async start(): Promise<PostgresOracle> {
    const db = await PGlite.create();
    await db.exec(ATTEMPT);
    const oracle = new PostgresOracle(db);
    const now = await oracle.postgres(`SELECT (extract(epoch FROM now()) * 1000000)::int8 - 946684800000000`);
    oracle.ctx.now = BigInt(now);
    return oracle;
  }

  async stop(): Promise<void> {
    await this.db.close();
  }

  /** Sets TimeZone, DateStyle or IntervalStyle on both sides. */
  async set(setting: 'timeZone' | 'dateStyle' | 'intervalStyle', value: string): Promise<void> {
    await this.flush();
    await this.db.exec(`SET ${setting} = '${value}'`);
    this.ctx[setting] = value;
  }

  /** The text PostgreSQL gives for a query of one column, rows joined by newlines; or `SQLSTATE message`. */
  async postgres(sql: string): Promise<string> {
    try {
      const result = await this.db.query<(string | null)[]>(sql, [], { rowMode: 'array' });
      return result.rows.map((r) => (r[0] === null ? 'NULL' : String(r[0]))).join('\n');
    } catch (e) {
      const error = e as { code?: string; message: string; detail?: string };
      return `${error.code} ${error.message}${error.detail ? ` | ${error.detail}` : ''}`;
    }
  }

  private here(run: () => string): string {
    try {
      return run();
    } catch (e) {
      if (!(e instanceof SqlError)) throw e;
      return `${e.sqlstate} ${e.message}${e.fields.detail ? ` | ${e.fields.detail}` : ''}`;
    }
  }

  /** Notes a check: what happens here is found at once, what PostgreSQL says comes with the next batch. */
  private async column(sql: string, what: string, run: () => string): Promise<void> {
    let actual: string;
    try {
      actual = this.here(run);
    } catch (e) {
      actual = `CRASH ${(e as Error).stack}`;
    }
    this.pending.push({ sql, what, actual });
    if (this.pending.length >= BATCH) await this.flush();
  }

  private async flush(): Promise<void> {
    const batch = this.pending.splice(0);
    if (batch.length === 0) return;
    const result = await this.db.query<[string]>(
      'SELECT attempt(q) FROM unnest($1::text[]) WITH ORDINALITY AS t(q, i) ORDER BY i',
      [batch.map((c) => c.sql)],
      { rowMode: 'array' },
    );
    result.rows.forEach(([expected], i) => {
      const { what, actual } = batch[i];
      this.checked++;
      if (expected !== actual) this.differences.push(`${what}\n    postgres ${expected}\n    here     ${actual}`);
    });
  }

  /** Text input and output of a type, `typmod` as SQL writes it; and the binary forms, there and back. */
  async io(
    type: string,
    text: string,
    options: { typeSql?: string; typmod?: number; binary?: boolean } = {},
  ): Promise<void> {
    const t = colType(typeOid(type), options.typmod ?? -1);
    await this.column(
      `SELECT (${literal(text)}::${options.typeSql ?? quoted(type)})::text`,
      `${JSON.stringify(text)}::${options.typeSql ?? type} (${this.settings()})`,
      () => {
        const d = inputText(text, t, this.ctx);
        if (options.binary !== false) {
          assert.deepEqual(inputBinary(outputBinary(d, t.oid), t.oid), d, `binary of ${type} ${text}`);
        }
        return outputText(d, t.oid, this.ctx);
      },
    );
  }

  /** One call of a scalar function; `fn` is its regprocedure key, `result` the pg_type name of the concrete result. */
  async call(fn: string, args: Arg[], result: string, fnSql?: string): Promise<void> {
    const name = fn.slice(0, fn.indexOf('('));
    await this.column(
      `SELECT (${fnSql ?? `pg_catalog."${name}"(${args.map(argSql).join(', ')})`})::text`,
      `${name}(${args.map(argSql).join(', ')}) (${this.settings()})`,
      () => {
        const d = this.callHere(fn, args, result);
        return d === null ? 'NULL' : castToText(d, typeOid(result), this.ctx);
      },
    );
  }

  /** All rows of a set-returning function with one output column, or those of its output record's text. */
  async set_(fn: string, args: Arg[], results: string[]): Promise<void> {
    const name = fn.slice(0, fn.indexOf('('));
    const call = `pg_catalog."${name}"(${args.map(argSql).join(', ')})`;
    await this.column(`SELECT (x.*)::text FROM ${call} AS x LIMIT 1000`, `${call} (${this.settings()})`, () => {
      const values = args.map((a) => this.datum(a));
      const bound = resolveSet(fn, {
        argTypes: args.map(argType),
        resultType: colType(typeOid(results[0])),
        variadic: false,
      });
      const rows: string[] = [];
      for (const row of bound(values, this.ctx)) {
        const record: Datum = { k: 'record', types: results.map(typeOid), values: row };
        rows.push(
          results.length > 1
            ? outputText(record, OID.record, this.ctx)
            : row[0] === null
              ? 'NULL'
              : castToText(row[0], typeOid(results[0]), this.ctx),
        );
        if (rows.length >= 1000) break;
      }
      return rows.join('\n');
    });
  }

  private callHere(fn: string, args: Arg[], result: string): Datum {
    const values = args.map((a) => this.datum(a));
    const bound = resolveCall(fn, {
      argTypes: args.map(argType),
      resultType: colType(typeOid(result)),
      variadic: false,
    });
    return bound(values, this.ctx);
  }

  private datum([type, text]: Arg): Datum {
    return text === null ? null : inputText(text, colType(typeOid(type)), this.ctx);
  }

  private settings(): string {
    return `${this.ctx.timeZone}, ${this.ctx.dateStyle}, ${this.ctx.intervalStyle}`;
  }

  /** Fails with all differences found since the last report. */
  async report(title: string): Promise<void> {
    await this.flush();
    const found = this.differences.splice(0);
    const perName = new Map<string, number>();
    const few = found.filter((d) => {
      const name = d.slice(0, d.search(/[(:]/));
      perName.set(name, (perName.get(name) ?? 0) + 1);
      return perName.get(name)! <= 6;
    });
    const shown = few.slice(0, 120).join('\n  ');
    assert.equal(found.length, 0, `${title}: ${found.length} of ${this.checked} differ\n  ${shown}`);
    this.checked = 0;
  }
}

/** OID of a pg_type name. */
function typeOid(type: string): number {
  const oid = (OID as Record<string, number>)[type];
  if (oid === undefined) throw new Error(`no OID for ${type}`);
  return oid;
}

const argType = ([type]: Arg): ColType => colType(typeOid(type));

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const quoted = (type: string) => (type.startsWith('_') ? `"${type.slice(1)}"[]` : `"${type}"`);
const argSql = ([type, text]: Arg) => `${text === null ? 'NULL' : literal(text)}::${quoted(type)}`;

/** What `::text` gives: the output, except that bool has its own words. */
function castToText(d: Datum, oid: number, ctx: EvalContext): string {
  return oid === OID.bool ? String(d) : outputText(d, oid, ctx);
}
