/** Registers every function module (and every type's I/O) and exports the registry. */
import '../io/index.ts';

export * from './registry.ts';
