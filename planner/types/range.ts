/**
 * Range and multirange types (pg_range): which element, range and multirange type belong together.
 */
import { systemTable } from './catalog_table.ts';

interface RangeRow {
  range: number;
  element: number;
  multirange: number;
}

let rows: RangeRow[] | null = null;

function ranges(): RangeRow[] {
  if (rows === null) {
    const t = systemTable('pg_range');
    rows = Array.from({ length: t.rowCount }, (_, r) => ({
      range: t.number(r, 'rngtypid'),
      element: t.number(r, 'rngsubtype'),
      multirange: t.number(r, 'rngmultitypid'),
    }));
  }
  return rows;
}

/** Element type of a range type; 0 for others. */
export function rangeElementOf(range: number): number {
  return ranges().find((r) => r.range === range)?.element ?? 0;
}

/** Multirange type over a range type; 0 for others. */
export function multirangeOf(range: number): number {
  return ranges().find((r) => r.range === range)?.multirange ?? 0;
}

/** Range type under a multirange type; 0 for others. */
export function rangeOfMultirange(multirange: number): number {
  return ranges().find((r) => r.multirange === multirange)?.range ?? 0;
}
