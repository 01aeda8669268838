/** For tests of this folder: an engine with catalogs, and SQL on it. */
import '../../../../operators/expr/functions/index.ts';
import { castToText } from '../../../../operators/expr/text/output.ts';
import { initParser } from '../../../../planner/parse/parse.ts';
import type { ResultColumn } from '../../../engine.ts';
import { TidemarkEngine } from '../../../runtime/engine.ts';
import { localSession } from '../../../runtime/local_session.ts';
import { runScript } from '../../../runtime/script.ts';
import { PgCatalog } from '../pg_catalog.ts';

export type TextRow = (string | null)[];

export class CatalogUnderTest {
  readonly engine: TidemarkEngine;
  readonly catalog: PgCatalog;

  private constructor() {
    this.engine = new TidemarkEngine({ automatic: false });
    this.catalog = new PgCatalog(this.engine);
    this.engine.system.catalogs = this.catalog;
  }

  static async open(setup = ''): Promise<CatalogUnderTest> {
    await initParser();
    const opened = new CatalogUnderTest();
    await runScript(opened.engine, setup);
    return opened;
  }

  async run(sql: string): Promise<void> {
    await runScript(this.engine, sql);
  }

  /** Result columns of the last statement. */
  async columns(sql: string): Promise<ResultColumn[]> {
    const results = await runScript(this.engine, sql);
    return results[results.length - 1].columns;
  }

  /** Rows of the last statement, each value cast to text. */
  async rows(sql: string): Promise<TextRow[]> {
    const results = await runScript(this.engine, sql);
    const { rows, columns } = results[results.length - 1];
    const context = localSession(this.engine).evalContext;
    return rows.map((row) => row.map((d, i) => (d === null ? null : castToText(d, columns[i].type.oid, context))));
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
