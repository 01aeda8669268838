/** Elements from data. What comes from the server becomes text, never markup. */
import { describedError } from './format.mjs';

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/** An alert that screen readers say. */
export const errorBox = (error) => h('p', { class: 'error', role: 'alert' }, describedError(error));

/** `columns`: [{title, number, cell(row)}]; a cell gives a text, null or an element. */
export function table(caption, columns, rows, empty = 'none') {
  if (rows.length === 0) return h('p', { class: 'soft' }, empty);
  const kind = ({ number }) => (number ? 'number' : undefined);
  const head = columns.map((column) => h('th', { scope: 'col', class: kind(column) }, column.title));
  const body = rows.map((row) =>
    h(
      'tr',
      {},
      columns.map((column) => {
        const value = column.cell(row);
        if (value === null || value === undefined) return h('td', { class: 'null' }, '');
        return h('td', { class: kind(column) }, value);
      }),
    ),
  );
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)),
  );
}

const nameOf = (element) => element.getAttribute('href') ?? element.getAttribute('aria-label');

/** Shows new elements in the place of old ones; what was scrolled aside or has the focus stays so. */
export function renew(place, ...children) {
  const named = (selector) => [...place.querySelectorAll(selector)].map((element) => [nameOf(element), element]);
  const left = new Map(named('.scroll').map(([name, { scrollLeft }]) => [name, scrollLeft]));
  const focused = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  place.replaceChildren(...children);
  for (const [name, region] of named('.scroll')) region.scrollLeft = left.get(name) ?? 0;
  if (focused !== null) new Map(named('a, .scroll')).get(focused)?.focus({ preventScroll: true });
}
