/** The register of functions that kernels in WebAssembly compute, by pg_proc signature. integers.ts, times.ts, texts.ts, parts.ts and regexes.ts fill it. */
import type { Emitter } from './emitter.ts';
import type { Kind, Value } from './values.ts';

/** What a function has pushed. */
export interface Made {
  kind: Kind;
  /** Of a numeric. */
  scale?: number;
  /** Of a text: a local with its slot. */
  slot?: number;
  /** A text's address 0 stands for NULL. */
  nullWhenZero?: boolean;
}

/** Pushes what the interpreter's function gives for arguments that are not NULL, or leaves the row; null where it cannot. */
export type Function = (args: Value[], code: Emitter) => Made | null;

export const functions = new Map<string, Function>();
