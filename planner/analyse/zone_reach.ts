/**
 * How far the local times of a zone are from UTC at most, in microseconds: a bound for times that a query takes from one to the other.
 *
 * Zones of the tz database stay within 16 hours (Manila's local mean time was -15:56); a fixed offset such as `<+03>-03` may have 167 hours.
 */
const HOUR = 3600000000n;

/** `name`: a time zone as sessions and AT TIME ZONE spell it; undefined: any. */
export function zoneReach(name: string | undefined): bigint {
  if (name === undefined) return 168n * HOUR;
  if (/^(utc|gmt|etc\/(utc|gmt))$/i.test(name)) return 0n;
  const named = /^[a-z_]+(\/[a-z0-9_+-]+)*$/i.test(name);
  return (named ? 16n : 168n) * HOUR;
}
