/**
 * The kernel of a map node as WebAssembly: one loop over the rows of a batch.
 *
 *   run(row, n)  rows from `row` on: columns -> filter -> project -> slots; stops at the first that it leaves, and says why
 *
 * What it works on stands in a block of words that run() reads once: addresses of the columns, of the weights, and how many rows were put out. The numbers
 * of the rows that were kept are written too; columns that are only passed on are picked by them afterwards, or shared when every row was kept.
 *
 * Property test: compile.test.ts compares it with the interpreter on random expressions and rows, as the kernel in JavaScript.
 */
import type { Batch } from '../../../batch/batch.ts';
import type { BatchBuilder } from '../../../batch/builder.ts';
import { U32 } from '../../../batch/memory.ts';
import * as layout from '../../../kernels/text_layout.ts';
import { type ColType, PHYS_WIDTH, type Phys, physOf } from '../../../types.ts';
import { columnsOf } from '../../columns.ts';
import type { EvalContext, Expr } from '../../ir.ts';
import type { MapKernel } from '../compile.ts';
import { passOn } from '../pass_on.ts';
import { Emitter, Unsupported, type Value } from './emitter.ts';
import { ACCESS, I32, OP } from './module.ts';
import './integers.ts';
import './texts.ts';
import './times.ts';

/** Words of the block before those of the columns. */
const WORDS = { put: 0, status: 1, inWeights: 2, outWeights: 3, chosen: 4, room: 5, columns: 8 } as const;
/** Instructions in bytes: more take tens of milliseconds to compile, in the middle of a tick. */
const MOST_CODE = 32768;
/** Least bytes that are taken at once for long texts. */
const ROOM = 4096;

/** The kernel; null where an expression cannot be written as WebAssembly. */
export function compileWasmMap(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): MapKernel | null {
  const items = project ?? inputTypes.map((t, id): Expr => ({ k: 'col', id, t }));
  const made = emitMap(filter, items, inputTypes, outTypes);
  if (made === null) return null;
  const { code, block } = made;
  const run = code.imports.compile(code, [I32, I32], [I32]);
  const passed = new Map(items.flatMap((item, k) => (item.k === 'col' ? [[k, item.id] as const] : [])));
  const finish = passOn(passed);
  const { begins } = code;
  const word = block >>> 2;
  const computed = computedColumns(filter, items);
  const stored = items.flatMap((item, k) => (item.k === 'col' ? [] : [k]));

  const kernel = (input: Batch, out: BatchBuilder, _: EvalContext, slow: (row: number) => void): Batch => {
    const { n } = input;
    const { arena } = out;
    out.reserve(n);
    const chosen = arena.alloc(n * 4);
    U32[word + WORDS.put] = 0;
    U32[word + WORDS.inWeights] = input.weights;
    U32[word + WORDS.outWeights] = out.weights;
    U32[word + WORDS.chosen] = chosen;
    let at = word + WORDS.columns;
    for (const id of computed) {
      U32[at++] = input.columns[id].data;
      U32[at++] = input.columns[id].valid;
    }
    for (const k of stored) {
      U32[at++] = out.columns[k].data;
      U32[at++] = out.columns[k].valid;
    }
    const room = word + WORDS.room;
    let size = 0;
    U32[room] = 0;
    U32[room + layout.ROOM_END / 4] = 0;
    for (const begin of begins) begin(arena);
    for (let row = run(0, n); row < n; row = run(row, n)) {
      out.n = U32[word + WORDS.put];
      if (U32[word + WORDS.status] === layout.TEXT_ROOM) {
        // Twice as much each time: several long texts of one row have to fit in one piece.
        size = Math.max(ROOM, size * 2, U32[room + layout.ROOM_NEEDED / 4] + 16);
        U32[room] = arena.alloc(size);
        U32[room + layout.ROOM_END / 4] = U32[room] + size;
        continue;
      }
      const before = out.n;
      slow(row);
      if (out.n !== before) U32[(chosen >>> 2) + before] = row;
      U32[word + WORDS.put] = out.n;
      row++;
    }
    out.n = U32[word + WORDS.put];
    return finish(input, out, chosen);
  };
  return Object.assign(kernel, { release: () => code.memory.release() });
}

/** True when the node's kernel is WebAssembly once it has seen some rows. */
export function isWasmMap(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): boolean {
  const items = project ?? inputTypes.map((t, id): Expr => ({ k: 'col', id, t }));
  const made = emitMap(filter, items, inputTypes, outTypes);
  made?.code.memory.release();
  return made !== null;
}

function computedColumns(filter: Expr | null, items: Expr[]): number[] {
  const computed = new Set<number>();
  if (filter !== null) columnsOf(filter, computed);
  for (const item of items) if (item.k !== 'col') columnsOf(item, computed);
  return [...computed].sort((a, b) => a - b);
}

/** The instructions, and the address of the block of words. */
function emitMap(
  filter: Expr | null,
  items: Expr[],
  inputTypes: ColType[],
  outTypes: ColType[],
): { code: Emitter; block: number } | null {
  const computed = computedColumns(filter, items);
  const words = WORDS.columns + (computed.length + items.length) * 2;
  const [row, n] = [0, 1];
  const code = new Emitter([I32, I32]);
  const block = code.memory.zeroed(words * 4);
  code.room = block + WORDS.room * 4;
  try {
    let next: number = WORDS.columns;
    const fromBlock = (which: number) => {
      const local = code.local(I32);
      code.i32(block);
      code.access(ACCESS.i32_load, which * 4);
      code.set(local);
      return local;
    };
    const put = fromBlock(WORDS.put);
    const inWeights = fromBlock(WORDS.inWeights);
    const outWeights = fromBlock(WORDS.outWeights);
    const chosen = fromBlock(WORDS.chosen);
    const inputs = computed.map((id) => ({ id, data: fromBlock(next++), valid: fromBlock(next++) }));
    const outputs = items.map((item) =>
      item.k === 'col' ? null : { data: fromBlock(next++), valid: fromBlock(next++) },
    );
    // Behind these stand the first values of locals that functions ask for, then the loop.
    const head = code.bytes.length;
    const store = (what: number, which: number) => {
      code.i32(block);
      code.get(what);
      code.access(ACCESS.i32_store, which * 4);
    };
    const over = code.block();
    const rows = code.loop();
    code.get(row);
    code.get(n);
    code.op(OP.i32_ge_s);
    code.branchIf(over);
    const start = code.bytes.length;
    const skipped = code.block();
    code.odd = code.block();
    for (const { id, data, valid } of inputs) code.load(id, inputTypes[id], data, valid, row);
    if (filter !== null) {
      const keep = code.emit(filter);
      keep.push();
      code.op(OP.i32_eqz);
      if (keep.isNull !== null) {
        keep.isNull();
        code.op(OP.i32_or);
      }
      code.branchIf(skipped);
    }
    const values = items.map((item) => (item.k === 'col' ? null : code.emit(item)));
    values.forEach((value, k) => {
      const to = outputs[k];
      if (value !== null && to !== null) storeValue(code, value, physOf(outTypes[k].oid), to, put);
    });
    // outWeights[put] = weights[row]; chosen[put] = row; put++
    const element = (base: number, index: number) => {
      code.get(base);
      code.get(index);
      code.i32(2);
      code.op(OP.i32_shl, OP.i32_add);
    };
    element(outWeights, put);
    element(inWeights, row);
    code.access(ACCESS.i32_load);
    code.access(ACCESS.i32_store);
    element(chosen, put);
    code.get(row);
    code.access(ACCESS.i32_store);
    code.get(put);
    code.i32(1);
    code.op(OP.i32_add);
    code.set(put);
    code.branch(skipped);
    code.end();
    store(put, WORDS.put);
    store(code.status, WORDS.status);
    code.get(row);
    code.op(OP.return);
    code.end();
    code.get(row);
    code.i32(1);
    code.op(OP.i32_add);
    code.set(row);
    code.branch(rows);
    code.end();
    code.end();
    store(put, WORDS.put);
    code.get(n);
    if (code.bytes.length > MOST_CODE) throw new Unsupported('so much code');
    code.bytes.splice(start, 0, ...code.rowStart());
    code.bytes.splice(head, 0, ...code.runStart());
    return { code, block };
  } catch (error) {
    code.memory.release();
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

function storeValue(
  code: Emitter,
  value: Value,
  phys: Phys,
  { data, valid }: { data: number; valid: number },
  put: number,
): void {
  const width = PHYS_WIDTH[phys];
  const place = () => {
    code.get(data);
    code.get(put);
    code.i32(Math.log2(width));
    code.op(OP.i32_shl, OP.i32_add);
  };
  const validity = (present: number) => {
    code.get(valid);
    code.get(put);
    code.op(OP.i32_add);
    code.i32(present);
    code.access(ACCESS.i32_store8);
  };
  const write = () => {
    validity(1);
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
        for (const half of [0, 8]) {
          place();
          value.push();
          code.access(ACCESS.i64_load, half);
          code.access(ACCESS.i64_store, half);
        }
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
