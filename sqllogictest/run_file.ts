/**
 * Runs one file in one of two ways:
 *
 *   batch   every record as it stands
 *   views   every query that can be one becomes a materialized view as soon as its tables exist (so before their rows), and the record
 *           reads the view. What the view holds is compared without order.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareRows } from './compare.ts';
import { parseRecords, type QueryRecord, type SltRecord } from './records.ts';
import type { Target } from './target.ts';

export type Way = 'batch' | 'views';

export interface Failure {
  path: string;
  line: number;
  message: string;
  sql: string;
}

export interface FileResult {
  passed: number;
  failures: Failure[];
}

export interface RunOptions {
  way: Way;
  /** The error text of a record must match (our own files); other engines word errors differently. */
  strictErrors: boolean;
}

export async function runFile(path: string, target: Target, options: RunOptions): Promise<FileResult> {
  const result: FileResult = { passed: 0, failures: [] };
  const { records, hashThreshold } = load(path);
  const views = new ViewSet(target, options.way === 'views' ? records : []);
  for (const record of records) {
    if (record.k === 'halt') break;
    if (record.k === 'sleep') continue;
    const message = await check(record, target, views, hashThreshold, options);
    if (message === null) result.passed++;
    else result.failures.push({ path, line: record.line, message, sql: 'sql' in record ? record.sql : record.text });
  }
  return result;
}

/** The file's records with included files in place. */
function load(path: string): { records: SltRecord[]; hashThreshold: number } {
  const file = parseRecords(readFileSync(path, 'utf8'), path);
  const records = file.records.flatMap((record) =>
    record.k === 'include' && !record.text.includes('*') ? load(join(dirname(path), record.text)).records : [record],
  );
  return { records, hashThreshold: file.hashThreshold };
}

async function check(
  record: SltRecord,
  target: Target,
  views: ViewSet,
  hashThreshold: number,
  options: RunOptions,
): Promise<string | null> {
  if (record.k === 'statement') return checkStatement(record.sql, record.error, target, views, options);
  if (record.k !== 'query') return `unsupported directive: ${record.text}`;
  if (record.expected === null) return checkStatement(record.sql, record.error ?? '', target, views, options);
  try {
    const view = views.of(record);
    const rows = await target.run(view === null ? record.sql : `SELECT * FROM ${view}${orderOf(record.sql)}`);
    if (rows === null) return record.expected.length === 0 ? null : 'the query gave no rows';
    return compareRows(record, rows, hashThreshold, view !== null);
  } catch (error) {
    return (error as Error).message;
  }
}

async function checkStatement(
  sql: string,
  error: string | null,
  target: Target,
  views: ViewSet,
  options: RunOptions,
): Promise<string | null> {
  await views.before(sql);
  try {
    await target.run(sql);
  } catch (thrown) {
    const message = (thrown as Error).message;
    if (message.startsWith('no answer within')) return message;
    if (error === null) return !options.strictErrors && foreignSetting(sql, message) ? null : message;
    if (!options.strictErrors || error === '' || matches(message, error)) return null;
    return `error "${message}" is not "${error}"`;
  }
  if (error !== null) return 'succeeded, but an error is expected';
  await views.after(sql);
  return null;
}

/** Other engines' files set their own parameters, which mean nothing here. */
function foreignSetting(sql: string, message: string): boolean {
  return /^\s*set\s/i.test(sql) && message.startsWith('unrecognized configuration parameter');
}

function matches(message: string, wanted: string): boolean {
  if (message.includes(wanted)) return true;
  try {
    return new RegExp(wanted).test(message);
  } catch {
    return false;
  }
}

/** The views of a file's queries. */
class ViewSet {
  readonly #target: Target;
  readonly #waiting = new Map<QueryRecord, string>();
  readonly #made = new Map<QueryRecord, string>();

  constructor(target: Target, records: SltRecord[]) {
    this.#target = target;
    for (const record of records) {
      if (record.k === 'query' && record.expected !== null && canBeView(record.sql))
        this.#waiting.set(record, `slt_view_${record.line}`);
    }
  }

  /** Name of the record's view, or null when it is read directly. */
  of(record: QueryRecord): string | null {
    return this.#made.get(record) ?? null;
  }

  /** A statement that takes something away must not be refused because of our views: they go first and come back. */
  async before(sql: string): Promise<void> {
    if (!/^\s*(drop|alter|truncate)\b/i.test(sql)) return;
    for (const [record, name] of this.#made) {
      await this.#try(`DROP MATERIALIZED VIEW ${name}`);
      this.#waiting.set(record, name);
    }
    this.#made.clear();
  }

  /** After a definition more queries may have what they need. */
  async after(sql: string): Promise<void> {
    if (!/^\s*(create|drop|alter|set)\b/i.test(sql) || this.#waiting.size === 0) return;
    for (const [record, name] of [...this.#waiting]) {
      const columns = record.named ? '' : `(${[...record.types].map((_, i) => `c${i + 1}`).join(', ')}) `;
      const made = await this.#try(`CREATE MATERIALIZED VIEW ${name} ${columns}AS ${record.sql.replace(/;\s*$/, '')}`);
      if (!made) continue;
      this.#made.set(record, name);
      this.#waiting.delete(record);
    }
  }

  /** Queries that never could become views: with what error. */
  get refused(): number {
    return this.#waiting.size;
  }

  async #try(sql: string): Promise<boolean> {
    try {
      await this.#target.run(sql);
      return true;
    } catch {
      return false;
    }
  }
}

/** What a view's rows are read in: a hash of them is that of the query's order, where that says positions of columns. */
function orderOf(sql: string): string {
  return /\sORDER BY \d+(?: DESC)?(?:, ?\d+(?: DESC)?)*$/.exec(sql.trim())?.[0] ?? '';
}

const NEVER =
  /\b(pg_catalog|information_schema|pg_[a-z_]+|current_setting|now\s*\(|current_|random\s*\(|clock_timestamp|uuid_generate|gen_random)/i;

function canBeView(sql: string): boolean {
  return /^\s*(select|with|values|\()/i.test(sql) && !NEVER.test(sql);
}
