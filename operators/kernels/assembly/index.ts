/** What the module of kernels exports. */
export { scanJson, scanJsonScalar } from './json/scan';
