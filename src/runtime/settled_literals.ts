/**
 * Literals of times, and of names of relations, in a query or an expression that is kept, and bound again or shown to sessions with other settings: they are written anew, so that
 * they mean what they meant to the session that made it, as constants that PostgreSQL has worked out do.
 *
 *   '01/02/2024'::date  ->  '2024-02-01'::date                        under DateStyle DMY
 *   at >= '2024-03-10'  ->  at >= '2024-03-10 05:00:00+00'            under TimeZone America/New_York
 *   't'::regclass       ->  's.t'::regclass                           under search_path s
 *
 * Others stay as they are written; so do 'now' and 'today', which are the reader's.
 */
import { SqlError } from '../../operators/errors.ts';
import { defaultContext, withoutClock } from '../../operators/expr/context.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { quoteIdent, quoteLiteral } from '../../operators/expr/text/quote.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { partTypeOf } from '../../planner/analyse/functions.ts';
import { type BindEnv, bindScalar, regclassPath } from '../../planner/bind/index.ts';
import type { PgNode, SelectNode } from '../../planner/parse/ast.ts';
import { scanPostgres } from '../../planner/parse/pg_parser.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import type { Written } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { editQuery } from './rename.ts';
import { orNull } from './view_query.ts';
import { parsed } from './written_expression.ts';

/** Types whose texts are read by TimeZone, DateStyle or IntervalStyle. */
const READ_BY_SETTINGS = new Set<number>([OID.date, OID.timestamp, OID.timestamptz, OID.timetz, OID.interval]);
/** Texts that it writes are read the same under all settings. */
const PLAIN = defaultContext();
/** Who reads a text as these do reads it as everybody does. */
const OTHERS = [
  PLAIN,
  defaultContext({ timeZone: 'Asia/Kolkata', dateStyle: 'ISO, DMY', intervalStyle: 'sql_standard' }),
  defaultContext({ timeZone: 'America/New_York', dateStyle: 'ISO, YMD' }),
].map(withoutClock);

export class SettledLiterals {
  readonly #engine: TidemarkEngine;
  readonly #context: EvalContext;
  /** By node; null where it stays, as one text cannot be what it is read as in two places. */
  readonly #texts = new Map<PgNode, string | null>();

  constructor(engine: TidemarkEngine, { evalContext }: SessionContext) {
    this.#engine = engine;
    this.#context = withoutClock(evalContext);
  }

  hear(node: PgNode, type: ColType): void {
    const written: string = node.sval.sval ?? '';
    const settled = type.oid === OID.regclass ? this.#withSchema(written) : this.#settled(written, type);
    const known = this.#texts.get(node);
    this.#texts.set(node, known === undefined || known === settled ? settled : null);
  }

  #settled(written: string, type: ColType): string | null {
    if (!READ_BY_SETTINGS.has(partTypeOf(type.oid))) return null;
    const text = meant(written, type, this.#context);
    return OTHERS.every((other) => meant(written, type, other) === text) ? null : text;
  }

  /** Null where it has one, or is no name of a relation of the catalog (the server's own are found by all). */
  #withSchema(name: string): string | null {
    if (/^\d+$/.test(name)) return null;
    const path = regclassPath(name);
    const found = path.length === 1 && this.#engine.catalog.find(undefined, path[0], this.#context.searchPath);
    return found ? `${quoteIdent(found.schema)}.${quoteIdent(path[0])}` : null;
  }

  /** Changes the query's own nodes, and its text; those of views that it reads are theirs. */
  settle(query: SelectNode): void {
    const own = new Set<PgNode>();
    walkTree(query.select, ({ A_Const: literal }) => {
      if (literal && this.#texts.get(literal)) own.add(literal);
    });
    // From the last on: places of those before stay.
    for (const literal of [...own].sort((a, b) => b.location - a.location)) {
      const text = this.#texts.get(literal)!;
      literal.sval = { sval: text };
      const token = scanPostgres(query.text).find(({ start }) => start === literal.location);
      if (token) editQuery(query, { from: token.start, to: token.end, text: quoteLiteral(text) });
    }
  }
}

/** What a text means, written for all; null where that hangs on the clock (ClockError), or it means nothing, which the binder complains of. */
function meant(text: string, type: ColType, context: EvalContext): string | null {
  try {
    return outputText(inputText(text, type, context), type.oid, PLAIN);
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** In the DEFAULT of a column, a domain or a parameter of this type. Gives its text. What is wrong with it is said where it is bound for its use. */
export function settleDefault(
  engine: TidemarkEngine,
  node: PgNode,
  text: string,
  target: ColType,
  session: SessionContext,
): string {
  const literals = new SettledLiterals(engine, session);
  const env: BindEnv = {
    ...engine.bindEnv(session, [], 'read'),
    allowParams: false,
    onLiteral: (literal, type) => literals.hear(literal, type),
  };
  orNull(() => bindScalar(node, text, env, { target, place: 'default' }));
  const written = { select: node, text };
  literals.settle(written);
  return written.text;
}

/** In the text that is kept of a CHECK, of what generates a column, or of a part of an index; `options`: as it was bound. */
export function settledText<T extends Written>(
  engine: TidemarkEngine,
  kept: T,
  session: SessionContext,
  options: Parameters<typeof bindScalar>[3],
): T {
  const { node, whole } = parsed(kept);
  const literals = new SettledLiterals(engine, session);
  const env: BindEnv = {
    ...engine.bindEnv(session, [], 'read'),
    allowParams: false,
    onLiteral: (literal, type) => literals.hear(literal, type),
  };
  bindScalar(node, whole, env, options);
  const settled = { select: node, text: whole };
  literals.settle(settled);
  return { ...kept, text: settled.text.slice(whole.length - kept.text.length) };
}
