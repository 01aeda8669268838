/** Registers every function module (and every type's I/O) and exports the registry. */
import '../io/index.ts';
import './bytea.ts';
import './comparisons.ts';
import './float.ts';
import './integer.ts';
import './like.ts';
import './numeric.ts';
import './text.ts';

export * from './registry.ts';
