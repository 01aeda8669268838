/** FOREIGN KEY and REFERENCES: libpg-query's Constraint nodes. DEFERRABLE and INITIALLY DEFERRED of a column stand behind its REFERENCES, as nodes of their own. */
import type { ForeignKeyDef, PgNode, ReferentialAction } from './ast.ts';
import { rangeVarName, strings } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

/** The constraint over these columns. */
export function foreignKeyOf(constraint: PgNode, columns: string[], source: Source): ForeignKeyDef {
  const { location } = constraint;
  if (constraint.is_enforced !== true) throw errorAt(source, '0A000', 'NOT ENFORCED is not supported', location);
  if (constraint.fk_with_period || constraint.pk_with_period)
    throw errorAt(source, '0A000', 'PERIOD is not supported', location);
  const full = constraint.fk_matchtype === 'f';
  if (constraint.fk_matchtype === 'p') throw errorAt(source, '0A000', 'MATCH PARTIAL not yet implemented', location);
  if (full && columns.length > 1) {
    throw errorAt(source, '0A000', 'MATCH FULL over several columns is not supported', location);
  }
  return {
    name: constraint.conname ?? null,
    columns,
    references: rangeVarName(constraint.pktable),
    referenced: strings(constraint.pk_attrs),
    onUpdate: (constraint.fk_upd_action ?? 'a') as ReferentialAction,
    onDelete: (constraint.fk_del_action ?? 'a') as ReferentialAction,
    setColumns: strings(constraint.fk_del_set_cols),
    full,
    deferrable: constraint.deferrable === true,
    initiallyDeferred: constraint.initdeferred === true,
    notValid: false,
  };
}

const TIMING = [
  'CONSTR_ATTR_DEFERRABLE',
  'CONSTR_ATTR_NOT_DEFERRABLE',
  'CONSTR_ATTR_DEFERRED',
  'CONSTR_ATTR_IMMEDIATE',
];

/** True for a REFERENCES of a column, and for what says when that is looked at. */
export function isForeignKeyPart(column: PgNode, constraint: PgNode): boolean {
  if (constraint.contype === 'CONSTR_FOREIGN') return true;
  if (!TIMING.includes(constraint.contype)) return false;
  const all: PgNode[] = (column.constraints ?? []).map((item: PgNode) => item.Constraint);
  const before = all.slice(0, all.indexOf(constraint)).filter(({ contype }) => !TIMING.includes(contype));
  return before.at(-1)?.contype === 'CONSTR_FOREIGN';
}

/** Those that a column's definition has. */
export function foreignKeysOfColumn(column: PgNode, source: Source): ForeignKeyDef[] {
  const found: ForeignKeyDef[] = [];
  for (const { Constraint: constraint } of column.constraints ?? []) {
    if (!isForeignKeyPart(column, constraint)) continue;
    const last = found.at(-1);
    if (constraint.contype === 'CONSTR_FOREIGN') found.push(foreignKeyOf(constraint, [column.colname], source));
    else if (last === undefined) continue;
    else if (constraint.contype === 'CONSTR_ATTR_DEFERRABLE') last.deferrable = true;
    else if (constraint.contype === 'CONSTR_ATTR_DEFERRED') last.deferrable = last.initiallyDeferred = true;
  }
  return found;
}
