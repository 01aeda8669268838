/** Type names against PostgreSQL: format_type of every type with typmods, regtype's input, and typmods of columns. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { equalityOf, lessThanOf, operatorByOid, procByOid, procSignature, typeByOid } from './catalog.ts';
import { systemTable } from './catalog_table.ts';
import { formatType } from './format_type.ts';
import { parseTypeName } from './type_name.ts';

let db: PGlite;

before(() => {
  db = new PGlite();
});

after(() => db.close());

async function rows(sql: string): Promise<(string | null)[][]> {
  const result = await db.query(sql, [], { rowMode: 'array' });
  return result.rows as (string | null)[][];
}

test('format_type of every type', async () => {
  const t = systemTable('pg_type');
  for (const typmod of [null, -1, 0, 3, 9, 200, 655366, 657408]) {
    const found = await rows(
      `select oid::text, format_type(oid, ${typmod}) from pg_type where oid <> 1186 and oid <> 1187`,
    );
    assert.equal(found.length, t.rowCount - 2);
    for (const [oid, name] of found) assert.equal(formatType(Number(oid), typmod), name, `${oid} ${typmod}`);
  }
});

const NAMES = [
  'int4',
  'integer',
  'INT',
  'smallint',
  'bigint',
  'real',
  'double  precision',
  'float',
  'float(24)',
  'float(25)',
  'float(0)',
  'float(54)',
  'decimal',
  'dec(5)',
  'numeric(10,2)',
  'numeric(3,-2)',
  'numeric(0)',
  'numeric(10,2,3)',
  'numeric(5,2000)',
  'boolean',
  'bool',
  'char',
  'char(3)',
  'character varying',
  'character varying(7)',
  'varchar(0)',
  'varchar(10485761)',
  'national character varying(2)',
  'nchar(4)',
  'national char',
  'bpchar',
  'bpchar(3)',
  '"char"',
  'text',
  'name',
  'bit',
  'bit(3)',
  'bit varying',
  'bit varying(5)',
  'varbit(3)',
  'time',
  'time(3)',
  'time(9)',
  'time with time zone',
  'time(2) with time zone',
  'timetz(1)',
  'timestamp',
  'timestamp(3)',
  'timestamp without time zone',
  'timestamp (0) with time zone',
  'timestamptz(6)',
  'interval',
  'interval(3)',
  'interval day to second',
  'interval day to second(3)',
  'interval year',
  'interval second(2)',
  'interval year to day',
  'interval hour(2)',
  'int4[]',
  'int4[3]',
  'int4[][]',
  'int4 array',
  'int4 array[4]',
  'numeric(4,1)[]',
  'timestamp(3) with time zone[]',
  'pg_catalog.int4',
  'pg_catalog.varchar(3)',
  'pg_catalog.integer',
  'pg_catalog."char"',
  'pg_catalog.interval',
  'information_schema.sql_identifier',
  'information_schema.cardinal_number[]',
  'foo',
  'public.bar',
  '"int4"',
  '"INT4"',
  'Int4',
  'int4 x',
  '',
  ' ',
  '1',
  'int4[',
  'int4(3)',
  'text(3)',
  'json',
  'jsonb[]',
  'xml',
  'record',
  'record[]',
  'any',
  '"any"',
  'void[]',
  'anyelement',
  'int4range',
  'int4multirange',
  'uuid',
  '_int4',
  'oidvector',
  'regclass',
  'pg_type',
  'pg_catalog.pg_class',
];

test('type names as text', async () => {
  for (const name of NAMES) {
    const text = `'${name.replaceAll("'", "''")}'`;
    let theirs: string;
    try {
      theirs = (await rows(`select format_type(${text}::regtype::oid, to_regtypemod(${text}))`))[0][0] ?? '';
    } catch (e) {
      theirs = (e as { code: string }).code;
    }
    let ours: string;
    try {
      const type = parseTypeName(name);
      ours = formatType(type.oid, type.typmod);
    } catch (e) {
      if (!(e instanceof SqlError)) throw e;
      ours = e.sqlstate;
    }
    assert.deepEqual({ name, is: ours }, { name, is: theirs });
  }
});

test('default ordering and equality of every type', async () => {
  const signature = (oid: number | undefined): string | null => {
    const proc = procByOid(operatorByOid(oid ?? 0)?.code ?? 0);
    return proc ? procSignature(proc) : null;
  };
  const operators = await rows(`
    select c.opcintype::text,
           max(case when m.amname = 'btree' and o.amopstrategy = 1 then o.amopopr::oid::int end)::text,
           coalesce(max(case when m.amname = 'btree' and o.amopstrategy = 3 then o.amopopr::oid::int end),
                    max(case when m.amname = 'hash' and o.amopstrategy = 1 then o.amopopr::oid::int end))::text
    from pg_opclass c join pg_am m on m.oid = c.opcmethod
    join pg_amop o on o.amopfamily = c.opcfamily and o.amoplefttype = c.opcintype and o.amoprighttype = c.opcintype
    where c.opcdefault and m.amname in ('btree', 'hash') group by 1`);
  assert.ok(operators.length > 40);
  for (const [oid, less, equal] of operators) {
    if (typeByOid(Number(oid))?.kind === 'p') continue;
    assert.equal(lessThanOf(Number(oid)), signature(less === null ? undefined : Number(less)), `< of ${oid}`);
    assert.equal(equalityOf(Number(oid)), signature(Number(equal)), `= of ${oid}`);
  }
});
