/** What a relation family says of one relation: its rows, and how long they stay right. */
import type { Batch } from '../../../operators/batch/batch.ts';
import type { Datum } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { RelationColumn } from '../../../planner/catalog_reader.ts';
import type { SessionInfo, SessionView } from '../options.ts';
import type { AdvisoryLocks } from './advisory_locks.ts';
import type { CatalogFacts } from './facts.ts';

/** The live sessions, as PostgresServer gives them. */
export interface Sessions {
  sessions(): SessionInfo[];
  session(pid: number): SessionView | null;
}

/** One row: values by column name. A column that is not named is NULL. */
export type CatalogRow = Record<string, Datum>;

/** When counts began again, in microseconds since 2000-01-01 UTC; null: with the server. */
export interface StatisticsReset {
  at: bigint | null;
}

export interface Moment {
  facts: CatalogFacts;
  context: EvalContext;
  sessions: Sessions | null;
  /** The calling session; null outside of the server. */
  session: SessionView | null;
  locks: AdvisoryLocks;
  statistics: StatisticsReset;
}

export interface CatalogRelation {
  /**
   * 'release': the same for everyone, as long as the server runs; 'catalog': until the next CREATE or DROP, for sessions of one user
   * and database name (in information_schema also of one schema of temporary objects); 'moment': made for each read.
   */
  until: 'release' | 'catalog' | 'moment';
  rows(moment: Moment, columns: RelationColumn[]): Datum[][];
  /** Where 'catalog' is too often: text that moves when the rows do. */
  key?(facts: CatalogFacts): string;
  /** Before each read of rows that are kept: writes the fixed-width values that change more often than the rest. */
  refresh?(moment: Moment, batch: Batch): void;
}

/** Rows written as records. Throws on a name that is no column, which is a mistake in the family. */
export function toRows(columns: RelationColumn[], records: CatalogRow[]): Datum[][] {
  const names = columns.map((c) => c.name);
  const known = new Set(names);
  const first = records[0];
  if (first !== undefined) {
    for (const name of Object.keys(first))
      if (!known.has(name)) throw new Error(`no column ${name} among ${names.join()}`);
  }
  return records.map((record) => names.map((name) => record[name] ?? null));
}

/** A relation made of records that are right until the catalog changes: of facts, user and database only. */
export function ofCatalog(rows: (facts: CatalogFacts, context: EvalContext) => CatalogRow[]): CatalogRelation {
  return { until: 'catalog', rows: ({ facts, context }, columns) => toRows(columns, rows(facts, context)) };
}

/** A relation made of records for each read. */
export function ofMoment(rows: (moment: Moment) => CatalogRow[]): CatalogRelation {
  return { until: 'moment', rows: (moment, columns) => toRows(columns, rows(moment)) };
}
