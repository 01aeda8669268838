/**
 * Text and binary of all array types, int2vector and oidvector, and their orders.
 *
 * Binary: dimensions, has-nulls flag, element OID, then (size, lower bound) of each dimension, then each item as length and
 * bytes (-1 for NULL). The vectors are arrays with lower bound 0 and the text form `1 2 3`.
 */
import type { Datum, PgArray } from '../../datum.ts';
import { pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, isEnumArray, OID } from '../../types.ts';
import { arrayText, parseArray } from '../array/text.ts';
import { checkedArray, checkItems, compareArrays, MAX_DIMS, mapArray, tooManyDims } from '../array/value.ts';
import { ARRAY_OIDS, elementType } from '../array_types.ts';
import { registerCompare } from '../compare.ts';
import {
  inputBinary,
  inputText,
  outputBinary,
  outputText,
  registerIo,
  registerIoFamily,
  type TypeIo,
  typeIo,
} from './registry.ts';

function receive(bytes: Uint8Array, expected: number): PgArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const need = (n: number) => {
    if (n > bytes.length - at) throw new SqlError('08P01', 'insufficient data left in message');
  };
  const int = () => {
    need(4);
    at += 4;
    return view.getInt32(at - 4);
  };
  const ndim = int();
  if (ndim < 0) throw new SqlError('22P03', `invalid number of dimensions: ${ndim}`);
  if (ndim > MAX_DIMS) throw tooManyDims(ndim);
  const flags = int();
  if (flags !== 0 && flags !== 1) throw new SqlError('22P03', 'invalid array flags');
  const elem = int() >>> 0;
  if (elem !== expected) {
    throw new SqlError('42804', `binary data has array element type ${elem} instead of expected ${expected}`);
  }
  const dims: number[] = [];
  const lower: number[] = [];
  let count = ndim === 0 ? 0 : 1;
  for (let i = 0; i < ndim; i++) {
    dims.push(int());
    lower.push(int());
    if (dims[i] < 0) throw new SqlError('22P03', 'invalid array flags');
    count *= dims[i];
  }
  // Each item takes at least its length word: a count that the message cannot hold is refused before anything is built.
  if (count > (bytes.length - at) / 4) throw new SqlError('08P01', 'insufficient data left in message');
  checkItems(count);
  const items: Datum[] = [];
  for (let i = 0; i < count; i++) {
    const length = int();
    if (length === -1) {
      items.push(null);
      continue;
    }
    if (length < 0) throw new SqlError('22P03', 'insufficient data left in message');
    need(length);
    items.push(inputBinary(bytes.subarray(at, at + length), elem));
    at += length;
  }
  if (at !== bytes.length) throw new SqlError('22P03', 'incorrect binary data format');
  return checkedArray(elem, dims, lower, items);
}

function send(a: PgArray, elem: number): Uint8Array {
  const parts = a.items.map((d) => (d === null ? null : outputBinary(d, elem)));
  const size = parts.reduce((n, p) => n + 4 + (p?.length ?? 0), 12 + 8 * a.dims.length);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setInt32(0, a.dims.length);
  view.setInt32(4, parts.includes(null) ? 1 : 0);
  view.setUint32(8, elem);
  let at = 12;
  a.dims.forEach((n, i) => {
    view.setInt32(at, n);
    view.setInt32(at + 4, a.lower[i]);
    at += 8;
  });
  for (const p of parts) {
    view.setInt32(at, p ? p.length : -1);
    at += 4;
    if (!p) continue;
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function arrayIo(elem: number): TypeIo {
  return {
    in: (text, ctx, t) => parseArray(text, elem, (item) => inputText(item, colType(elem, t.typmod), ctx)),
    out: (a: PgArray, ctx) => arrayText(a, (d) => outputText(d, elem, ctx)),
    recv: (bytes) => receive(bytes, elem),
    send: (a: PgArray) => send(a, elem),
    typmod: (a: PgArray, typmod, explicit) => {
      const coerce = typeIo(elem).typmod;
      return coerce ? mapArray(a, elem, (d) => coerce(d, typmod, explicit)) : a;
    },
  };
}

for (const oid of ARRAY_OIDS) {
  registerIo(oid, arrayIo(elementType(oid)));
  registerCompare(oid, compareArrays);
}

registerIoFamily((oid) => (isEnumArray(oid) ? arrayIo(elementType(oid)) : null));

for (const oid of [OID.int2vector, OID.oidvector]) {
  const elem = elementType(oid);
  registerIo(oid, {
    in: (text, ctx) => {
      const words = text.split(/\s+/).filter((w) => w !== '');
      const items = words.map((w) => inputText(w, colType(elem), ctx));
      return items.length === 0 ? pgArray(elem, []) : { ...pgArray(elem, items), lower: [0] };
    },
    out: (a: PgArray, ctx) => a.items.map((d) => outputText(d, elem, ctx)).join(' '),
    recv: (bytes) => receive(bytes, elem),
    send: (a: PgArray) => send(a, elem),
  });
  registerCompare(oid, (a: PgArray, b: PgArray) => a.items.length - b.items.length || compareArrays(a, b));
}
