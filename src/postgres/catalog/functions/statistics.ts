/** Resets of counts: those that are kept are how many there are now, so what begins again is the time that pg_stat_database tells. */
import { SqlError } from '../../../../operators/errors.ts';
import type { Moment } from '../catalog_relation.ts';
import { type CatalogFunctions, textOf } from './catalog_function.ts';

/** Of the whole server; their relations have no rows here. */
const SHARED = ['archiver', 'bgwriter', 'checkpointer', 'io', 'recovery_prefetch', 'slru', 'wal'];

function reset({ statistics, facts }: Moment): string {
  statistics.at = facts.engine.loop.present();
  return '';
}

export const STATISTICS_FUNCTIONS: CatalogFunctions = {
  pg_stat_reset: (_args, moment) => reset(moment),
  pg_stat_reset_single_table_counters: (_args, moment) => reset(moment),
  pg_stat_reset_shared: ([target]) => {
    if (target !== null && !SHARED.includes(textOf(target))) {
      const names = SHARED.map((name) => `"${name}"`);
      throw new SqlError('22023', `unrecognized reset target: "${textOf(target)}"`, {
        hint: `Target must be ${names.slice(0, -1).join(', ')}, or ${names.at(-1)}.`,
      });
    }
    return '';
  },
};
