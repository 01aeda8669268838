import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { typeByName } from './catalog.ts';
import { type CoerceHost, callFunction, callOperator, coerceAssignment, coerceExpr, commonType } from './coerce.ts';
import { formatType } from './format_type.ts';
import { resolveFunction } from './function.ts';
import { functionCast } from './function_cast.ts';
import { resolveOperator } from './operator.ts';
import { parseTypeName } from './type_name.ts';

/** Literals are kept as text, so that a test sees what was read as which type. */
const host: CoerceHost = {
  inputLiteral: (text, type) => `${text}::${formatType(type.oid, type.typmod)}`,
  paramType: (_, type) => type,
};

const type = (name: string): ColType => (name === 'unknown' ? colType(OID.unknown) : parseTypeName(name));
const col = (name: string): Expr => ({ k: 'col', id: 1, t: type(name) });
const literal = (text: string | null): Expr => ({ k: 'const', v: text, t: colType(OID.unknown) });

/** An expression as text: `numeric(col)`, `cast(col as text)`, `'1::integer'`. */
function show(e: Expr | null): string {
  if (e === null) return 'none';
  switch (e.k) {
    case 'col':
      return 'col';
    case 'param':
      return `$${e.n}:${formatType(e.t.oid)}`;
    case 'const':
      return e.v === null ? 'null' : String(e.v);
    case 'call':
      return `${e.fn}[${e.args.map(show).join(' ')}]`;
    case 'cast':
      return `${show(e.arg)} as ${formatType(e.t.oid, e.t.typmod)}${e.element ? ` by ${e.element}` : ''}`;
    case 'array':
      return `{${e.items.map(show).join(' ')}}`;
    default:
      return e.k;
  }
}

test('coercions of columns', () => {
  const cases: [string, string, 'implicit' | 'assignment' | 'explicit', string][] = [
    ['int4', 'int4', 'implicit', 'col'],
    ['int4', 'int8', 'implicit', 'int8(int4)[col]'],
    ['int8', 'int4', 'implicit', 'none'],
    ['int8', 'int4', 'assignment', 'int4(int8)[col]'],
    ['varchar(5)', 'text', 'implicit', 'col as text'],
    ['text', 'int4', 'assignment', 'none'],
    ['text', 'int4', 'explicit', 'col as integer'],
    ['text', 'varchar(3)', 'assignment', 'col as character varying(3)'],
    ['varchar(3)', 'varchar(3)', 'assignment', 'col'],
    ['varchar(5)', 'varchar(3)', 'explicit', 'col as character varying(3)'],
    ['int4', 'numeric(4,1)', 'assignment', 'numeric(int4)[col] as numeric(4,1)'],
    ['int4', 'bit(3)', 'explicit', 'bit(int4,int4)[col 3]'],
    ['int4[]', 'int8[]', 'implicit', 'col as bigint[] by int8(int4)'],
    ['int4[]', 'text[]', 'explicit', 'col as text[]'],
    ['varchar[]', 'text[]', 'implicit', 'col as text[]'],
    ['json', 'jsonb', 'assignment', 'col as jsonb'],
    ['int4', 'bool', 'explicit', 'bool(int4)[col]'],
    ['timestamp', 'bool', 'explicit', 'none'],
  ];
  for (const [from, to, context, shown] of cases) {
    assert.equal(show(coerceExpr(col(from), type(to), context, host)), shown, `${from} to ${to}, ${context}`);
  }
});

test('untyped literals and parameters take the type asked for', () => {
  assert.equal(show(coerceExpr(literal('1'), type('int4'), 'implicit', host)), '1::integer');
  assert.equal(show(coerceExpr(literal(null), type('int4'), 'implicit', host)), 'null');
  assert.equal(
    show(coerceExpr(literal('x'), type('varchar(2)'), 'explicit', host)),
    'x::character varying as character varying(2)',
  );
  assert.equal(show(coerceExpr(literal('1'), type('interval day'), 'explicit', host)), '1::interval day');
  const param: Expr = { k: 'param', n: 2, t: colType(OID.unknown) };
  assert.equal(show(coerceExpr(param, type('int8'), 'implicit', host)), '$2:bigint');
});

test('calls: defaults, variadic arguments, named arguments', () => {
  const call = (name: string, args: Expr[], more: { argNames?: string[]; variadic?: boolean } = {}): string =>
    show(callFunction(resolveFunction({ name, args: args.map((a) => a.t), ...more }), args, host));
  assert.equal(call('length', [col('varchar')]), 'length(text)[col as text]');
  assert.equal(
    call('jsonb_set', [col('jsonb'), literal('{a}'), literal('1')]),
    'jsonb_set(jsonb,_text,jsonb,bool)[col {a}::text[] 1::jsonb true::boolean]',
  );
  assert.equal(
    call('json_extract_path', [col('json'), literal('a'), literal('b')]),
    'json_extract_path(json,_text)[col {a::text b::text}]',
  );
  assert.equal(call('concat', [col('int4'), literal('x')]), 'concat(any)[col x]');
  assert.equal(
    call('make_interval', [literal('2')], { argNames: ['days'] }),
    'make_interval(int4,int4,int4,int4,int4,int4,float8)[0::integer 0::integer 0::integer 2::integer 0::integer 0::integer 0.0::double precision]',
  );
  const spread = resolveFunction({ name: 'concat', args: [type('text[]')], variadic: true });
  assert.equal(callFunction(spread, [col('text[]')], host).variadic, true);
  const plus = resolveOperator('+', type('int4'), type('numeric'));
  assert.equal(
    show(callOperator(plus, [col('int4'), col('numeric')], host)),
    'numeric_add(numeric,numeric)[numeric(int4)[col] col]',
  );
});

test('polymorphic results', () => {
  const result = (name: string, ...args: string[]): string =>
    formatType(resolveFunction({ name, args: args.map(type) }).resultType.oid);
  assert.equal(result('array_agg', 'int4'), 'integer[]');
  assert.equal(result('array_agg', 'int4[]'), 'integer[]');
  assert.equal(result('unnest', 'timestamptz[]'), 'timestamp with time zone');
  assert.equal(result('lag', 'int4', 'int4', 'numeric'), 'numeric');
  assert.equal(result('array_append', 'int4[]', 'numeric'), 'numeric[]');
  assert.equal(result('lower', 'int4range'), 'integer');
  assert.deepEqual(
    resolveFunction({ schema: 'information_schema', name: '_pg_expandarray', args: [type('int2[]')] }).outColumns,
    [
      { name: 'x', type: colType(OID.int2) },
      { name: 'n', type: colType(OID.int4) },
    ],
  );
});

test('errors are those of PostgreSQL', () => {
  const refuses = (f: () => unknown, sqlstate: string, message: string): void => {
    assert.throws(f, (e: { sqlstate: string; message: string }) => {
      assert.deepEqual([e.sqlstate, e.message], [sqlstate, message]);
      return true;
    });
  };
  const fn =
    (name: string, ...args: string[]) =>
    () =>
      resolveFunction({ name, args: args.map(type) });
  refuses(fn('foo', 'int4', 'unknown'), '42883', 'function foo(integer, unknown) does not exist');
  refuses(fn('count'), '42809', 'count(*) must be used to call a parameterless aggregate function');
  refuses(fn('array_agg', 'unknown'), '42725', 'function array_agg(unknown) is not unique');
  refuses(() => resolveOperator('+', type('int4'), type('text')), '42883', 'operator does not exist: integer + text');
  refuses(() => resolveOperator('-', null, type('text')), '42883', 'operator does not exist: - text');
  refuses(
    () => resolveOperator('+', type('unknown'), type('unknown')),
    '42725',
    'operator is not unique: unknown + unknown',
  );
  refuses(
    () => commonType([type('int4'), type('text')], 'CASE'),
    '42804',
    'CASE types integer and text cannot be matched',
  );
  refuses(
    () => coerceAssignment(col('text'), type('int4'), 'a', host),
    '42804',
    'column "a" is of type integer but expression is of type text',
  );
});

test('common types', () => {
  const common = (...types: string[]): string => {
    const t = commonType(types.map(type), 'UNION');
    return formatType(t.oid, t.typmod);
  };
  assert.equal(common('int4', 'unknown', 'numeric'), 'numeric');
  assert.equal(common('unknown', 'unknown'), 'text');
  assert.equal(common('varchar(3)', 'varchar(3)'), 'character varying(3)');
  assert.equal(common('varchar(3)', 'varchar(4)'), 'character varying');
  assert.equal(common('date', 'timestamptz'), 'timestamp with time zone');
});

test('calls by a type name', () => {
  assert.equal(functionCast(typeByName(undefined, 'int4'), OID.unknown), OID.int4);
  assert.equal(functionCast(typeByName(undefined, 'text'), OID.int4), OID.text);
  assert.equal(functionCast(typeByName(undefined, 'int4'), OID.int8), null);
  assert.equal(functionCast(typeByName(undefined, 'lower'), OID.text), null);
});
