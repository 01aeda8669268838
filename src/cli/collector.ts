/**
 * How V8 collects garbage in a running server. State lies outside of its heap, which is some 20 MB, and what statements and ticks leave there is young.
 *
 *   young generation   by the thread itself: with helpers, a collection of 1 ms takes 3 where these have to wait for a processor, and waking them costs as much as what they do
 *   whole heap         when it has grown to four times of what lives, which V8 allows itself at the most: it would begin when some 10 MB have become old, with helpers that
 *                      take the processors from the dataflow thread and the threads of sockets and log for 20 ms
 *
 * Trap: V8 takes compiled code only under the flags that it was made under. So they are set when all threads have read their programs, and scripts/code_cache.mjs sets them back
 * before it keeps what was compiled (docs/decisions/0490).
 */
import { setFlagsFromString } from 'node:v8';

export function tuneCollector(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--heap-growing-percent=300');
}
