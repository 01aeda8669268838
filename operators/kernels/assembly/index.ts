/** What the module of kernels exports. */
export { allPositive, allSet, boundsOfInt64, copyBytes, equalBytes, fillBytes, hashBytes } from './bytes';
export { scanJson, scanJsonScalar } from './json/scan';
export { hashSmallNumeric } from './numeric';
export { rehash } from './row_table';
export { compareBytes } from './varlen';
