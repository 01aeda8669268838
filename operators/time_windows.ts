/**
 * Time windows of a row with time t (microseconds). Windows are [start, start + size), aligned with floor division,
 * so that times before the origin fall into the right window:
 *
 *   tumble(t, size, size, offset)       1 window
 *   hop(t, slide, size, offset)         the windows that start every `slide` and contain t (size / slide of them)
 *   cumulate(t, step, size, offset)     [base, base + step), [base, base + 2 step), ... up to base + size, those that contain t
 *
 * Alignment is that of PostgreSQL's date_bin with origin 1970-01-01. A NULL or infinite time has no window.
 */
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { BoundSetFunction } from './expr/functions/registry.ts';

/** 1970-01-01 in microseconds since 2000-01-01. */
const UNIX_EPOCH = -946684800000000n;

function floorTo(t: bigint, step: bigint, offset: bigint): bigint {
  const origin = UNIX_EPOCH + offset;
  const remainder = (t - origin) % step;
  return t - (remainder < 0n ? remainder + step : remainder);
}

function* hop(t: bigint, slide: bigint, size: bigint, offset: bigint): Iterable<Datum[]> {
  const last = floorTo(t, slide, offset);
  let start = last;
  while (start + size > t) start -= slide;
  for (start += slide; start <= last; start += slide) yield [start, start + size];
}

function* cumulate(t: bigint, step: bigint, size: bigint, offset: bigint): Iterable<Datum[]> {
  const base = floorTo(t, size, offset);
  for (let end = base + step; end <= base + size; end += step) if (end > t) yield [base, end];
}

/** The window function called `fn` in a plan (`hop(...)`, `tumble(...)`, `cumulate(...)` with arguments time, slide, size, offset). */
export function timeWindowFunction(fn: string): BoundSetFunction | null {
  const name = fn.replace(/\(.*$/, '');
  const windows = name === 'cumulate' ? cumulate : name === 'hop' || name === 'tumble' ? hop : null;
  if (windows === null) return null;
  return ([time, slide, size, offset]) => {
    const t = time as bigint;
    if (t === TIMESTAMP_INFINITY || t === TIMESTAMP_NEG_INFINITY) return [];
    return windows(t, slide as bigint, size as bigint, offset as bigint);
  };
}
