/** Types and functions of users, and functions of extensions, in texts that are shown as they were written: with their schemas where the search path does not find them, as relations have theirs. */
import { quoteIdent } from '../../../operators/expr/text/quote.ts';
import type { PgNode } from '../../../planner/parse/ast.ts';
import { strings } from '../../../planner/parse/node_fields.ts';
import { parse } from '../../../planner/parse/parse.ts';
import { walkTree } from '../../../planner/parse/walk_tree.ts';
import { procsByName } from '../../../planner/types/catalog.ts';
import { extensionCalls } from '../../runtime/extension_calls.ts';
import { type Edit, edited, insertion } from '../../runtime/text_edits.ts';
import { typeNodes } from '../../runtime/type_users.ts';
import { orNull } from '../../runtime/view_query.ts';
import type { CatalogFacts } from './facts.ts';
import { userTypes } from './pg_type.ts';
import { functionsOf } from './procs.ts';

/** What puts schemas before names in the text that `root` was made of. */
export function typeEdits(root: PgNode, facts: CatalogFacts, path: string[]): Edit[] {
  return [...ofExtensions(root, facts, path), ...ofFunctions(root, facts, path), ...ofTypes(root, facts, path)];
}

function ofExtensions(root: PgNode, { engine }: CatalogFacts, path: string[]): Edit[] {
  return extensionCalls(root, (name) => engine.catalog.ofServer('extension', name)).flatMap(
    ({ node, schema, extension }) => {
      const hidden = schema === undefined && !path.includes(extension.schema) && node.location >= 0;
      return hidden ? [insertion(node.location, `${quoteIdent(extension.schema)}.`)] : [];
    },
  );
}

function ofTypes(root: PgNode, facts: CatalogFacts, path: string[]): Edit[] {
  const { catalog } = facts.engine;
  const hidden = userTypes(facts).filter(({ name, oid }) => catalog.typeNamed(undefined, name, path) !== oid);
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

/** A name that PostgreSQL has a function of, too, is taken for that. */
function ofFunctions(root: PgNode, facts: CatalogFacts, path: string[]): Edit[] {
  const made = functionsOf(facts);
  if (made.length === 0) return [];
  const edits: Edit[] = [];
  walkTree(root, ({ FuncCall: call }) => {
    const names = strings(call?.funcname);
    if (names.length !== 1 || procsByName(names[0]).length > 0) return;
    const found = made.filter(({ name }) => name === names[0]);
    if (found.length === 0 || found.some(({ schema }) => path.includes(schema))) return;
    edits.push(insertion(call.location ?? 0, `${quoteIdent(found[0].schema)}.`));
  });
  return edits;
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
