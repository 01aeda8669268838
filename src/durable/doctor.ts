/**
 * Checks a data directory without changing it: every checksum, and what must hold between records.
 *
 *   layout · lock · checkpoints: every manifest, every page, every block of cold files · segments and their order · every record's checksum, sequence and content · ticks follow each other, the clock never goes back ·
 *   input of each partition joins on without a gap backwards · watermarks only grow · nothing is used after it was dropped
 */
import { Arena } from '../../operators/batch/arena.ts';
import { weightOf } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import { examineChanges } from '../changes/examine.ts';
import { type Manifest, Unusable } from '../checkpoint/manifest.ts';
import { verifyPages } from '../checkpoint/page_file.ts';
import { findCheckpoints } from '../checkpoint/store.ts';
import { BLOCK_BYTES } from '../cold/block.ts';
import { verifyFiles } from '../cold/check.ts';
import { coldFileNumber, damagedNumber } from '../cold/names.ts';
import { ownerOf, readLayout } from './data_directory.ts';
import { realDisk } from './disk.ts';
import { RECORD } from './frame.ts';
import { Portable } from './portable.ts';
import {
  type DefinitionRecord,
  type OpenedRecord,
  readFilled,
  readJson,
  readSequence,
  readTick,
  type StreamInput,
} from './records.ts';
import { listSegments, type PlacedFrame, readLog } from './segments.ts';

export interface Finding {
  level: 'ok' | 'note' | 'problem';
  text: string;
}

/** What there is to say about the directory; healthy when nothing is a problem. */
export async function examine(path: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const identity = await readLayout(path);
  if (identity === null)
    return [{ level: 'problem', text: `"${path}" is not a data directory: it has no layout file` }];
  findings.push({ level: 'ok', text: `layout: identity ${identity.toString(16)}` });
  const owner = ownerOf(path);
  if (owner !== null) {
    findings.push({
      level: 'note',
      text: `in use by process ${owner}: its newest records may be half written just now`,
    });
  }
  findings.push(...(await examineBackups(path)));
  const checkpoints = await examineCheckpoints(path, identity);
  findings.push(...checkpoints.findings);
  findings.push(...(await examinePortable(path, identity)));
  findings.push(...(await changesOf(path, identity)));
  findings.push(...(await examineLog(`${path}/log`, identity, checkpoints.sequence)));
  return findings;
}

async function changesOf(path: string, identity: bigint): Promise<Finding[]> {
  const { segments, entries, bytes, problems, torn } = await examineChanges(realDisk, `${path}/changes`, identity);
  return [
    ...problems.map((text): Finding => ({ level: 'problem', text: `changes: ${text}` })),
    ...torn.map((text): Finding => ({ level: 'note', text: `changes: ${text}; the next start cuts them off` })),
    { level: 'ok', text: `changes: ${segments} segments, ${entries} whole entries, ${bytes} bytes` },
  ];
}

/** Links that a backup holds, or left when it was killed: the next one removes them. */
async function examineBackups(path: string): Promise<Finding[]> {
  const names = (await realDisk.list(path)).filter((name) => /^backup\.\d+$/.test(name));
  return names.map((name) => ({ level: 'note', text: `${name}: files that a backup holds, or left behind` }));
}

/** `sequence`: the log may begin after this record; 0 when no checkpoint can be used. */
async function examineCheckpoints(path: string, identity: bigint): Promise<{ findings: Finding[]; sequence: bigint }> {
  const folder = `${path}/checkpoints`;
  const coldFolder = `${path}/cold`;
  const findings: Finding[] = [];
  const named = new Set<number>();
  let newest = 0n;
  for (const candidate of await findCheckpoints(realDisk, folder, identity)) {
    const { number } = candidate;
    const problem = 'reason' in candidate ? candidate.reason : await problemOf(folder, coldFolder, candidate.manifest);
    if ('manifest' in candidate) for (const { number } of candidate.manifest.cold) named.add(number);
    if (problem !== null) findings.push({ level: 'problem', text: `checkpoint ${number} cannot be used: ${problem}` });
    else if ('manifest' in candidate) {
      const { tick, sequence, pages, cold } = candidate.manifest;
      const bytes = cold.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
      const files = cold.length === 0 ? '' : `, ${bytes} whole bytes in ${cold.length} cold files`;
      const text = `checkpoint ${number}: tick ${tick}, record ${sequence}, ${pages.size} whole pages${files}`;
      findings.push({ level: 'ok', text });
      if (sequence > newest) newest = sequence;
    }
  }
  if (findings.length === 0) findings.push({ level: 'ok', text: 'checkpoints: none' });
  findings.push(...(await examineColdNames(coldFolder, named)));
  return { findings, sequence: newest };
}

/** Cold files beside those of the checkpoints. */
async function examineColdNames(folder: string, named: ReadonlySet<number>): Promise<Finding[]> {
  const names = await realDisk.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const findings: Finding[] = [];
  let others = 0;
  for (const name of names) {
    const number = coldFileNumber(name);
    if (damagedNumber(name) !== null)
      findings.push({ level: 'note', text: `cold/${name}: found damaged when it was read, and moved aside` });
    else if (number !== null && !named.has(number)) others++;
  }
  if (others > 0)
    findings.push({ level: 'note', text: `cold: ${others} files that no checkpoint names; a start removes them` });
  return findings;
}

async function examinePortable(path: string, identity: bigint): Promise<Finding[]> {
  try {
    const copy = await Portable.open({ path, disk: realDisk, identity });
    return copy === null
      ? []
      : [{ level: 'ok', text: `copy for other versions: tick ${copy.tick}, record ${copy.sequence}` }];
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return [{ level: 'problem', text: `copy for other versions: ${error.message}` }];
  }
}

async function problemOf(folder: string, coldFolder: string, { pages, cold }: Manifest): Promise<string | null> {
  try {
    await verifyPages(realDisk, folder, pages);
    await verifyFiles(realDisk, coldFolder, cold);
    return null;
  } catch (error) {
    if (error instanceof Unusable) return error.message;
    throw error;
  }
}

async function examineLog(folder: string, identity: bigint, reached: bigint): Promise<Finding[]> {
  const segments = await listSegments(folder, realDisk);
  if (segments.length === 0) return [{ level: 'ok', text: 'tick log: empty' }];
  const checks = new RecordChecks();
  const findings: Finding[] = [];
  const [{ first }] = segments;
  if (first > reached + 1n) {
    const text = `tick log: it begins with record ${first}, and no usable checkpoint has what was before`;
    findings.push({ level: 'problem', text });
  }
  try {
    const end = await readLog(folder, identity, realDisk, segments[0].first - 1n, (frame) => checks.look(frame));
    if (end.torn > 0) {
      findings.push({
        level: 'note',
        text: `tick log: ${end.torn} bytes at the end are of a write that was cut short; the next start cuts them off`,
      });
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const detail = error.fields.detail === undefined ? '' : ` ${error.fields.detail}`;
    findings.push({ level: 'problem', text: `tick log: ${error.message}.${detail}` });
  } finally {
    checks.release();
  }
  findings.push(...checks.problems.map((text): Finding => ({ level: 'problem', text: `tick log: ${text}` })));
  const { records, ticks, bytes, lastTick, orderly } = checks;
  findings.push({
    level: 'ok',
    text: `tick log: ${segments.length} segments, ${records} whole records, ${ticks} ticks up to tick ${lastTick}, ${bytes} bytes`,
  });
  if (!orderly) findings.push({ level: 'note', text: 'tick log: the last server did not end in order' });
  return findings;
}

/** Problems that are listed one by one. */
const MOST_PROBLEMS = 100;

interface StreamSoFar {
  positions: Map<number, bigint>;
  watermark: bigint | null;
}

class RecordChecks {
  readonly problems: string[] = [];
  records = 0;
  ticks = 0;
  bytes = 0;
  lastTick = 0n;
  orderly = true;
  #first = true;
  #now: bigint | null = null;
  readonly #dropped = new Set<number>();
  readonly #streams = new Map<number, StreamSoFar>();
  readonly #arena = new Arena();

  look(frame: PlacedFrame): void {
    this.records++;
    this.bytes += frame.payload.length;
    this.orderly = frame.kind === RECORD.closed;
    try {
      this.#content(frame);
    } catch (error) {
      this.#problem(frame, `cannot be read: ${(error as Error).message}`);
    }
    this.#arena.reset();
    this.lastTick = frame.tick;
    this.#first = false;
  }

  release(): void {
    this.#arena.release();
  }

  #problem(frame: PlacedFrame, what: string): void {
    if (this.problems.length < MOST_PROBLEMS)
      this.problems.push(`record ${frame.sequence} (tick ${frame.tick}; ${frame.file}, byte ${frame.offset}) ${what}`);
  }

  #content(frame: PlacedFrame): void {
    switch (frame.kind) {
      case RECORD.tick:
        this.#tick(frame);
        return;
      case RECORD.definition:
        this.#definition(frame, readJson<DefinitionRecord>(frame.payload));
        return;
      case RECORD.opened: {
        const { oid, offsets } = readJson<OpenedRecord>(frame.payload);
        const positions = new Map(offsets.map(([partition, offset]) => [partition, BigInt(offset)]));
        this.#streams.set(oid, { positions, watermark: null });
        return;
      }
      case RECORD.filled: {
        const { now, definition } = readFilled(frame.payload, this.#arena);
        if (!this.#first && frame.tick !== this.lastTick + 1n) this.#problem(frame, `follows tick ${this.lastTick}`);
        this.ticks++;
        this.#statement(frame, { ...definition, now: String(now) });
        return;
      }
      case RECORD.leaving:
        this.#statement(frame, readJson<DefinitionRecord>(frame.payload));
        return;
      case RECORD.changing:
        this.#clock(frame, BigInt(readJson<DefinitionRecord>(frame.payload).now));
        return;
      case RECORD.staying:
      case RECORD.script:
      case RECORD.delivered:
      case RECORD.acknowledged:
      case RECORD.schema:
      case RECORD.file:
        readJson(frame.payload);
        return;
      case RECORD.sequence:
        readSequence(frame.payload);
        return;
      case RECORD.closed:
        return;
      default:
        this.#problem(frame, `has the unknown kind ${frame.kind}`);
    }
  }

  #tick(frame: PlacedFrame): void {
    this.ticks++;
    if (!this.#first && frame.tick !== this.lastTick + 1n) this.#problem(frame, `follows tick ${this.lastTick}`);
    const { now, streams, tables, dropped } = readTick(frame.payload, this.#arena);
    this.#clock(frame, now);
    for (const input of streams) this.#input(frame, input);
    for (const { oid, batch } of tables) {
      if (this.#dropped.has(oid)) this.#problem(frame, `has rows of ${oid}, which was dropped before`);
      for (let row = 0; row < batch.n; row++) {
        if (weightOf(batch, row) !== 0) continue;
        this.#problem(frame, `has a row of weight 0 for ${oid}`);
        break;
      }
    }
    this.#drop(frame, dropped);
  }

  #drop(frame: PlacedFrame, oids: number[]): void {
    for (const oid of oids) {
      if (this.#dropped.has(oid)) this.#problem(frame, `drops ${oid} again`);
      this.#dropped.add(oid);
    }
  }

  #clock(frame: PlacedFrame, now: bigint): void {
    if (this.#now !== null && now < this.#now) this.#problem(frame, `has a clock before that of an earlier record`);
    this.#now = now;
  }

  #input(frame: PlacedFrame, { oid, ranges, watermark }: StreamInput): void {
    const known = this.#streams.get(oid) ?? { positions: new Map<number, bigint>(), watermark: null };
    this.#streams.set(oid, known);
    if (this.#dropped.has(oid)) this.#problem(frame, `has input of stream ${oid}, which was dropped before`);
    for (const { partition, from, to } of ranges) {
      const at = known.positions.get(partition);
      if (from > to || (at !== undefined && from < at))
        this.#problem(frame, `takes offsets ${from} to ${to} of stream ${oid}, partition ${partition}, after ${at}`);
      known.positions.set(partition, to);
    }
    if (watermark === undefined) return;
    if (known.watermark !== null && watermark < known.watermark)
      this.#problem(frame, `moves the watermark of stream ${oid} back`);
    known.watermark = watermark;
  }

  #definition(frame: PlacedFrame, record: DefinitionRecord): void {
    if (!this.#first && frame.tick !== this.lastTick && frame.tick !== this.lastTick + 1n)
      this.#problem(frame, `follows tick ${this.lastTick}`);
    if (frame.tick !== this.lastTick) this.ticks++;
    this.#statement(frame, record);
  }

  #statement(frame: PlacedFrame, { sql, made, dropped, now }: DefinitionRecord): void {
    this.#clock(frame, BigInt(now));
    if (parse(sql).length !== 1) this.#problem(frame, 'is not one statement');
    if (this.#dropped.has(made)) this.#problem(frame, `gives OID ${made} again`);
    this.#drop(frame, dropped);
  }
}
