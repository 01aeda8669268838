/** One view: its definition, its plan with what each operator measured, rows that failed, late rows of the streams that it reads. */
import { query, records } from './api.mjs';
import { errorBox, h, renew, table } from './dom.mjs';
import { bytes, count, literal, quoted, shown } from './format.mjs';
import { viewName } from './overview.mjs';
import { millisecondsOf, planOf } from './plan.mjs';
import { above, relations } from './relations.mjs';

const MOST_ROWS = 50;
const NAME = `SELECT n.nspname AS schema, c.relname AS name, pg_get_viewdef(c.oid) AS definition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid`;

const measured = (figures) =>
  [
    figures['rows in'] === undefined ? null : `${count(figures['rows in'])} in`,
    figures['rows out'] === undefined ? null : `${count(figures['rows out'])} out`,
    figures['state rows'] === undefined ? null : `${count(figures['state rows'])} state rows`,
    figures['state bytes'] === undefined ? null : bytes(figures['state bytes']),
    figures.views > 1 ? `shared by ${figures.views} views` : null,
  ]
    .filter((text) => text !== null)
    .join(' \u00b7 ');

/** A line of the tree and those below it. */
function branch(node, longest) {
  const time = millisecondsOf(node.figures);
  return h(
    'li',
    {},
    h(
      'div',
      {},
      h('code', {}, node.text),
      node.notes.length === 0 ? null : h('span', { class: 'soft' }, `  ${node.notes.join(' \u00b7 ')}`),
      node.figures === null ? null : h('div', { class: 'soft' }, measured(node.figures)),
      time === null
        ? null
        : h(
            'div',
            { class: 'soft' },
            h('meter', { min: 0, max: longest, value: time, 'aria-label': 'share of the time' }),
            ` ${time.toFixed(2)} ms, ${node.figures['ns per row']} ns a row`,
          ),
    ),
    node.inputs.length === 0
      ? null
      : h(
          'ul',
          { class: 'plan' },
          node.inputs.map((input) => branch(input, longest)),
        ),
  );
}

function planElements(plan) {
  const { root, operators, paired } = planOf(plan);
  const longest = Math.max(0.001, ...operators.map((figures) => millisecondsOf(figures) ?? 0));
  const figure = (title, name) => ({ title, number: true, cell: (row) => count(row[name]) });
  return [
    h('ul', { class: 'plan' }, branch(root, longest)),
    paired
      ? null
      : table(
          'Operators',
          [
            { title: 'operator', cell: (row) => row.Operator },
            figure('rows in', 'rows in'),
            figure('rows out', 'rows out'),
            figure('state rows', 'state rows'),
            figure('state bytes', 'state bytes'),
            figure('ns per row', 'ns per row'),
          ],
          operators,
        ),
  ];
}

/** The rows of a query, or what it failed with. */
async function resultOf(caption, sql, signal) {
  try {
    const { columns, rows } = await query(sql, { signal });
    const cells = columns.map(({ name }, i) => ({
      title: name,
      cell: (row) => (row[i] === null ? null : shown(row[i])),
    }));
    return table(caption, cells, rows);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    return errorBox(error);
  }
}

export function view(oid) {
  const place = h('div', {});
  return {
    title: 'View',
    everyMs: 5000,
    element: place,
    async refresh(signal) {
      const [found] = await records(NAME, { params: [oid], signal });
      if (found === undefined) {
        renew(place, h('p', { class: 'error', role: 'alert' }, 'There is no such view any more.'));
        return;
      }
      const { schema, name, definition } = found;
      const whole = quoted(schema, name);
      const [plan, { nodes, edges }] = await Promise.all([
        query(`EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM ${whole}`, { signal }),
        relations(signal),
      ]);
      const sources = above(oid, edges);
      const streams = nodes.filter(({ id, kind }) => kind === 'stream' && sources.has(id));
      const ledger = (of, { schema, name }) =>
        `SELECT * FROM tidemark.${of}(${literal(`${schema}.${name}`)}) LIMIT ${MOST_ROWS}`;
      const errors = await resultOf('Rows that failed', ledger('errors', found), signal);
      const late = await Promise.all(
        streams.map((stream) => resultOf(`Late rows of ${viewName(stream)}`, ledger('late', stream), signal)),
      );
      renew(
        place,
        h('h1', {}, viewName({ schema, name })),
        h('pre', {}, (definition ?? '').trim()),
        h('h2', {}, 'Plan'),
        ...planElements(plan.rows[0][0]).filter((element) => element !== null),
        h('h2', {}, 'Rows that failed'),
        errors,
        ...streams.flatMap((stream, i) => [h('h2', {}, `Late rows of ${viewName(stream)}`), late[i]]),
      );
    },
  };
}
