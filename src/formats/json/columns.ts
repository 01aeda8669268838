/**
 * The declared columns of a JSON stream as the readers use them: which form each value has, and where its slots lie in the batch
 * being filled. All declared columns are read and checked, needed or not, so that which records are good never depends on who reads:
 * a column that is not needed is written to one spare slot.
 */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { F64, U8 } from '../../../operators/batch/memory.ts';
import { type Allocator, writeSlot } from '../../../operators/batch/slots.ts';
import { numericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { KernelMemory } from '../../../operators/expr/kernel/kernel_memory.ts';
import * as layout from '../../../operators/kernels/json_layout.ts';
import { type ColType, OID, PHYS_WIDTH, physOf } from '../../../operators/types.ts';
import type { Defaults } from '../defaults.ts';
import type { DecoderSpec, SourceColumn } from '../format.ts';

/** How a column's values are read: all others go through the type's text input. */
const FORMS = new Map<number, number>([
  [OID.bool, layout.FORM_BOOL],
  [OID.int2, layout.FORM_INT2],
  [OID.int4, layout.FORM_INT4],
  [OID.int8, layout.FORM_INT8],
  [OID.float8, layout.FORM_FLOAT8],
  [OID.numeric, layout.FORM_NUMERIC],
  [OID.text, layout.FORM_TEXT],
  [OID.varchar, layout.FORM_TEXT],
  [OID.json, layout.FORM_JSON],
  [OID.date, layout.FORM_DATE],
  [OID.timestamp, layout.FORM_TIMESTAMP],
  [OID.timestamptz, layout.FORM_TIMESTAMPTZ],
]);

const SPARE_BYTES = 32;
const GREATEST_WIDTH = 16;

export class Columns {
  readonly all: SourceColumn[];
  readonly form: Uint8Array;
  readonly width: Uint8Array;
  /** Which column of the batch it is; -1: none, its values go to the spare slot. */
  readonly place: Int16Array;
  /** Address of the spare slot, and of its validity byte. */
  readonly spare: number;
  readonly spareValid: number;
  /** numeric(precision, scale); scale -1 for numeric. */
  readonly precision: Int16Array;
  readonly scale: Int16Array;
  /** What a missing field gives: MISSING_NULL, MISSING_ODD (the exact reader decides), or the address of a slot to copy. */
  readonly missing: Float64Array;
  /** Columns with a DEFAULT. */
  readonly #defaulted: number[];
  /** Where the spare slot lies. */
  readonly #memory = new KernelMemory();
  #out!: BatchBuilder;

  constructor(spec: DecoderSpec) {
    const n = spec.columns.length;
    this.all = spec.columns;
    this.form = new Uint8Array(n);
    this.width = new Uint8Array(n);
    this.place = new Int16Array(n).fill(-1);
    this.precision = new Int16Array(n);
    this.scale = new Int16Array(n).fill(-1);
    this.missing = new Float64Array(n);
    this.spare = this.#memory.zeroed(SPARE_BYTES);
    this.spareValid = this.spare + GREATEST_WIDTH;
    spec.needed.forEach((c, i) => {
      this.place[c] = i;
    });
    this.#defaulted = spec.columns.flatMap((column, c) => (column.default === undefined ? [] : [c]));
    spec.columns.forEach(({ type, notNull }, c) => {
      this.form[c] = formOf(type);
      this.width[c] = PHYS_WIDTH[physOf(type.oid)];
      this.missing[c] = notNull ? layout.MISSING_ODD : layout.MISSING_NULL;
      if (type.oid !== OID.numeric || type.typmod === -1) return;
      const { precision, scale } = numericTypmod(type.typmod);
      this.precision[c] = precision;
      this.scale[c] = scale;
    });
  }

  /** Looks up where the slots of `out` are; rows up to its reserved capacity may then be written. */
  bind(out: BatchBuilder, defaults: Defaults): void {
    this.#out = out;
    for (const c of this.#defaulted) this.missing[c] = this.#missingOf(c, out.arena, defaults);
  }

  /** True when bind() changes what a missing field gives. */
  isDefaulted(c: number): boolean {
    return this.#defaulted.includes(c);
  }

  #missingOf(c: number, allocator: Allocator, defaults: Defaults): number {
    const { type, notNull } = this.all[c];
    if (defaults.fails(c)) return layout.MISSING_ODD;
    const value = defaults.value(c);
    if (value === null) return notNull ? layout.MISSING_ODD : layout.MISSING_NULL;
    const slot = allocator.alloc(GREATEST_WIDTH);
    U8.fill(0, slot, slot + GREATEST_WIDTH);
    writeSlot(physOf(type.oid), type.oid, slot, value, allocator);
    return slot;
  }

  /** Empties the column's slot of this row, marks it present or NULL, and gives the slot's address. NULL slots hold zeros. */
  begin(column: number, row: number, present: boolean): number {
    const width = this.width[column];
    const place = this.place[column];
    const to = place < 0 ? null : this.#out.columns[place];
    const slot = to === null ? this.spare : to.data + row * width;
    if (width >= 8) {
      F64[slot / 8] = 0;
      if (width === 16) F64[slot / 8 + 1] = 0;
    } else for (let i = 0; i < width; i++) U8[slot + i] = 0;
    U8[to === null ? this.spareValid : to.valid + row] = present ? 1 : 0;
    return slot;
  }

  release(): void {
    this.#memory.release();
  }
}

/** Negative scales and length limits are left to the types' own input. */
function formOf(type: ColType): number {
  if (type.typmod !== -1) {
    return type.oid === OID.numeric && numericTypmod(type.typmod).scale >= 0 ? layout.FORM_NUMERIC : layout.FORM_OTHER;
  }
  return FORMS.get(type.oid) ?? layout.FORM_OTHER;
}
