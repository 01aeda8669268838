/**
 * Values inside a generated kernel, and how columns become them and they become columns.
 *
 *   kind      JavaScript value               from
 *   bool      0 or 1                         bool
 *   int       a number, exact below 2^53     int2, int4, oid, date, int8, timestamps, time
 *   float     a number                       float8, float4
 *   numeric   mantissa number, scale number  numeric with |mantissa| < 2^53
 *   slot      byte address of a slot         varlen, uuid, interval, and numerics that are only passed on
 *   datum     a Datum                        what only the interpreter's functions make
 *
 * A value that does not fit its kind (a wide int8 or numeric), an overflow, a division by zero: `bail`, and the interpreter computes the
 * whole row. So a kernel has no semantics of its own at the edges and can raise no error.
 */
import { PHYS_WIDTH, type Phys } from '../../types.ts';
import { SAFE } from './templates.ts';

export type Kind = 'bool' | 'int' | 'float' | 'numeric' | 'slot' | 'datum';

/** A value in generated code: expressions for the value and for "is NULL". */
export interface Value {
  kind: Kind;
  /** Number, address or datum expression; the mantissa for numeric. */
  v: string;
  /** Boolean expression; 'false' when it cannot be NULL. */
  isNull: string;
  /** Scale of a numeric: an expression, a literal when it is static. */
  scale?: string;
}

const KIND_OF: Record<Phys, Kind> = {
  bool: 'bool',
  i32: 'int',
  u32: 'int',
  i64: 'int',
  f64: 'float',
  numeric: 'numeric',
  varlen: 'slot',
  uuid: 'slot',
  interval: 'slot',
};

export function kindOf(phys: Phys): Kind {
  return KIND_OF[phys];
}

/** Statements that load column `d<id>`, `v<id>` at row i into locals, and the value. `bail` is the statement that gives the row up. */
export function loadColumn(phys: Phys, id: number, bail: string): { code: string; value: Value } {
  const isNull = `z${id}`;
  const nulls = `const ${isNull} = v${id} !== 0 && U8[v${id} + i] === 0;`;
  const at = `d${id} + i * ${PHYS_WIDTH[phys]}`;
  switch (phys) {
    case 'bool':
      return { code: `${nulls} const c${id} = U8[d${id} + i];`, value: { kind: 'bool', v: `c${id}`, isNull } };
    case 'i32':
      return { code: `${nulls} const c${id} = I32[(d${id} >>> 2) + i];`, value: { kind: 'int', v: `c${id}`, isNull } };
    case 'u32':
      return { code: `${nulls} const c${id} = U32[(d${id} >>> 2) + i];`, value: { kind: 'int', v: `c${id}`, isNull } };
    case 'i64':
      return {
        code: `${nulls} const c${id} = I32[(d${id} >>> 2) + i * 2 + 1] * 4294967296 + U32[(d${id} >>> 2) + i * 2];
          if (c${id} > ${SAFE} || c${id} < -${SAFE}) ${bail}`,
        value: { kind: 'int', v: `c${id}`, isNull },
      };
    case 'f64':
      return { code: `${nulls} const c${id} = F64[d${id} / 8 + i];`, value: { kind: 'float', v: `c${id}`, isNull } };
    case 'numeric':
      return {
        code: `${nulls} const a${id} = ${at};
          const c${id} = I32[(a${id} >>> 2) + 1] * 4294967296 + U32[a${id} >>> 2], s${id} = U16[(a${id} + 8) >>> 1];
          if (!${isNull} && (U8[a${id} + 10] !== 0 || c${id} > ${SAFE} || c${id} < -${SAFE})) ${bail}`,
        value: { kind: 'numeric', v: `c${id}`, isNull, scale: `s${id}` },
      };
    default:
      return { code: `${nulls} const c${id} = ${at};`, value: { kind: 'slot', v: `c${id}`, isNull } };
  }
}

/** Statements that store a value into output column `k` at row `o`. The value fits (kernels bail before). */
export function storeValue(phys: Phys, oid: number, k: number, value: Value): string {
  const at = `e${k} + o * ${PHYS_WIDTH[phys]}`;
  const present = presentCode(phys, oid, k, value, at);
  if (value.isNull === 'false') return `U8[w${k} + o] = 1; ${present}`;
  return `if (${value.isNull}) { U8[w${k} + o] = 0; ${zeroCode(phys, k)} } else { U8[w${k} + o] = 1; ${present} }`;
}

function presentCode(phys: Phys, oid: number, k: number, value: Value, at: string): string {
  if (value.kind === 'datum') return `writeSlot('${phys}', ${oid}, ${at}, ${value.v}, arena);`;
  switch (phys) {
    case 'bool':
      return `U8[e${k} + o] = ${value.v};`;
    case 'i32':
    case 'u32':
      return `I32[(e${k} >>> 2) + o] = ${value.v};`;
    case 'i64':
      return `{ const x = ${value.v}, h = Math.floor(x / 4294967296), t = (e${k} >>> 2) + o * 2; I32[t] = x - h * 4294967296; I32[t + 1] = h; }`;
    case 'f64':
      return `F64[e${k} / 8 + o] = ${value.v};`;
    case 'numeric':
      return `{ const x = ${value.v}, h = Math.floor(x / 4294967296), t = (${at}) >>> 2; I32[t] = x - h * 4294967296; I32[t + 1] = h; I32[t + 2] = ${value.scale}; I32[t + 3] = 0; }`;
    default:
      return `{ const f = (${value.v}) >>> 2, t = (${at}) >>> 2; I32[t] = I32[f]; I32[t + 1] = I32[f + 1]; I32[t + 2] = I32[f + 2]; I32[t + 3] = I32[f + 3]; }`;
  }
}

function zeroCode(phys: Phys, k: number): string {
  switch (PHYS_WIDTH[phys]) {
    case 1:
      return `U8[e${k} + o] = 0;`;
    case 4:
      return `I32[(e${k} >>> 2) + o] = 0;`;
    case 8:
      return `F64[e${k} / 8 + o] = 0;`;
    default:
      return `F64[e${k} / 8 + o * 2] = 0; F64[e${k} / 8 + o * 2 + 1] = 0;`;
  }
}
