/** Registers every function module (and every type's I/O) and exports the registry. */
import '../io/index.ts';
import './comparisons.ts';
import './integer.ts';
import './numeric.ts';

export * from './registry.ts';
