/** The thread that decodes Parquet files when the sources run as they are: a loader for TypeScript does not reach into worker threads by itself. */
import { register } from 'tsx/esm/api';

register();
await import('../worker.ts');
