/** The catalog functions of pg_proc that need the server, by name (operators/expr/functions/catalog_signatures.ts has their signatures). */
import type { Datum } from '../../../../operators/datum.ts';
import { unsupported } from '../../../../operators/errors.ts';
import type { Moment } from '../catalog_relation.ts';
import type { CatalogFunctions } from './catalog_function.ts';
import { COMMENT_FUNCTIONS } from './comments.ts';
import { DEFINITION_FUNCTIONS } from './definitions.ts';
import { DESCRIBE_FUNCTIONS } from './describe.ts';
import { INDEX_PROPERTY_FUNCTIONS } from './index_properties.ts';
import { LOCK_FUNCTIONS } from './locks.ts';
import { PRIVILEGE_FUNCTIONS } from './privileges.ts';
import { PROC_FUNCTIONS } from './procs.ts';
import { REG_FUNCTIONS } from './reg_types.ts';
import { SEQUENCE_FUNCTIONS } from './sequences.ts';
import { SERVER_FUNCTIONS } from './server.ts';
import { SET_FUNCTIONS } from './sets.ts';
import { STATISTICS_FUNCTIONS } from './statistics.ts';
import { VISIBLE_FUNCTIONS } from './visible.ts';

const FUNCTIONS: CatalogFunctions = {
  ...DEFINITION_FUNCTIONS,
  ...DESCRIBE_FUNCTIONS,
  ...INDEX_PROPERTY_FUNCTIONS,
  ...LOCK_FUNCTIONS,
  ...PRIVILEGE_FUNCTIONS,
  ...PROC_FUNCTIONS,
  ...REG_FUNCTIONS,
  ...SEQUENCE_FUNCTIONS,
  ...COMMENT_FUNCTIONS,
  ...SERVER_FUNCTIONS,
  ...SET_FUNCTIONS,
  ...STATISTICS_FUNCTIONS,
  ...VISIBLE_FUNCTIONS,
};

/** Answers a catalog function. 0A000 when it has no meaning here. */
export function answerCatalogFunction(name: string, args: Datum[], moment: Moment): Datum {
  const answer = FUNCTIONS[name];
  if (answer === undefined) throw unsupported(`function ${name}`);
  return answer(args, moment);
}
