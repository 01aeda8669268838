/** pg_attrdef: column defaults, and expressions of generated columns. `adbin` holds the expression as SQL, which pg_get_expr gives back. */
import { ofMoment } from './catalog_relation.ts';
import { writtenExpression } from './check_text.ts';
import { defaultText } from './default_text.ts';
import { defaultOid } from './oids.ts';

export const PG_ATTRDEF = ofMoment(({ facts, context }) =>
  facts.own.flatMap((r) => {
    const row = (column: number, adbin: string) => {
      return { oid: defaultOid(r.oid, column + 1), adrelid: r.oid, adnum: column + 1, adbin };
    };
    const defaults = r.defaults.flatMap((value, i) =>
      value === null ? [] : [row(i, defaultText(value, r.relation.columns[i].type, facts, context.searchPath))],
    );
    return [...defaults, ...r.generated.map((generated) => row(generated.column, writtenExpression(generated)))];
  }),
);
