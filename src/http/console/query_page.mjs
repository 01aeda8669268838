/** A statement and its result, or a query that is followed as its rows change. */
import { query, subscribe } from './api.mjs';
import { errorBox, h, table } from './dom.mjs';
import { count, shown } from './format.mjs';
import { LiveRows, MOST_SHOWN } from './rows.mjs';

const resultTable = (columns, rows) =>
  table(
    'Result',
    columns.map(({ name, type }, i) => ({
      title: `${name} ${type}`,
      cell: (row) => (row[i] === null ? null : shown(row[i])),
    })),
    rows,
    'no rows',
  );

export function queryPage() {
  const text = h('textarea', { id: 'sql', spellcheck: 'false', autocomplete: 'off' });
  const run = h('button', { type: 'button', onclick: () => start(runOnce) }, 'Run');
  const follow = h('button', { type: 'button', class: 'quiet', onclick: () => start(runLive) }, 'Follow');
  const end = h('button', { type: 'button', class: 'quiet', disabled: true, onclick: () => stop() }, 'Stop');
  const note = h('span', { class: 'soft', role: 'status' });
  const place = h('div', {});
  let stop = () => undefined;

  function start(act) {
    stop();
    place.replaceChildren();
    note.textContent = 'running';
    end.disabled = false;
    stop = act(text.value);
  }

  function ended(message) {
    note.textContent = message;
    end.disabled = true;
  }

  function failed(error) {
    place.replaceChildren(errorBox(error));
    ended('failed');
  }

  function runOnce(sql) {
    const aborted = new AbortController();
    query(sql, { signal: aborted.signal }).then(
      ({ columns, rows, command, tick }) => {
        const more = rows.length > MOST_SHOWN ? `, of which the first ${MOST_SHOWN} are shown` : '';
        place.replaceChildren(columns === null ? '' : resultTable(columns, rows.slice(0, MOST_SHOWN)));
        ended(`${command} at tick ${count(tick)}${more}`);
      },
      (error) => (error.name === 'AbortError' ? ended('stopped') : failed(error)),
    );
    return () => aborted.abort();
  }

  function runLive(sql) {
    const rows = new LiveRows();
    let columns = [];
    let drawn = true;
    const draw = () => {
      drawn = true;
      place.replaceChildren(resultTable(columns, rows.shown()));
      const more = rows.size > MOST_SHOWN ? `, of which ${MOST_SHOWN} are shown` : '';
      note.textContent = `${count(rows.size)} rows at tick ${count(rows.tick)}${more}`;
    };
    const close = subscribe(sql, {
      columns(described) {
        columns = described;
      },
      changes(message) {
        rows.take(message);
        // However many ticks come, the page is drawn once a frame.
        if (drawn) requestAnimationFrame(draw);
        drawn = false;
      },
      failed(error) {
        if (error !== null) failed(error);
        // Why it was no stream of events is said to who asks for the plan.
        else query(`EXPLAIN ${sql}`).then(() => failed(new Error('The query cannot be followed.')), failed);
      },
    });
    return () => {
      close();
      ended('stopped');
    };
  }

  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start(runOnce);
  });
  return {
    title: 'Query',
    everyMs: null,
    element: h(
      'div',
      {},
      h('h1', {}, 'Query'),
      h('label', { for: 'sql' }, 'SQL (Ctrl-Enter runs it)'),
      text,
      h('div', { class: 'buttons' }, run, follow, end, note),
      place,
    ),
    leave: () => stop(),
  };
}
