/**
 * Generated operations on rows of one layout: hash, compare, copy in, copy out, free.
 *
 * One function per (layout), so every call site stays monomorphic and column loops are unrolled. `bind` fixes the batch columns
 * that `hash`, `equal` and `store` then read by row number.
 *
 * NULL equals NULL here, as in GROUP BY; joins leave out rows with NULL keys before they come here. Two equalities:
 *   sql       the type's `=`: 1.0 = 1.00, -0 = 0, '1 mon' = '30 days'                       for keys
 *   identity  same value and same look (scale of a numeric, fields of an interval, -0)       for the rows of a relation
 */
import type { Column } from '../batch/batch.ts';
import * as views from '../batch/memory.ts';
import { slotPayload } from '../batch/slots.ts';
import { kernels } from '../kernels/index.ts';
import type { SortKey } from '../plan.ts';
import { type ColType, OID, PHYS_WIDTH, type Phys } from '../types.ts';
import { areEqualsUnlike, equalValues, hashValue } from './equal_values.ts';
import type { Heap } from './heap.ts';
import { placeOf } from './home.ts';
import { type RowLayout, rowLayout } from './row_layout.ts';
import * as order from './slot_order.ts';

export interface RowOps {
  layout: RowLayout;
  /** Fixes the columns read by hash, equal and store; column k of the row comes from columns[k]. */
  bind(columns: Column[]): void;
  hash(row: number): number;
  /** A hash that looks at samples of long values only: equal rows by `identity` have equal ones, unequal rows sometimes. */
  slotHash(row: number): number;
  equal(row: number, address: number): boolean;
  /** True when two bound rows are equal. */
  same(a: number, b: number): boolean;
  /** True when a bound column of this row is NULL. */
  hasNull(row: number): boolean;
  /** Copies a bound row to `address`, with zeros for NULLs and padding, some words among it; long values are copied into the heap. */
  store(row: number, address: number, heap: Heap): void;
  /** As store, but long values stay where they are: for scratch rows that die before the batch does. */
  storeShallow(row: number, address: number): void;
  hashRow(address: number): number;
  equalRows(a: number, b: number): boolean;
  /** Writes the row's slots into row `row` of the columns; long values are shared with the state until the end of the tick. */
  load(address: number, columns: Column[], row: number): void;
  /** Queues the long values of the row to be freed. */
  free(address: number, heap: Heap): void;
}

/** Order and grouping treat these varlen types by value, not by bytes. */
export function varlenOrder(oid: number): 'bytes' | 'bpchar' | 'decoded' {
  if (oid === OID.bpchar) return 'bpchar';
  switch (oid) {
    case OID.text:
    case OID.varchar:
    case OID.name:
    case OID.char:
    case OID.bytea:
    case OID.json:
    case OID.unknown:
    case OID.cstring:
      return 'bytes';
    default:
      return 'decoded';
  }
}

export type Equality = 'sql' | 'identity';

function hashCode(phys: Phys, oid: number, slot: string, equality: Equality): string {
  switch (phys) {
    case 'bool':
      return `h = mix(h, U8[${slot}]);`;
    case 'i32':
    case 'u32':
      return `h = mix(h, I32[(${slot}) >>> 2]);`;
    case 'i64':
      return `{ const w = (${slot}) >>> 2; h = mix(mix(h, I32[w]), I32[w + 1]); }`;
    case 'f64':
      // Adding zero turns -0 into 0; NaN has one bit pattern once written by JavaScript, but input bytes may differ.
      return `{ const v = F64[(${slot}) / 8] + 0; if (v !== v) h = mix(h, 0x7ff8); else { TMP[0] = v; h = mix(mix(h, TMPI[0]), TMPI[1]); } }`;
    case 'numeric':
      return `h = o.hashNumeric(h, ${slot});`;
    case 'interval':
      return `h = o.hashInterval(h, ${slot});`;
    case 'uuid':
      return `{ const w = (${slot}) >>> 2; h = mix(mix(mix(mix(h, I32[w]), I32[w + 1]), I32[w + 2]), I32[w + 3]); }`;
    case 'varlen':
      if (equality === 'sql' && areEqualsUnlike(oid)) return `h = o.hashValue(h, ${slot}, ${oid});`;
      return oid === OID.bpchar ? `h = o.hashBpchar(h, ${slot});` : `h = o.hashVarlen(h, ${slot});`;
  }
}

/** Of the column whose low word is added in the end. */
function numberHashCode(phys: Phys, slot: string): string {
  const add = `low = I32[(${slot}) >>> 2];`;
  return phys === 'i64' ? `{ h = mix(h, I32[((${slot}) >>> 2) + 1]); ${add} }` : add;
}

function slotHashCode(phys: Phys, slot: string): string {
  switch (phys) {
    case 'varlen':
      return `h = o.hashSample(h, ${slot});`;
    case 'numeric':
      // Scale; of a small one also the value.
      return `{ const w = (${slot}) >>> 2; h = mix(h, I32[w + 2]); if (U8[(${slot}) + 10] === 0) h = mix(mix(h, I32[w]), I32[w + 1]); }`;
    case 'interval':
    case 'uuid':
      return `{ const w = (${slot}) >>> 2; h = mix(mix(mix(mix(h, I32[w]), I32[w + 1]), I32[w + 2]), I32[w + 3]); }`;
    default:
      return hashCode(phys, 0, slot, 'identity');
  }
}

function unequalCode(phys: Phys, oid: number, a: string, b: string, equality: Equality): string {
  if (equality === 'identity') {
    const wordsDiffer = (words: number[]) =>
      `(${words.map((w) => `I32[((${a}) >>> 2) + ${w}] !== I32[((${b}) >>> 2) + ${w}]`).join(' || ')})`;
    if (phys === 'numeric') return `!o.sameNumeric(${a}, ${b})`;
    if (phys === 'interval') return wordsDiffer([0, 1, 2, 3]);
    // NaN has many bit patterns and one look.
    if (phys === 'f64') return `(${wordsDiffer([0, 1])} && o.compareFloatLook(F64[(${a}) / 8], F64[(${b}) / 8]) !== 0)`;
    if (phys === 'varlen') return `!o.equalVarlen(${a}, ${b})`;
  }
  switch (phys) {
    case 'bool':
      return `U8[${a}] !== U8[${b}]`;
    case 'i32':
    case 'u32':
      return `I32[(${a}) >>> 2] !== I32[(${b}) >>> 2]`;
    case 'i64':
      return `(I32[(${a}) >>> 2] !== I32[(${b}) >>> 2] || I32[((${a}) >>> 2) + 1] !== I32[((${b}) >>> 2) + 1])`;
    case 'f64':
      return `o.compareFloat(F64[(${a}) / 8], F64[(${b}) / 8]) !== 0`;
    case 'numeric':
      return `!o.equalNumeric(${a}, ${b})`;
    case 'interval':
      return `o.compareInterval(${a}, ${b}) !== 0`;
    case 'uuid':
      return `o.compareUuid(${a}, ${b}) !== 0`;
    case 'varlen':
      if (areEqualsUnlike(oid)) return `!o.equalValues(${a}, ${b}, ${oid})`;
      return oid === OID.bpchar ? `o.compareBpchar(${a}, ${b}) !== 0` : `!o.equalVarlen(${a}, ${b})`;
  }
}

function compareCode(phys: Phys, oid: number, a: string, b: string): string {
  switch (phys) {
    case 'bool':
      return `U8[${a}] - U8[${b}]`;
    case 'i32':
      return `(I32[(${a}) >>> 2] < I32[(${b}) >>> 2] ? -1 : I32[(${a}) >>> 2] > I32[(${b}) >>> 2] ? 1 : 0)`;
    case 'u32':
      return `U32[(${a}) >>> 2] - U32[(${b}) >>> 2]`;
    case 'i64':
      return `o.compareInt64(${a}, ${b})`;
    case 'f64':
      return `o.compareFloat(F64[(${a}) / 8], F64[(${b}) / 8])`;
    case 'numeric':
      return `o.compareNumeric(${a}, ${b})`;
    case 'interval':
      return `o.compareInterval(${a}, ${b})`;
    case 'uuid':
      return `o.compareUuid(${a}, ${b})`;
    case 'varlen':
      switch (varlenOrder(oid)) {
        case 'bytes':
          return `o.compareVarlen(${a}, ${b})`;
        case 'bpchar':
          return `o.compareBpchar(${a}, ${b})`;
        case 'decoded':
          return `o.compareDecoded(${a}, ${b}, ${oid})`;
      }
  }
}

/** Copies one slot's words from byte address expression a to b. */
function copyCode(phys: Phys, from: string, to: string): string {
  switch (PHYS_WIDTH[phys]) {
    case 1:
      return `U8[${to}] = U8[${from}];`;
    case 4:
      return `I32[(${to}) >>> 2] = I32[(${from}) >>> 2];`;
    case 8:
      return `{ const f = (${from}) >>> 2, t = (${to}) >>> 2; I32[t] = I32[f]; I32[t + 1] = I32[f + 1]; }`;
    default:
      return `{ const f = (${from}) >>> 2, t = (${to}) >>> 2; I32[t] = I32[f]; I32[t + 1] = I32[f + 1]; I32[t + 2] = I32[f + 2]; I32[t + 3] = I32[f + 3]; }`;
  }
}

function clearCode(phys: Phys, to: string): string {
  if (PHYS_WIDTH[phys] === 1) return `U8[${to}] = 0;`;
  const words = Array.from({ length: PHYS_WIDTH[phys] / 4 }, (_, w) => `I32[t + ${w}] = 0;`);
  return `{ const t = (${to}) >>> 2; ${words.join(' ')} }`;
}

const helpers = { ...order, placeOf, hashValue, equalValues, deepCopy, deepCopyLong, freePayload };

/** The slot at `slot` is a shallow copy: gives it its own copy of its long value. */
export function deepCopy(phys: Phys, slot: number, heap: Heap): void {
  const payload = slotPayload(phys, slot);
  if (payload === null) return;
  const address = heap.alloc(payload.bytes);
  kernels.copyBytes(address, payload.address, payload.bytes);
  views.U32[payload.pointer] = address;
}

/** The slot is a shallow copy of a varlen of more than 12 bytes: gives it its own copy of them. */
export function deepCopyLong(slot: number, heap: Heap): void {
  const word = slot >>> 2;
  const bytes = views.U32[word];
  const address = heap.alloc(bytes);
  kernels.copyBytes(address, views.U32[word + 2], bytes);
  views.U32[word + 2] = address;
}

function freePayload(phys: Phys, slot: number, heap: Heap): void {
  const payload = slotPayload(phys, slot);
  if (payload !== null) heap.free(payload.address, payload.bytes);
}

/** Code that gives a present slot its own copy of its long value, or frees it. */
function deepCode(phys: Phys, slot: string): string {
  if (phys === 'varlen') return `if (U32[(${slot}) >>> 2] > 12) o.deepCopyLong(${slot}, heap);`;
  return `if (U8[${slot} + 10] !== 0) o.deepCopy('${phys}', ${slot}, heap);`;
}

function freeCode(phys: Phys, slot: string): string {
  if (phys === 'varlen') return `{ const w = (${slot}) >>> 2; if (U32[w] > 12) heap.free(U32[w + 2], U32[w]); }`;
  return `if (U8[${slot} + 10] !== 0) o.freePayload('${phys}', ${slot}, heap);`;
}

const hasPayload = (phys: Phys) => phys === 'varlen' || phys === 'numeric';

function slotOf(layout: RowLayout, column: number, base: string): string {
  return `${base} + ${layout.offsets[column]}`;
}

function rowOpsCode(layout: RowLayout, equality: Equality): string {
  const count = layout.types.length;
  const each = (code: (i: number, phys: Phys, oid: number, width: number) => string) =>
    layout.phys.map((phys, i) => code(i, phys, layout.types[i].oid, PHYS_WIDTH[phys])).join('\n');
  const batchSlot = (i: number, width: number, row = 'row') =>
    width === 1 ? `d${i} + ${row}` : `d${i} + ${row} * ${width}`;
  const keyHash = (i: number, phys: Phys, oid: number, slot: string) =>
    i === layout.number ? numberHashCode(phys, slot) : hashCode(phys, oid, slot, equality);
  const complete = layout.number < count ? 'o.placeOf(finish(h) + low)' : 'finish(h)';
  const valid = (i: number, base: string) => `U8[${base} + ${layout.valid + i}]`;
  return `
const { U8, I32, U32, F64 } = views;
const mix = o.mix, finish = o.finish;
const TMP = new Float64Array(1), TMPI = new Int32Array(TMP.buffer);
${each((i) => `let d${i} = 0, v${i} = 0;`)}
return {
  layout,
  bind(columns) { ${each((i) => `d${i} = columns[${i}].data; v${i} = columns[${i}].valid;`)} },
  hash(row) {
    let h = ${count - 1}, low = 0;
    ${each((i, phys, oid, width) => `if (v${i} !== 0 && U8[v${i} + row] === 0) h = mix(h, 0x5bd1e995); else ${keyHash(i, phys, oid, batchSlot(i, width))}`)}
    return ${complete};
  },
  slotHash(row) {
    let h = ${count};
    ${each((i, phys, _oid, width) => `if (v${i} === 0 || U8[v${i} + row] !== 0) ${slotHashCode(phys, batchSlot(i, width))}`)}
    return finish(h);
  },
  hashRow(address) {
    let h = ${count - 1}, low = 0;
    ${each((i, phys, oid) => `if (${valid(i, 'address')} === 0) h = mix(h, 0x5bd1e995); else ${keyHash(i, phys, oid, slotOf(layout, i, 'address'))}`)}
    return ${complete};
  },
  equal(row, address) {
    ${each(
      (i, phys, oid, width) => `{
      const a = v${i} === 0 ? 1 : U8[v${i} + row];
      if (a !== ${valid(i, 'address')}) return false;
      if (a !== 0 && ${unequalCode(phys, oid, batchSlot(i, width), slotOf(layout, i, 'address'), equality)}) return false;
    }`,
    )}
    return true;
  },
  same(a, b) {
    ${each(
      (i, phys, oid, width) => `{
      const x = v${i} === 0 ? 1 : U8[v${i} + a];
      if (x !== (v${i} === 0 ? 1 : U8[v${i} + b])) return false;
      if (x !== 0 && ${unequalCode(phys, oid, batchSlot(i, width, 'a'), batchSlot(i, width, 'b'), equality)}) return false;
    }`,
    )}
    return true;
  },
  equalRows(a, b) {
    ${each(
      (i, phys, oid) => `{
      const x = ${valid(i, 'a')};
      if (x !== ${valid(i, 'b')}) return false;
      if (x !== 0 && ${unequalCode(phys, oid, slotOf(layout, i, 'a'), slotOf(layout, i, 'b'), equality)}) return false;
    }`,
    )}
    return true;
  },
  hasNull(row) {
    return ${each((i) => `(v${i} !== 0 && U8[v${i} + row] === 0) ||`)} false;
  },
  storeShallow(row, address) {
    ${each((i, phys, _oid, width) => `${valid(i, 'address')} = v${i} === 0 ? 1 : U8[v${i} + row];\n${copyCode(phys, batchSlot(i, width), slotOf(layout, i, 'address'))}`)}
  },
  store(row, address, heap) {
    ${count === 0 ? '' : `F64[(address + ${layout.stride - 8}) / 8] = 0;`}
    ${each((i, phys, _oid, width) => {
      const to = slotOf(layout, i, 'address');
      const deep = hasPayload(phys) ? deepCode(phys, to) : '';
      return `if (v${i} !== 0 && U8[v${i} + row] === 0) { ${valid(i, 'address')} = 0; ${clearCode(phys, to)} }
      else { ${valid(i, 'address')} = 1; ${copyCode(phys, batchSlot(i, width), to)} ${deep} }`;
    })}
  },
  load(address, columns, row) {
    ${loadCode(layout.types.map((_, column) => ({ layout, column, base: 'address' })))}
  },
  free(address, heap) {
    ${each((i, phys) => (hasPayload(phys) ? `if (${valid(i, 'address')} !== 0) ${freeCode(phys, slotOf(layout, i, 'address'))}` : ''))}
  },
};`;
}

/** A column of a row that lies at the address expression `base`. */
interface ColumnCode {
  layout: RowLayout;
  column: number;
  base: string;
}

/** Copies the columns into row `row` of columns[0 ..]. */
function loadCode(from: ColumnCode[]): string {
  return from
    .map(
      ({ layout, column, base }, i) => `{
      const column = columns[${i}];
      U8[column.valid + row] = U8[${base} + ${layout.valid + column}];
      const to = column.data + row * ${PHYS_WIDTH[layout.phys[column]]};
      ${copyCode(layout.phys[column], slotOf(layout, column, base), 'to')}
    }`,
    )
    .join('\n');
}

/** A column of one of two rows that lie apart. */
export interface ColumnOfTwo {
  layout: RowLayout;
  column: number;
  row: 'first' | 'second';
}

export type TwoRowLoad = (first: number, second: number, columns: Column[], row: number) => void;

/** As RowOps.load, of columns of two rows, given by their addresses. */
export function twoRowLoader(from: ColumnOfTwo[]): TwoRowLoad {
  const loads = loadCode(from.map(({ layout, column, row }) => ({ layout, column, base: row })));
  return new Function('views', `const { U8, I32 } = views; return (first, second, columns, row) => { ${loads} };`)(
    views,
  ) as TwoRowLoad;
}

/** Row operations for these column types. Each call makes functions of its own, so that two users never share a call site. */
export function rowOps(types: ColType[], equality: Equality, layout = rowLayout(types)): RowOps {
  return new Function('views', 'o', 'layout', rowOpsCode(layout, equality))(views, helpers, layout) as RowOps;
}

/** Also tells values apart that are equal but look different (1.0 and 1.00, -0 and 0). */
function tieBreakCode(phys: Phys, oid: number, a: string, b: string): string {
  if (phys === 'numeric') return `o.compareNumericAndScale(${a}, ${b})`;
  if (phys === 'interval') return `o.compareIntervalFields(${a}, ${b})`;
  if (phys === 'f64') return `o.compareFloatLook(F64[(${a}) / 8], F64[(${b}) / 8])`;
  return compareCode(phys, oid, a, b);
}

export type RowCompare = (a: number, b: number) => number;

/** How code gets at column `col` of one of two rows: its slot's address, and its validity. */
interface RowCode {
  slot(col: number): string;
  valid(col: number): string;
}

/** Statements that return how two rows compare, if they differ. With `total`, all columns break ties. */
function compareRowsCode(layout: RowLayout, keys: SortKey[], total: boolean, a: RowCode, b: RowCode): string {
  const all = keys.map((key) => ({ ...key, tieBreak: false }));
  if (total) for (const col of layout.types.keys()) all.push({ col, desc: false, nullsFirst: false, tieBreak: true });
  const lines = all.map(({ col, desc, nullsFirst, tieBreak }) => {
    // A tie-breaker needs some fixed order, not the type's own: bytes do, also for types that have no order.
    const oid = tieBreak && layout.phys[col] === 'varlen' ? OID.bytea : layout.types[col].oid;
    const slots = [a.slot(col), b.slot(col)] as const;
    const code = tieBreak
      ? tieBreakCode(layout.phys[col], oid, ...slots)
      : compareCode(layout.phys[col], oid, ...slots);
    return `{
      const x = ${a.valid(col)}, y = ${b.valid(col)};
      if (x !== y) return x === 0 ? ${nullsFirst ? -1 : 1} : ${nullsFirst ? 1 : -1};
      if (x !== 0) { const c = ${code}; if (c !== 0) return ${desc ? '-c' : 'c'}; }
    }`;
  });
  return lines.join('\n');
}

function storedRow(layout: RowLayout, base: string): RowCode {
  return { slot: (col) => slotOf(layout, col, base), valid: (col) => `U8[${base} + ${layout.valid + col}]` };
}

/**
 * Compares two state rows by sort keys; with `total`, all columns break ties, so that different rows never compare equal and
 * order is the same on every replay.
 */
export function rowCompare(layout: RowLayout, keys: SortKey[], total: boolean): RowCompare {
  const code = compareRowsCode(layout, keys, total, storedRow(layout, 'a'), storedRow(layout, 'b'));
  return new Function('views', 'o', `const { U8, I32, U32, F64 } = views; return (a, b) => { ${code} return 0; };`)(
    views,
    helpers,
  ) as RowCompare;
}

/** rowCompare() of rows of a batch. */
export interface BoundCompare {
  /** Fixes the columns. */
  bind(columns: Column[]): void;
  /** Two bound rows. */
  rows(a: number, b: number): number;
  /** A bound row with the state row at an address. */
  stored(a: number, b: number): number;
}

export function boundCompare(layout: RowLayout, keys: SortKey[], total: boolean): BoundCompare {
  const columns = layout.types.map((_, i) => i);
  const bound = (row: string): RowCode => ({
    slot: (col) => `d${col} + ${row} * ${PHYS_WIDTH[layout.phys[col]]}`,
    valid: (col) => `(v${col} === 0 ? 1 : U8[v${col} + ${row}])`,
  });
  const code = `
const { U8, I32, U32, F64 } = views;
${columns.map((i) => `let d${i} = 0, v${i} = 0;`).join(' ')}
return {
  bind(columns) { ${columns.map((i) => `d${i} = columns[${i}].data; v${i} = columns[${i}].valid;`).join(' ')} },
  rows(a, b) { ${compareRowsCode(layout, keys, total, bound('a'), bound('b'))} return 0; },
  stored(a, b) { ${compareRowsCode(layout, keys, total, bound('a'), storedRow(layout, 'b'))} return 0; },
};`;
  return new Function('views', 'o', code)(views, helpers) as BoundCompare;
}
