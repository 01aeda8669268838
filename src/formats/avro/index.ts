/** format = 'avro'. */
export { avroDecoder, exactAvroDecoder } from './decoder.ts';
