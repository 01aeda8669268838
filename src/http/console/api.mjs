/** The server's endpoints, as the pages use them. */

/** What the server says of a statement that failed. */
export class QueryError extends Error {
  constructor({ message, sqlstate, detail, hint, position }) {
    super(message);
    this.name = 'QueryError';
    Object.assign(this, { sqlstate, detail, hint, position });
  }
}

/** The result of a statement: {columns, rows, command, tick}. Throws QueryError, or what fetch() throws. */
export async function query(sql, { params = [], signal } = {}) {
  const response = await fetch('/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ sql, params }),
    signal,
  });
  const result = await response.json();
  // An error behind the first rows comes with status 200.
  if (result.error !== undefined) throw new QueryError(result.error);
  return result;
}

/** Rows as objects by column name. */
export async function records(sql, options) {
  const { columns, rows, tick } = await query(sql, options);
  const found = rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])));
  return Object.assign(found, { tick });
}

/** Follows a query; EventSource connects again by itself, from the last whole tick on. Gives what ends it. */
export function subscribe(sql, { columns, changes, failed }) {
  const source = new EventSource(`/subscribe?sql=${encodeURIComponent(sql)}`);
  source.addEventListener('columns', (event) => columns(JSON.parse(event.data).columns));
  source.addEventListener('message', (event) => changes(JSON.parse(event.data)));
  source.addEventListener('failure', (event) => {
    source.close();
    failed(new QueryError(JSON.parse(event.data).error));
  });
  source.addEventListener('error', () => {
    // The answer was no stream of events; the other way to ask says why.
    if (source.readyState === EventSource.CLOSED) failed(null);
  });
  return () => source.close();
}
