/** format = 'cloudevents'. */
export { cloudeventsDecoder } from './decoder.ts';
