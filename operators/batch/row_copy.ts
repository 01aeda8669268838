/** Copies whole rows from batch to batch by generated code: column loops unrolled, one function per user so call sites stay monomorphic. */
import { type ColType, PHYS_WIDTH, physOf } from '../types.ts';
import type { Column } from './batch.ts';
import * as views from './memory.ts';

export interface RowCopy {
  /** Fixes the columns that rows are read from. */
  bind(from: Column[]): void;
  /** Copies a bound row into row `to` of the columns; long bytes are shared. */
  copy(row: number, columns: Column[], to: number): void;
}

function slotCode(width: number, i: number): string {
  if (width === 1) return `U8[c.data + to] = U8[d${i} + row];`;
  const words = width / 4;
  const lines = Array.from({ length: words }, (_, w) => `I32[t + ${w}] = I32[f + ${w}];`).join(' ');
  return `const f = (d${i} >>> 2) + row * ${words}, t = (c.data >>> 2) + to * ${words}; ${lines}`;
}

/** The copy of rows with these column types; target columns must have validity bytes, as a BatchBuilder's do. */
export function rowCopy(types: ColType[]): RowCopy {
  const widths = types.map((type) => PHYS_WIDTH[physOf(type.oid)]);
  const each = (code: (i: number) => string) => widths.map((_, i) => code(i)).join('\n');
  const code = `
const { U8, I32 } = views;
${each((i) => `let d${i} = 0, v${i} = 0;`)}
return {
  bind(from) { ${each((i) => `d${i} = from[${i}].data; v${i} = from[${i}].valid;`)} },
  copy(row, columns, to) {
    ${each((i) => `{ const c = columns[${i}]; U8[c.valid + to] = v${i} === 0 ? 1 : U8[v${i} + row]; ${slotCode(widths[i], i)} }`)}
  },
};`;
  return new Function('views', code)(views) as RowCopy;
}
