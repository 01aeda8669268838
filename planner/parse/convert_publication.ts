/** CREATE and ALTER PUBLICATION as Tidemark's statements. */
import type { PgNode, PublishedObjects, Statement } from './ast.ts';
import { defElemOptions, rangeVarName } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

const ACTIONS = { AP_AddObjects: 'add', AP_DropObjects: 'drop', AP_SetObjects: 'set' } as const;

function objects(list: PgNode[] | undefined, source: Source): PublishedObjects {
  const tables: PublishedObjects['tables'] = [];
  const schemas: string[] = [];
  for (const { PublicationObjSpec: spec } of list ?? []) {
    const { relation, columns, whereClause } = spec.pubtable ?? {};
    if (columns !== undefined || whereClause !== undefined) {
      const what = columns !== undefined ? 'a column list' : 'WHERE';
      throw errorAt(
        source,
        '0A000',
        `${what} in a publication is not supported`,
        spec.location ?? -1,
        'Publish a materialized view that has what is wanted.',
      );
    }
    if (relation !== undefined) tables.push({ ...rangeVarName(relation), location: relation.location ?? -1 });
    else if (spec.name !== undefined) schemas.push(spec.name);
    else throw errorAt(source, '0A000', 'TABLES IN SCHEMA CURRENT_SCHEMA is not supported', spec.location ?? -1);
  }
  return { tables, schemas };
}

export function createPublication(node: PgNode, source: Source): Kind<'create_publication'> {
  return {
    ...source,
    k: 'create_publication',
    name: node.pubname,
    all: node.for_all_tables === true,
    ...objects(node.pubobjects, source),
    options: defElemOptions(node.options, source),
  };
}

export function alterPublication(node: PgNode, source: Source): Kind<'alter_publication'> {
  const options = defElemOptions(node.options, source);
  const action = options.length > 0 ? 'options' : ACTIONS[node.action as keyof typeof ACTIONS];
  return {
    ...source,
    k: 'alter_publication',
    name: node.pubname,
    action,
    ...objects(node.pubobjects, source),
    options,
  };
}
