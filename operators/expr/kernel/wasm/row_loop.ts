/**
 * Writes the loops of a map's kernel as WebAssembly (compile.ts runs them):
 *
 *   run(at, end)              rows at .. end: columns -> filter -> project -> slots; gives the first row that it leaves, and says why in the block
 *   select(row, end, put)     where the filter calls nothing: the numbers of the rows that pass, to `chosen` from `put` on; gives the new end of the list
 *   run(at, end)              then: those that stand at at .. end of `chosen`, without the filter
 *
 * With a filter the numbers of the rows that are put out stand in `chosen` from its start on, in both cases.
 *
 * select() has no branch that depends on the rows: a filter that keeps every third bid makes the processor guess wrong at every other one, and each wrong guess
 * costs as much as the rest of the row. A row that it cannot decide goes into the list with UNDECIDED, for the interpreter.
 *
 * Where run() filters it copies what is only passed on of a row that it keeps: between computations that costs half of what picking the values afterwards does
 * (docs/decisions/0614).
 *
 * What the loops work on stands in a block of words that they read once: addresses of the columns and of the list, how many rows were put out.
 */
import { type ColType, PHYS_WIDTH, type Phys, physOf } from '../../../types.ts';
import { columnsOf } from '../../columns.ts';
import type { Expr } from '../../ir.ts';
import { Emitter } from './emitter.ts';
import { ACCESS, I32, OP, SIMD } from './module.ts';
import { ReadAhead } from './read_ahead.ts';
import { Unsupported, type Value } from './values.ts';
import './integers.ts';
import './parts.ts';
import './regexes.ts';
import './texts.ts';
import './times.ts';

/** Words of the block before those of the columns. */
export const WORDS = { put: 0, status: 1, chosen: 2, undecided: 3, room: 4, ahead: 8, columns: 12 } as const;
/** In the list of chosen rows: the interpreter has to say whether this one passes. */
export const UNDECIDED = 0x80000000;
/** Instructions in bytes: more take tens of milliseconds to compile, in the middle of a tick. */
const MOST_CODE = 32768;
/** Of more columns that are only passed on each is picked by itself: their addresses would be read from memory at every row. */
const MOST_COPIED = 16;

export interface Loops {
  /** What run() and select() import and work on; its code is run()'s. */
  run: Emitter;
  select: Emitter | null;
  /** Address of the block. */
  block: number;
  /** Input columns whose addresses stand in the block, then output columns. */
  inputs: number[];
  outputs: number[];
  /** Of the outputs, those that are NULL for no row that run() computes. */
  present: number[];
  /** Output columns that are input columns. */
  passed: ReadonlyMap<number, number>;
  /** run() copies them of each row that it puts out. */
  copies: boolean;
  /** Input columns whose long texts run() reads. */
  texts: number[];
}

export function releaseLoops({ run, select }: Loops): void {
  run.memory.release();
  select?.memory.release();
}

/** Null where an expression cannot be written as WebAssembly. `nullable`: a column that is read may have a NULL. */
export function emitLoops(
  filter: Expr | null,
  items: Expr[],
  inputTypes: ColType[],
  outTypes: ColType[],
  nullable: boolean,
): Loops | null {
  const inputs = computedColumns(filter, items);
  const outputs = items.flatMap((item, k) => (item.k === 'col' ? [] : [k]));
  const passed = new Map(items.flatMap((item, k) => (item.k === 'col' ? [[k, item.id] as const] : [])));
  const run = new Emitter([I32, I32]);
  let select: Emitter | null = null;
  try {
    const block = run.memory.zeroed((WORDS.columns + (inputs.length + outputs.length + passed.size) * 2) * 4);
    run.room = block + WORDS.room * 4;
    const loop: Loop = { items, inputs, outputs, copied: [], inputTypes, outTypes, nullable, block };
    select = filter === null ? null : emitSelect(filter, loop);
    const copies = filter !== null && select === null && passed.size <= MOST_COPIED;
    if (copies) loop.copied = [...passed.values()];
    const present = emitRun(run, filter, select !== null, loop);
    return { run, select, block, inputs, outputs, present, passed, copies, texts: [...run.texts] };
  } catch (error) {
    run.memory.release();
    select?.memory.release();
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

interface Loop {
  items: Expr[];
  inputs: number[];
  outputs: number[];
  /** Input columns that run() copies. */
  copied: number[];
  inputTypes: ColType[];
  outTypes: ColType[];
  nullable: boolean;
  block: number;
}

function computedColumns(filter: Expr | null, items: Expr[]): number[] {
  const computed = new Set<number>();
  if (filter !== null) columnsOf(filter, computed);
  for (const item of items) if (item.k !== 'col') columnsOf(item, computed);
  return [...computed].sort((a, b) => a - b);
}

/** Into a local: a word of the block. */
function word(code: Emitter, block: number, which: number): number {
  const local = code.local(I32);
  code.i32(block);
  code.access(ACCESS.i32_load, which * 4);
  code.set(local);
  return local;
}

/** Into locals: addresses of the columns that `of` reads. */
function columnsAt(code: Emitter, { inputs, block }: Loop, of: Expr[]) {
  const read = new Set<number>();
  for (const e of of) columnsOf(e, read);
  return inputs.flatMap((id, i) => {
    if (!read.has(id)) return [];
    const at = WORDS.columns + i * 2;
    return [{ id, data: word(code, block, at), valid: word(code, block, at + 1) }];
  });
}

/** Pushes the address of an element of so many bytes. */
function element(code: Emitter, base: number, index: number, width = 4): void {
  code.get(base);
  code.get(index);
  code.i32(Math.log2(width));
  code.op(OP.i32_shl, OP.i32_add);
}

function add(code: Emitter, local: number, push: () => void): void {
  code.get(local);
  push();
  code.op(OP.i32_add);
  code.set(local);
}

/** `body` for each number from that in local `at` up to `end`, not including; it leaves no block of its own open. */
function eachUpTo(code: Emitter, at: number, end: number, body: () => void): void {
  const over = code.block();
  const rows = code.loop();
  code.get(at);
  code.get(end);
  code.op(OP.i32_ge_s);
  code.branchIf(over);
  body();
  add(code, at, () => code.i32(1));
  code.branch(rows);
  code.end();
  code.end();
}

/** Pushes whether the row passes; NULL does not. */
function passes(code: Emitter, { push, isNull }: Value): void {
  push();
  if (isNull === null) return;
  isNull();
  code.op(OP.i32_eqz, OP.i32_and);
}

/** Null where the filter calls functions: what they have computed for it is of use to the projection. */
function emitSelect(filter: Expr, loop: Loop): Emitter | null {
  const [row, end, put] = [0, 1, 2];
  const code = new Emitter([I32, I32, I32], true);
  try {
    const chosen = word(code, loop.block, WORDS.chosen);
    const columns = columnsAt(code, loop, [filter]);
    const head = code.bytes.length;
    eachUpTo(code, row, end, () => {
      const next = code.block();
      code.odd = code.block();
      for (const { id, data, valid } of columns)
        code.load(id, loop.inputTypes[id], data, loop.nullable ? valid : null, row);
      const keep = code.emit(filter);
      element(code, chosen, put);
      code.get(row);
      code.access(ACCESS.i32_store);
      add(code, put, () => passes(code, keep));
      code.branch(next);
      code.end();
      element(code, chosen, put);
      code.get(row);
      code.i32(UNDECIDED);
      code.op(OP.i32_or);
      code.access(ACCESS.i32_store);
      add(code, put, () => code.i32(1));
      code.i32(loop.block);
      code.i32(1);
      code.access(ACCESS.i32_store, WORDS.undecided * 4);
      code.end();
    });
    code.get(put);
    code.bytes.splice(head, 0, ...code.runStart());
  } catch (error) {
    code.memory.release();
    if (error instanceof Unsupported) return null;
    throw error;
  }
  if (code.imports.count === 0) return code;
  code.memory.release();
  return null;
}

/** Writes run(); gives the output columns that it never makes NULL. */
function emitRun(code: Emitter, filter: Expr | null, selected: boolean, loop: Loop): number[] {
  const { items, inputTypes, outTypes, block, inputs, outputs, copied, nullable } = loop;
  const [at, end] = [0, 1];
  const computed = outputs.map((k) => items[k]);
  const put = word(code, block, WORDS.put);
  const chosen = filter === null ? null : word(code, block, WORDS.chosen);
  const columns = columnsAt(code, loop, filter === null || selected ? computed : [filter, ...computed]);
  const places = outputs.map((_, i) => {
    const from = WORDS.columns + (inputs.length + i) * 2;
    return { data: word(code, block, from), valid: word(code, block, from + 1) };
  });
  const copies = copied.map((input, i) => {
    const at = WORDS.columns + (inputs.length + outputs.length + i) * 2;
    return { phys: physOf(inputTypes[input].oid), from: word(code, block, at), to: word(code, block, at + 1) };
  });
  // Behind these stand the first values of locals that functions ask for, then the loop.
  const head = code.bytes.length;
  const row = selected ? code.local(I32) : at;
  const store = (what: number, which: number) => {
    code.i32(block);
    code.get(what);
    code.access(ACCESS.i32_store, which * 4);
  };
  let start = 0;
  // Which columns have texts that are read is known when the row is written.
  let ahead = null as ReadAhead | null;
  const present: number[] = [];
  eachUpTo(code, at, end, () => {
    start = code.bytes.length;
    const skipped = code.block();
    code.odd = code.block();
    if (selected && chosen !== null) {
      element(code, chosen, at);
      code.access(ACCESS.i32_load);
      code.tee(row);
      code.i32(0);
      code.op(OP.i32_lt_s);
      code.branchIf(code.odd);
    }
    for (const { id, data, valid } of columns) code.load(id, inputTypes[id], data, nullable ? valid : null, row);
    if (filter !== null && !selected) {
      passes(code, code.emit(filter));
      code.op(OP.i32_eqz);
      code.branchIf(skipped);
    }
    const values = computed.map((e) => code.emit(e));
    if (!selected && code.texts.size > 0) ahead = new ReadAhead(code, block + WORDS.ahead * 4);
    values.forEach((value, i) => {
      storeValue(code, value, physOf(outTypes[outputs[i]].oid), places[i], put);
      if (value.isNull === null) present.push(outputs[i]);
    });
    for (const { phys, from, to } of copies) copyValue(code, phys, from, row, to, put);
    if (chosen !== null) {
      element(code, chosen, put);
      code.get(row);
      code.access(ACCESS.i32_store);
    }
    add(code, put, () => code.i32(1));
    code.branch(skipped);
    code.end();
    store(put, WORDS.put);
    store(code.status, WORDS.status);
    ahead?.keep(code);
    code.get(at);
    code.op(OP.return);
    code.end();
  });
  store(put, WORDS.put);
  code.get(end);
  code.settle();
  if (code.bytes.length > MOST_CODE) throw new Unsupported('so much code');
  code.bytes.splice(start, 0, ...(ahead?.row() ?? []), ...code.rowStart());
  code.bytes.splice(head, 0, ...(ahead?.begin() ?? []), ...code.runStart());
  return present;
}

/** How a value of so many bytes is moved. */
const MOVES: Record<number, [load: number, store: number]> = {
  1: [ACCESS.i32_load8_u, ACCESS.i32_store8],
  4: [ACCESS.i32_load, ACCESS.i32_store],
  8: [ACCESS.i64_load, ACCESS.i64_store],
};

/** Copies a column's value; who reads the batch looks at its validity. */
function copyValue(code: Emitter, phys: Phys, from: number, row: number, to: number, put: number): void {
  const width = PHYS_WIDTH[phys];
  element(code, to, put, width);
  element(code, from, row, width);
  if (width === 16) {
    code.simdAccess(SIMD.v128_load);
    code.simdAccess(SIMD.v128_store);
  } else for (const move of MOVES[width]) code.access(move);
}

/** Stores a value and, where it may be NULL, its validity byte. */
function storeValue(
  code: Emitter,
  value: Value,
  phys: Phys,
  { data, valid }: { data: number; valid: number },
  put: number,
): void {
  const width = PHYS_WIDTH[phys];
  const place = () => element(code, data, put, width);
  const validity = (present: number) => {
    code.get(valid);
    code.get(put);
    code.op(OP.i32_add);
    code.i32(present);
    code.access(ACCESS.i32_store8);
  };
  const write = () => {
    if (value.isNull !== null) validity(1);
    switch (phys) {
      case 'bool':
        place();
        value.push();
        code.access(ACCESS.i32_store8);
        return;
      case 'i32':
      case 'u32':
        place();
        value.push();
        code.op(OP.i32_wrap_i64);
        code.access(ACCESS.i32_store);
        return;
      case 'i64':
        place();
        value.push();
        code.access(ACCESS.i64_store);
        return;
      case 'numeric':
        place();
        value.push();
        code.access(ACCESS.i64_store);
        place();
        code.i64(BigInt(value.scale));
        code.access(ACCESS.i64_store, 8);
        return;
      case 'varlen':
        place();
        if (value.slot === undefined) {
          value.push();
          code.simdAccess(SIMD.v128_load);
        } else code.get(value.slot);
        code.simdAccess(SIMD.v128_store);
        return;
      default:
        throw new Unsupported(phys);
    }
  };
  if (value.isNull === null) {
    write();
    return;
  }
  value.isNull();
  code.if();
  validity(0);
  // NULL slots hold zeros.
  if (width === 1) {
    place();
    code.i32(0);
    code.access(ACCESS.i32_store8);
  } else if (width === 4) {
    place();
    code.i32(0);
    code.access(ACCESS.i32_store);
  } else
    for (let half = 0; half < width; half += 8) {
      place();
      code.i64(0n);
      code.access(ACCESS.i64_store, half);
    }
  code.else();
  write();
  code.end();
}
