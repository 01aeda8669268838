/** DO: libpg-query's node as Tidemark's statement. */
import type { PgNode, Statement } from './ast.ts';
import { parsePlpgsql } from './plpgsql.ts';
import { errorAt, type Source } from './positions.ts';

export function doBlock(node: PgNode, source: Source): Statement {
  const options: PgNode[] = (node.args ?? []).map((item: PgNode) => item.DefElem);
  const said = (name: string): string | undefined => options.find(({ defname }) => defname === name)?.arg.String.sval;
  const [body, language = 'plpgsql'] = [said('as'), said('language')];
  if (body === undefined) throw errorAt(source, '42601', 'no inline code specified');
  if (language === 'sql') throw errorAt(source, '0A000', 'language "sql" does not support inline code execution');
  if (language !== 'plpgsql') throw errorAt(source, '42704', `language "${language}" does not exist`);
  return { ...source, k: 'do', body: parsePlpgsql(body) };
}
