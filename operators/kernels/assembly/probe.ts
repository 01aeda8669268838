/**
 * Few rows looked up in an index (operators/state/index_probe.ts), in one call:
 *
 *   columns -> packed keys -> slots -> pairs of a row and an entry, counted, then listed
 *
 * Each step is a kernel of its own file, which many rows go by in a call each.
 */
import { KEYS_PAYLOAD, KEYS_ROWS, KEYS_SLOTS, KEYS_WEIGHTS } from '../key_layout';
import { PROBE_BEYOND, PROBE_OLDER, PROBE_PAIRS, PROBE_ROOM, PROBE_STRIDE, PROBE_WEIGHT_AT } from '../probe_layout';
import { countPairs, expandPairs } from './index_rows';
import { findKeys } from './keys';

/** Gives the number of pairs; they are listed when they have room. Keys are compared as SQL does, so no numeric, which may be odd, is among them. */
export function findPairs(p: usize): f64 {
  findKeys(p);
  const slots: usize = load<u32>(p, KEYS_SLOTS);
  const n = load<u32>(p, KEYS_ROWS);
  const payload = load<u32>(p, KEYS_PAYLOAD);
  const older = load<u32>(p, PROBE_OLDER) != 0;
  const total = countPairs(slots, n, payload, older);
  store<u32>(p, 0, PROBE_BEYOND);
  const room = load<u32>(p, PROBE_ROOM);
  if (total == 0 || total > <f64>room) return total;
  const rows: usize = load<u32>(p, PROBE_PAIRS);
  const others = rows + (<usize>room << 2);
  const isWithin = expandPairs(
    slots,
    load<u32>(p, KEYS_WEIGHTS),
    n,
    payload,
    load<u32>(p, PROBE_STRIDE),
    load<u32>(p, PROBE_WEIGHT_AT),
    older,
    rows,
    others,
    others + (<usize>room << 2),
  );
  if (!isWithin) store<u32>(p, 1, PROBE_BEYOND);
  return total;
}
