/** format = 'csv'. */
export { csvDecoder } from './decoder.ts';
