/**
 * pg_catalog and information_schema: relations whose rows are computed when a query reads them, from the engine's catalog, the
 * sessions, and PostgreSQL's own catalogs as data. Queries over them are planned and run like any other.
 *
 * Relations that hold nothing here (extensions, policies, publications, ...) exist with their columns and no rows. Rows that stay
 * right for longer than one read are kept as a batch.
 */
import { Arena } from '../../../operators/batch/arena.ts';
import type { Batch } from '../../../operators/batch/batch.ts';
import { batchFromRows } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { isOpenMark, temporaryIn } from '../../../operators/expr/search_path.ts';
import type { Relation } from '../../../planner/catalog_reader.ts';
import type { TidemarkEngine } from '../../runtime/engine.ts';
import type { CatalogRelations } from '../../runtime/system_catalog.ts';
import { AdvisoryLocks } from './advisory_locks.ts';
import type { CatalogRelation, Moment, Sessions, StatisticsReset } from './catalog_relation.ts';
import { CatalogFacts } from './facts.ts';
import { answerCatalogFunction } from './functions/index.ts';
import { RELATIONS } from './relations.ts';
import { type SystemRelation, systemRelation, systemRelationByOid } from './system_relations.ts';

interface KeptRows {
  batch: Batch;
  arena: Arena;
  /** What the rows were made for. */
  key: string;
}

export class PgCatalog implements CatalogRelations {
  readonly #engine: TidemarkEngine;
  /** By what is seen beside what everybody sees. */
  readonly #facts = new Map<string, CatalogFacts>();
  readonly #kept = new Map<number, KeptRows>();
  readonly #locks = new AdvisoryLocks(() => this.sessions);
  readonly #statistics: StatisticsReset = { at: null };
  /** Set once the server listens. */
  sessions: Sessions | null = null;

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  relation(schema: string, name: string): Relation | null {
    return systemRelation(schema, name);
  }

  relationByOid(oid: number): Relation | null {
    return systemRelationByOid(oid);
  }

  /** The facts of the catalog as it is now, for who has this search path. */
  facts(searchPath: string[]): CatalogFacts {
    const open = this.#openOf(searchPath);
    const known = this.#facts.get(open);
    if (known?.version === this.#engine.catalogVersion) return known;
    if (known === undefined || open === '') this.#facts.clear();
    const facts = new CatalogFacts(this.#engine, searchPath);
    this.#facts.set(open, facts);
    return facts;
  }

  /** The mark of the open transaction whose objects are seen; empty while none has made anything. */
  #openOf(searchPath: string[]): string {
    return !this.#engine.catalog.hasOpen ? '' : (searchPath.find(isOpenMark) ?? '');
  }

  moment(context: EvalContext): Moment {
    const pid = context.session?.backendPid();
    const session = pid === undefined ? null : (this.sessions?.session(pid) ?? null);
    return {
      facts: this.facts(context.searchPath),
      context,
      sessions: this.sessions,
      session,
      locks: this.#locks,
      statistics: this.#statistics,
    };
  }

  rows(oid: number, context: EvalContext): Datum[][] | Batch | null {
    const relation = systemRelationByOid(oid);
    if (relation === null) return null;
    const source: CatalogRelation | undefined = RELATIONS[`${relation.schema}.${relation.name}`];
    if (source === undefined) return [];
    if (source.until === 'moment') return source.rows(this.moment(context), relation.columns);
    const moment = this.moment(context);
    const batch = this.#keep(relation, source, moment);
    source.refresh?.(moment, batch);
    return batch;
  }

  #keep(relation: SystemRelation, source: CatalogRelation, moment: Moment): Batch {
    const own = source.until === 'release' ? '' : this.#keyOf(relation, moment.context);
    const key = source.key?.(moment.facts) ?? own;
    const kept = this.#kept.get(relation.oid);
    if (kept !== undefined && kept.key === key) return kept.batch;
    const arena = new Arena();
    const types = relation.columns.map((c) => c.type);
    const batch = batchFromRows(types, source.rows(moment, relation.columns), arena);
    kept?.arena.release();
    this.#kept.set(relation.oid, { batch, arena, key });
    return batch;
  }

  #keyOf({ schema }: SystemRelation, { user, role, sessionUser, database, searchPath }: EvalContext): string {
    // Temporary objects are listed there for their own session.
    const own = schema === 'information_schema' ? (temporaryIn(searchPath) ?? '') : '';
    return JSON.stringify([
      this.#engine.catalogVersion,
      own,
      this.#openOf(searchPath),
      role,
      user,
      sessionUser,
      database,
    ]);
  }

  close(): void {
    for (const { arena } of this.#kept.values()) arena.release();
    this.#kept.clear();
  }

  answer(name: string, args: Datum[], context: EvalContext): Datum {
    return answerCatalogFunction(name, args, this.moment(context));
  }
}
