/** The options of CREATE STREAM ... WITH (connector = 'nexmark', ...). */
import { badOption, integer, refuseUnknown } from '../../connector_options.ts';
import type { NexmarkTable } from './numbering.ts';

export interface NexmarkOptions {
  table: NexmarkTable;
  /** Events of all three tables; Infinity for no end. */
  events: number;
  /** Any integer of 32 bits. Streams of one seed (and equal other options) belong together. */
  seed: number;
  /** Events delivered a second over the three tables; 0: as fast as they are read. */
  eventsPerSecond: number;
  /** Events a second of event time. */
  eventTimeRate: number;
  /** Event time of event 0, milliseconds since 1970. */
  baseTime: number;
}

const NEXMARK_OPTIONS: Record<string, string> = {
  table: "'person', 'auction' or 'bid'",
  events: 'total number of events of the three tables (default: no end)',
  seed: 'integer that the random numbers depend on (default 1)',
  events_per_second: 'events of the three tables delivered a second (default 0: as fast as they are read)',
  event_time_rate: 'events a second of event time (default: events_per_second, or 10000)',
  base_time: "event time of the first event (default '2026-01-01 00:00:00')",
};

const DEFAULT_RATE = 10_000;

/** Read by the catalog and the stream, not by the generator. */
const OF_EVERY_STREAM = ['connector', 'start', 'idle_timeout', 'idle_timeout_ms'];

/** Reads the options by name. Throws SqlError 22023 for an unknown name (listing the known ones) or a bad value. */
export function parseNexmarkOptions(given: Readonly<Record<string, string>>): NexmarkOptions {
  refuseUnknown('nexmark', given, NEXMARK_OPTIONS, OF_EVERY_STREAM);
  const { table } = given;
  if (table !== 'person' && table !== 'auction' && table !== 'bid') {
    throw badOption('table', table ?? '', NEXMARK_OPTIONS.table);
  }
  const eventsPerSecond = integer(given, 'events_per_second', 0, 0, 1e12);
  return {
    table,
    events: integer(given, 'events', Number.POSITIVE_INFINITY, 0, 2 ** 52),
    seed: integer(given, 'seed', 1, -2147483648, 4294967295),
    eventsPerSecond,
    eventTimeRate: integer(given, 'event_time_rate', eventsPerSecond || DEFAULT_RATE, 1, 1e12),
    baseTime: time(given, 'base_time'),
  };
}

function time(given: Readonly<Record<string, string>>, name: string): number {
  const text = given[name];
  if (text === undefined) return Date.UTC(2026, 0, 1);
  const ms = /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,3})?)?)?$/.test(text)
    ? Date.parse(`${text.replace(' ', 'T')}${text.length > 10 ? 'Z' : ''}`)
    : Number.NaN;
  if (Number.isNaN(ms)) throw badOption(name, text, "a time such as '2026-01-01 00:00:00'");
  return ms;
}
