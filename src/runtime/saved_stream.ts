/** What is known of a stream, and what checkpoints keep of it. */
import type { SavedSchemas } from '../registry/schemas.ts';
import type { SavedFiles } from '../sources/files/file_list.ts';
import type { SavedRecentRows } from './recent_rows.ts';
import type { StreamHistory } from './stream_history.ts';

export interface StreamStatistics {
  rows: bigint;
  bytes: bigint;
  late: bigint;
}

/** What is known of a stream beside rows. */
export type StreamFacts = {
  opened: boolean;
  /** Of the source, where it has one. Missing in what was saved before this was kept. */
  identity?: string | null;
  partitions: { partition: number; maxTime: bigint | null; position: bigint }[];
  needed: number[];
  watermark: bigint | null;
  history: ReturnType<StreamHistory['save']>;
  statistics: { rows: bigint; bytes: bigint; late: bigint };
  errorCount: bigint;
  /** Of sources whose records name schemas. */
  schemas?: SavedSchemas;
  /** Of sources that read files. */
  files?: SavedFiles;
  /** Of sources that give each record once. */
  place?: string | null;
};

export type SavedStream = StreamFacts & {
  errors: SavedRecentRows;
  late: SavedRecentRows;
};
