/** The library: what `import ... from 'tidemark'` gives, as tidemark.d.ts says. */
import { Database } from './database.ts';
import type * as Public from './tidemark.d.ts';
import { TidemarkError } from './tidemark_error.ts';

const surface: Omit<typeof Public, 'TidemarkError'> = { open: (options) => Database.open(options) };

export const { open } = surface;
export { TidemarkError };
