/**
 * Time windows from their definitions: which windows hold a time, and sessions of a list of rows.
 */
import type { Datum } from '../../../operators/datum.ts';

const UNIX_EPOCH = -946684800000000n;

export interface WindowSpec {
  kind: 'tumble' | 'hop' | 'cumulate' | 'session';
  size: bigint;
  slide: bigint;
  offset: bigint;
}

function floorTo(t: bigint, step: bigint, origin: bigint): bigint {
  const rest = (((t - origin) % step) + step) % step;
  return t - rest;
}

/** [start, end] of every window that holds `t`; none for NULL. */
export function assignWindows(spec: WindowSpec, t: bigint | null): [bigint, bigint][] {
  if (t === null) return [];
  const origin = UNIX_EPOCH + spec.offset;
  const windows: [bigint, bigint][] = [];
  if (spec.kind === 'cumulate') {
    const base = floorTo(t, spec.size, origin);
    for (let end = base + spec.slide; end <= base + spec.size; end += spec.slide)
      if (end > t) windows.push([base, end]);
    return windows;
  }
  const slide = spec.kind === 'tumble' ? spec.size : spec.slide;
  for (let start = floorTo(t, slide, origin); start + spec.size > t; start -= slide)
    windows.push([start, start + spec.size]);
  return windows;
}

/** Rows with the session's start and end appended: a pause longer than `gap` ends a session. */
export function sessionWindows(rows: Datum[][], timeOf: (row: Datum[]) => bigint, gap: bigint): Datum[][] {
  const sorted = [...rows].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
  const sessions: Datum[][][] = [];
  sorted.forEach((row, i) => {
    if (i > 0 && timeOf(row) - timeOf(sorted[i - 1]) <= gap) sessions[sessions.length - 1].push(row);
    else sessions.push([row]);
  });
  return sessions.flatMap((session) => {
    const start = timeOf(session[0]);
    const end = timeOf(session[session.length - 1]) + gap;
    return session.map((row) => [...row, start, end]);
  });
}
