/** Calls of extensions' functions, in syntax and in bound expressions. */
import type { PgNode } from '../../planner/parse/ast.ts';
import { strings } from '../../planner/parse/node_fields.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { PG_CATALOG, type PgProc, procSignature, procsByName } from '../../planner/types/catalog.ts';
import { EXTENSION_FUNCTIONS, extensionOf } from '../../planner/types/extension_functions.ts';
import type { ExtensionObject } from '../catalog/objects.ts';

/** A function of PostgreSQL's own goes first where no schema is named. */
const isHidden = ({ name }: PgProc): boolean => procsByName(name).some(({ namespace }) => namespace === PG_CATALOG);

/** The nodes of a syntax tree that call a function of an extension which `find` finds. */
export function extensionCalls(
  root: PgNode,
  find: (extension: string) => ExtensionObject | undefined,
): { node: PgNode; schema: string | undefined; extension: ExtensionObject }[] {
  const found: ReturnType<typeof extensionCalls> = [];
  walkTree(root, (node) => {
    if (!Array.isArray(node.funcname)) return;
    const path = strings(node.funcname);
    const schema = path.at(-2);
    const proc = EXTENSION_FUNCTIONS.find(({ name }) => name === path[path.length - 1]);
    if (proc === undefined || (schema === undefined && isHidden(proc))) return;
    const extension = find(extensionOf(proc)?.name ?? '');
    if (extension !== undefined && (schema === undefined || schema === extension.schema))
      found.push({ node, schema, extension });
  });
  return found;
}

/** Whether a bound call is one of the extension's. What only a schema tells from PostgreSQL's own is volatile, and in no expression that is kept bound. */
export function callsExtension(fn: string, extension: string): boolean {
  const name = fn.slice(0, fn.indexOf('('));
  return EXTENSION_FUNCTIONS.some(
    (proc) =>
      proc.name === name && extensionOf(proc)?.name === extension && procSignature(proc) === fn && !isHidden(proc),
  );
}
