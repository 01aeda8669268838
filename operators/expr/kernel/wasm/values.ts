/** Values in the code of a kernel in WebAssembly: emitter.ts lists the kinds. */
import type { Datum } from '../../../datum.ts';
import { type ColType, OID, physOf } from '../../../types.ts';
import { I32, I64, type Type } from './module.ts';

/** What cannot be written as WebAssembly. */
export class Unsupported extends Error {}

export type Kind = 'bool' | 'int' | 'numeric' | 'text';

export interface Value {
  kind: Kind;
  /** Pushes it. */
  push(): void;
  /** Pushes whether it is NULL; null: it never is. */
  isNull: (() => void) | null;
  /** Of a numeric. */
  scale: number;
  /** Its value where it is a constant. */
  constant?: Datum;
  /** Where it is a column of the input. */
  column?: number;
  /** Local with a text's slot. */
  slot?: number;
}

export const TEXTS: ReadonlySet<number> = new Set([OID.text, OID.varchar]);

export const TYPE_OF: Record<Kind, Type> = { bool: I32, int: I64, numeric: I64, text: I32 };

export function kindOf(type: ColType): Kind {
  switch (physOf(type.oid)) {
    case 'bool':
      return 'bool';
    case 'i32':
    case 'u32':
    case 'i64':
      return 'int';
    case 'numeric':
      return 'numeric';
    case 'varlen':
      if (TEXTS.has(type.oid)) return 'text';
  }
  throw new Unsupported(`type ${type.oid}`);
}
