/** routines and parameters: the functions of pg_proc in the standard's words. */
import type { PgProc } from '../../../../planner/types/catalog.ts';
import { systemTable } from '../../../../planner/types/catalog_table.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import type { CatalogFacts } from '../facts.ts';
import { OWNER } from '../oids.ts';
import { parametersOf } from '../proc_parameters.ts';
import { everyProc, functionObject, functionsOf, schemaOfProc } from '../procs.ts';
import { knownTo } from './known.ts';
import { dataTypeName, udt } from './sql_type.ts';
import { yesNo } from './yes_no.ts';

const KINDS: Record<PgProc['kind'], string | null> = { f: 'FUNCTION', p: 'PROCEDURE', a: null, w: null };
const MODES: Record<string, string> = { i: 'IN', o: 'OUT', b: 'INOUT', v: 'IN', t: 'OUT' };

function specificName(proc: PgProc, database: string): CatalogRow {
  return {
    specific_catalog: database,
    specific_schema: schemaOfProc(proc) ?? null,
    specific_name: `${proc.name}_${proc.oid}`,
  };
}

/** Languages by pg_language.oid, as PostgreSQL has them. */
const LANGUAGES: Record<string, string> = { 12: 'INTERNAL', 13: 'C', 14: 'SQL' };

interface Source {
  language: string;
  /** Name of the internal function; empty for the body of an SQL function, which is not kept. */
  text: string;
}

/** What each function is made of, by OID. */
function sources(): Map<number, Source> {
  const t = systemTable('pg_proc');
  return new Map(
    Array.from({ length: t.rowCount }, (_, r): [number, Source] => [
      t.number(r, 'oid'),
      { language: LANGUAGES[t.text(r, 'prolang')] ?? 'INTERNAL', text: t.text(r, 'prosrc') },
    ]),
  );
}

function routineRow(proc: PgProc, database: string, { language, text }: Source): CatalogRow {
  return {
    ...specificName(proc, database),
    routine_catalog: database,
    routine_schema: schemaOfProc(proc) ?? null,
    routine_name: proc.name,
    routine_type: KINDS[proc.kind],
    ...(proc.kind === 'p' ? {} : { data_type: dataTypeName(proc.result), ...udt(proc.result, database, 'type_') }),
    dtd_identifier: '0',
    routine_body: language === 'SQL' ? 'SQL' : 'EXTERNAL',
    routine_definition: text === '' ? null : text,
    external_name: language === 'C' ? text : null,
    external_language: language,
    parameter_style: 'GENERAL',
    is_deterministic: yesNo(proc.volatility === 'i'),
    sql_data_access: 'MODIFIES',
    is_null_call: yesNo(proc.strict),
    schema_level_routine: 'YES',
    max_dynamic_result_sets: 0,
    security_type: 'INVOKER',
    as_locator: 'NO',
    is_udt_dependent: 'NO',
  };
}

function parameterRows(proc: PgProc, database: string, facts: CatalogFacts, path: string[]): CatalogRow[] {
  return parametersOf(proc, facts, path).map((p, i) => ({
    ...specificName(proc, database),
    ordinal_position: i + 1,
    parameter_mode: MODES[p.mode],
    is_result: 'NO',
    as_locator: 'NO',
    parameter_name: p.name === '' ? null : p.name,
    data_type: dataTypeName(p.type),
    ...udt(p.type, database),
    dtd_identifier: String(i + 1),
    parameter_default: p.default,
  }));
}

export const ROUTINES: Record<string, CatalogRelation> = {
  routines: ofCatalog((facts, context) => {
    const known = knownTo(facts, context);
    const made = sources();
    for (const { oid, source, proc } of functionsOf(facts))
      made.set(oid, { language: proc.made!.script?.language.toUpperCase() ?? 'SQL', text: source });
    return everyProc(facts).map((proc) => {
      const { language, text } = made.get(proc.oid) ?? { language: 'INTERNAL', text: proc.name };
      const owner = functionObject(facts, proc.oid)?.ownedBy ?? OWNER;
      return routineRow(proc, context.database, { language, text: known.owns(owner) ? text : '' });
    });
  }),
  parameters: ofCatalog((facts, { database, searchPath }) =>
    everyProc(facts).flatMap((proc) => parameterRows(proc, database, facts, searchPath)),
  ),
};
