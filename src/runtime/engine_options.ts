/** What an engine is made with. */
import type { ConnectorSpec } from '../catalog/objects.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import type { FileAccess } from '../sources/files/access.ts';
import type { Source } from '../sources/source.ts';

export interface EngineOptions {
  /** Microseconds since 2000-01-01 UTC; tests turn it by hand. */
  clock?: () => bigint;
  /** Milliseconds on a clock that never goes back, for time-outs of sources. Default: performance.now(). */
  elapsed?: () => number;
  /** Most records that one stream gives to one tick. Default 10000. */
  tickRows?: number;
  /** False: ticks run only when pump() is called (deterministic tests and embedding). Default true. */
  automatic?: boolean;
  /** Gives the source of a connector instead of the built-in one: for embedding, tests and benches. Null: the built-in one. */
  openSource?: (spec: ConnectorSpec) => Source | null;
  /** How Kafka is read and written. Default: in this thread. */
  kafka?: KafkaAccess;
  /** How files are read that streams name. Default: in this thread. */
  files?: FileAccess;
  /** Shown by version(). */
  version?: string;
  log?: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;
}
