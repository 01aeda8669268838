/** Functions in other languages, whose first argument says what they are. */
import { EXTERNAL_CALL, EXTERNAL_ROWS, runnerOf } from '../external.ts';
import { registerTyped, registerTypedSet } from './registry.ts';

registerTyped(EXTERNAL_CALL, ([about, ...args]) => runnerOf(about).value(args));
registerTypedSet(EXTERNAL_ROWS, ([about, ...args]) => runnerOf(about).rows(args));
