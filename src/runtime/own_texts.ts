/** The texts of expressions over a relation's own row: its CHECKs, what generates its columns, its indexes. They follow the names of what they say. */
import type { CatalogObject, Written } from '../catalog/objects.ts';
import type { TidemarkEngine } from './engine.ts';
import { withRenamedRow } from './written_expression.ts';

/** Puts what `change` makes of each text in its place. */
export function changeOwnTexts(
  engine: TidemarkEngine,
  object: CatalogObject,
  change: <T extends Written>(kept: T) => T,
): void {
  if ('checks' in object) {
    object.checks = object.checks.map(change);
    object.generated = object.generated.map(change);
  }
  for (const index of engine.catalog.objects()) {
    if (index.kind !== 'index' || index.on !== object.oid || index.computed === undefined) continue;
    const { parts, where } = index.computed;
    index.computed = {
      ...index.computed,
      parts: parts.map((part) => (typeof part === 'number' ? part : change(part))),
      where: where === null ? null : change(where),
    };
  }
}

/** Whole rows are said by the relation's name (`CHECK (t IS NOT NULL)`), unless a column has that. */
export function renameOwnRow(engine: TidemarkEngine, object: CatalogObject, from: string, to: string): void {
  if (!('relation' in object)) return;
  const hides = object.relation.columns.some(({ name, dropped }) => name === from && !dropped);
  changeOwnTexts(engine, object, (kept) => withRenamedRow(kept, from, to, hides));
}
