/** format = 'json'. */
export { jsonDecoder } from './decoder.ts';
