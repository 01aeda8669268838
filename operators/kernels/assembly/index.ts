/** What the module of kernels exports. */
export { allPositive, allSet, boundsOfInt64, copyBytes, fillBytes } from './bytes';
export { scanJson, scanJsonScalar } from './json/scan';
