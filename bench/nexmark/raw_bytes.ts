/**
 * Bytes of the values that state keeps, as they are: 8 for an int8 or a time, the length of a text. What a query's state may take is measured by them.
 *
 *   index of a node's rows         columns of the node
 *   top-N, window calls, sessions  columns of its input
 *   groups, distinct rows          columns of the node: keys and results
 *
 * A row's size is the average over the rows that a node put out while it was watched.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { U8, U32 } from '../../operators/batch/memory.ts';
import type { Graph } from '../../operators/graph.ts';
import type { GraphNode } from '../../operators/graph_node.ts';
import { PHYS_WIDTH } from '../../operators/types.ts';

/** Operators that keep rows of their input. */
const KEEP_INPUT = new Set(['topn', 'over', 'session']);
/** What a stored row may take: this times its raw bytes, and so many more. */
const SHARE = 1.5;
const FIXED = 40;

function rawBytes({ n, columns }: Batch): number {
  let bytes = 0;
  for (const { phys, data, valid } of columns) {
    const width = PHYS_WIDTH[phys];
    for (let row = 0; row < n; row++) {
      if (valid !== 0 && U8[valid + row] === 0) continue;
      bytes += phys === 'varlen' ? U32[(data >>> 2) + row * 4] : phys === 'numeric' ? 8 : width;
    }
  }
  return bytes;
}

export class RawBytes {
  readonly #graph: Graph;
  readonly #seen = new Map<GraphNode, { rows: number; bytes: number }>();
  #watching = true;

  /** Watches what the nodes put out from now on. */
  constructor(graph: Graph) {
    this.#graph = graph;
    for (const node of graph.nodes()) {
      const seen = { rows: 0, bytes: 0 };
      this.#seen.set(node, seen);
      const end = node.endTick.bind(node);
      node.endTick = () => {
        if (this.#watching && node.output.n > 0) {
          seen.rows += node.output.n;
          seen.bytes += rawBytes(node.output);
        }
        end();
      };
    }
  }

  stop(): void {
    this.#watching = false;
  }

  #of(node: GraphNode): number {
    const seen = this.#seen.get(node);
    return seen === undefined || seen.rows === 0 ? 0 : seen.bytes / seen.rows;
  }

  /** Stored rows, their raw bytes, and what state may take for them. */
  bound(): { rows: number; raw: number; bytes: number } {
    let rows = 0;
    let raw = 0;
    for (const node of this.#graph.nodes()) {
      const own = node.operator?.state().rows ?? 0;
      raw += own * this.#of(KEEP_INPUT.has(node.spec.op) ? node.inputs[0] : node);
      rows += own;
      for (const index of node.indexes.values()) {
        const size = index.own?.size ?? 0;
        raw += size * this.#of(node);
        rows += size;
      }
    }
    return { rows, raw, bytes: SHARE * raw + FIXED * rows };
  }
}
