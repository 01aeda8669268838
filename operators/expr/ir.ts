/**
 * The one expression language: produced by the binder, evaluated by the reference interpreter (interpret.ts) and by
 * generated kernels (compile.ts). Plain data: it can be printed, hashed, cloned to another thread and written to disk.
 *
 * `col.id` means a plan-wide column id in a logical plan and a column position of the input batch in a physical plan.
 *
 * Functions, operators and casts are all `call`s of a function named by PostgreSQL's regprocedure text, for example
 * `int4pl(integer, integer)` is written `int4pl(int4,int4)` (pg_type names, no spaces). An I/O conversion cast, which has no
 * pg_proc row, is `cast`: text output of the source type followed by text input of the target type.
 */
import type { Datum } from '../datum.ts';
import type { ColType } from '../types.ts';

export type Expr =
  | { k: 'col'; id: number; t: ColType }
  | { k: 'const'; v: Datum; t: ColType }
  /** $n of a prepared statement; 1-based as in SQL. Replaced by a const before execution, or read from the context's `params`. */
  | { k: 'param'; n: number; t: ColType }
  /** A strict function is NULL when any argument is NULL and is then not called. variadic: written f(..., VARIADIC array) of
   *  a VARIADIC "any" function such as concat; the last argument is the array of the rest. */
  | { k: 'call'; fn: string; args: Expr[]; t: ColType; strict: boolean; variadic?: boolean }
  /** I/O conversion between types; also a length coercion when the types are equal and the typmod differs. element: both are
   *  arrays, and each element is converted by this cast function instead of by its text. */
  | { k: 'cast'; arg: Expr; t: ColType; explicit: boolean; element?: string }
  | { k: 'and'; args: Expr[]; t: ColType }
  | { k: 'or'; args: Expr[]; t: ColType }
  | { k: 'not'; arg: Expr; t: ColType }
  | { k: 'isnull'; arg: Expr; negated: boolean; t: ColType }
  /** IS [NOT] TRUE | FALSE: never NULL. */
  | { k: 'istruth'; arg: Expr; value: boolean; negated: boolean; t: ColType }
  /** IS [NOT] DISTINCT FROM by the equality function `eq`. */
  | { k: 'distinct'; eq: string; left: Expr; right: Expr; negated: boolean; t: ColType }
  /** Searched CASE; arms are evaluated in order and only as far as needed. */
  | { k: 'case'; whens: { when: Expr; then: Expr }[]; else: Expr | null; t: ColType }
  | { k: 'coalesce'; args: Expr[]; t: ColType }
  | { k: 'nullif'; eq: string; left: Expr; right: Expr; t: ColType }
  /** GREATEST / LEAST by the comparison function `lt` (boolean, strict); NULLs are ignored. */
  | { k: 'extreme'; greatest: boolean; lt: string; args: Expr[]; t: ColType }
  /** left op ANY|ALL (array) with PostgreSQL's three-valued result. */
  | { k: 'anyall'; all: boolean; fn: string; left: Expr; right: Expr; t: ColType }
  | { k: 'array'; items: Expr[]; t: ColType }
  /** a[i][j] (upper absent) or a[l:u]. A missing bound of a slice is null. */
  | { k: 'subscript'; arg: Expr; indexes: { lower: Expr | null; upper: Expr | null; slice: boolean }[]; t: ColType }
  /** `names`: field names where they are known (a whole row of a table), for row_to_json and the like; else f1, f2, ... */
  | { k: 'row'; items: Expr[]; t: ColType; names?: string[] }
  | { k: 'field'; arg: Expr; index: number; t: ColType };

/** Values a stable function may look at. In a view they are fixed at creation, except `now`, which belongs to the tick. */
export interface EvalContext {
  /** Microseconds since 2000-01-01 UTC of the statement or tick. */
  now: bigint;
  timeZone: string;
  dateStyle: string;
  intervalStyle: string;
  extraFloatDigits: number;
  byteaOutput: 'hex' | 'escape';
  /** Name of the role that acts. */
  user: string;
  /** Its OID; undefined: that of the bootstrap superuser. */
  role?: number;
  /** It is no superuser: what it does is checked. */
  restricted?: boolean;
  /** Name of the role that the session was begun as, or SET SESSION AUTHORIZATION has; undefined: that which acts. */
  sessionUser?: string;
  database: string;
  searchPath: string[];
  /** Tick that the statement reads. */
  tick: bigint;
  /** Values of $1, $2, ... where a plan is executed with its parameters left in it. */
  params?: Datum[];
  /** Session functions (current_setting, pg_backend_pid, to_regclass, ...) are answered by the server through this. */
  session?: SessionFunctions;
}

/** What functions may ask of the server that runs them. Absent inside views. */
export interface SessionFunctions {
  getSetting(name: string): string | null;
  setSetting(name: string, value: string, local: boolean): string;
  backendPid(): number;
  /** A catalog question such as pg_get_viewdef, to_regclass, pg_table_is_visible: `name` is the pg_proc name. */
  catalog(name: string, args: Datum[]): Datum;
}
