/** Registers the I/O of every type family and exports the dispatchers. */
export * from './registry.ts';
