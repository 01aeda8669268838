/**
 * From a data directory to an engine that is where it was.
 *
 *   lock -> survey (verify the whole log) -> [checkpoint] -> replay what comes after it -> open the log for writing -> sources go on
 *
 * Until it is done no client is let in and no source is read beyond what the log says, so views serve their rows before new input comes.
 */
import type { TidemarkEngine } from '../runtime/engine.ts';
import { type DataDirectory, openDirectory } from './data_directory.ts';
import { type Disk, realDisk } from './disk.ts';
import { Journal } from './journal.ts';
import { Replay } from './replay.ts';
import { readLog } from './segments.ts';
import { type Survey, surveyLog } from './survey.ts';
import { type LogState, TickLog, type TickLogOptions } from './tick_log.ts';

export interface DataOptions extends Pick<TickLogOptions, 'segmentBytes' | 'reserveBytes'> {
  path: string;
  /** For tests: a disk that fails. */
  disk?: Disk;
}

/** What a start did; shown by tidemark.recovery. */
export interface RecoveryReport {
  fresh: boolean;
  /** The last server ended in order. */
  orderly: boolean;
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

/** Brings the engine to where the directory says, and makes it durable from then on. Nothing else may use the engine meanwhile. */
export async function openData(engine: TidemarkEngine, options: DataOptions): Promise<RecoveryReport> {
  const started = performance.now();
  const directory = await openDirectory(options.path, options.disk ?? realDisk);
  try {
    const survey = await surveyLog(directory, 0n);
    await replay(engine, directory, survey);
    const log = await TickLog.open(directory.logFolder, survey.end, {
      ...options,
      disk: directory.disk,
      identity: directory.identity,
      onState: (state, reason) => told(engine, state, reason),
    });
    engine.journal = new Journal(log, directory);
    const report: RecoveryReport = {
      fresh: directory.fresh,
      orderly: survey.orderly,
      records: survey.records,
      ticks: survey.ticks,
      tick: engine.loop.tick,
      logBytes: survey.bytes,
      cutBytes: survey.end.torn,
      milliseconds: Math.round(performance.now() - started),
      scripts: survey.scripts,
    };
    engine.recovery = report;
    tell(engine, directory, report);
    engine.goOn();
    return report;
  } catch (error) {
    directory.release();
    throw error;
  }
}

async function replay(engine: TidemarkEngine, directory: DataDirectory, survey: Survey): Promise<void> {
  const work = new Replay(engine, survey);
  engine.replay = work;
  const { log } = engine;
  if (survey.records > 0) {
    log('info', `recovery: ${survey.records} records, ${survey.ticks} ticks, ${survey.bytes} bytes of log`);
  }
  const started = performance.now();
  let done = 0;
  let shown = started;
  try {
    await readLog(directory.logFolder, directory.identity, directory.disk, 0n, async (frame) => {
      await work.repeat(frame);
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
    engine.schedule();
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
