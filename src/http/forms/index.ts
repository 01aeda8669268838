/** Which form a client is given, by its Accept header (RFC 9110, 12.5.1). */
import { CsvForm } from './csv.ts';
import type { ResultForm } from './form.ts';
import { JsonForm, NdjsonForm } from './json.ts';

const MAKERS: [type: string, make: () => ResultForm | Promise<ResultForm>][] = [
  ['application/json', () => new JsonForm()],
  ['application/x-ndjson', () => new NdjsonForm()],
  ['text/csv', () => new CsvForm()],
  ['application/vnd.apache.arrow.stream', async () => await (await import('./arrow.ts')).newArrowForm()],
];

export const OFFERED = MAKERS.map(([type]) => type);

/** How much a client wants a media type: the most exact range that names it counts. */
function quality(accept: string, type: string): number {
  let found = { exact: -1, q: 0 };
  for (const part of accept.split(',')) {
    const [range, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const exact = range === type ? 2 : range === `${type.split('/')[0]}/*` ? 1 : range === '*/*' ? 0 : -1;
    if (exact <= found.exact) continue;
    const q = parameters.find((word) => word.startsWith('q='));
    found = { exact, q: q === undefined ? 1 : Number(q.slice(2)) || 0 };
  }
  return found.q;
}

/** Makes the one that is wanted most, of equal ones the first; null: none is wanted. */
export function formFor(accept: string | undefined): (() => ResultForm | Promise<ResultForm>) | null {
  const header = accept === undefined || accept.trim() === '' ? '*/*' : accept;
  let best: { q: number; make: () => ResultForm | Promise<ResultForm> } | null = null;
  for (const [type, make] of MAKERS) {
    const q = quality(header, type);
    if (q > (best?.q ?? 0)) best = { q, make };
  }
  return best?.make ?? null;
}
