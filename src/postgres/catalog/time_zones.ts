/** pg_timezone_names and pg_timezone_abbrevs: the zones that SET TIME ZONE takes, the abbreviations that timestamps may end in. */
import { interval } from '../../../operators/datum.ts';
import { findZone, unixSecondsOf } from '../../../operators/expr/datetime/time_zone.ts';
import { zoneAbbreviations } from '../../../operators/expr/datetime/zone_abbreviations.ts';
import { type CatalogRelation, type CatalogRow, ofMoment } from './catalog_relation.ts';

const HALF_YEAR_SECONDS = 182 * 86400;

function utcOffset(seconds: number) {
  return interval(0, 0, BigInt(seconds) * 1000000n);
}

function zoneRow(name: string, now: number): CatalogRow[] {
  const zone = findZone(name);
  if (zone === undefined) return [];
  const offset = zone.offsetAt(now);
  return [
    {
      name,
      abbrev: zone.abbreviationAt(now),
      utc_offset: utcOffset(offset),
      // Summer time is what is ahead of the other half of the year.
      is_dst: offset > zone.offsetAt(now + HALF_YEAR_SECONDS),
    },
  ];
}

export const TIME_ZONES: Record<string, CatalogRelation> = {
  pg_timezone_names: ofMoment(({ context }) => {
    const now = unixSecondsOf(context.now);
    return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].flatMap((name) => zoneRow(name, now));
  }),
  pg_timezone_abbrevs: ofMoment(() =>
    [...zoneAbbreviations()].map(([name, { offset, dst }]) => ({
      abbrev: name.toUpperCase(),
      utc_offset: utcOffset(offset),
      is_dst: dst,
    })),
  ),
};
