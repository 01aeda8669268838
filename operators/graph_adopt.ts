/**
 * A flow that was filled in a graph of its own becomes part of the live graph. Both have been stepped through the same tick, so two nodes
 * of equal key hold the same rows:
 *
 *   own node equal to a live one:   its operator and errors are given back, those who read it read the live one from now on;
 *                                   of its indexes, those that are still read move over unless the live node has them already
 *   own node new to the live graph: it moves over as it is
 *   a source:                       the relations that the flow reads by it are the live one's too
 *
 * Why equal keys mean equal future, for operators whose state is not simply a function of their input:
 *  - temporal: rows that are over are forgotten, rows to come wait. Both are a function of (input, now), and `now` is that of the tick.
 *  - window_close: what left and what waits is a function of (input, watermark), and both have seen the tick's watermark.
 *  - state freed by a watermark: freeing never changes output for any acceptable input; a node that has freed more and one that has freed
 *    less give the same deltas from here on, and their output so far has the same sum.
 *  - recursive: the result is computed anew from the input in each moved tick.
 */
import type { Flow } from './flow.ts';
import type { Graph } from './graph.ts';
import type { GraphNode } from './graph_node.ts';

/** Moves `flow` from the graph `from`, of which it is the only flow, to `to`. Between two ticks. */
export function adopt(to: Graph, from: Graph, flow: Flow): void {
  const own = flow.distinctNodes();
  from.detach(flow);
  for (const node of own) from.remove(node);
  /** The node of the live graph that an own node is from now on. */
  const becomes = new Map<GraphNode, GraphNode>();
  for (const node of own) becomes.set(node, to.node(node.key) ?? node);
  for (const node of own) {
    const live = becomes.get(node) as GraphNode;
    if (live !== node) {
      handOver(node, live, becomes);
      node.release();
      live.flows.add(flow);
      for (const [relation, count] of node.relations) to.reads(live, relation, count);
      continue;
    }
    node.inputs = node.inputs.map((input) => becomes.get(input) as GraphNode);
    to.insert(node);
  }
  flow.nodes.splice(0, flow.nodes.length, ...flow.nodes.map((node) => becomes.get(node) as GraphNode));
  to.attach(flow);
  for (const node of flow.distinctNodes()) {
    to.borrowIndexes(node);
    node.holdForAll();
  }
}

/** Readers of the own node's indexes that stay read the live node's. */
function handOver(own: GraphNode, live: GraphNode, becomes: Map<GraphNode, GraphNode>): void {
  for (const [name, entry] of own.indexes) {
    const staying = entry.readers.filter(({ reader }) => becomes.get(reader as GraphNode) === reader);
    if (staying.length === 0) continue;
    const present = live.indexes.get(name);
    if (present === undefined) {
      // The live node's operator has its rows where it had them.
      if (entry.holds) entry.own?.endTakingNew();
      live.indexes.set(name, { ...entry, readers: staying, holds: false });
      own.indexes.delete(name);
      continue;
    }
    for (const { use } of staying) use(present.index);
    present.readers.push(...staying);
  }
}
