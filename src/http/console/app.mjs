/** Which page is shown, by what stands behind # in the address, and when it looks again. */
import { errorBox } from './dom.mjs';
import { graph } from './graph.mjs';
import { overview } from './overview.mjs';
import { queryPage } from './query_page.mjs';
import { view } from './view.mjs';

const main = document.getElementById('main');
const state = document.getElementById('state');

function pageFor(hash) {
  const oid = /^#\/view\/(\d+)$/.exec(hash)?.[1];
  if (oid !== undefined) return view(oid);
  if (hash === '#/graph') return graph();
  if (hash === '#/query') return queryPage();
  return overview();
}

let leave = () => undefined;

function show() {
  if (location.hash === '#main') return;
  leave();
  const page = pageFor(location.hash);
  const gone = new AbortController();
  let timer = null;
  document.title = `${page.title} - Tidemark`;
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.getAttribute('href') === (location.hash || '#/');
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  main.replaceChildren(page.element);

  async function look() {
    try {
      if (!document.hidden) await page.refresh(gone.signal);
      state.textContent = 'connected';
      state.className = '';
      main.querySelector(':scope > .error')?.remove();
    } catch (error) {
      if (gone.signal.aborted) return;
      state.textContent = error.sqlstate === undefined ? 'not connected' : 'refused';
      state.className = 'bad';
      main.querySelector(':scope > .error')?.remove();
      main.prepend(errorBox(error));
    }
    if (!gone.signal.aborted) timer = setTimeout(look, page.everyMs);
  }

  if (page.everyMs === null) state.textContent = '';
  else void look();
  leave = () => {
    gone.abort();
    clearTimeout(timer);
    page.leave?.();
  };
}

addEventListener('hashchange', show);
show();
