/** The server's endpoints, as the pages use them. */

/** What the server says of a statement that failed. */
class QueryError extends Error {
  constructor({ message, sqlstate, detail, hint, position }) {
    super(message);
    this.name = 'QueryError';
    Object.assign(this, { sqlstate, detail, hint, position });
  }
}

/** The result of a statement: {columns, rows, command, tick}. Throws QueryError, or another when there is no answer. */
export async function query(sql, { params = [], signal } = {}) {
  const response = await fetch('/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ sql, params }),
    signal,
  }).catch((error) => {
    // Each browser has words of its own for it.
    throw error.name === 'AbortError' ? error : new Error('The server cannot be reached.', { cause: error });
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

/** Why a stream of events is none: EventSource does not say it, so it is asked for once more. */
async function refusal(path) {
  try {
    const response = await fetch(path);
    if (!response.ok) return new QueryError((await response.json()).error);
    await response.body.cancel();
    return new Error('The server had no room for it, or was not there; it is now.');
  } catch (error) {
    return error;
  }
}

/** Follows a query; EventSource connects again by itself, from the last whole tick on. Gives what ends it. */
export function subscribe(sql, { columns, changes, lost, failed }) {
  const path = `/subscribe?sql=${encodeURIComponent(sql)}`;
  const source = new EventSource(path);
  source.addEventListener('columns', (event) => columns(JSON.parse(event.data).columns));
  source.addEventListener('message', (event) => changes(JSON.parse(event.data)));
  source.addEventListener('failure', (event) => {
    source.close();
    failed(new QueryError(JSON.parse(event.data).error));
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) void refusal(path).then(failed);
    else lost();
  });
  return () => source.close();
}
