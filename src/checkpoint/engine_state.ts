/**
 * The engine's state between two ticks as saved data, and an engine made of it.
 *
 *   catalog (objects with their plans, as they are) · tick and clock · rows of tables, streams and views · the graph's nodes · streams' positions and
 *   history · changes that sinks have not written · how far the change logs and the sequences are
 *
 * Plans come from the checkpoint and are not made again from SQL: the state of a node belongs to exactly the plan that filled it. What lives for one
 * session only (subscriptions, reads, views that are being filled) is not in it.
 */
import { deserialize, serialize } from 'node:v8';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { Flow } from '../../operators/flow.ts';
import type { Saved } from '../../operators/state/saved.ts';
import type { CatalogObject, ComputedIndexText, RelationObject, SequenceObject } from '../catalog/objects.ts';
import type { ChangeFolder, SavedLog } from '../changes/change_log.ts';
import type { Survey } from '../durable/survey.ts';
import { openSource } from '../runtime/create_relation.ts';
import { openSinkOf } from '../runtime/create_sink.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { keptChanges } from '../runtime/kept_changes.ts';
import type { KeptDefinition } from '../runtime/kept_definitions.ts';
import { LocalStream, type SavedLocalStream } from '../runtime/local_stream.ts';
import type { SavedStream } from '../runtime/saved_stream.ts';
import type { SequenceState } from '../runtime/sequence.ts';
import type { SavedSink } from '../runtime/sink.ts';
import { type SavedRelation, StoredRelation } from '../runtime/stored_relation.ts';
import { StreamRuntime } from '../runtime/stream.ts';
import { keyedPlan, rowsKey, ViewRuntime } from '../runtime/view.ts';
import { flatten, unflatten } from './flat.ts';

interface SavedRelationObject {
  oid: number;
  rows: SavedRelation | null;
  local: SavedLocalStream | null;
  stream: SavedStream | null;
}

interface SavedView {
  oid: number;
  context: EvalContext;
  keepsRows: boolean;
  /** Null also where a view before it has the same rows: views that are the same query have one store. */
  rows: SavedRelation | null;
  /** For sinks. */
  sink: SavedSink | null;
}

interface SavedEngine {
  catalog: Uint8Array;
  tick: bigint;
  now: bigint;
  scripts: string[];
  definitions: Uint8Array;
  relations: SavedRelationObject[];
  /** In creation order: what a view reads comes before it. */
  views: SavedView[];
  graph: Saved;
  changes: SavedLog[];
  /** Positions that were acknowledged. */
  subscriptions: [oid: number, position: bigint | null][];
  /** What sequences may have given. */
  sequences: [oid: number, state: SequenceState][];
}

export function saveEngine(engine: TidemarkEngine): Saved {
  const { catalog, loop } = engine;
  const relations: SavedRelationObject[] = [];
  for (const object of catalog.objects()) {
    if (object.kind !== 'table' && object.kind !== 'stream') continue;
    const { oid } = object;
    relations.push({
      oid,
      rows: loop.relations.get(oid)?.save() ?? null,
      local: engine.localStreams.get(oid)?.save() ?? null,
      stream: engine.streams.get(oid)?.save() ?? null,
    });
  }
  const views: SavedView[] = [];
  const flows = new Set<Flow>();
  const stores = new Set<StoredRelation>();
  for (const view of loop.views()) {
    if (catalog.get(view.oid) === undefined) continue;
    flows.add(view.flow);
    const { oid, plan, stored } = view;
    const rows = stored === null || stores.has(stored) ? null : stored.save();
    if (stored !== null) stores.add(stored);
    const sink = engine.sinks.get(oid)?.save() ?? null;
    views.push({ oid, context: plan.context, keepsRows: stored !== null, rows, sink });
  }
  const { tick, now } = loop;
  const saved: SavedEngine = {
    catalog: catalogBytes(engine),
    tick,
    now,
    scripts: [...engine.scripts],
    definitions: serialize(engine.definitions.save()),
    relations,
    views,
    graph: loop.graph.save(flows),
    changes: engine.changes.save(),
    subscriptions: [...engine.subscriptions],
    sequences: engine.sequences.all().map(({ object, logged }) => [object.oid, logged]),
  };
  // Interfaces of plain data have no index signature; serialize() refuses anything that is not plain.
  return saved as unknown as Saved;
}

const catalogs = new WeakMap<TidemarkEngine, { version: number; nextOid: number; bytes: Uint8Array }>();

/** The catalog, flat since statements may be deeper than the stack; made again when it has changed. */
function catalogBytes(engine: TidemarkEngine): Uint8Array {
  const { catalog } = engine;
  const { version, nextOid } = catalog;
  const known = catalogs.get(engine);
  if (known?.version === version && known.nextOid === nextOid) return known.bytes;
  const bytes = serialize(flatten(catalog.save()));
  catalogs.set(engine, { version, nextOid, bytes });
  return bytes;
}

/**
 * Why saved state is not that of the operators which this program makes of the saved plans; null when it is. The version of the layout should have said so
 * (layout.test.ts); this finds it where a view would otherwise be without its state.
 */
export function misfit(saved: Saved): string | null {
  const state = saved as unknown as SavedEngine;
  const { objects } = unflatten(deserialize(state.catalog)) as ReturnType<TidemarkEngine['catalog']['save']>;
  const byOid = new Map(objects.map((object) => [object.oid, object]));
  const there = new Set((state.graph as { key: string }[]).map(({ key }) => key));
  const needed = new Set<string>();
  const rows = new Map<number, string>();
  const rowsOf = (relation: number) => rows.get(relation) ?? null;
  for (const { oid, context } of state.views) {
    const object = byOid.get(oid);
    if (object === undefined || !('physical' in object) || object.physical === undefined)
      return `it has the state of a view with OID ${oid}, but no such view`;
    const keyed = keyedPlan(object.physical, context, rowsOf);
    rows.set(oid, rowsKey(object.physical, keyed));
    for (const key of keyed.keys) {
      if (!there.has(key)) return `this program would run "${object.name}" by other operators`;
      needed.add(key);
    }
  }
  return needed.size === there.size ? null : 'it has the state of operators that no view has';
}

/**
 * Fills a new engine. `log`: what it knows of sinks and of what is dropped; `lastTick`: where it ends. Sinks that are dropped later in the log
 * are not opened, and changes of what is dropped later are not kept. `changes`: where the files of the change logs are.
 */
export async function loadEngine(
  engine: TidemarkEngine,
  saved: Saved,
  log: Pick<Survey, 'delivered' | 'stopped' | 'dropped'> & { lastTick: bigint },
  changes: ChangeFolder,
): Promise<void> {
  const state = saved as unknown as SavedEngine;
  const { catalog, loop } = engine;
  catalog.load(unflatten(deserialize(state.catalog)) as ReturnType<typeof catalog.save>);
  loop.tick = state.tick;
  loop.now = state.now;
  for (const script of state.scripts) engine.scripts.add(script);
  engine.definitions.load(deserialize(state.definitions) as KeptDefinition[]);
  for (const relation of state.relations) await loadRelation(engine, objectOf(engine, relation.oid), relation);
  for (const view of state.views) {
    const object = objectOf(engine, view.oid);
    const physical = 'physical' in object ? object.physical : undefined;
    if (physical === undefined) throw new Error(`${object.kind} ${object.name} was saved as a view`);
    const runtime = new ViewRuntime(
      object.oid,
      object.name,
      physical,
      view.context,
      view.keepsRows ? [] : null,
      loop.rowsOf,
    );
    loop.restore(runtime);
    if (view.rows !== null) runtime.stored?.load(view.rows, shapeOf(engine));
    if (object.kind !== 'sink' || log.dropped.has(object.oid)) continue;
    const sink = await openSinkOf(
      engine,
      object,
      {
        skip: log.delivered.get(object.oid) ?? 0n,
        known: log.lastTick,
        stopped: log.stopped.get(object.oid) ?? null,
      },
      false,
    );
    if (view.sink !== null) sink.load(view.sink);
    sink.live(state.tick);
    loop.observe(object.oid, sink);
    engine.sinks.set(object.oid, sink);
  }
  loop.graph.load(state.graph);
  for (const [oid, position] of state.subscriptions) engine.subscriptions.set(oid, position);
  for (const [oid, position] of state.sequences) {
    engine.sequences.open(objectOf(engine, oid) as SequenceObject).load(position);
  }
  await loadChanges(engine, state.changes, log.dropped, changes);
}

async function loadChanges(
  engine: TidemarkEngine,
  saved: SavedLog[],
  dropped: ReadonlySet<number>,
  folder: ChangeFolder,
): Promise<void> {
  const wanted = saved.flatMap((log) => {
    const retention = dropped.has(log.oid) ? null : keptChanges(engine, log.oid);
    return retention === null ? [] : [{ log, retention }];
  });
  await engine.changes.open(folder, wanted);
}

function objectOf(engine: TidemarkEngine, oid: number): CatalogObject {
  const object = engine.catalog.get(oid);
  if (object === undefined) throw new Error(`there is no object with OID ${oid}`);
  return object;
}

/** What the indexes over expressions are over. */
function shapeOf(engine: TidemarkEngine) {
  return (oid: number) => (objectOf(engine, oid) as { computed: ComputedIndexText }).computed.shape;
}

async function loadRelation(engine: TidemarkEngine, object: CatalogObject, saved: SavedRelationObject): Promise<void> {
  const { relation, source } = object as RelationObject;
  if (saved.rows !== null) {
    const { store, indexes } = saved.rows;
    const types = relation.columns.map((c) => c.type);
    // Rows that lie by a key do so after it was given up, too.
    const rows = new StoredRelation(types, [], false, store === null ? indexes[0].columns : null, true);
    rows.load(saved.rows, shapeOf(engine));
    engine.loop.addRelation(relation.oid, rows);
  }
  if (saved.local !== null) {
    const local = new LocalStream(relation);
    local.load(saved.local);
    engine.localStreams.set(relation.oid, local);
  }
  if (saved.stream !== null && source !== null) {
    const stream = new StreamRuntime(relation.oid, relation, source, await openSource(engine, source));
    stream.load(saved.stream);
    engine.streams.set(relation.oid, stream);
  }
}
