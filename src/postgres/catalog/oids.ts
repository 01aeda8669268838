/**
 * OIDs of what PostgreSQL lists as rows and the engine does not keep as objects of their own. Each is computed from its owner's OID,
 * so that it is the same as long as the owner lives and needs no state.
 *
 *   0x10000000 + table   index of the primary key       0x20000000 + table   its constraint
 *   0x30000000 + view    its rule (pg_rewrite)          0x50000000 + index   the UNIQUE constraint that it serves
 *   0x80000000 + ...     column defaults, NOT NULL and CHECK constraints
 *
 * 0x40000000 and 0x60000000 are taken by the ledgers of the tidemark schema (system_catalog.ts).
 */

const PRIMARY_INDEX = 0x10000000;
const PRIMARY_CONSTRAINT = 0x20000000;
const RULE = 0x30000000;
const UNIQUE_CONSTRAINT = 0x50000000;
const DEFAULT = 0x80000000;
const NOT_NULL = 0xc0000000;
/** PostgreSQL has at most 1600 columns a table. */
const COLUMNS = 2048;

export function primaryIndexOid(table: number): number {
  return PRIMARY_INDEX + table;
}

export function primaryConstraintOid(table: number): number {
  return PRIMARY_CONSTRAINT + table;
}

export function uniqueConstraintOid(index: number): number {
  return UNIQUE_CONSTRAINT + index;
}

export function ruleOid(view: number): number {
  return RULE + view;
}

export function defaultOid(table: number, attnum: number): number {
  return DEFAULT + ((table * COLUMNS + attnum) % 0x40000000);
}

export function notNullOid(table: number, attnum: number): number {
  return NOT_NULL + ((table * COLUMNS + attnum) % 0x3fffffff);
}

/** Beyond the columns that a table can have. */
const CHECKS = 1600;

export function checkOid(table: number, number: number): number {
  return notNullOid(table, CHECKS + number);
}

/** The session's user, whoever it is: owner of everything. */
export const OWNER = 10;
/** The one database. */
export const DATABASE = 5;
export const PG_CATALOG = 11;
export const PG_TOAST = 99;
/** The extension that the tidemark schema belongs to: below the users' OIDs, so that pg_dump leaves it out. */
export const EXTENSION = 14998;
export const PLPGSQL = 14997;
/** The language of functions, in pg_language. */
export const JAVASCRIPT = 14996;
/** pg_class.oid of catalogs that other catalogs point at. */
export const CATALOG = {
  pg_type: 1247,
  pg_attribute: 1249,
  pg_proc: 1255,
  pg_class: 1259,
  pg_authid: 1260,
  pg_database: 1262,
  pg_attrdef: 2604,
  pg_constraint: 2606,
  pg_namespace: 2615,
  pg_rewrite: 2618,
  pg_extension: 3079,
} as const;
/** pg_am.oid. */
export const HEAP = 2;
