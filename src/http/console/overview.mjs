/** The first page: sources, views, sinks, memory, ticks a second; looked at again every two seconds. */
import { records } from './api.mjs';
import { h, renew, table } from './dom.mjs';
import { bytes, count, tickRate } from './format.mjs';

const SOURCES =
  'SELECT name, connector, partition, status, lag, rows, errors, late, watermark FROM tidemark.sources ORDER BY name, partition';
const VIEWS = `SELECT v.oid, n.nspname AS schema, v.name, v.rows, v.bytes, v.state_rows, v.state_bytes, v.errors
  FROM tidemark.views v JOIN pg_class c ON c.oid = v.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY schema, name`;
const SINKS = 'SELECT name, status, delivery, rows, tick, queued, errors, last_error FROM tidemark.sinks ORDER BY name';
const MEMORY = 'SELECT kind, bytes FROM tidemark.memory';

const number = (title, cell) => ({ title, number: true, cell });
const status = (value) => h('span', { class: value === 'running' ? undefined : 'bad' }, value);
const wrong = (value) => (value === '0' ? '0' : h('span', { class: 'bad' }, count(value)));

export const viewName = ({ schema, name }) => (schema === 'public' ? name : `${schema}.${name}`);

export function overview() {
  let before = null;
  const place = h('div', {});
  return {
    title: 'Overview',
    everyMs: 2000,
    element: place,
    async refresh(signal) {
      const [sources, views, sinks, memory] = await Promise.all(
        [SOURCES, VIEWS, SINKS, MEMORY].map((sql) => records(sql, { signal })),
      );
      const now = { tick: memory.tick, at: performance.now() };
      const rate = tickRate(before, now);
      before = now;
      const kind = (wanted) => memory.find((row) => row.kind === wanted)?.bytes ?? null;
      const figure = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value ?? '\u2013'));
      renew(
        place,
        h('h1', {}, 'Overview'),
        h(
          'dl',
          { class: 'figures' },
          figure('tick', count(now.tick)),
          figure('ticks a second', rate === null ? null : rate.toFixed(1)),
          figure('memory in use', bytes(kind('used'))),
          figure('memory limit', bytes(kind('limit'))),
        ),
        h('h2', {}, 'Sources'),
        table(
          'Sources',
          [
            { title: 'source', cell: (row) => row.name },
            { title: 'connector', cell: (row) => row.connector },
            number('partition', (row) => row.partition),
            { title: 'status', cell: (row) => status(row.status) },
            number('lag', (row) => count(row.lag)),
            number('rows', (row) => count(row.rows)),
            number('errors', (row) => wrong(row.errors)),
            number('late', (row) => wrong(row.late)),
            { title: 'watermark', cell: (row) => row.watermark },
          ],
          sources,
        ),
        h('h2', {}, 'Views'),
        table(
          'Views',
          [
            { title: 'view', cell: (row) => h('a', { href: `#/view/${row.oid}` }, viewName(row)) },
            number('rows', (row) => count(row.rows)),
            number('bytes', (row) => bytes(row.bytes)),
            number('state rows', (row) => count(row.state_rows)),
            number('state bytes', (row) => bytes(row.state_bytes)),
            number('errors', (row) => wrong(row.errors)),
          ],
          views,
        ),
        h('h2', {}, 'Sinks'),
        table(
          'Sinks',
          [
            { title: 'sink', cell: (row) => row.name },
            { title: 'status', cell: (row) => status(row.status) },
            { title: 'delivery', cell: (row) => row.delivery },
            number('rows', (row) => count(row.rows)),
            number('tick', (row) => count(row.tick)),
            number('queued', (row) => count(row.queued)),
            number('errors', (row) => wrong(row.errors)),
            { title: 'last error', cell: (row) => row.last_error },
          ],
          sinks,
        ),
        h('h2', {}, 'Memory'),
        table(
          'Memory',
          [{ title: 'kind', cell: (row) => row.kind }, number('bytes', (row) => bytes(row.bytes))],
          memory,
        ),
      );
    },
  };
}
