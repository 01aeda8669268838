/** Long values of slots (texts beyond 12 bytes, wide numerics): how much they are, and how they are brought into an arena, so that a batch that was copied slot by slot stands alone. */
import { kernels } from '../kernels/index.ts';
import { PHYS_WIDTH, type Phys } from '../types.ts';
import type { Arena } from './arena.ts';
import { U8, U32 } from './memory.ts';
import { slotPayload } from './slots.ts';

/** For n slots of a column from `data` on; `valid` 0: none is NULL. */
export function ownPayloads(phys: Phys, data: number, valid: number, n: number, arena: Arena): void {
  if (phys === 'varlen') {
    const bytes = kernels.longBytes(data, valid, n);
    if (bytes > 0) kernels.ownLong(data, valid, n, arena.alloc(bytes));
    return;
  }
  if (phys !== 'numeric') return;
  for (let row = 0; row < n; row++) {
    if (valid !== 0 && U8[valid + row] === 0) continue;
    const payload = slotPayload(phys, data + row * PHYS_WIDTH.numeric);
    if (payload === null) continue;
    const address = arena.alloc(payload.bytes);
    kernels.copyBytes(address, payload.address, payload.bytes);
    U32[payload.pointer] = address;
  }
}

/** Bytes of the long values of n slots of a column. */
export function payloadBytes(phys: Phys, data: number, valid: number, n: number): number {
  if (phys === 'varlen') return kernels.longBytes(data, valid, n);
  let bytes = 0;
  if (phys !== 'numeric') return bytes;
  for (let row = 0; row < n; row++)
    if (valid === 0 || U8[valid + row] !== 0) bytes += slotPayload(phys, data + row * PHYS_WIDTH.numeric)?.bytes ?? 0;
  return bytes;
}
