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
      (error) => {
        // Who stopped it has said so, and may run the next already.
        if (!aborted.signal.aborted) failed(error);
      },
    );
    return () => {
      if (end.disabled) return;
      aborted.abort();
      ended('stopped');
    };
  }

  function runLive(sql) {
    const rows = new LiveRows();
    let columns = [];
    let drawn = true;
    let left = false;
    const draw = () => {
      drawn = true;
      if (left) return;
      place.replaceChildren(resultTable(columns, rows.shown()));
      const more = rows.size > MOST_SHOWN ? `, of which ${MOST_SHOWN} are shown` : '';
      note.textContent = `${count(rows.size)} rows at tick ${count(rows.tick)}${more}`;
    };
    const close = subscribe(sql, {
      columns(described) {
        columns = described;
        // Back again, perhaps without changes.
        if (rows.tick !== null) draw();
      },
      changes(message) {
        rows.take(message);
        // However many ticks come, the page is drawn once a frame.
        if (drawn) requestAnimationFrame(draw);
        drawn = false;
      },
      lost() {
        note.textContent = 'not connected, trying again';
      },
      failed(error) {
        if (left) return;
        left = true;
        failed(error);
      },
    });
    return () => {
      if (left) return;
      left = true;
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
