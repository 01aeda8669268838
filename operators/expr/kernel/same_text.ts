/** A text that is equal for equal expressions or datums and no others. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, v) =>
    typeof v === 'bigint'
      ? `${v}n`
      : Object.is(v, -0)
        ? '-0'
        : typeof v === 'number' && !Number.isFinite(v)
          ? `#${v}`
          : v instanceof Uint8Array
            ? `b${Buffer.from(v).toString('hex')}`
            : v,
  );
}
