/** The tests of the source once more with connections in the engine's own thread, as embedding and benches have it. */
process.env.TIDEMARK_THREADS = '1';
await import('./source.test.ts');
