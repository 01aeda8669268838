/**
 * Overload resolution against PostgreSQL: random calls are put into a view, whose stored rule tells which function PostgreSQL
 * chose; the chosen OID, the result type, or the error's SQLSTATE and message must be ours. SEED=n replays a run.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import { type CoercionContext, findCoercion } from './cast.ts';
import {
  aggregateByOid,
  allProcs,
  baseTypeOf,
  elementTypeOf,
  operatorByOid,
  operatorsByName,
  type PgProc,
  procByOid,
  procSignature,
  typeByName,
  typeByOid,
} from './catalog.ts';
import { systemTable } from './catalog_table.ts';
import { commonTypeOf } from './common_type.ts';
import { formatType } from './format_type.ts';
import { resolveFunction } from './function.ts';
import { functionCast } from './function_cast.ts';
import { resolveOperator } from './operator.ts';
import { isPolymorphic } from './polymorphic.ts';

const SEED = testSeed();
const CALLS = Number(process.env.CALLS ?? 1500);

/** Types that arguments have: every base, range, array and domain type a column can have. */
const TYPES: number[] = [];
let db: PGlite;

before(async () => {
  const t = systemTable('pg_type');
  for (let r = 0; r < t.rowCount; r++) {
    const type = typeByOid(t.number(r, 'oid'))!;
    const element = elementTypeOf(type.oid);
    const plain = type.kind !== 'p' && type.kind !== 'c' && type.name !== 'pg_node_tree' && type.oid !== OID.unknown;
    const elementKind = typeByOid(element)?.kind;
    if (plain && (element === 0 || (elementKind !== 'c' && elementKind !== 'p'))) TYPES.push(type.oid);
  }
  db = new PGlite();
  const columns = TYPES.map((oid) => `c${oid} ${formatType(oid)}`);
  await db.exec(`create temp table probe (${columns.join(', ')})`);
});

after(() => db.close());

interface Answer {
  /** pg_proc OID of the chosen function; 0 when PostgreSQL's rule does not tell (it is no plain call). */
  fn: number;
  result: number;
}

type Outcome = Answer | { sqlstate: string; message: string };

function isError(o: Outcome): o is { sqlstate: string; message: string } {
  return 'sqlstate' in o;
}

async function askPostgres(expression: string): Promise<Outcome> {
  try {
    const { resultFields } = await db.describeQuery(`select ${expression} from probe`);
    const result = resultFields[0].dataTypeID;
    if (typeByOid(result)?.kind === 'p') return { fn: 0, result };
    await db.exec(`create temp view asked as select ${expression} as x from probe`);
    const rule = await db.query<{ tree: string }>(
      "select ev_action::text as tree from pg_rewrite where ev_class = 'asked'::regclass",
    );
    await db.exec('drop view asked');
    const tree = rule.rows[0].tree;
    const found = /:targetList \(\{TARGETENTRY :expr \{\w+ :(?:funcid|opno|aggfnoid|winfnoid) (\d+)/.exec(tree);
    return { fn: found ? Number(found[1]) : 0, result };
  } catch (e) {
    const error = e as { code?: string; message: string };
    if (!error.code) throw e;
    return { sqlstate: error.code, message: error.message };
  }
}

function askOurs(f: () => Answer): Outcome {
  try {
    return f();
  } catch (e) {
    if (!(e instanceof SqlError)) throw e;
    return { sqlstate: e.sqlstate, message: e.message };
  }
}

function argument(oid: number): string {
  return oid === OID.unknown ? 'NULL' : `c${oid}`;
}

function compare(sql: string, ours: Outcome, theirs: Outcome, failures: string[]): void {
  const same = isError(ours)
    ? isError(theirs) && theirs.sqlstate === ours.sqlstate && theirs.message === ours.message
    : !isError(theirs) &&
      theirs.result === baseTypeOf(ours.result) &&
      (theirs.fn === 0 || ours.fn === 0 || theirs.fn === ours.fn);
  if (!same) failures.push(`${sql}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`);
}

function report(what: string, failures: string[]): void {
  assert.equal(
    failures.length,
    0,
    `${what}, SEED=${SEED}:\n${failures.slice(0, 40).join('\n')}\n${failures.length} in all`,
  );
}

/** A declared type as an actual one: itself, untyped, or another. */
function actualFor(declared: number, random: Random): number {
  const any = random.pick(TYPES);
  const roll = random.next();
  if (roll < 0.25) return OID.unknown;
  if (isPolymorphic(declared) || !TYPES.includes(declared)) return any;
  return roll < 0.75 ? declared : any;
}

/** Names for some of the last arguments, at times in another order; none for a function whose parameters have no names. */
function namesFor(proc: PgProc, count: number, random: Random): string[] {
  const isInput = (_: string, i: number): boolean => !proc.argModes || 'ibv'.includes(proc.argModes[i]);
  const names = (proc.argNames ?? []).filter(isInput).slice(0, count);
  if (names.length < count || names.includes('')) return [];
  const named = names.slice(random.below(count));
  return random.chance(0.3) ? named.reverse() : named;
}

/** Errors that PostgreSQL raises after resolution: they belong to the binder, or (XX000) to a result of type unknown. */
const LATER = new Set(['42P20', '42803', '0A000', '42601', '42P16', 'XX000']);

test(`functions resolve as in PostgreSQL (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const procs = allProcs().filter((p) => p.oid < 9000 && p.kind !== 'p');
  const failures: string[] = [];
  for (let n = 0; n < CALLS; n++) {
    const proc = random.pick(procs);
    const aggregate = aggregateByOid(proc.oid);
    const declared = proc.args.slice(0, random.chance(0.3) ? proc.args.length - proc.defaults.length : undefined);
    if (proc.variadic !== 0 && random.chance(0.6)) declared.splice(-1, 1, ...[0, 1, 2].map(() => proc.variadic));
    if (random.chance(0.05)) declared.pop();
    const args = declared.map((t) => actualFor(t, random));
    const names = random.chance(0.2) && proc.variadic === 0 ? namesFor(proc, args.length, random) : [];
    const variadic = names.length === 0 && args.length > 0 && random.next() < (proc.variadic === 0 ? 0.02 : 0.3);
    const texts = args.map(argument).map((text, i) => {
      if (i >= args.length - names.length) return `"${names[i - args.length + names.length]}" => ${text}`;
      return variadic && i === args.length - 1 ? `variadic ${text}` : text;
    });
    const ordered = aggregate !== undefined && aggregate.kind !== 'n';
    const withinGroup = ordered && args.length > 0 && !variadic ? Math.ceil(args.length / 2) : undefined;
    const direct = args.length - (withinGroup ?? 0);
    const schema = proc.namespace === 11 ? undefined : 'information_schema';
    const shown = `${schema ? `${schema}.` : ''}"${proc.name}"`;
    const tail = withinGroup === undefined ? '' : ` within group (order by ${texts.slice(direct).join(', ')})`;
    const sql = `${shown}(${texts.slice(0, direct).join(', ')})${tail}${proc.kind === 'w' ? ' over ()' : ''}`;
    const castTo =
      args.length === 1 && names.length === 0 ? functionCast(typeByName(schema, proc.name), args[0]) : null;
    const ours = askOurs(() => {
      if (castTo !== null) return { fn: 0, result: castTo };
      const f = resolveFunction({
        schema,
        name: proc.name,
        args: args.map((t) => colType(t)),
        argNames: names,
        variadic,
        withinGroup,
      });
      return { fn: f.proc.oid, result: f.resultType.oid === OID.unknown ? OID.text : f.resultType.oid };
    });
    const theirs = await askPostgres(sql);
    if (isError(theirs) && (LATER.has(theirs.sqlstate) || theirs.message.startsWith('could not identify'))) continue;
    compare(sql, ours, theirs, failures);
  }
  report('functions', failures);
});

test(`operators resolve as in PostgreSQL (SEED=${SEED})`, async () => {
  const random = new Random(SEED + 1);
  const t = systemTable('pg_operator');
  const failures: string[] = [];
  for (let n = 0; n < CALLS; n++) {
    const op = operatorByOid(t.number(random.below(t.rowCount), 'oid'))!;
    const left = op.left === 0 ? null : actualFor(op.left, random);
    const right = actualFor(op.right, random);
    const sql = `${left === null ? '' : argument(left)} operator(pg_catalog.${op.name}) ${argument(right)}`;
    const ours = askOurs(() => {
      const found = resolveOperator(op.name, left === null ? null : colType(left), colType(right), 'pg_catalog');
      const fn = operatorsByName(op.name).find((o) => o.oid === found.oid)!;
      assert.equal(found.fn.startsWith(procByOid(fn.code)!.name), true);
      return { fn: found.oid, result: found.resultType.oid };
    });
    const theirs = await askPostgres(sql);
    compare(sql, ours, theirs, failures);
  }
  report('operators', failures);
});

test(`casts are those of PostgreSQL (SEED=${SEED})`, async () => {
  const random = new Random(SEED + 2);
  const failures: string[] = [];
  const asks: [CoercionContext, (from: number, to: number) => string][] = [
    ['explicit', (from, to) => `select c${from}::${formatType(to)} from probe`],
    ['assignment', (from, to) => `insert into probe (c${to}) select c${from} from probe`],
  ];
  for (let n = 0; n < CALLS; n++) {
    const from = random.pick(TYPES);
    const to = random.pick(TYPES);
    for (const [context, sqlOf] of asks) {
      let allowed = true;
      try {
        await db.describeQuery(sqlOf(from, to));
      } catch (e) {
        if (!['42846', '42804'].includes((e as { code: string }).code)) throw e;
        allowed = false;
      }
      const coercion = findCoercion(from, to, context);
      if (allowed !== (coercion !== null)) failures.push(`${sqlOf(from, to)}: ${allowed}`);
    }
    const coercion = findCoercion(from, to, 'explicit');
    if (coercion?.method !== 'function' && coercion?.method !== 'io') continue;
    const theirs = await askPostgres(`c${from}::${formatType(to, -1)}`);
    const isOurs = (p: PgProc): boolean => coercion.method === 'function' && procSignature(p) === coercion.fn;
    const fn = isError(theirs) ? undefined : procByOid(theirs.fn);
    const same = coercion.method === 'function' ? fn !== undefined && isOurs(fn) : fn === undefined;
    if (!same && typeByOid(to)?.kind !== 'd') failures.push(`c${from}::${to}: ${JSON.stringify([coercion, theirs])}`);
  }
  report('casts', failures);
});

test(`common types are those of PostgreSQL (SEED=${SEED})`, async () => {
  const random = new Random(SEED + 3);
  const failures: string[] = [];
  for (let n = 0; n < CALLS; n++) {
    const first = random.pick(TYPES);
    const alike = TYPES.filter((t) => typeByOid(t)!.category === typeByOid(first)!.category);
    const pick = (): number => {
      const from = random.chance(0.85) ? alike : TYPES;
      return random.chance(0.15) ? OID.unknown : random.pick(from);
    };
    const types = [first, pick(), pick()].sort(() => random.next() - 0.5);
    const sql = `coalesce(${types.map(argument).join(', ')})`;
    const ours = askOurs(() => ({ fn: 0, result: commonTypeOf(types, 'COALESCE') }));
    const theirs = await askPostgres(sql);
    compare(sql, ours, isError(theirs) ? theirs : { ...theirs, fn: 0 }, failures);
  }
  report('common types', failures);
});
