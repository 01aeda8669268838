/**
 * Generated kernels for filter and projection: one loop over the rows of a batch, made with `new Function` for one plan node and its
 * physical types.
 *
 *   for each row:  load the columns that are used -> filter -> project -> write slots         (fast)
 *                  anything odd -> bail: the interpreter does the whole row                   (exact)
 *
 * Columns that are only passed on: without a filter the output shares the input's columns as long as no row fails; the first that does
 * makes the kernel copy from there on. With a filter they are picked after the loop, column by column. Measured on bids: a filter with arithmetic runs 20 to 60 times faster than the closures alone; see
 * docs/decisions 0003 and 0135.
 *
 * Property test: compile.test.ts compares with `evaluate` on random expressions and rows.
 */
import type { Arena } from '../../batch/arena.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { type BatchBuilder, readDatum } from '../../batch/builder.ts';
import * as memory from '../../batch/memory.ts';
import { writeSlot } from '../../batch/slots.ts';
import { SqlError } from '../../errors.ts';
import { type ColType, PHYS_WIDTH, type Phys, physOf } from '../../types.ts';
import { columnsOf } from '../columns.ts';
import { bindExpr } from '../interpret.ts';
import type { EvalContext, Expr } from '../ir.ts';
import { Generator } from './generator.ts';
import { passOn } from './pass_on.ts';
import { storeValue } from './values.ts';

/** A kernel's owner gives its memory back; batches that it made may show constants that lie there. */
interface Owned {
  release(): void;
}

export type MapLoop = (input: Batch, out: BatchBuilder, context: EvalContext, slow: (row: number) => void) => Batch;

/** Runs over all rows of the input; rows that it gives up are passed to `slow` (which appends what they give, in place). */
export type MapKernel = MapLoop & Owned;

/** 10^0 to 10^31 as doubles; exact up to 10^22. */
const P10 = Float64Array.from({ length: 32 }, (_, i) => Number(`1e${i}`));

/** Code that copies column `k` of the output from an input column; long bytes are shared. */
function copyCode(phys: Phys, k: number, id: number): string {
  const width = PHYS_WIDTH[phys];
  const valid = `U8[w${k} + o] = v${id} === 0 ? 1 : U8[v${id} + i];`;
  if (width === 1) return `${valid} U8[e${k} + o] = U8[d${id} + i];`;
  const words = width / 4;
  const moves = Array.from({ length: words }, (_, w) => `I32[t + ${w}] = I32[f + ${w}];`).join(' ');
  return `${valid} { const f = (d${id} >>> 2) + i * ${words}, t = (e${k} >>> 2) + o * ${words}; ${moves} }`;
}

/** Statements that filter and project one row, and what they need. */
interface RowCode {
  generator: Generator;
  /** Statements that store the computed columns, and those that copy the others. */
  stores: string;
  copies: string;
  /** Output column -> input column, of the columns that are passed on. */
  passed: Map<number, number>;
}

/** With a filter, columns that are passed on are picked after the loop, by the numbers of the rows that it kept. */
const selectsRows = (filter: Expr | null, items: Expr[]) => filter !== null && items.some((item) => item.k === 'col');

function rowCode(filter: Expr | null, items: Expr[], inputTypes: ColType[], outTypes: ColType[]): RowCode {
  const selects = selectsRows(filter, items);
  const generator = new Generator(
    selects
      ? '{ const b = out.n; slow(i); if (out.n !== b) I32[chosen + b] = i; continue; }'
      : '{ slow(i); continue; }',
  );
  const computed = new Set<number>();
  if (filter !== null) columnsOf(filter, computed);
  for (const item of items) if (item.k !== 'col') columnsOf(item, computed);
  for (const id of [...computed].sort((a, b) => a - b)) generator.load(id, inputTypes[id]);
  if (filter !== null) {
    const keep = generator.emit(filter);
    generator.line(`if (${keep.isNull} || ${keep.v} !== 1) continue;`);
  }
  const passed = new Map<number, number>();
  const stores: string[] = [];
  const copies: string[] = [];
  items.forEach((item, k) => {
    const phys = physOf(outTypes[k].oid);
    if (item.k === 'col') {
      passed.set(k, item.id);
      copies.push(copyCode(phys, k, item.id));
    } else stores.push(storeValue(phys, outTypes[k].oid, k, generator.emit(item)));
  });
  return { generator, stores: stores.join('\n'), copies: copies.join('\n'), passed };
}

type Test = (columns: Column[], row: number, context: EvalContext, arena: Arena) => number;

/** A predicate of one row of some columns: 1 true, 0 false or NULL, -1 the interpreter has to say. */
export type RowTest = Test & Owned;

/** The kernel of a predicate over rows with these column types. */
export function compileTest(e: Expr, types: ColType[]): RowTest {
  const generator = new Generator('{ return -1; }');
  const read = new Set<number>();
  columnsOf(e, read);
  const ids = [...read].sort((a, b) => a - b);
  for (const id of ids) generator.load(id, types[id]);
  const { v, isNull } = generator.emit(e);
  const { objects, interpreted, lines, declarations } = generator;
  const code = `
    const { U8, U16, I32, U32, F64 } = memory;
    const row = new Array(${types.length}).fill(null);
    ${naming(objects)}
    return (columns, i, context, arena) => {
      ${ids.map((id) => `const d${id} = columns[${id}].data, v${id} = columns[${id}].valid;`).join('\n')}
      ${begins(objects)}
      ${declarations.join('\n')}
      ${lines.join('\n')}
      return ${isNull} || ${v} !== 1 ? 0 : 1;
    };`;
  const make = new Function('memory', 'P10', 'f', 'h', 'readDatum', 'writeSlot', 'ofRow', code);
  const run = make(memory, P10, interpreted.map(bindExpr), objects, readDatum, writeSlot, ofRow) as Test;
  return Object.assign(run, { release: () => generator.memory.release() });
}

/** The interpreter says an error of the row again, with all that belongs to it; what ends the statement or the tick goes on from here. */
function ofRow(error: unknown): void {
  if (!(error instanceof SqlError)) throw error;
}

const naming = (objects: object[]) => objects.map((_, i) => `const h${i} = h[${i}];`).join(' ');
const begins = (objects: object[]) =>
  objects.flatMap((o, i) => ('begin' in o ? [`h${i}.begin(arena);`] : [])).join(' ');

const allColumns = (types: ColType[]): Expr[] => types.map((t, id) => ({ k: 'col', id, t }));

/** The subexpressions of a map node that its kernel leaves to the interpreter. */
export function interpretedParts(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): Expr[] {
  const { generator } = rowCode(filter, project ?? allColumns(inputTypes), inputTypes, outTypes);
  generator.memory.release();
  return generator.interpreted;
}

/** The kernel of one map node. `project` null keeps the row's columns. */
export function compileMap(
  filter: Expr | null,
  project: Expr[] | null,
  inputTypes: ColType[],
  outTypes: ColType[],
): MapKernel {
  const items = project ?? allColumns(inputTypes);
  const { generator, stores, copies, passed } = rowCode(filter, items, inputTypes, outTypes);
  const { objects, interpreted, lines, declarations } = generator;
  const share = filter === null && passed.size > 0;
  const selects = selectsRows(filter, items);
  const inputs = inputTypes.map((_, id) => `const d${id} = columns[${id}].data, v${id} = columns[${id}].valid;`);
  const outputs = items.map((_, k) => `const e${k} = out.columns[${k}].data, w${k} = out.columns[${k}].valid;`);
  const code = `
    const { U8, U16, I32, U32, F64 } = memory;
    ${naming(objects)}
    return (input, out, context, slow) => {
      out.reserve(input.n);
      const columns = input.columns, n = input.n, arena = out.arena, weights = input.weights >>> 2;
      const row = new Array(${inputTypes.length}).fill(null);
      ${inputs.join('\n')}
      ${outputs.join('\n')}
      ${begins(objects)}
      const outWeights = out.weights >>> 2;
      ${share ? `let copying = false;` : ''}
      ${selects ? 'const chosen = arena.alloc(n * 4) >>> 2;' : ''}
      for (let i = 0; i < n; i++) {
        ${share ? `if (!copying && out.n !== i) { copying = true; catchUp(input, out, i - 1); }` : ''}
        ${declarations.join('\n')}
        ${lines.join('\n')}
        const o = out.n++;
        I32[outWeights + o] = I32[weights + i];
        ${stores}
        ${share ? `if (copying) { ${copies} }` : selects ? 'I32[chosen + o] = i;' : ''}
      }
      ${share ? `return out.n === n ? shared(input, out) : (copying || catchUp(input, out, n - 1), out.build());` : ''}
      ${selects ? 'return picked(input, out, chosen * 4);' : 'return out.build();'}
    };`;
  const pairs = [...passed];
  const catchUp = (input: Batch, out: BatchBuilder, rows: number) => {
    for (let i = 0; i < rows; i++) for (const [k, id] of pairs) out.copySlot(k, i, input.columns[id], i);
  };
  const passedOn = passOn(passed);
  const shared = (input: Batch, out: BatchBuilder): Batch => passedOn(input, out, 0);
  const names = ['memory', 'P10', 'f', 'h', 'readDatum', 'writeSlot', 'ofRow', 'catchUp', 'shared', 'picked'];
  const functions = interpreted.map(bindExpr);
  const make = new Function(...names, code);
  const values = [memory, P10, functions, objects, readDatum, writeSlot, ofRow, catchUp, shared, passedOn];
  const run = make(...values) as MapLoop;
  return Object.assign(run, { release: () => generator.memory.release() });
}
