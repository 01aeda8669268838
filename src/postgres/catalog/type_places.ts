/** Types of users and functions of extensions in texts that are shown as they were written: with their schemas where the search path does not find them, as relations have theirs. */
import { quoteIdent } from '../../../operators/expr/text/quote.ts';
import type { PgNode } from '../../../planner/parse/ast.ts';
import { parse } from '../../../planner/parse/parse.ts';
import { extensionCalls } from '../../runtime/extension_calls.ts';
import { type Edit, edited, insertion } from '../../runtime/text_edits.ts';
import { typeNodes } from '../../runtime/type_users.ts';
import { orNull } from '../../runtime/view_query.ts';
import type { CatalogFacts } from './facts.ts';
import { enumsOf } from './pg_type.ts';

/** What puts schemas before names in the text that `root` was made of. */
export function typeEdits(root: PgNode, facts: CatalogFacts, path: string[]): Edit[] {
  return [...functionEdits(root, facts, path), ...ofTypes(root, facts, path)];
}

function functionEdits(root: PgNode, { engine }: CatalogFacts, path: string[]): Edit[] {
  return extensionCalls(root, (name) => engine.catalog.extension(name)).flatMap(({ node, schema, extension }) => {
    const hidden = schema === undefined && !path.includes(extension.schema) && node.location >= 0;
    return hidden ? [insertion(node.location, `${quoteIdent(extension.schema)}.`)] : [];
  });
}

function ofTypes(root: PgNode, facts: CatalogFacts, path: string[]): Edit[] {
  const { catalog } = facts.engine;
  const hidden = enumsOf(facts).filter(({ name, oid }) => catalog.typeNamed(undefined, name, path) !== oid);
  if (hidden.length === 0) return [];
  const find = (schema: string | undefined, name: string) => {
    if (schema !== undefined || catalog.findType(undefined, name, path) !== undefined) return undefined;
    const type = hidden.find((other) => other.name === name);
    return type && catalog.findType(type.schema, name, path);
  };
  return typeNodes(root, find).flatMap(({ node, type }) => {
    return node.location >= 0 ? [insertion(node.location, `${quoteIdent(type.schema)}.`)] : [];
  });
}

const BEFORE = 'SELECT ';

/** An expression with them. */
export function withTypeSchemas(text: string, facts: CatalogFacts, path: string[]): string {
  const edits = orNull(() => {
    const [statement] = parse(BEFORE + text);
    return statement.k === 'select' ? typeEdits(statement.query.select, facts, path) : [];
  });
  return edits === null || edits.length === 0 ? text : edited(BEFORE + text, edits).slice(BEFORE.length);
}
