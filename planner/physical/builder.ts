/**
 * Builds a dataflow plan node by node. Structurally equal nodes become one node (hash-consing), so that equal subplans of a
 * query are computed once: names and notes are left out of the identity, inputs take part by their index.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import { isVolatile } from '../analyse/functions.ts';
import { Analyser, type NodeFacts } from '../analyse/index.ts';
import { exprNotNull } from '../analyse/not_null.ts';
import type { Relation } from '../catalog_reader.ts';
import { conjunction, conjuncts, rewriteExpr, sizeOf, structureText, substitute } from '../logical/expressions.ts';
import { exprChildren } from '../logical/walk.ts';

/** Repeating an expression this small is cheaper than a node of its own. */
const CHEAP = 3;

export class PlanBuilder {
  readonly nodes: PlanNode[] = [];
  /** Relations that sources read, by OID. */
  readonly relations: Map<number, Relation>;
  private readonly known = new Map<string, number>();
  /** Nodes whose expressions are worked out where they stand: no map goes into them. */
  private readonly whole = new Set<number>();
  private readonly analyser: Analyser;

  readonly timeZone: string | undefined;

  /** `timeZone`: the session's. */
  constructor(timeZone?: string, relations: Map<number, Relation> = new Map()) {
    this.timeZone = timeZone;
    this.relations = relations;
    this.analyser = new Analyser(this.nodes, (oid) => relations.get(oid), timeZone);
  }

  facts(node: number): NodeFacts {
    return this.analyser.of(node);
  }

  /** True when an expression over a node's columns is never NULL. */
  isNotNull(e: Expr, node: number): boolean {
    return exprNotNull(e, this.facts(node).notNull);
  }

  /** Index of the node, or of an equal one that stands already. */
  add(node: PlanNode): number {
    const key = identity(node);
    const found = key === null ? undefined : this.known.get(key);
    if (found !== undefined) return found;
    const index = this.nodes.length;
    this.nodes.push(node);
    if (key !== null) this.known.set(key, index);
    return index;
  }

  /** What several read of the node is the same rows: to be written into each reader, its volatile expressions would be several. */
  keepWhole(node: number): void {
    this.whole.add(node);
  }

  /** Filter and project over `input` (expressions over its positions), fused into `input` when that is a map itself. */
  map(input: number, filter: Expr | null, project: Expr[] | null, names: string[]): number {
    const wanted = this.wanted(filter, input);
    const below = this.nodes[input];
    if (wanted === null && project === null) return input;
    if (wanted === null && project !== null && isIdentity(project, below.types)) return input;
    if (below.op === 'map' && !this.whole.has(input) && canFuse(below.project, wanted, project)) {
      const by = new Map((below.project ?? []).map((e, i) => [i, e]));
      const over = (e: Expr): Expr => (below.project === null ? e : substitute(e, by));
      const both = conjunction([...conjuncts(below.filter), ...conjuncts(wanted && over(wanted))]);
      const fused = project === null ? below.project : project.map(over);
      const outNames = project === null ? below.names : names;
      return this.map(below.inputs[0], both, fused, outNames);
    }
    return this.add({
      op: 'map',
      inputs: [input],
      types: project === null ? below.types : project.map((e) => e.t),
      names: project === null ? below.names : names,
      filter: wanted,
      project,
      ...([wanted, ...(project ?? [])].some((e) => e !== null && isVolatile(e)) ? { eachRow: true } : {}),
    });
  }

  /** What of a filter may be false. */
  private wanted(filter: Expr | null, input: number): Expr | null {
    const known = (e: Expr): boolean => e.k === 'isnull' && e.negated && this.isNotNull(e.arg, input);
    const left = conjuncts(filter).filter((e) => !known(e));
    return left.length === 0 ? null : conjunction(left);
  }

  /** The plan of what `root` needs. */
  finish(root: number): DataflowPlan {
    return compact(this.nodes, root);
  }
}

/** Only nodes that `root` reaches, in the same order. */
function compact(nodes: PlanNode[], root: number): DataflowPlan {
  const needed = new Set<number>([root]);
  for (let i = root; i >= 0; i--) if (needed.has(i)) for (const input of nodes[i].inputs) needed.add(input);
  const at = new Map<number, number>();
  const kept: PlanNode[] = [];
  for (let i = 0; i <= root; i++) {
    if (!needed.has(i)) continue;
    at.set(i, kept.length);
    const inputs = nodes[i].inputs.map((x) => at.get(x)!);
    kept.push({ ...nodes[i], inputs });
  }
  return { nodes: kept, root: kept.length - 1 };
}

/** Structural text of a node with its inputs by index; null when two equal nodes may differ in content (volatile functions). */
function identity(node: PlanNode): string | null {
  if (planExpressions(node).some(isVolatile)) return null;
  return structureText({ ...node, names: undefined, notes: undefined });
}

/** The expressions of a physical node. */
export function planExpressions(node: PlanNode): Expr[] {
  switch (node.op) {
    case 'source':
      return [
        ...(node.lookup?.values ?? []),
        ...(node.lookup?.when ?? []),
        ...(node.within ?? []).flatMap(({ when }) => when),
      ];
    case 'constant':
      return node.rows.flat();
    case 'map':
      return [...(node.filter ? [node.filter] : []), ...(node.project ?? [])];
    case 'flatmap':
      return node.args;
    case 'join':
      return node.residual ? [node.residual] : [];
    default:
      return [];
  }
}

function isIdentity(project: Expr[], types: ColType[]): boolean {
  return (
    project.length === types.length &&
    project.every((e, i) => e.k === 'col' && e.id === i && e.t.oid === types[i].oid && e.t.typmod === types[i].typmod)
  );
}

/** Whether the projections of a lower map may be written into the expressions of the upper one. */
function canFuse(lower: Expr[] | null, filter: Expr | null, project: Expr[] | null): boolean {
  if (lower === null) return true;
  const uses = new Map<number, number>();
  const count = (e: Expr): void => {
    if (e.k === 'col') uses.set(e.id, (uses.get(e.id) ?? 0) + 1);
    for (const x of exprChildren(e)) count(x);
  };
  const upper = [...(filter ? [filter] : []), ...(project ?? lower.map((e, id): Expr => ({ k: 'col', id, t: e.t })))];
  for (const e of upper) count(e);
  return lower.every((e, i) => {
    const n = uses.get(i) ?? 0;
    if (isVolatile(e)) return n === 1 && filter === null;
    return n <= 1 || sizeOf(e) <= CHEAP;
  });
}

/** Replaces column ids by positions. */
export function toPositions(e: Expr, at: ReadonlyMap<number, number>): Expr {
  return rewriteExpr(e, (x) => {
    if (x.k !== 'col') return x;
    const position = at.get(x.id);
    if (position === undefined) throw new Error(`column ${x.id} is not part of the input`);
    return { ...x, id: position };
  });
}
