/**
 * Where the boxes of a graph stand: in layers, each behind all that it reads; in a layer near what it reads, so that few lines cross.
 *
 *   layer = 1 + the largest of what it reads          order in a layer: by the mean place of what it reads, then of what reads it, some times over
 *
 * Plans have no circles; should the data show one, its last line is left out of the count.
 */

export const BOX = { width: 190, height: 44, gapX: 70, gapY: 18, margin: 12 };
const SWEEPS = 4;

/** nodes: [{id}], edges: [{from, to}]. Gives {boxes: Map id -> {x, y}, width, height}. */
export function layered(nodes, edges) {
  const ids = new Set(nodes.map(({ id }) => id));
  const known = edges.filter(({ from, to }) => ids.has(from) && ids.has(to) && from !== to);
  const reads = grouped(known, 'to', 'from');
  const readBy = grouped(known, 'from', 'to');
  const layers = [];
  for (const [id, layer] of layersOf(nodes, reads)) {
    layers[layer] ??= [];
    layers[layer].push(id);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    sortBy(layers, sweep % 2 === 0 ? reads : readBy);
  }
  const tallest = Math.max(0, ...layers.map((layer) => layer.length));
  const row = BOX.height + BOX.gapY;
  const boxes = new Map();
  layers.forEach((layer, column) => {
    const top = BOX.margin + ((tallest - layer.length) * row) / 2;
    layer.forEach((id, i) => {
      boxes.set(id, { x: BOX.margin + column * (BOX.width + BOX.gapX), y: top + i * row });
    });
  });
  const width = layers.length === 0 ? 0 : 2 * BOX.margin + layers.length * (BOX.width + BOX.gapX) - BOX.gapX;
  return { boxes, width, height: tallest === 0 ? 0 : 2 * BOX.margin + tallest * row - BOX.gapY };
}

function grouped(edges, by, what) {
  const groups = new Map();
  for (const edge of edges) {
    if (!groups.has(edge[by])) groups.set(edge[by], []);
    groups.get(edge[by]).push(edge[what]);
  }
  return groups;
}

function layersOf(nodes, reads) {
  const layers = new Map();
  const within = new Set();
  function layerOf(id) {
    const known = layers.get(id);
    if (known !== undefined) return known;
    if (within.has(id)) return -1;
    within.add(id);
    const layer = Math.max(-1, ...(reads.get(id) ?? []).map(layerOf)) + 1;
    within.delete(id);
    layers.set(id, layer);
    return layer;
  }
  for (const { id } of nodes) layerOf(id);
  return layers;
}

function sortBy(layers, neighbours) {
  const place = new Map();
  for (const layer of layers) {
    layer.forEach((id, i) => {
      place.set(id, i - (layer.length - 1) / 2);
    });
  }
  for (const layer of layers) {
    const wanted = new Map(
      layer.map((id) => {
        const others = neighbours.get(id) ?? [];
        const mean = others.reduce((sum, other) => sum + place.get(other), 0) / others.length;
        return [id, others.length === 0 ? place.get(id) : mean];
      }),
    );
    layer.sort((a, b) => wanted.get(a) - wanted.get(b));
  }
}
