/**
 * Time zone abbreviations that date and time input understands, as seconds east of UTC: PostgreSQL's "Default" set
 * (pg_timezone_abbrevs). An abbreviation has one fixed offset, whatever the session's time zone.
 *
 * Trap: a few (MSK, ALMT, ...) changed their meaning over the years; here, as for most, they have today's offset.
 */

// biome-ignore format: it reads as the table it is
const ABBREVIATIONS =
  'ACDT*37800 ACSST*37800 ACST34200 ACT-18000 ACWST31500 ADT*-10800 AEDT*39600 AESST*39600 AEST36000 AFT16200 ' +
  'AKDT*-28800 AKST-32400 ALMST*25200 ALMT21600 AMST14400 AMT-14400 ANAST43200 ANAT43200 ARST-10800 ART-10800 ' +
  'AST-14400 AWSST*32400 AWST28800 AZOST*0 AZOT-3600 AZST14400 AZT14400 BDST*7200 BDT21600 BNT28800 BORT28800 ' +
  'BOT-14400 BRA-10800 BRST*-7200 BRT-10800 BST*3600 BTT21600 CADT*37800 CAST34200 CCT28800 CDT*-18000 CEST*7200 ' +
  'CET3600 CETDST*7200 CHADT*49500 CHAST45900 CHUT36000 CKT-36000 CLST*-10800 CLT*-10800 COT-18000 CST-21600 ' +
  'CXT25200 DAVT25200 DDUT36000 EASST*-18000 EAST*-18000 EAT10800 EDT*-14400 EEST*10800 EET7200 EETDST*10800 EGST*0 ' +
  'EGT-3600 EST-18000 FET10800 FJST*46800 FJT43200 FKST-10800 FKT-10800 FNST*-3600 FNT-7200 GALT-21600 GAMT-32400 ' +
  'GEST14400 GET14400 GFT-10800 GILT43200 GMT0 GYT-14400 HKT28800 HST-36000 ICT25200 IDT*10800 IOT21600 IRKST28800 ' +
  'IRKT28800 IRT12600 IST7200 JAYT32400 JST32400 KDT*36000 KGST*21600 KGT21600 KOST39600 KRAST25200 KRAT25200 ' +
  'KST32400 LHDT*39600 LHST37800 LIGT36000 LINT50400 LKT19800 MAGST39600 MAGT39600 MART-34200 MAWT18000 MDT*-21600 ' +
  'MEST*7200 MESZ*7200 MET3600 METDST*7200 MEZ3600 MHT43200 MMT23400 MPT36000 MSD*14400 MSK10800 MST-25200 ' +
  'MUST*18000 MUT14400 MVT18000 MYT28800 NDT*-9000 NFT-12600 NOVST25200 NOVT25200 NPT20700 NST-12600 NUT-39600 ' +
  'NZDT*46800 NZST43200 NZT43200 OMSST21600 OMST21600 PDT*-25200 PET-18000 PETST43200 PETT43200 PGT36000 PHT28800 ' +
  'PKST*21600 PKT18000 PMDT*-7200 PMST-10800 PONT39600 PST-28800 PWT32400 PYST*-10800 PYT-10800 RET14400 SADT*37800 ' +
  'SAST7200 SCT14400 SGT28800 TAHT-36000 TFT18000 TJT18000 TKT46800 TMT18000 TOT46800 TRUT36000 TVT43200 UCT0 ' +
  'ULAST*32400 ULAT28800 UT0 UTC0 UYST*-7200 UYT-10800 UZST*21600 UZT18000 VET-14400 VLAST36000 VLAT36000 VOLT10800 ' +
  'VUT39600 WADT*28800 WAKT43200 WAST25200 WAT3600 WDT*32400 WET0 WETDST*3600 WFT43200 WGST*-7200 WGT-10800 ' +
  'XJT21600 YAKST32400 YAKT32400 YAPT36000 YEKST*21600 YEKT18000 Z0 ZULU0';

const OFFSETS = new Map<string, { offset: number; dst: boolean }>(
  ABBREVIATIONS.split(' ').map((entry) => {
    const [, name, dst, offset] = /^([A-Z]+)(\*?)(-?\d+)$/.exec(entry)!;
    return [name.toLowerCase(), { offset: Number(offset), dst: dst === '*' }];
  }),
);

/** Offset of an abbreviation in any case; undefined when it is none. */
export function zoneAbbreviation(name: string): { offset: number; dst: boolean } | undefined {
  return OFFSETS.get(name.toLowerCase());
}

/** All abbreviations, in lower case. */
export function zoneAbbreviations(): Iterable<[name: string, { offset: number; dst: boolean }]> {
  return OFFSETS;
}

/** The longest abbreviation that `text` begins with. */
export function longestAbbreviation(text: string): { offset: number; length: number } | undefined {
  const letters = /^[A-Za-z]*/.exec(text)![0];
  for (let length = letters.length; length > 0; length--) {
    const found = zoneAbbreviation(letters.slice(0, length));
    if (found) return { offset: found.offset, length };
  }
  return undefined;
}
