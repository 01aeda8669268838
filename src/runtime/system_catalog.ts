/**
 * Relations that the server computes: the tidemark schema (errors, late rows, figures of sources, views and sinks) and, through
 * PgCatalog, pg_catalog and information_schema.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { type Datum, pgArray } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { isOpenMark } from '../../operators/expr/search_path.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { SystemRelations } from '../catalog/system_relations.ts';
import type { RecoveryReport } from '../durable/recovery.ts';
import type { TidemarkEngine } from './engine.ts';
import { lateColumns } from './late_rows.ts';
import { ERROR_COLUMNS, ErrorLedger } from './ledger.ts';
import type { LocalStream } from './local_stream.ts';
import { notFound } from './names.ts';
import type { StreamRuntime } from './stream.ts';

/** What pg_catalog and information_schema are to the engine. */
export interface CatalogRelations {
  relation(schema: string, name: string): Relation | null;
  relationByOid(oid: number): Relation | null;
  rows(oid: number, context: EvalContext): Datum[][] | Batch | null;
  /** Answers catalog functions such as pg_get_viewdef by their pg_proc name. */
  answer(name: string, args: Datum[], context: EvalContext): Datum;
  /** Gives the memory of kept rows back. */
  close(): void;
}

interface FigureRelation {
  columns: [string, number][];
  /** `sees`: whether who asks sees the object. */
  rows(engine: TidemarkEngine, sees: (oid: number) => boolean): Datum[][];
}

/** As tidemark.sources shows it. */
export function sourceStatus(engine: TidemarkEngine, stream: StreamRuntime, partition: number | null): string {
  if (engine.memory.held) return 'held: memory';
  if (stream.waitsFor !== null) return `held: sink ${stream.waitsFor}`;
  return stream.status.of(partition) ?? (stream.opened ? 'running' : 'waiting');
}

/** As tidemark.memory shows them. */
export function memoryFigures(engine: TidemarkEngine): [kind: string, bytes: number][] {
  engine.memory.count();
  const stored = new Set(engine.loop.relations.values());
  const rows = [...stored].reduce((sum, relation) => sum + relation.bytes, 0);
  let operators = 0;
  let refused = 0;
  for (const node of engine.loop.graph.nodes()) {
    operators += node.figures().stateBytes;
    if (node.errors instanceof ErrorLedger) refused += node.errors.relation.bytes;
  }
  for (const { errors, late } of engine.streams.values()) refused += errors.relation.bytes + late.bytes;
  for (const { late } of engine.localStreams.values()) refused += late.bytes;
  return [
    ...(Number.isFinite(budget.limit) ? [['limit', budget.limit] as [string, number]] : []),
    ['used', pages.usedBytes + budget.outsideBytes],
    ['rows of tables and views', rows],
    ['operators', operators],
    ['errors and late rows', refused],
    ['batches and free space', Math.max(0, pages.usedBytes - rows - operators - refused)],
    ...budget.outside(),
  ];
}

const FIGURES: Record<string, FigureRelation> = {
  sources: {
    columns: [
      ['name', OID.text],
      ['connector', OID.text],
      ['partition', OID.int4],
      ['position', OID.int8],
      ['high_watermark', OID.int8],
      ['lag', OID.int8],
      ['rows', OID.int8],
      ['bytes', OID.int8],
      ['watermark', OID.timestamp],
      ['errors', OID.int8],
      ['late', OID.int8],
      ['status', OID.text],
      ['oid', OID.oid],
    ],
    rows: (engine, sees) =>
      [...engine.streams.values()].flatMap((s) => {
        if (!sees(s.relation.oid)) return [];
        const fixed = (partition: number | null, position: bigint | null): Datum[] => {
          const high = partition === null ? null : (s.endOf(partition) ?? null);
          const behind = high === null || position === null ? null : high > position ? high - position : 0n;
          const lag = s.source.left?.() ?? behind;
          return [
            s.relation.name,
            s.spec.connector,
            partition,
            position,
            high,
            lag,
            s.statistics.rows,
            s.statistics.bytes,
            s.watermark,
            s.errors.count,
            s.statistics.late,
            sourceStatus(engine, s, partition),
            s.relation.oid,
          ];
        };
        const positions = [...s.partitionPositions()];
        return positions.length === 0 ? [fixed(null, null)] : positions.map(([p, at]) => fixed(p, at));
      }),
  },
  views: {
    columns: [
      ['name', OID.text],
      ['rows', OID.int8],
      ['bytes', OID.int8],
      ['cold_bytes', OID.int8],
      ['state_rows', OID.int8],
      ['state_bytes', OID.int8],
      ['errors', OID.int8],
      ['tick', OID.int8],
      ['oid', OID.oid],
    ],
    rows: (engine, sees) =>
      [...engine.loop.views()].flatMap((view) => {
        if (view.stored === null || !sees(view.oid)) return [];
        const figures = view.figures();
        const sum = (f: (x: (typeof figures)[number]) => number) => BigInt(figures.reduce((n, x) => n + f(x), 0));
        return [
          [
            view.name,
            BigInt(view.stored.rows),
            BigInt(view.stored.bytes),
            BigInt(view.stored.coldBytes),
            sum((f) => f.stateRows),
            sum((f) => f.stateBytes),
            view.errors.count,
            engine.loop.tick,
            view.oid,
          ],
        ];
      }),
  },
  sinks: {
    columns: [
      ['name', OID.text],
      ['status', OID.text],
      ['delivery', OID.text],
      ['rows', OID.int8],
      ['tick', OID.int8],
      ['queued', OID.int4],
      ['errors', OID.int8],
      ['last_error', OID.text],
      ['reads', OID._oid],
    ],
    rows: (engine, sees) =>
      [...engine.sinks].flatMap(([oid, sink]) => {
        if (!sees(oid)) return [];
        const s = sink.statistics;
        return [
          [
            engine.catalog.get(oid)?.name ?? '',
            s.status,
            s.delivery,
            s.rows,
            s.tick,
            s.queued,
            s.errors,
            s.lastError === '' ? null : s.lastError,
            pgArray(OID.oid, engine.catalog.get(oid)?.dependencies ?? []),
          ],
        ];
      }),
  },
  recovery: {
    columns: [
      ['started', OID.text],
      ['records', OID.int8],
      ['ticks', OID.int8],
      ['tick', OID.int8],
      ['log_bytes', OID.int8],
      ['cut_bytes', OID.int8],
      ['milliseconds', OID.int8],
    ],
    rows: ({ recovery: report }) => {
      if (report === null) return [];
      const { records, ticks, tick, logBytes, cutBytes, milliseconds } = report;
      const counts = [records, ticks, tick, logBytes, cutBytes, milliseconds].map(BigInt);
      return [[started(report), ...counts]];
    },
  },
  memory: {
    columns: [
      ['kind', OID.text],
      ['bytes', OID.int8],
    ],
    rows: (engine) => memoryFigures(engine).map(([kind, bytes]) => [kind, BigInt(bytes)]),
  },
  cold: {
    columns: [
      ['files', OID.int8],
      ['bytes', OID.int8],
      ['live_bytes', OID.int8],
      ['written', OID.int8],
      ['reads', OID.int8],
      ['blocks_cached', OID.int8],
      ['blocks_fetched', OID.int8],
    ],
    rows: ({ cold }) => {
      if (cold === null) return [];
      const { files, bytes, liveBytes, written, reads, cached, fetched } = cold.figures;
      return [[files, bytes, liveBytes, written, reads, cached, fetched].map(BigInt)];
    },
  },
  subscriptions: {
    columns: [
      ['name', OID.text],
      ['relation', OID.text],
      ['position', OID.int8],
      ['oldest', OID.int8],
      ['tick', OID.int8],
      ['bytes', OID.int8],
    ],
    rows: (engine, sees) =>
      engine.catalog.objects().flatMap((object) => {
        if (object.kind !== 'subscription' || !sees(object.oid)) return [];
        const log = engine.changes.log(object.follows);
        return [
          [
            object.name,
            engine.catalog.relationByOid(object.follows)?.name ?? null,
            engine.subscriptions.get(object.oid) ?? null,
            log?.floor.tick ?? null,
            engine.loop.tick,
            log === null ? null : BigInt(log.bytes),
          ],
        ];
      }),
  },
};

const started = (report: RecoveryReport): string =>
  report.fresh ? 'new directory' : report.orderly ? 'after an orderly end' : 'after a crash';

/** OIDs of relations that have none in PostgreSQL lie below the users'. */
const FIGURE_OID = 15000;
/** A ledger's OID is its object's, moved out of the way. */
const ERRORS_SHIFT = 0x40000000;
const LATE_SHIFT = 0x60000000;

export class SystemCatalog implements SystemRelations {
  readonly #engine: TidemarkEngine;
  /** pg_catalog and information_schema, once the server has made them. */
  catalogs: CatalogRelations | null = null;

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  relation(schema: string | undefined, name: string): Relation | null {
    if (schema === 'tidemark' && name in FIGURES) {
      const oid = FIGURE_OID + Object.keys(FIGURES).indexOf(name);
      return systemRelation(
        oid,
        'tidemark',
        name,
        FIGURES[name].columns.map(([n, t]) => ({ name: n, type: colType(t) })),
      );
    }
    return schema === undefined ? null : (this.catalogs?.relation(schema, name) ?? null);
  }

  /** The relations of the tidemark schema. */
  figures(): Relation[] {
    return Object.keys(FIGURES).flatMap((name) => this.relation('tidemark', name) ?? []);
  }

  relationByOid(oid: number): Relation | null {
    const figure = Object.keys(FIGURES)[oid - FIGURE_OID];
    if (figure !== undefined) return this.relation('tidemark', figure);
    return this.catalogs?.relationByOid(oid) ?? null;
  }

  /** tidemark.errors('object') and tidemark.late('stream'). */
  tableFunction(
    schema: string | undefined,
    name: string,
    args: (string | null)[],
    searchPath: string[] = [],
  ): Relation | null {
    if (schema !== 'tidemark' || (name !== 'errors' && name !== 'late')) return null;
    const [target] = args;
    if (args.length !== 1 || target === null) throw new SqlError('42883', `function tidemark.${name} needs one name`);
    const parts = target.split('.');
    const path = ['public', ...searchPath.filter(isOpenMark)];
    const object = this.#engine.catalog.find(parts.length > 1 ? parts[0] : undefined, parts[parts.length - 1], path);
    if (object === undefined) throw notFound(target);
    if (name === 'errors') {
      if (this.#errorsOf(object.oid) === undefined) throw new SqlError('42809', `"${target}" keeps no errors`);
      return systemRelation(object.oid + ERRORS_SHIFT, 'tidemark', 'errors', ERROR_COLUMNS);
    }
    const stream = this.#withLate(object.oid);
    if (stream === undefined)
      throw new SqlError('42809', `"${target}" has no late rows`, {
        hint: 'Only streams with a WATERMARK have.',
      });
    return systemRelation(object.oid + LATE_SHIFT, 'tidemark', 'late', lateColumns(stream.relation));
  }

  /** The object that a relation is about: itself, or whose errors or late rows it has. */
  about({ oid, schema, name }: Relation): number {
    if (schema !== 'tidemark') return oid;
    return name === 'errors' ? oid - ERRORS_SHIFT : name === 'late' ? oid - LATE_SHIFT : oid;
  }

  #withLate(oid: number): StreamRuntime | LocalStream | undefined {
    return this.#engine.streams.get(oid) ?? this.#engine.localStreams.get(oid);
  }

  /** Of tidemark.errors() and tidemark.late() of a stream: how many rows it has, and how many came; null for other relations. */
  kept(oid: number): { name: string; rows: number; came: bigint } | null {
    if (oid < ERRORS_SHIFT) return null;
    if (oid < LATE_SHIFT) {
      const errors = this.#engine.streams.get(oid - ERRORS_SHIFT)?.errors;
      return errors === undefined ? null : { name: 'errors', rows: errors.relation.came, came: errors.count };
    }
    const stream = this.#withLate(oid - LATE_SHIFT);
    return stream === undefined ? null : { name: 'late', rows: stream.late.came, came: stream.lateCount };
  }

  #errorsOf(oid: number) {
    return this.#engine.streams.get(oid)?.errors ?? this.#engine.loop.view(oid)?.errors;
  }

  /** The rows of a system relation at this moment; null when the OID is none. */
  rows(oid: number, context: EvalContext): { types: ColType[]; rows: Datum[][] } | Batch | null {
    if (oid >= LATE_SHIFT) return this.#snapshot(this.#withLate(oid - LATE_SHIFT)?.late);
    if (oid >= ERRORS_SHIFT) return this.#snapshot(this.#errorsOf(oid - ERRORS_SHIFT)?.relation);
    const sequence = this.#engine.sequences.get(oid);
    if (sequence !== undefined) {
      const { state, ahead, object } = sequence;
      return { types: object.relation.columns.map((c) => c.type), rows: [[state.last, BigInt(ahead), state.called]] };
    }
    const name = Object.keys(FIGURES)[oid - FIGURE_OID];
    if (name !== undefined) {
      const { columns, rows } = FIGURES[name];
      return {
        types: columns.map(([, t]) => colType(t)),
        rows: rows(this.#engine, (object) => this.#engine.catalog.isSeen(object, context.searchPath)),
      };
    }
    const relation = this.catalogs?.relationByOid(oid) ?? null;
    const rows = this.catalogs?.rows(oid, context) ?? null;
    if (relation === null || rows === null) return null;
    return Array.isArray(rows) ? { types: relation.columns.map((c) => c.type), rows } : rows;
  }

  #snapshot(relation: { snapshot(arena: TidemarkEngine['loop']['arena']): Batch } | undefined): Batch | null {
    return relation?.snapshot(this.#engine.loop.arena) ?? null;
  }
}

function systemRelation(
  oid: number,
  schema: string,
  name: string,
  columns: { name: string; type: ColType }[],
): Relation {
  const list: RelationColumn[] = columns.map((c) => ({ ...c, notNull: false }));
  return { oid, schema, name, kind: 'system', columns: list, key: null, appendOnly: false, indexes: [] };
}
