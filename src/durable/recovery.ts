/**
 * From a data directory to an engine that is where it was.
 *
 *   lock -> newest whole checkpoint -> survey (verify the log after it) -> replay that -> open the log for writing -> sources go on
 *
 * Until it is done no client is let in and no source is read beyond what the log says, so views serve their rows before new input comes.
 */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import { loadEngine, misfit } from '../checkpoint/engine_state.ts';
import { giveBack, type Loaded, loadNewest } from '../checkpoint/load.ts';
import { type NamedFile, Unusable } from '../checkpoint/manifest.ts';
import { CheckpointSchedule, type CheckpointSettings } from '../checkpoint/schedule.ts';
import { type Candidate, CheckpointStore } from '../checkpoint/store.ts';
import { checkFiles } from '../cold/check.ts';
import { ColdFiles } from '../cold/cold_files.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { dropLeftTemporaries } from '../runtime/temporary.ts';
import { undoLeft } from '../runtime/undo_made.ts';
import { type DataDirectory, openDirectory } from './data_directory.ts';
import { type Disk, realDisk } from './disk.ts';
import type { LogState } from './group_writer.ts';
import { Journal } from './journal.ts';
import { LogThread } from './log_thread.ts';
import { Portable } from './portable.ts';
import { Replay } from './replay.ts';
import { damaged, type LogEnd, readLog } from './segments.ts';
import { type Survey, surveyLog } from './survey.ts';
import { TickLog, type TickLogOptions } from './tick_log.ts';

export interface DataOptions extends Pick<TickLogOptions, 'segmentBytes' | 'reserveBytes' | 'aheadBytes'> {
  path: string;
  /** When checkpoints are taken; null: never, and none is loaded. */
  checkpoints?: CheckpointSettings | null;
  /** State may go to disk when memory is short. */
  coldState?: boolean;
  /** Hears of cold state that is not what was written: nothing can go on. */
  onColdDamage?: (error: SqlError) => void;
  /** The tick log is written by a thread of its own. Default: by this one. */
  logThread?: boolean;
  /** For tests: a disk that fails. */
  disk?: Disk;
}

/** What a start did; shown by tidemark.recovery. */
export interface RecoveryReport {
  fresh: boolean;
  /** The last server ended in order. */
  orderly: boolean;
  /** Tick of the checkpoint that was loaded, and its bytes; null when there was none. */
  checkpoint: { tick: bigint; bytes: number; milliseconds: number } | null;
  /** Of the log after the checkpoint. */
  records: number;
  ticks: number;
  tick: bigint;
  logBytes: number;
  /** Bytes of a write that a crash cut short: never acknowledged. */
  cutBytes: number;
  milliseconds: number;
  scripts: Set<string>;
}

const PROGRESS_MS = 2000;
const LOG_THREAD: Pick<TickLogOptions, 'aheadBytes' | 'makeWriter'> = {
  /** They are written in some milliseconds, and hold some hundred commits. */
  aheadBytes: 1 << 20,
  makeWriter: (...args) => new LogThread(...args),
};
/** Of the memory limit, for blocks of cold files that were read lately. */
const CACHE_SHARE = 1 / 16;
const MOST_CACHE = 64 << 20;

/** Brings the engine to where the directory says, and makes it durable from then on. Nothing else may use the engine meanwhile. */
export async function openData(engine: TidemarkEngine, options: DataOptions): Promise<RecoveryReport> {
  const started = performance.now();
  const directory = await openDirectory(options.path, options.disk ?? realDisk);
  engine.lasting = true;
  try {
    const { store, found, loaded, problems } = await loadCheckpoint(engine, directory, options);
    const checkpointMs = Math.round(performance.now() - started);
    const portable = loaded === null ? await portableCopy(engine, directory, problems) : null;
    const from = loaded ?? portable;
    if (store !== null && (options.coldState === true || (loaded?.cold.length ?? 0) > 0))
      await openCold(engine, directory, options, found, loaded);
    const survey = await surveyAfter(directory, loaded, from?.sequence ?? 0n, found, problems);
    await initParser();
    const replayStarted = performance.now();
    await replay(engine, directory, survey, loaded, portable);
    const replayMs = performance.now() - replayStarted;
    const log = await TickLog.open(directory.logFolder, endOf(survey, from), {
      ...(options.logThread === true ? LOG_THREAD : {}),
      ...options,
      disk: directory.disk,
      identity: directory.identity,
      onState: (state, reason) => told(engine, state, reason),
    });
    engine.journal = new Journal(log, directory);
    if (store !== null) {
      engine.checkpoints = new CheckpointSchedule(
        engine,
        engine.journal,
        new Checkpointer(store, { groups: () => log.groups }),
        loaded?.sequence ?? 0n,
        replayMs,
        options.checkpoints ?? {},
      );
    }
    const report: RecoveryReport = {
      fresh: directory.fresh,
      orderly: survey.orderly && (survey.records > 0 || directory.fresh),
      checkpoint: loaded && { tick: loaded.tick, bytes: loaded.bytes, milliseconds: checkpointMs },
      records: survey.records,
      ticks: survey.ticks,
      tick: engine.loop.tick,
      logBytes: survey.bytes,
      cutBytes: survey.end.torn,
      milliseconds: Math.round(performance.now() - started),
      scripts: engine.scripts,
    };
    engine.recovery = report;
    undoLeft(engine);
    await dropLeftTemporaries(engine);
    tell(engine, directory, report);
    engine.chilling.settle();
    engine.sourceTicks.goOn();
    engine.checkpoints?.start();
    return report;
  } catch (error) {
    directory.release();
    throw error;
  }
}

/** Cold state goes to the directory from now on. All engines of a process have one place for it: who comes second has all in memory. */
async function openCold(
  engine: TidemarkEngine,
  { disk, coldFolder }: DataDirectory,
  { onColdDamage }: DataOptions,
  found: Candidate[],
  loaded: Loaded | null,
): Promise<void> {
  if (cold.store !== null) return;
  const named = found.flatMap((candidate) => ('manifest' in candidate ? candidate.manifest.cold : []));
  try {
    engine.cold = await ColdFiles.start(
      { disk, folder: coldFolder, cacheBytes: cacheBytes(), onDamage: onColdDamage },
      { loaded: loaded?.cold ?? [], named: new Set(named.map(({ number }) => number)) },
    );
  } catch (error) {
    if (loaded !== null) giveBack(loaded);
    throw error;
  }
  cold.store = engine.cold;
}

function cacheBytes(): number {
  return Math.min(MOST_CACHE, budget.limit * CACHE_SHARE);
}

/** Throws Unusable when the cold state of a checkpoint cannot be had. */
async function checkCold(disk: Disk, folder: string, named: NamedFile[]): Promise<void> {
  if (named.length === 0) return;
  if (cold.store !== null) throw new Unusable('another engine of this process has cold state');
  await checkFiles(disk, folder, named);
}

/** Brings the newest whole checkpoint's pages into memory; `problems` says why newer ones could not be used. */
async function loadCheckpoint(
  engine: TidemarkEngine,
  { disk, checkpointFolder, coldFolder, identity }: DataDirectory,
  options: DataOptions,
): Promise<{ store: CheckpointStore | null; found: Candidate[]; loaded: Loaded | null; problems: string[] }> {
  const problems: string[] = [];
  if (options.checkpoints === null) return { store: null, found: [], loaded: null, problems };
  const { store, found } = await CheckpointStore.open(disk, checkpointFolder, identity);
  let shown = performance.now();
  const loaded = await loadNewest(
    store,
    found,
    (number, reason) => {
      problems.push(`Checkpoint ${number} cannot be used: ${reason}.`);
      engine.log('warn', `recovery: checkpoint ${number} cannot be used: ${reason}`);
    },
    (done, all) => {
      const now = performance.now();
      if (now - shown < PROGRESS_MS) return;
      shown = now;
      engine.log('info', `recovery: ${done} of ${all} pages of the checkpoint read`);
    },
    misfit,
    (named) => checkCold(disk, coldFolder, named),
  );
  return { store, found, loaded, problems };
}

/** Looks through the log after the checkpoint; refuses when it cannot be gone on from there. */
async function surveyAfter(
  directory: DataDirectory,
  loaded: Loaded | null,
  after: bigint,
  found: Candidate[],
  problems: string[],
): Promise<Survey> {
  try {
    const survey = await surveyLog(directory, after);
    checkReach(survey, found, problems.length === 0);
    return survey;
  } catch (error) {
    if (loaded !== null) giveBack(loaded);
    throw problems.length === 0 ? error : withProblems(error, problems);
  }
}

/**
 * The log must have what it confirmed: a checkpoint appears only when the log has all records that are in it. Without any log, only the newest
 * checkpoint is where a start may begin.
 */
function checkReach({ end }: Survey, found: Candidate[], isNewest: boolean): void {
  if (end.segments.length === 0) {
    if (!isNewest) throw damaged('the tick log has no records');
    return;
  }
  for (const candidate of found) {
    if (!('manifest' in candidate) || candidate.manifest.sequence <= end.sequence) continue;
    const { number, sequence } = candidate.manifest;
    const message = `the tick log ends with record ${end.sequence}; checkpoint ${number} was made of records up to ${sequence}`;
    throw damaged(message);
  }
}

/** Where the log goes on. New records must not get the numbers of those that the checkpoint has. */
function endOf({ end }: Survey, from: Pick<Loaded, 'sequence' | 'tick'> | null): LogEnd {
  if (from === null || end.sequence >= from.sequence) return end;
  const { sequence, tick } = from;
  return { segments: [], length: null, torn: end.torn, sequence, tick };
}

/** The log alone does not reach back far enough, and this is why it has to. */
function withProblems(error: unknown, problems: string[]): unknown {
  if (!(error instanceof SqlError)) return error;
  const detail = [error.fields.detail, ...problems].filter((text) => text !== undefined).join(' ');
  return new SqlError(error.sqlstate, error.message, { ...error.fields, detail });
}

/** Where a start begins when no checkpoint can be used; null when the log must reach back to the beginning. */
async function portableCopy(
  engine: TidemarkEngine,
  directory: DataDirectory,
  problems: string[],
): Promise<Portable | null> {
  try {
    const portable = await Portable.open(directory);
    if (portable !== null)
      engine.log('info', `recovery: the views are made anew, from a copy of tick ${portable.tick}`);
    return portable;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    problems.push(`The portable copy cannot be used: ${error.message}.`);
    engine.log('warn', `recovery: the portable copy cannot be used: ${error.message}`);
    return null;
  }
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

async function replay(
  engine: TidemarkEngine,
  directory: DataDirectory,
  survey: Survey,
  loaded: Loaded | null,
  portable: Portable | null,
): Promise<void> {
  const changes = { disk: directory.disk, path: directory.changeFolder, identity: directory.identity };
  if (loaded !== null) {
    const log = { ...survey, lastTick: endOf(survey, loaded).tick };
    await loadEngine(engine, loaded.saved, log, changes);
    engine.chilling.recount();
  } else await engine.changes.open(changes, []);
  for (const script of survey.scripts) engine.scripts.add(script);
  if (portable !== null) {
    // What was made before it is as good as written by sinks, and what is dropped in it needs no rows.
    for (const oid of portable.made) survey.delivered.set(oid, later(survey.delivered.get(oid) ?? 0n, portable.tick));
    for (const oid of portable.dropped) survey.dropped.add(oid);
  }
  const work = new Replay(engine, survey);
  // What was accepted once is accepted again, whatever the limit is now.
  const limitAgain = budget.suspend();
  engine.replay = work;
  const { log } = engine;
  if (survey.records > 0) {
    log('info', `recovery: ${survey.records} records, ${survey.ticks} ticks, ${survey.bytes} bytes of log`);
  }
  const started = performance.now();
  let done = 0;
  let shown = started;
  try {
    if (portable !== null) {
      await portable.load(engine, work);
      // How the rows came there again is no history.
      // A position before the copy is refused, not skipped over.
      for (const oid of engine.subscriptions.keys()) engine.subscriptions.set(oid, 0n);
      engine.changes.restart({ tick: engine.loop.tick, clock: engine.loop.now });
    }
    const after = (loaded ?? portable)?.sequence ?? 0n;
    await readLog(directory.logFolder, directory.identity, directory.disk, after, async (frame) => {
      await work.repeat(frame);
      for (const sink of engine.sinks.values()) await sink.room();
      engine.chilling.makeRoom();
      done++;
      const now = performance.now();
      if (now - shown < PROGRESS_MS) return;
      shown = now;
      const share = done / survey.records;
      const left = Math.round(((now - started) * (1 - share)) / share / 1000);
      log('info', `recovery: tick ${frame.tick}, ${Math.floor(share * 100)} % of the records, about ${left} s to go`);
    });
    work.finish();
  } finally {
    engine.replay = null;
    limitAgain();
    budget.settle(pages.usedBytes);
  }
}

function told(engine: TidemarkEngine, state: LogState, reason: string): void {
  if (state === 'failed') {
    engine.log(
      'error',
      `tick log: ${reason}: no writes are accepted any more, reads go on; restart when the disk is well`,
    );
  } else if (state === 'full') engine.log('error', `tick log: ${reason}: writes are refused and sources wait`);
  else {
    engine.log('info', `tick log: ${reason}: writes go on`);
    engine.sourceTicks.schedule();
  }
}

function tell(engine: TidemarkEngine, directory: DataDirectory, report: RecoveryReport): void {
  if (report.fresh) {
    engine.log('info', `data directory ${directory.path} made`);
    return;
  }
  if (report.cutBytes > 0) {
    engine.log(
      'warn',
      `recovery: ${report.cutBytes} bytes of a write that was cut short are gone; it was never acknowledged`,
    );
  }
  const how = report.orderly ? 'ended in order' : 'did not end in order';
  engine.log('info', `recovery: tick ${report.tick} reached in ${report.milliseconds} ms; the last server ${how}`);
}
