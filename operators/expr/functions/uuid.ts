/** Functions over uuid. Random ones are volatile: no two calls agree. */
import { randomFillSync, randomUUID } from 'node:crypto';
import { EPOCH_DIFF_MICROS } from '../datetime/calendar.ts';
import { uuidBytes, uuidOfBytes } from '../io/uuid.ts';
import { comparisons, support } from './comparisons.ts';
import { register } from './registry.ts';

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
comparisons('uuid_', 'uuid', 'uuid', order);
support('uuid_cmp(uuid,uuid)', order);

register('gen_random_uuid()', () => randomUUID());
register('uuidv4()', () => randomUUID());

/** RFC 9562 version 7: 48 bits of milliseconds, 12 bits of their fraction, the rest random; greater than the one before. */
let lastMicros = 0n;
register('uuidv7()', () => {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
  lastMicros = now > lastMicros ? now : lastMicros + 1n;
  const millis = lastMicros / 1000n;
  const fraction = Number(((lastMicros % 1000n) * 4096n) / 1000n);
  const bytes = randomFillSync(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(millis >> 16n));
  view.setUint16(4, Number(millis & 0xffffn));
  view.setUint16(6, 0x7000 | fraction);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return uuidOfBytes(bytes);
});

/** True for the variant of RFC 9562, which alone has versions. */
const isRfc = (bytes: Uint8Array) => (bytes[8] & 0xc0) === 0x80;

register('uuid_extract_version(uuid)', (d: string) => {
  const bytes = uuidBytes(d);
  return isRfc(bytes) ? bytes[6] >> 4 : null;
});

/** 100 ns steps from 1582-10-15 to 1970. */
const GREGORIAN_DIFF = 122_192_928_000_000_000n;

register('uuid_extract_timestamp(uuid)', (d: string) => {
  const bytes = uuidBytes(d);
  if (!isRfc(bytes)) return null;
  const view = new DataView(bytes.buffer);
  switch (bytes[6] >> 4) {
    case 1: {
      const high = BigInt(view.getUint16(6) & 0x0fff);
      const ticks = (high << 48n) | (BigInt(view.getUint16(4)) << 32n) | BigInt(view.getUint32(0));
      return (ticks - GREGORIAN_DIFF) / 10n - EPOCH_DIFF_MICROS;
    }
    case 7:
      return ((BigInt(view.getUint32(0)) << 16n) | BigInt(view.getUint16(4))) * 1000n - EPOCH_DIFF_MICROS;
    default:
      return null;
  }
});
