/** pg_attrdef: column defaults. `adbin` holds the expression as SQL, which pg_get_expr gives back. */
import { ofCatalog } from './catalog_relation.ts';
import { defaultText } from './default_text.ts';
import { defaultOid } from './oids.ts';

export const PG_ATTRDEF = ofCatalog((facts) =>
  facts.own.flatMap((r) =>
    r.defaults.flatMap((d, i) =>
      d === null
        ? []
        : [
            {
              oid: defaultOid(r.oid, i + 1),
              adrelid: r.oid,
              adnum: i + 1,
              adbin: defaultText(d, r.relation.columns[i].type, facts),
            },
          ],
    ),
  ),
);
