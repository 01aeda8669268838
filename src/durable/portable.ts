/**
 * DIR/portable-SEQUENCE: what a program of another layout needs to go on, without any byte of state memory: statements, rows of tables as the tick log writes them,
 * positions of streams. Written at an orderly end, when the log alone no longer reaches back to the beginning; a program that cannot read the
 * checkpoints starts from it, and fills the views anew from the tables and, for streams, from the topics.
 *
 *   header (JSON) · for each statement: definition, then of what it made: rows ..., facts · of each sequence, where it is · closed
 *
 * Frames are those of the tick log (frame.ts), numbered from 1, so that damage is found; the file appears by rename. Cost: the rows of tables once,
 * at the end; nothing while the server runs.
 */
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { Arena } from '../../operators/batch/arena.ts';
import { decodeBatch, encodeBatch } from '../../operators/batch/batch_codec.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import type { StreamFacts } from '../runtime/saved_stream.ts';
import type { StoredRelation } from '../runtime/stored_relation.ts';
import type { DataDirectory } from './data_directory.ts';
import { type Disk, type DiskFile, readAll, writeAll } from './disk.ts';
import { FRAME_HEADER, frameSize, makeFrame, nameFrame, RECORD, readFrame, sealFrame } from './frame.ts';
import { labelsFirst } from './labels_first.ts';
import { type DefinitionRecord, readJson, readSequence, sequenceFrame } from './records.ts';
import type { Replay } from './replay.ts';
import { damaged } from './segments.ts';
import { frameOf } from './tick_log.ts';

const FORMAT = 1;
/** A damaged length must not take all memory. */
const MOST_FRAME = 1 << 30;
/** Rows written at a time. */
const ROWS = 4096;

interface Header {
  format: number;
  identity: string;
  /** Of the last record of the log that is in it. */
  sequence: string;
  tick: string;
  now: string;
  nextOid: number;
  scripts: string[];
}

/** What is known of an object beside its rows. */
interface Facts {
  oid: number;
  local: { watermark: bigint | null; lateCount: bigint } | null;
  stream: StreamFacts | null;
  /** Why a sink has stopped. */
  stopped: string | null;
}

/** Which rows of an object a frame has. */
const ROWS_OF = { own: 0, late: 1, errors: 2 } as const;

const NAME = /^portable-(\d{20})$/;

/** Copies by the sequence of the last record in them, newest first. */
async function listCopies({
  path,
  disk,
}: Pick<DataDirectory, 'path' | 'disk'>): Promise<{ path: string; sequence: bigint }[]> {
  const names = (await disk.list(path)).filter((name) => NAME.test(name)).sort();
  return names.reverse().map((name) => ({ path: join(path, name), sequence: BigInt(name.slice('portable-'.length)) }));
}

/** Removes copies that the log, whose first record this is, does not go on from. */
export async function removeStale(directory: DataDirectory, firstRecord: bigint): Promise<void> {
  for (const { path, sequence } of await listCopies(directory))
    if (sequence + 1n < firstRecord) await directory.disk.remove(path);
}

/** Writes the state between two ticks, in which the engine stays; false when it cannot be written without loss. */
export async function writePortable(
  engine: TidemarkEngine,
  directory: DataDirectory,
  sequence: bigint,
): Promise<boolean> {
  for (const sink of engine.sinks.values()) if (sink.save().queue.length > 0) return false;
  const { disk } = directory;
  const path = join(directory.path, `portable-${String(sequence).padStart(20, '0')}`);
  // What an end that was cut short has left.
  for (const name of await disk.list(directory.path))
    if (/^portable-\d{20}\.new$/.test(name)) await disk.remove(join(directory.path, name));
  const beside = `${path}.new`;
  const writer = new FrameWriter(await disk.create(beside));
  const { tick } = engine.loop;
  try {
    const header: Header = {
      format: FORMAT,
      identity: String(directory.identity),
      sequence: String(sequence),
      tick: String(tick),
      now: String(engine.loop.now),
      nextOid: engine.catalog.nextOid,
      scripts: [...engine.scripts],
    };
    await writer.write(RECORD.portable, frameOf(Buffer.from(JSON.stringify(header))));
    const definitions = labelsFirst(engine.definitions.save());
    /** The last statement that changed the columns of a table's rows: with them they come after it. */
    const altered = new Map(
      definitions.flatMap(({ record }) => (record.clock === undefined ? [] : [[record.altered, record]])),
    );
    for (const { record, reads } of definitions) {
      await writer.write(RECORD.definition, frameOf(Buffer.from(JSON.stringify({ ...record, now: header.now }))));
      const { made, altered: table } = record;
      // An ALTER has the OID of what it altered. A view that was replaced has no state; nothing else is made by two statements.
      const isFirst = made !== 0 && !reads.includes(made) && !altered.has(made);
      if (table !== undefined && altered.get(table) === record) await writeObject(engine, table, writer);
      else if (isFirst) await writeObject(engine, made, writer);
    }
    for (const sequence of engine.sequences.all()) {
      const { oid } = sequence.object;
      await writer.write(RECORD.sequence, sequenceFrame({ oid, ...sequence.logged }));
    }
    await writer.write(RECORD.closed, makeFrame(0));
    if (engine.loop.tick !== tick) throw new Error('a tick has run meanwhile');
    await writer.finish();
  } catch (error) {
    await writer.close();
    await disk.remove(beside);
    throw error;
  }
  await disk.rename(beside, path);
  await disk.syncFolder(directory.path);
  await removeStale(directory, sequence + 1n);
  return true;
}

async function writeObject(engine: TidemarkEngine, oid: number, writer: FrameWriter): Promise<void> {
  const object = engine.catalog.get(oid);
  if (object === undefined) return;
  const stream = engine.streams.get(oid);
  const local = engine.localStreams.get(oid);
  const sink = engine.sinks.get(oid);
  if (object.kind === 'table' || object.kind === 'stream') {
    await writeRows(oid, ROWS_OF.own, engine.loop.relations.get(oid), writer);
    for (const late of (stream ?? local)?.late.relations ?? []) await writeRows(oid, ROWS_OF.late, late, writer);
    for (const errors of stream?.errors.relation.relations ?? []) await writeRows(oid, ROWS_OF.errors, errors, writer);
  } else if (sink === undefined) return;
  const facts: Facts = {
    oid,
    local: local === undefined ? null : { watermark: local.watermark, lateCount: local.lateCount },
    stream: stream?.saveFacts() ?? null,
    stopped: sink?.save().stopped ?? null,
  };
  await writer.write(RECORD.facts, frameOf(serialize(facts)));
}

/** u32 OID, u8 which rows, then a batch; as many frames as it takes. */
async function writeRows(
  oid: number,
  which: number,
  relation: StoredRelation | undefined,
  writer: FrameWriter,
): Promise<void> {
  if (relation === undefined || relation.rows === 0) return;
  const scan = relation.scan([]);
  const arena = new Arena();
  try {
    for (let batch = scan.next(ROWS, arena); batch !== null; batch = scan.next(ROWS, arena)) {
      if (batch.n > 0) {
        const bytes = encodeBatch(batch);
        const payload = Buffer.allocUnsafe(5 + bytes.length);
        payload.writeUInt32LE(oid, 0);
        payload[4] = which;
        payload.set(bytes, 5);
        await writer.write(RECORD.rows, frameOf(payload));
      }
      arena.reset();
    }
  } finally {
    scan.close();
    arena.release();
  }
}

class FrameWriter {
  readonly #file: DiskFile;
  #sequence = 0n;
  #length = 0;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  async write(kind: number, frame: Buffer): Promise<void> {
    nameFrame(frame, kind, ++this.#sequence, 0n);
    sealFrame(frame, true);
    this.#length = await writeAll(this.#file, frame, this.#length);
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A portable copy that is whole. */
export class Portable {
  readonly #path: string;
  readonly #disk: Disk;
  readonly #header: Header;
  /** OIDs of what its statements make, and of what they drop again. */
  readonly made: number[] = [];
  readonly dropped: number[] = [];

  private constructor(path: string, disk: Disk, header: Header) {
    this.#path = path;
    this.#disk = disk;
    this.#header = header;
  }

  /** The newest one, all of it verified. Null when there is none; XX001 when it is damaged or of another directory. */
  static async open(directory: Pick<DataDirectory, 'path' | 'disk' | 'identity'>): Promise<Portable | null> {
    const { disk, identity } = directory;
    const [newest] = await listCopies(directory);
    if (newest === undefined) return null;
    let portable: Portable | null = null;
    for await (const { kind, payload } of frames(disk, newest.path)) {
      if (kind === RECORD.portable) {
        const header = readJson<Header>(payload);
        if (header.format !== FORMAT)
          throw damaged(`${newest.path} has format ${header.format}, this program reads ${FORMAT}`);
        if (header.identity !== String(identity)) throw damaged(`${newest.path} belongs to another data directory`);
        portable = new Portable(newest.path, disk, header);
      } else if (kind === RECORD.definition) {
        const { made, dropped } = readJson<DefinitionRecord>(payload);
        portable?.made.push(made);
        portable?.dropped.push(...dropped);
      }
    }
    return portable;
  }

  get sequence(): bigint {
    return BigInt(this.#header.sequence);
  }

  get tick(): bigint {
    return BigInt(this.#header.tick);
  }

  /** Makes everything in a new engine; `replay` is the engine's and goes on with the log afterwards. */
  async load(engine: TidemarkEngine, replay: Replay): Promise<void> {
    for (const script of this.#header.scripts) engine.scripts.add(script);
    let definitions = 0;
    /** After how many definitions the rows of an object came first: programs of layout 14 wrote them again after each ALTER. */
    const loaded = new Map<string, number>();
    for await (const { kind, payload } of frames(this.#disk, this.#path)) {
      if (kind === RECORD.definition) {
        await replay.define(readJson<DefinitionRecord>(payload));
        definitions++;
      } else if (kind === RECORD.rows) {
        const { oid, which } = rowsOf(payload);
        const key = `${oid}/${which}`;
        if (!loaded.has(key)) loaded.set(key, definitions);
        if (loaded.get(key) === definitions) loadRows(engine, payload);
      } else if (kind === RECORD.facts) loadFacts(engine, deserialize(payload) as Facts);
      else if (kind === RECORD.sequence) {
        const { oid, ...state } = readSequence(payload);
        engine.sequences.get(oid)?.load(state);
      }
    }
    engine.loop.tick = this.tick;
    engine.loop.now = BigInt(this.#header.now);
    replay.reached(this.#header.nextOid);
  }
}

function rowsOf(payload: Buffer): { oid: number; which: number } {
  return { oid: payload.readUInt32LE(0), which: payload[4] };
}

function loadRows(engine: TidemarkEngine, payload: Buffer): void {
  const { oid, which } = rowsOf(payload);
  const stream = engine.streams.get(oid);
  const relations = [
    engine.loop.relations.get(oid),
    stream?.late ?? engine.localStreams.get(oid)?.late,
    stream?.errors.relation,
  ];
  const relation = relations[which];
  // Of what is dropped later in the log there is only the name.
  if (relation === undefined) return;
  const arena = new Arena();
  const rows = decodeBatch(payload.subarray(5), arena);
  const isRead = engine.catalog.dependents([oid]).some(({ kind }) => kind !== 'index');
  if (which === ROWS_OF.own && isRead) {
    // The columns were altered when views read the table. The tick is none of those that there were.
    const { tick } = engine.loop;
    engine.publishRows(new Map([[oid, rows]]));
    engine.loop.tick = tick;
  } else {
    relation.apply(rows);
    relation.endTick();
  }
  arena.release();
}

function loadFacts(engine: TidemarkEngine, { oid, local, stream, stopped }: Facts): void {
  if (local !== null) engine.localStreams.get(oid)?.restore(local.watermark, local.lateCount);
  if (stream !== null) engine.streams.get(oid)?.loadFacts(stream);
  if (stopped !== null) engine.sinks.get(oid)?.load({ stopped, queue: [] });
}

/** The frames of a file, read piece by piece; XX001 when it is not whole. */
async function* frames(disk: Disk, path: string): AsyncGenerator<{ kind: number; payload: Buffer }> {
  const file = await disk.open(path);
  try {
    let at = 0;
    for (let sequence = 1n; ; sequence++) {
      const head = Buffer.alloc(FRAME_HEADER);
      if (!(await readAll(file, head, at))) throw damaged(`${path} is cut short at byte ${at}`);
      const size = frameSize(head.readUInt32LE(8));
      if (size > MOST_FRAME) throw damaged(`${path} is damaged at byte ${at}`);
      const bytes = Buffer.allocUnsafe(size);
      if (!(await readAll(file, bytes, at))) throw damaged(`${path} is cut short at byte ${at}`);
      const read = readFrame(bytes, 0);
      if (read === null || read.frame.sequence !== sequence) throw damaged(`${path} is damaged at byte ${at}`);
      if (read.frame.kind === RECORD.closed) return;
      yield read.frame;
      at += size;
    }
  } finally {
    await file.close();
  }
}
