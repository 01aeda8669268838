/**
 * Text and binary forms of every type, dispatched by OID. Each type family registers itself when its file is imported;
 * io/index.ts imports them all, so import from there.
 *
 *   inputText   what `'...'::type` and text parameters do      outputText   what a client sees in text format
 *   inputBinary what binary parameters and COPY BINARY do      outputBinary what a client sees in binary format
 *   coerceTypmod  length coercion: varchar(3), numeric(10,2), timestamp(0), ...
 */
import type { Datum } from '../../datum.ts';
import { unsupported } from '../../errors.ts';
import type { ColType } from '../../types.ts';
import type { EvalContext } from '../ir.ts';

/** The four I/O functions of a type. Declared as methods so that an implementation may name its own datum type. */
export interface TypeIo {
  /** Text input without regard to typmod. Errors are PostgreSQL's, 22P02 and the like. */
  in(text: string, ctx: EvalContext, t: ColType): Datum;
  out(d: Datum, ctx: EvalContext, oid: number): string;
  recv(bytes: Uint8Array, oid: number): Datum;
  send(d: Datum, oid: number): Uint8Array;
  /** Length coercion; typmod is never -1 here. An explicit cast may cut what an assignment refuses. */
  typmod?(d: Datum, typmod: number, explicit: boolean): Datum;
}

const registry = new Map<number, TypeIo>();

/** Registers the I/O functions of one type. */
export function registerIo(oid: number, io: TypeIo): void {
  if (registry.has(oid)) throw new Error(`I/O of type ${oid} is registered twice`);
  registry.set(oid, io);
}

const families: ((oid: number) => TypeIo | null)[] = [];

/** Registers the I/O functions of types that come and go: `of` gives null for those that are none of the family. */
export function registerIoFamily(of: (oid: number) => TypeIo | null): void {
  families.push(of);
}

function findIo(oid: number): TypeIo | undefined {
  const known = registry.get(oid);
  if (known !== undefined) return known;
  for (const of of families) {
    const io = of(oid);
    if (io === null) continue;
    registry.set(oid, io);
    return io;
  }
  return undefined;
}

export function hasIo(oid: number): boolean {
  return findIo(oid) !== undefined;
}

/** The I/O functions of a type; unknown types are error 0A000. */
export function typeIo(oid: number): TypeIo {
  const io = findIo(oid);
  if (!io) throw unsupported(`input and output of type ${oid}`);
  return io;
}

/** Text to datum. A typmod is applied as in an assignment: what does not fit is an error. */
export function inputText(text: string, t: ColType, ctx: EvalContext): Datum {
  const io = typeIo(t.oid);
  const d = io.in(text, ctx, t);
  return t.typmod === -1 || !io.typmod || d === null ? d : io.typmod(d, t.typmod, false);
}

/** Datum (not NULL) to text. */
export function outputText(d: Datum, oid: number, ctx: EvalContext): string {
  return typeIo(oid).out(d, ctx, oid);
}

/** Binary wire form to datum. A typmod is applied as in an assignment. */
export function inputBinary(bytes: Uint8Array, oid: number, typmod = -1): Datum {
  const io = typeIo(oid);
  const d = io.recv(bytes, oid);
  return typmod === -1 || !io.typmod || d === null ? d : io.typmod(d, typmod, false);
}

/** Datum (not NULL) to binary wire form. */
export function outputBinary(d: Datum, oid: number): Uint8Array {
  return typeIo(oid).send(d, oid);
}

/** Applies a type's length coercion; NULL and typmod -1 pass through. */
export function coerceTypmod(d: Datum, t: ColType, explicit: boolean): Datum {
  if (d === null || t.typmod === -1) return d;
  const io = typeIo(t.oid);
  return io.typmod ? io.typmod(d, t.typmod, explicit) : d;
}
