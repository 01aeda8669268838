/** Functions and operators over jsonb and jsonpath; what paths mean: ../json/jsonpath/. */
import type { Datum } from '../../datum.ts';
import type { EvalContext } from '../ir.ts';
import { datums, PathCall } from '../json/jsonpath/path.ts';
import { jsonbText } from '../json/value.ts';
import { type CallInfo, registerTyped, registerTypedSet } from './registry.ts';

/** What each call site keeps of its path. */
const sites = new WeakMap<CallInfo, PathCall>();

function siteOf(call: CallInfo, zoned: boolean): PathCall {
  let site = sites.get(call);
  if (!site) {
    site = new PathCall(zoned);
    sites.set(call, site);
  }
  return site;
}

type Arguments = [target: string, path: string, vars: string, silent: boolean];
type Answer = (site: PathCall, args: Arguments, ctx: EvalContext) => Datum;

const FUNCTIONS: [name: string, answer: Answer][] = [
  ['exists', (site, args, ctx) => site.exists(...args, ctx)],
  ['match', (site, args, ctx) => site.match(...args, ctx)],
  ['query_array', (site, args, ctx) => jsonbText(site.query(...args, ctx))],
  ['query_first', (site, args, ctx) => datums(site.query(...args, ctx).slice(0, 1))[0] ?? null],
];

for (const zoned of [false, true]) {
  const signature = `${zoned ? '_tz' : ''}(jsonb,jsonpath,jsonb,bool)`;
  for (const [name, answer] of FUNCTIONS) {
    registerTyped(`jsonb_path_${name}${signature}`, (args, call, ctx) =>
      answer(siteOf(call, zoned), args as Arguments, ctx),
    );
  }
  registerTypedSet(`jsonb_path_query${signature}`, (args, call, ctx) =>
    datums(siteOf(call, zoned).query(...(args as Arguments), ctx)).map((d) => [d]),
  );
}

registerTyped('jsonb_path_exists_opr(jsonb,jsonpath)', ([target, path], call, ctx) =>
  siteOf(call, false).exists(target as string, path as string, null, true, ctx),
);
registerTyped('jsonb_path_match_opr(jsonb,jsonpath)', ([target, path], call, ctx) =>
  siteOf(call, false).match(target as string, path as string, null, true, ctx),
);
