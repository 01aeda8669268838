/** JSON that keeps what JSON.stringify() loses: large integers, NaN, bytes. */
import { TidemarkError } from './tidemark_error.ts';

export function jsonOf(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : JSON.stringify(String(value));
    case 'object':
      break;
    default:
      return JSON.stringify(value) ?? 'null';
  }
  if (value === null) return 'null';
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (value instanceof Uint8Array) return JSON.stringify(`\\x${Buffer.from(value).toString('hex')}`);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join()}]`;
  const own = ownForm(value);
  if (own !== value) return jsonOf(own);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${jsonOf(field)}`).join()}}`;
}

/** What an object says that it is in JSON, such as a decimal of a library: its text. Memory of another form than bytes says nothing of what it holds. */
export function ownForm(value: object): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    throw new TidemarkError({
      code: '22023',
      message: `a value of ${value.constructor.name} is no value`,
      hint: 'Bytes are a Uint8Array, several values an array.',
    });
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
}

/** The same value without classes, so that it is the same in another thread. */
export function plainOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plainOf);
  const own = ownForm(value);
  if (own !== value) return plainOf(own);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainOf(field)]));
}
