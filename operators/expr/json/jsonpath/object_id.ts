/**
 * The `id` that .keyvalue() gives an object: where PostgreSQL's binary form has it within its document, and which document.
 *
 *   id = offset of the object's container + 10000000000 * number of the document
 *
 * Documents are the root (0), the variables (1; those of PASSING have one each), and then what keyvalue() made itself. The binary form: a header of four
 * bytes and four for every key and value, then the keys, then the values; numbers and containers begin at multiples of four.
 */
import type { Decimal } from '../../../datum.ts';
import { decimalToBinary } from '../../decimal/binary.ts';
import { isObject, type Json, type JsonObject } from '../value.ts';

/** A document that objects are found in. */
export interface BaseObject {
  root: Json;
  id: number;
}

/** The ids of one evaluation: each document is laid out once. */
export class ObjectIds {
  private readonly layouts = new Map<object, Map<Json, number>>();
  private readonly count: (steps: number) => void;

  /** `count` is told the work of laying out a document. */
  constructor(count: (steps: number) => void) {
    this.count = count;
  }

  of(o: JsonObject, base: BaseObject): bigint {
    return BigInt(this.offsetOf(o, base.root)) + BigInt(base.id) * 10_000_000_000n;
  }

  private offsetOf(o: JsonObject, root: Json): number {
    if (o === root || root === null || typeof root !== 'object') return 0;
    let layout = this.layouts.get(root);
    if (!layout) {
      layout = new Map();
      this.count(containerEnd(root, 0, layout) >> 3);
      this.layouts.set(root, layout);
    }
    return layout.get(o) ?? 0;
  }
}

const aligned = (at: number): number => (at + 3) & ~3;

/** Notes where a value lies that begins at `at` or behind; returns its end. */
function valueEnd(j: Json, at: number, layout: Map<Json, number>): number {
  if (j === null || typeof j === 'boolean') return at;
  if (typeof j === 'string') return at + Buffer.byteLength(j, 'utf8');
  if (!Array.isArray(j) && !isObject(j)) return aligned(at) + numericSize(j);
  return containerEnd(j, aligned(at), layout);
}

function containerEnd(j: Json, at: number, layout: Map<Json, number>): number {
  if (Array.isArray(j)) {
    return j.reduce<number>((end, item) => valueEnd(item, end, layout), at + 4 + 4 * j.length);
  }
  if (!isObject(j)) return at;
  layout.set(j, at);
  const keys = j.entries.reduce((end, [key]) => valueEnd(key, end, layout), at + 4 + 8 * j.entries.length);
  return j.entries.reduce((end, [, value]) => valueEnd(value, end, layout), keys);
}

/** Bytes of a stored numeric: its length, a short or a long header, two bytes for four digits. */
function numericSize(d: Decimal): number {
  const bytes = Buffer.from(decimalToBinary(d));
  const weight = bytes.readInt16BE(2);
  const short = d.s <= 63 && weight >= -64 && weight <= 63;
  return 4 + (short ? 2 : 4) + (bytes.length - 8);
}
