/** format = 'raw'. */
export { rawDecoder } from './decoder.ts';
