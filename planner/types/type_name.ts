/**
 * Type names: as syntax (libpg-query TypeName), as text ('character varying(10)'), and back (format_type).
 */
import type { ColType } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';

/** The type a TypeName node means; `node` is the content, i.e. { names, typmods, arrayBounds, ... }. Throws 42704, 22023, 0A000. */
export declare function resolveTypeName(node: PgNode): ColType;

/** A type written as text, as regtype's input reads it: `int4`, `timestamp(3) with time zone[]`. Throws 42704, 42601. */
export declare function parseTypeName(text: string): ColType;

/** format_type(oid, typmod): `numeric(10,2)`, `character varying(5)[]`, `timestamp(3) without time zone`. */
export declare function formatType(oid: number, typmod?: number | null): string;
