/** How the engine gets at files that streams read: in this thread, or in the one that has the sources. */
import type { Source } from '../source.ts';
import type { FileColumns } from './source.ts';

type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface FileAccess {
  /** Throws SqlError when there is nothing to be read with these options. */
  checkSource(options: Record<string, string>, columns: FileColumns): Promise<void>;
  openSource(options: Record<string, string>, columns: FileColumns, log: Log): Promise<Source>;
}

/** The modules are loaded when files are first named. */
export const filesHere: FileAccess = {
  async checkSource(options, columns) {
    await (await import('./index.ts')).checkFiles(options, columns);
  },
  async openSource(options, columns, log) {
    return (await import('./index.ts')).openFilesSource(options, columns, log);
  },
};
