/** What the dataflow thread and the thread of the tick log say to each other; records and what is written go as frames. */

import type { Link } from '../io/channel.ts';
import type { MarkLink } from '../io/durable_mark.ts';
import type { LogState, WriterSettings, WriterStart } from './group_writer.ts';
import type { Segment } from './segments.ts';

export interface LogWorkerData {
  link: Link;
  mark: MarkLink;
  folder: string;
  start: WriterStart;
  settings: WriterSettings;
}

export type ToLog = { k: 'truncate'; call: number; sequence: bigint } | { k: 'close'; call: number };

export type FromLog =
  | { k: 'segments'; list: readonly Segment[] }
  | { k: 'state'; state: LogState; reason: string }
  | { k: 'answer'; call: number; error: Error | null };

/** Where things lie in the frame that says what is written. */
export const WRITTEN = { sequence: 0, tick: 8, bytes: 16, size: 24 } as const;
