/**
 * The declared columns of a JSON stream as the row readers use them: which form each value has, and where its slots lie in the batch
 * being filled. All declared columns are read and checked, needed or not, so that which records are good never depends on who reads:
 * a column that is not needed is written to one spare slot.
 */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { F64, U8 } from '../../../operators/batch/memory.ts';
import { type Allocator, writeSlot } from '../../../operators/batch/slots.ts';
import { numericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { type ColType, OID, PHYS_WIDTH, physOf } from '../../../operators/types.ts';
import type { Defaults } from '../defaults.ts';
import type { DecoderSpec, SourceColumn } from '../format.ts';

/** How a column's values are read: FORM.other goes through the type's text input. */
export const FORM = {
  other: 0,
  bool: 1,
  int2: 2,
  int4: 3,
  int8: 4,
  float8: 5,
  numeric: 6,
  text: 7,
  json: 8,
  date: 9,
  timestamp: 10,
  timestamptz: 11,
} as const;

const FORMS = new Map<number, number>([
  [OID.bool, FORM.bool],
  [OID.int2, FORM.int2],
  [OID.int4, FORM.int4],
  [OID.int8, FORM.int8],
  [OID.float8, FORM.float8],
  [OID.numeric, FORM.numeric],
  [OID.text, FORM.text],
  [OID.varchar, FORM.text],
  [OID.json, FORM.json],
  [OID.date, FORM.date],
  [OID.timestamp, FORM.timestamp],
  [OID.timestamptz, FORM.timestamptz],
]);

const SPARE_BYTES = 32;
const GREATEST_WIDTH = 16;

const MISSING = { null: 0, template: 1, odd: 2 } as const;

export class Columns {
  readonly all: SourceColumn[];
  readonly form: Uint8Array;
  readonly width: Uint8Array;
  /** Address of row 0's slot and validity byte; width and step 0 mean the spare slot. */
  readonly data: Float64Array;
  readonly valid: Float64Array;
  readonly step: Uint8Array;
  readonly validStep: Uint8Array;
  /** numeric(precision, scale); scale -1 for numeric. */
  readonly precision: Int16Array;
  readonly scale: Int16Array;
  /** Column of `all` for each column of the batch. */
  readonly #needed: number[];
  /** What a missing field gives: NULL, the slot at #template, or whatever the exact path says. */
  readonly #missing: Uint8Array;
  readonly #template: Float64Array;

  constructor(spec: DecoderSpec) {
    const n = spec.columns.length;
    this.all = spec.columns;
    this.#needed = spec.needed;
    this.form = new Uint8Array(n);
    this.width = new Uint8Array(n);
    this.data = new Float64Array(n);
    this.valid = new Float64Array(n);
    this.step = new Uint8Array(n);
    this.validStep = new Uint8Array(n);
    this.precision = new Int16Array(n);
    this.scale = new Int16Array(n).fill(-1);
    this.#missing = new Uint8Array(n);
    this.#template = new Float64Array(n);
    spec.columns.forEach(({ type }, c) => {
      this.form[c] = formOf(type);
      this.width[c] = PHYS_WIDTH[physOf(type.oid)];
      if (type.oid !== OID.numeric || type.typmod === -1) return;
      const { precision, scale } = numericTypmod(type.typmod);
      this.precision[c] = precision;
      this.scale[c] = scale;
    });
  }

  /** Looks up where the slots of `out` are; rows up to its reserved capacity may then be written. */
  bind(out: BatchBuilder, defaults: Defaults): void {
    const spare = out.arena.alloc(SPARE_BYTES);
    this.data.fill(spare);
    this.valid.fill(spare + 16);
    this.step.fill(0);
    this.validStep.fill(0);
    this.#needed.forEach((c, position) => {
      this.data[c] = out.columns[position].data;
      this.valid[c] = out.columns[position].valid;
      this.step[c] = this.width[c];
      this.validStep[c] = 1;
    });
    for (let c = 0; c < this.all.length; c++) this.#missing[c] = this.#bindMissing(c, out.arena, defaults);
  }

  #bindMissing(c: number, allocator: Allocator, defaults: Defaults): number {
    const { type, notNull } = this.all[c];
    if (defaults.fails(c)) return MISSING.odd;
    const value = defaults.value(c);
    if (value === null) return notNull ? MISSING.odd : MISSING.null;
    const slot = allocator.alloc(GREATEST_WIDTH);
    clear(slot, GREATEST_WIDTH);
    writeSlot(physOf(type.oid), type.oid, slot, value, allocator);
    this.#template[c] = slot;
    return MISSING.template;
  }

  /** Writes what a missing field gives into row `row`; false when the exact path must decide. */
  setMissing(c: number, row: number): boolean {
    const what = this.#missing[c];
    if (what === MISSING.odd) return false;
    const width = this.width[c];
    const slot = this.data[c] + row * this.step[c];
    const valid = this.valid[c] + row * this.validStep[c];
    if (what === MISSING.null) {
      clear(slot, width);
      U8[valid] = 0;
    } else {
      U8.copyWithin(slot, this.#template[c], this.#template[c] + width);
      U8[valid] = 1;
    }
    return true;
  }
}

/** Negative scales and length limits are left to the types' own input. */
function formOf(type: ColType): number {
  if (type.typmod !== -1) {
    return type.oid === OID.numeric && numericTypmod(type.typmod).scale >= 0 ? FORM.numeric : FORM.other;
  }
  return FORMS.get(type.oid) ?? FORM.other;
}

/** NULL slots hold zeros. */
export function clear(slot: number, width: number): void {
  if (width >= 8) {
    F64[slot / 8] = 0;
    if (width === 16) F64[slot / 8 + 1] = 0;
  } else for (let i = 0; i < width; i++) U8[slot + i] = 0;
}
