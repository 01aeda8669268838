/** pg_settings: the settings of the calling session; PostgreSQL's defaults outside of the server. */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import type { SettingInfo } from '../options.ts';
import { type CatalogRelation, type CatalogRow, toRows } from './catalog_relation.ts';
import { staticRows } from './static_rows.ts';

function settingRow(s: SettingInfo): CatalogRow {
  const values: Datum = s.enumValues === null ? null : pgArray(OID.text, s.enumValues);
  return {
    name: s.name,
    setting: s.setting,
    unit: s.unit,
    category: s.category,
    short_desc: s.description,
    context: s.context,
    vartype: s.type,
    source: s.source,
    min_val: s.min,
    max_val: s.max,
    enumvals: values,
    boot_val: s.bootValue,
    reset_val: s.resetValue,
    pending_restart: false,
  };
}

export const PG_SETTINGS: CatalogRelation = {
  until: 'moment',
  rows: ({ session }, columns) =>
    session === null ? staticRows('pg_settings', columns) : toRows(columns, session.settings().map(settingRow)),
};
