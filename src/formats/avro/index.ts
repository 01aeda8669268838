/** format = 'avro'. */
export { avroDecoder } from './decoder.ts';
