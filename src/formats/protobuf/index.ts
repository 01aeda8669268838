/** format = 'protobuf'. */
export { exactProtobufDecoder, protobufDecoder } from './decoder.ts';
