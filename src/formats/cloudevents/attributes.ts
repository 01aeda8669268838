/** Which columns an event can have. */
import { SqlError } from '../../../operators/errors.ts';
import type { SourceColumn } from '../format.ts';

/** The column that is what the event says. */
export const DATA = 'data';
export const REQUIRED = ['id', 'source', 'specversion', 'type'];

const ATTRIBUTE = /^[a-z0-9]+$/;

/** Throws SqlError 42P16 for a column whose name no attribute has. */
export function checkAttributes(columns: SourceColumn[]): void {
  for (const { name, origin } of columns) {
    if (origin.k !== 'field' || ATTRIBUTE.test(origin.name)) continue;
    throw new SqlError('42P16', `column "${name}" can be no attribute of a CloudEvent`, {
      hint: `Attributes have lower-case letters and digits. What the event says is the column "data": a field of it is data ->> '${name}'.`,
    });
  }
}
