/**
 * The first reading of the log, before anything is done again: it verifies every record and finds out what the second needs to know: what is dropped
 * later, which offsets of which streams will be read, how much there is to do.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { SqlError } from '../../operators/errors.ts';
import type { DataDirectory } from './data_directory.ts';
import { RECORD } from './frame.ts';
import {
  type DefinitionRecord,
  type DeliveredRecord,
  readFilled,
  readJson,
  readSequence,
  readTick,
  type ScriptRecord,
} from './records.ts';
import { type LogEnd, type PlacedFrame, readLog } from './segments.ts';

/** Offsets of one partition that ticks took, first to last. */
export interface Extent {
  from: bigint;
  to: bigint;
}

export interface Survey {
  end: LogEnd;
  records: number;
  ticks: number;
  bytes: number;
  dropped: Set<number>;
  /** By stream OID and partition. */
  extents: Map<number, Map<number, Extent>>;
  /** The tick up to which each sink, by OID, has written. */
  delivered: Map<number, bigint>;
  /** By OID of a sink: why it has stopped. */
  stopped: Map<number, string>;
  /** Digests of --init scripts that ran to their end. */
  scripts: Set<string>;
  /** False when the last server did not close the log. */
  orderly: boolean;
}

export async function surveyLog(directory: DataDirectory, after: bigint): Promise<Survey> {
  const survey: Omit<Survey, 'end'> = {
    records: 0,
    ticks: 0,
    bytes: 0,
    dropped: new Set(),
    extents: new Map(),
    delivered: new Map(),
    stopped: new Map(),
    scripts: new Set(),
    orderly: true,
  };
  const arena = new Arena();
  try {
    const end = await readLog(directory.logFolder, directory.identity, directory.disk, after, (frame) => {
      survey.records++;
      survey.bytes += frame.payload.length;
      survey.orderly = frame.kind === RECORD.closed;
      try {
        look(frame, survey, arena);
      } catch (error) {
        if (error instanceof SqlError) throw error;
        // The checksum was right: this record was written so, by a program that this one does not understand.
        throw new SqlError('XX001', `record ${frame.sequence} cannot be read: ${(error as Error).message}`, {
          detail: `${frame.file}, byte ${frame.offset}, tick ${frame.tick}.`,
        });
      }
    });
    return { ...survey, end };
  } finally {
    arena.release();
  }
}

function look(frame: PlacedFrame, survey: Omit<Survey, 'end'>, arena: Arena): void {
  switch (frame.kind) {
    case RECORD.tick: {
      survey.ticks++;
      const { streams, dropped } = readTick(frame.payload, arena, () => false);
      for (const oid of dropped) survey.dropped.add(oid);
      for (const { oid, ranges } of streams) {
        let partitions = survey.extents.get(oid);
        if (partitions === undefined) {
          partitions = new Map();
          survey.extents.set(oid, partitions);
        }
        for (const { partition, from, to } of ranges) {
          const extent = partitions.get(partition);
          if (extent === undefined) partitions.set(partition, { from, to });
          else extent.to = to;
        }
      }
      return;
    }
    case RECORD.definition:
      for (const oid of readJson<DefinitionRecord>(frame.payload).dropped) survey.dropped.add(oid);
      return;
    case RECORD.script:
      survey.scripts.add(readJson<ScriptRecord>(frame.payload).digest);
      return;
    case RECORD.delivered: {
      const { oid, tick, stopped } = readJson<DeliveredRecord>(frame.payload);
      survey.delivered.set(oid, BigInt(tick));
      if (stopped !== undefined) survey.stopped.set(oid, stopped);
      return;
    }
    case RECORD.acknowledged:
    case RECORD.opened:
    case RECORD.schema:
    case RECORD.leaving:
    case RECORD.staying:
    case RECORD.changing:
    case RECORD.file:
      readJson(frame.payload);
      return;
    case RECORD.filled:
      survey.ticks++;
      readFilled(frame.payload, arena);
      arena.reset();
      return;
    case RECORD.sequence:
      readSequence(frame.payload);
      return;
    case RECORD.closed:
      return;
    default:
      throw new Error(`its kind is ${frame.kind}`);
  }
}
