/** format = 'debezium_json'. */
export { debeziumDecoder } from './decoder.ts';
