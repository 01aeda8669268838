/** Operator classes of indexes: those that PostgreSQL has, and the one that a column's type gets when none is named. */
import { accessMethodOid } from './access_method.ts';
import { isBinaryCoercible } from './catalog.ts';
import { systemTable } from './catalog_table.ts';

export interface OperatorClass {
  oid: number;
  name: string;
  /** The types that are binary coercible to it have the class. */
  type: number;
  isDefault: boolean;
}

/** By name of the access method. */
const classes = new Map<string, OperatorClass[]>();
/** By method and type. */
const defaults = new Map<string, OperatorClass | null>();

function classesOf(method: string): OperatorClass[] {
  const known = classes.get(method);
  if (known !== undefined) return known;
  const oid = accessMethodOid(method);
  const t = systemTable('pg_opclass');
  const found: OperatorClass[] = [];
  for (let r = 0; r < t.rowCount; r++) {
    if (t.number(r, 'opcmethod') !== oid) continue;
    found.push({
      oid: t.number(r, 'oid'),
      name: t.text(r, 'opcname'),
      type: t.number(r, 'opcintype'),
      isDefault: t.boolean(r, 'opcdefault'),
    });
  }
  classes.set(method, found);
  return found;
}

export function operatorClass(method: string, name: string): OperatorClass | null {
  return classesOf(method).find((one) => one.name === name) ?? null;
}

/** Null when the type has none. */
export function defaultOperatorClass(type: number, method = 'btree'): OperatorClass | null {
  const place = `${method} ${type}`;
  let found = defaults.get(place);
  if (found === undefined) {
    const all = classesOf(method).filter(({ isDefault }) => isDefault);
    found = all.find((one) => one.type === type) ?? all.find((one) => isBinaryCoercible(type, one.type)) ?? null;
    defaults.set(place, found);
  }
  return found;
}
