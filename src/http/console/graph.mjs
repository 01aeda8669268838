/** Streams and tables -> views -> sinks, from left to right. */
import { h, renew, svg } from './dom.mjs';
import { BOX, layered } from './layout.mjs';
import { viewName } from './overview.mjs';
import { relations } from './relations.mjs';

const LONGEST = 22;
const short = (text) => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}\u2026`);

function box(node, { x, y }) {
  const name = viewName(node);
  const drawn = svg(
    'g',
    { class: `${node.kind === 'view' ? 'view' : ''} ${node.bad ? 'bad' : ''}`, transform: `translate(${x} ${y})` },
    svg('title', {}, node.bad ? `${name}: has errors or does not run` : name),
    svg('rect', { width: BOX.width, height: BOX.height, rx: 6 }),
    svg('text', { x: 10, y: 19 }, short(name)),
    svg('text', { x: 10, y: 35, class: 'kind' }, node.bad ? `${node.kind}, look at it` : node.kind),
  );
  return node.kind === 'view' ? svg('a', { href: `#/view/${node.id}` }, drawn) : drawn;
}

function line(from, to) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return svg('path', { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
}

export function graph() {
  const place = h('div', {});
  return {
    title: 'Graph',
    everyMs: 5000,
    element: place,
    async refresh(signal) {
      const { nodes, edges } = await relations(signal);
      const { boxes, width, height } = layered(nodes, edges);
      const lines = edges.filter(({ from, to }) => boxes.has(from) && boxes.has(to));
      const drawing = svg(
        'svg',
        { class: 'graph', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label': 'Graph of relations' },
        lines.map(({ from, to }) => line(boxes.get(from), boxes.get(to))),
        nodes.map((node) => box(node, boxes.get(node.id))),
      );
      const region = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Graph' }, drawing);
      renew(
        place,
        h('h1', {}, 'Graph'),
        nodes.length === 0 ? h('p', { class: 'soft' }, 'There are no relations yet.') : region,
      );
    },
  };
}
