/** The thread of the tick log when the sources run as they are: a loader for TypeScript does not reach into worker threads by itself. */
import { register } from 'tsx/esm/api';

register();
await import('../log_worker.ts');
