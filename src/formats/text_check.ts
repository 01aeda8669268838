/** Whether bytes of the shared memory are a text: UTF-8 as PostgreSQL takes it (no surrogates, nothing longer than needed), without zero bytes. */
import { U8 } from '../../operators/batch/memory.ts';

export function isText(start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const c = U8[at];
    if (c === 0) return false;
    if (c > 127) return isUtf8(at, end);
  }
  return true;
}

function isUtf8(start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const c = U8[at++];
    if (c === 0) return false;
    if (c < 128) continue;
    const more = c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
    if (more < 0 || end - at < more) return false;
    const next = U8[at];
    if (c === 0xe0 && next < 0xa0) return false;
    if (c === 0xed && next > 0x9f) return false;
    if (c === 0xf0 && next < 0x90) return false;
    if (c === 0xf4 && next > 0x8f) return false;
    for (let i = 0; i < more; i++) if ((U8[at++] & 0xc0) !== 0x80) return false;
  }
  return true;
}
